//! OpenMLS 0.9 on RustCrypto or libcrux, with its storage in memory, which it writes to in every call.

use std::collections::HashMap;

use mls_crypto::CipherSuite;
use openmls::prelude::{
    BasicCredential, Ciphersuite, CredentialWithKey, GroupId, KeyPackage, KeyPackageIn, LeafNodeIndex,
    MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupCreateConfig, MlsGroupJoinConfig, MlsMessageBodyIn,
    MlsMessageIn, MlsMessageOut, OpenMlsProvider, ProcessedMessageContent, ProtocolMessage, ProtocolVersion,
    StagedWelcome,
};
use openmls_basic_credential::SignatureKeyPair;
use openmls_memory_storage::MemoryStorage;
use openmls_rust_crypto::OpenMlsRustCrypto;
use tls_codec::Deserialize;

use crate::{
    peer::{Change, Committed, Peer},
    sample::{Sample, timed},
};

/// A client of OpenMLS.
struct OpenMls<P> {
    provider: P,
    suite: Ciphersuite,
    signer: SignatureKeyPair,
    credential: CredentialWithKey,
    group: Option<MlsGroup>,
    /// The storage as it was when somebody began to watch.
    before: Option<HashMap<Vec<u8>, Vec<u8>>>,
}

/// A client on RustCrypto.
pub fn rust_crypto(seed: u64, suite: CipherSuite) -> Box<dyn Peer> {
    Box::new(OpenMls::new(seed, suite, OpenMlsRustCrypto::default()))
}

/// A client on libcrux.
pub fn libcrux(seed: u64, suite: CipherSuite) -> Box<dyn Peer> {
    Box::new(OpenMls::new(seed, suite, openmls_libcrux_crypto::Provider::new().unwrap()))
}

impl<P: OpenMlsProvider<StorageProvider = MemoryStorage>> OpenMls<P> {
    /// A client in no group.
    fn new(seed: u64, suite: CipherSuite, provider: P) -> Self {
        let suite = Ciphersuite::try_from(suite.0).unwrap();
        let signer = SignatureKeyPair::new(suite.signature_algorithm()).unwrap();
        let credential = CredentialWithKey {
            credential: BasicCredential::new(format!("openmls {seed}").into_bytes()).into(),
            signature_key: signer.to_public_vec().into(),
        };
        Self { provider, suite, signer, credential, group: None, before: None }
    }

    fn parts(&mut self) -> (&mut MlsGroup, &P, &SignatureKeyPair) {
        (self.group.as_mut().unwrap(), &self.provider, &self.signer)
    }

    /// Bytes of keys and values in its storage.
    fn in_store(&self) -> usize {
        let values = self.provider.storage().values.read().unwrap();
        values.iter().map(|(key, value)| key.len() + value.len()).sum()
    }
}

fn decode(message: &[u8]) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize_exact(message).unwrap().extract()
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        .build()
}

/// What application data says; commits are merged.
fn process<P: OpenMlsProvider>(group: &mut MlsGroup, provider: &P, message: &[u8]) -> Option<Vec<u8>> {
    let message: ProtocolMessage = match decode(message) {
        MlsMessageBodyIn::PublicMessage(message) => message.into(),
        MlsMessageBodyIn::PrivateMessage(message) => message.into(),
        _ => panic!("no message for a group"),
    };
    match group.process_message(provider, message).unwrap().into_content() {
        ProcessedMessageContent::ApplicationMessage(message) => Some(message.into_bytes()),
        ProcessedMessageContent::StagedCommitMessage(commit) => {
            group.merge_staged_commit(provider, *commit).unwrap();
            None
        }
        _ => panic!("unexpected content"),
    }
}

/// A key package whose signature is good.
fn key_package<P: OpenMlsProvider>(provider: &P, message: &[u8]) -> KeyPackage {
    let MlsMessageBodyIn::KeyPackage(package) = decode(message) else { panic!("no key package") };
    let package: KeyPackageIn = package;
    package.validate(provider.crypto(), ProtocolVersion::Mls10).unwrap()
}

impl<P: OpenMlsProvider<StorageProvider = MemoryStorage>> Peer for OpenMls<P> {
    fn key_package(&mut self) -> Vec<u8> {
        let bundle =
            KeyPackage::builder().build(self.suite, &self.provider, &self.signer, self.credential.clone()).unwrap();
        MlsMessageOut::from(bundle.key_package().clone()).to_bytes().unwrap()
    }

