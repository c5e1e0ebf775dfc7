//! mls-rs 0.57 with its storage in memory.

use mls_rs::{
    CipherSuite, CipherSuiteProvider, Client, CryptoProvider, ExtensionList, Group, MlsMessage,
    client_builder::{MlsConfig, PaddingMode},
    group::ReceivedMessage,
    identity::{
        SigningIdentity,
        basic::{BasicCredential, BasicIdentityProvider},
    },
    mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions},
};
use mls_rs_crypto_awslc::AwsLcCryptoProvider;
use mls_rs_crypto_rustcrypto::RustCryptoProvider;

use crate::peer::{Change, Committed, Peer};

struct MlsRs<C: MlsConfig> {
    client: Client<C>,
    group: Option<Group<C>>,
}

/// A client on aws-lc.
pub fn aws_lc(seed: u64) -> Box<dyn Peer> {
    with_crypto(seed, AwsLcCryptoProvider::new())
}

/// A client on RustCrypto.
pub fn rust_crypto(seed: u64) -> Box<dyn Peer> {
    with_crypto(seed, RustCryptoProvider::default())
}

fn with_crypto<P: CryptoProvider + Clone + 'static>(seed: u64, crypto: P) -> Box<dyn Peer> {
    let suite = CipherSuite::CURVE25519_AES128;
    let (secret_key, public_key) = crypto.cipher_suite_provider(suite).unwrap().signature_key_generate().unwrap();
    let credential = BasicCredential::new(format!("mls-rs {seed}").into_bytes()).into_credential();
    let commits = CommitOptions::new()
        .with_path_required(true)
        .with_ratchet_tree_extension(true)
        .with_single_welcome_message(true);
    let rules = DefaultMlsRules::new()
        .with_commit_options(commits)
        .with_encryption_options(EncryptionOptions::new(true, PaddingMode::None));
    let client = Client::builder()
        .crypto_provider(crypto)
        .identity_provider(BasicIdentityProvider::new())
        .mls_rules(rules)
        .signing_identity(SigningIdentity::new(credential, public_key), secret_key, suite)
        .build();
    Box::new(MlsRs { client, group: None })
}

impl<C: MlsConfig> MlsRs<C> {
    fn group(&mut self) -> &mut Group<C> {
        self.group.as_mut().unwrap()
    }
}

fn decode(message: &[u8]) -> MlsMessage {
    MlsMessage::from_bytes(message).unwrap()
}

fn encoded(message: &MlsMessage) -> Vec<u8> {
    message.to_bytes().unwrap()
}

impl<C: MlsConfig> Peer for MlsRs<C> {
    fn key_package(&mut self) -> Vec<u8> {
        let (package, leaf) = (ExtensionList::new(), ExtensionList::new());
        encoded(&self.client.generate_key_package_message(package, leaf, None).unwrap())
    }

    fn create(&mut self) {
        let (context, leaf) = (ExtensionList::new(), ExtensionList::new());
        self.group = Some(self.client.create_group_with_id(b"bench".to_vec(), context, leaf, None).unwrap());
    }

    fn join(&mut self, welcome: &[u8]) {
        self.group = Some(self.client.join_group(None, &decode(welcome), None).unwrap().0);
    }

    fn join_external(&mut self, group_info: &[u8]) -> Vec<u8> {
        let (group, commit) = self.client.external_commit_builder().unwrap().build(decode(group_info)).unwrap();
        self.group = Some(group);
        encoded(&commit)
    }

    fn commit(&mut self, change: &Change) -> Committed {
        let mut builder = self.group().commit_builder();
        match change {
            Change::Update => {}
            Change::Add(packages) => {
                for package in packages {
                    builder = builder.add_member(decode(package)).unwrap();
                }
            }
            Change::Remove(leaf) => builder = builder.remove_member(*leaf).unwrap(),
        }
        let output = builder.build().unwrap();
        let welcome = output.welcome_messages().first().map(encoded);
        Committed { commit: encoded(output.commit_message()), welcome }
    }

    fn discard(&mut self) {
        self.group().clear_pending_commit();
    }

    fn apply(&mut self) {
        self.group().apply_pending_commit().unwrap();
    }

    fn process(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        match self.group().process_incoming_message(decode(message)).unwrap() {
            ReceivedMessage::ApplicationMessage(message) => Some(message.data().to_vec()),
            ReceivedMessage::Commit(_) => None,
            other => panic!("{other:?}"),
        }
    }

    fn send(&mut self, plaintext: &[u8]) -> Vec<u8> {
        encoded(&self.group().encrypt_application_message(plaintext, Vec::new()).unwrap())
    }

    fn save(&mut self) {
        self.group().write_to_storage().unwrap();
    }

    fn open_and_read(&mut self, message: &[u8]) -> Vec<u8> {
        let id = self.group().group_id().to_vec();
        let mut group = self.client.load_group(&id).unwrap();
        let received = group.process_incoming_message(decode(message)).unwrap();
        self.group = Some(group);
        match received {
            ReceivedMessage::ApplicationMessage(message) => message.data().to_vec(),
            other => panic!("{other:?}"),
        }
    }

    fn after_reading(&mut self, _: &[u8]) {
        self.save();
    }
}
