//! mls-rs 0.57 with its storage in memory.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use mls_rs::{
    CipherSuite, CipherSuiteProvider, Client, CryptoProvider, ExtensionList, Group, GroupStateStorage, MlsMessage,
    MlsRules,
    client_builder::{MlsConfig, PaddingMode},
    group::{GroupContext, ReceivedMessage, Roster},
    identity::{
        SigningIdentity,
        basic::{BasicCredential, BasicIdentityProvider},
    },
    mls_rules::{CommitDirection, CommitOptions, CommitSource, EncryptionOptions, ProposalBundle},
    storage_provider::in_memory::InMemoryGroupStateStorage,
};
use mls_rs_core::group::{EpochRecord, GroupState};
use mls_rs_crypto_awslc::AwsLcCryptoProvider;
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use zeroize::Zeroizing;

use crate::peer::{Change, Committed, Peer};

struct MlsRs<C: MlsConfig> {
    client: Client<C>,
    group: Option<Group<C>>,
    rules: Rules,
    store: Store,
}

/// What is measured: a path with every commit, handshakes encrypted, no padding, one Welcome.
#[derive(Clone, Debug, Default)]
struct Rules {
    tree_by_hash: Arc<AtomicBool>,
}

impl MlsRules for Rules {
    type Error = Infallible;

    fn filter_proposals(
        &self,
        _: CommitDirection,
        _: CommitSource,
        _: &Roster<'_>,
        _: &GroupContext,
        proposals: ProposalBundle,
    ) -> Result<ProposalBundle, Infallible> {
        Ok(proposals)
    }

    fn commit_options(
        &self,
        _: &Roster<'_>,
        _: &GroupContext,
        _: &ProposalBundle,
    ) -> Result<CommitOptions, Infallible> {
        let tree = !self.tree_by_hash.load(Relaxed);
        Ok(CommitOptions::new()
            .with_path_required(true)
            .with_ratchet_tree_extension(tree)
            .with_single_welcome_message(true))
    }

    fn encryption_options(&self, _: &Roster<'_>, _: &GroupContext) -> Result<EncryptionOptions, Infallible> {
        Ok(EncryptionOptions::new(true, PaddingMode::None))
    }
}

/// Its storage in memory, with the bytes that go in and out counted.
#[derive(Clone, Debug, Default)]
struct Store {
    inner: InMemoryGroupStateStorage,
    written: Arc<AtomicUsize>,
    read: Arc<AtomicUsize>,
}

impl GroupStateStorage for Store {
    type Error = Infallible;

    fn state(&self, group_id: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, Infallible> {
        let state = self.inner.state(group_id)?;
        self.read.fetch_add(state.as_ref().map_or(0, |state| state.len()), Relaxed);
        Ok(state)
    }

    fn epoch(&self, group_id: &[u8], epoch_id: u64) -> Result<Option<Zeroizing<Vec<u8>>>, Infallible> {
        let epoch = self.inner.epoch(group_id, epoch_id)?;
        self.read.fetch_add(epoch.as_ref().map_or(0, |epoch| epoch.len()), Relaxed);
        Ok(epoch)
    }

    fn write(
        &mut self,
        state: GroupState,
        epoch_inserts: Vec<EpochRecord>,
        epoch_updates: Vec<EpochRecord>,
    ) -> Result<(), Infallible> {
        let epochs: usize = epoch_inserts.iter().chain(&epoch_updates).map(|epoch| epoch.data.len()).sum();
        self.written.fetch_add(state.id.len() + state.data.len() + epochs, Relaxed);
        self.inner.write(state, epoch_inserts, epoch_updates)
    }

    fn max_epoch_id(&self, group_id: &[u8]) -> Result<Option<u64>, Infallible> {
        self.inner.max_epoch_id(group_id)
    }
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
    let (rules, store) = (Rules::default(), Store::default());
    let client = Client::builder()
        .crypto_provider(crypto)
        .identity_provider(BasicIdentityProvider::new())
        .mls_rules(rules.clone())
        .group_state_storage(store.clone())
        .signing_identity(SigningIdentity::new(credential, public_key), secret_key, suite)
        .build();
    Box::new(MlsRs { client, group: None, rules, store })
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
        self.rules.tree_by_hash.store(matches!(change, Change::AddByHash(_)), Relaxed);
        let mut builder = self.group().commit_builder();
        match change {
            Change::Update => {}
            Change::Add(packages) => {
                for package in packages {
                    builder = builder.add_member(decode(package)).unwrap();
                }
            }
            Change::AddByHash(package) => builder = builder.add_member(decode(package)).unwrap(),
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

    fn forget(&mut self) {
        self.store.written.store(0, Relaxed);
        self.store.read.store(0, Relaxed);
    }

    fn stored(&mut self) -> Option<usize> {
        Some(self.store.written.load(Relaxed))
    }

    fn read(&mut self) -> Option<usize> {
        Some(self.store.read.load(Relaxed))
    }
}