    fn create(&mut self) {
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(self.suite)
            .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build();
        let (id, credential) = (GroupId::from_slice(b"bench"), self.credential.clone());
        let group = MlsGroup::new_with_group_id(&self.provider, &self.signer, &config, id, credential);
        self.group = Some(group.unwrap());
    }

    fn join(&mut self, welcome: &[u8]) {
        let MlsMessageBodyIn::Welcome(welcome) = decode(welcome) else { panic!("no Welcome") };
        let staged = StagedWelcome::new_from_welcome(&self.provider, &join_config(), welcome, None).unwrap();
        self.group = Some(staged.into_group(&self.provider).unwrap());
    }

    fn join_and_weigh(&mut self, welcome: &[u8]) -> (usize, Sample) {
        let before = self.in_store();
        let sample = timed(true, || {
            self.join(welcome);
            welcome.len()
        });
        let held = sample.memory.and_then(|memory| usize::try_from(memory.held).ok()).unwrap_or_default();
        (held.saturating_sub(self.in_store().saturating_sub(before)), sample)
    }

    fn join_external(&mut self, group_info: &[u8]) -> Vec<u8> {
        let MlsMessageBodyIn::GroupInfo(info) = decode(group_info) else { panic!("no GroupInfo") };
        let provider = &self.provider;
        let (group, bundle) = MlsGroup::external_commit_builder()
            .with_config(join_config())
            .build_group(provider, info, self.credential.clone())
            .unwrap()
            .load_psks(provider.storage())
            .unwrap()
            .build(provider.rand(), provider.crypto(), &self.signer, |_| true)
            .unwrap()
            .finalize(provider)
            .unwrap();
        self.group = Some(group);
        bundle.commit().to_bytes().unwrap()
    }

    fn commit(&mut self, change: &Change) -> Committed {
        let (group, provider, signer) = self.parts();
        let tree = !matches!(change, Change::AddByHash(_));
        let mut builder = group.commit_builder().force_self_update(true);
        match change {
            Change::Update => {}
            Change::Add(packages) => {
                builder = builder.propose_adds(packages.iter().map(|package| key_package(provider, package)));
            }
            Change::AddByHash(package) => builder = builder.propose_adds([key_package(provider, package)]),
            Change::Remove(leaf) => builder = builder.propose_removals([LeafNodeIndex::new(*leaf)]),
        }
        let bundle = builder
            .load_psks(provider.storage())
            .unwrap()
            .use_ratchet_tree_extension(tree)
            // A GroupInfo with every commit is the default; nobody asked for one here.
            .create_group_info(false)
            .build(provider.rand(), provider.crypto(), signer, |_| true)
            .unwrap()
            .stage_commit(provider)
            .unwrap();
        let welcome = bundle.to_welcome_msg().map(|welcome| welcome.to_bytes().unwrap());
        Committed { commit: bundle.commit().to_bytes().unwrap(), welcome }
    }

    fn discard(&mut self) {
        let (group, provider, _) = self.parts();
        group.clear_pending_commit(provider.storage()).unwrap();
    }

    fn apply(&mut self) {
        let (group, provider, _) = self.parts();
        group.merge_pending_commit(provider).unwrap();
    }

    fn process(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let (group, provider, _) = self.parts();
        process(group, provider, message)
    }

    fn send(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let (group, provider, signer) = self.parts();
        group.create_message(provider, signer, plaintext).unwrap().to_bytes().unwrap()
    }

    fn save(&mut self) {
        // Every call has stored what it changed.
    }

    fn open_and_read(&mut self, message: &[u8]) -> Vec<u8> {
        let id = self.parts().0.group_id().clone();
        let mut group = MlsGroup::load(self.provider.storage(), &id).unwrap().unwrap();
        let plaintext = process(&mut group, &self.provider, message).unwrap();
        self.group = Some(group);
        plaintext
    }

    fn after_reading(&mut self, _: &[u8]) {
        // It has stored what it read.
    }

    fn watch(&mut self) {
        self.before = Some(self.provider.storage().values.read().unwrap().clone());
    }

    fn forget(&mut self) {
        self.before = None;
    }

    /// Of entries that differ from before: what was written over with the same bytes is not seen.
    fn stored(&mut self) -> Option<usize> {
        let before = self.before.take()?;
        let now = self.provider.storage().values.read().unwrap();
        let changed = now.iter().filter(|(key, value)| before.get(*key) != Some(value));
        Some(changed.map(|(key, value)| key.len() + value.len()).sum())
    }
}
