//! Why the stack never gives a PSK to OpenMLS's commit builder: nobody can follow. A release that mends it turns this red.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use openmls::{
    prelude::{
        BasicCredential, Ciphersuite, CredentialWithKey, KeyPackage, MlsGroup, MlsGroupCreateConfig,
        MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, OpenMlsProvider, PreSharedKeyProposal,
        ProcessMessageError, ProcessedMessageContent, Proposal, ProtocolMessage, StageCommitError, StagedWelcome,
    },
    schedule::{PreSharedKeyId, Psk, psk::ExternalPsk},
};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use tls_codec::Deserialize;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

struct Client {
    provider: OpenMlsRustCrypto,
    signer: SignatureKeyPair,
    credential: CredentialWithKey,
}

impl Client {
    fn new(name: &str) -> Self {
        let signer = SignatureKeyPair::new(SUITE.signature_algorithm()).unwrap();
        let credential = CredentialWithKey {
            credential: BasicCredential::new(name.as_bytes().to_vec()).into(),
            signature_key: signer.to_public_vec().into(),
        };
        Self { provider: OpenMlsRustCrypto::default(), signer, credential }
    }

    /// The PSK of this name, which both know.
    fn psk(&self, name: &[u8]) -> PreSharedKeyId {
        let id = PreSharedKeyId::new(SUITE, self.provider.rand(), Psk::External(ExternalPsk::new(name.to_vec())));
        let id = id.unwrap();
        id.store(&self.provider, name).unwrap();
        id
    }
}

fn body(message: &MlsMessageOut) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize_exact(message.to_bytes().unwrap()).unwrap().extract()
}

fn private(message: &MlsMessageOut) -> ProtocolMessage {
    let MlsMessageBodyIn::PrivateMessage(message) = body(message) else { panic!("not a PrivateMessage") };
    message.into()
}

#[test]
fn openmls_mixes_psks_in_another_order_than_it_commits_them() {
    let (alice, bob) = (Client::new("alice"), Client::new("bob"));
    let config = MlsGroupCreateConfig::builder().ciphersuite(SUITE).use_ratchet_tree_extension(true).build();
    let mut group = MlsGroup::new(&alice.provider, &alice.signer, &config, alice.credential.clone()).unwrap();
    let package = KeyPackage::builder().build(SUITE, &bob.provider, &bob.signer, bob.credential.clone()).unwrap();
    let added = group.add_members(&alice.provider, &alice.signer, &[package.key_package().clone()]);
    let (_, welcome, _) = added.unwrap();
    group.merge_pending_commit(&alice.provider).unwrap();
    let MlsMessageBodyIn::Welcome(welcome) = body(&welcome) else { panic!("not a Welcome") };
    let config = MlsGroupJoinConfig::default();
    let joined = StagedWelcome::new_from_welcome(&bob.provider, &config, welcome, None).unwrap();
    let mut joined = joined.into_group(&bob.provider).unwrap();

    bob.psk(b"by reference");
    bob.psk(b"by value");
    let sent = group.propose_pre_shared_key(&alice.provider, &alice.signer, alice.psk(b"by reference"));
    let (proposal, _) = sent.unwrap();
    let by_value = Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(alice.psk(b"by value"))));
    let commit = group
        .commit_builder()
        .add_proposal(by_value)
        .load_psks(alice.provider.storage())
        .unwrap()
        .build(alice.provider.rand(), alice.provider.crypto(), &alice.signer, |_| true)
        .unwrap()
        .stage_commit(&alice.provider)
        .unwrap()
        .into_commit();

    let received = joined.process_message(&bob.provider, private(&proposal)).unwrap().into_content();
    let ProcessedMessageContent::ProposalMessage(proposal) = received else { panic!("not a proposal") };
    joined.store_pending_proposal(bob.provider.storage(), *proposal).unwrap();
    let refused = joined.process_message(&bob.provider, private(&commit)).unwrap_err();
    assert!(
        matches!(refused, ProcessMessageError::InvalidCommit(StageCommitError::ConfirmationTagMismatch)),
        "{refused:?}"
    );
}
