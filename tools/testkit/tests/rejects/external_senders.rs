//! External senders, and clients that propose themselves (RFC 9420, Section 12.1.8).

use mls_crypto::{Opaque, SignaturePrivateKey, SignaturePublicKey};
use mls_engine::{
    error::{OperationError, ProcessError, Signed},
    message::{
        Content, Credential, CredentialType, ExtensionType, Extensions, ExternalInit, ExternalSender, Proposal, Sender,
        WireFormat,
    },
    policy::Proposer,
};
use testkit::{
    forge::insider::Insider,
    network::{NewMember, TestPolicy},
};

use crate::scene::{
    CAROL, CUSTOM, SUITE, Scene, add, custom, extensions, limits, newcomer, package, psk, refuses, reinit, remove,
    update,
};

/// The delivery service, which is no member.
fn service() -> NewMember {
    newcomer("service", 80, SUITE)
}

fn key_of(client: &NewMember) -> SignaturePublicKey {
    let suite = client.host.crypto.suite(SUITE).unwrap();
    suite.signature_public_key(&client.signature_key).unwrap()
}

fn senders(list: &[ExternalSender]) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.set_body(ExtensionType::EXTERNAL_SENDERS, &list.to_vec()).unwrap();
    extensions
}

fn sender(name: &str, key: SignaturePublicKey) -> ExternalSender {
    ExternalSender { signature_key: key, credential: Credential::basic(name.as_bytes()) }
}

/// A scene with the service as its one external sender.
fn scene() -> Scene {
    Scene::with_extensions(senders(&[sender("service", key_of(&service()))]))
}

/// A proposal from outside, signed with this key.
fn outside(insider: &Insider, sender: Sender, key: &SignaturePrivateKey, proposal: Proposal) -> Vec<u8> {
    let content = insider.content(sender, Content::Proposal(proposal));
    insider.public_bytes(insider.sign_with(key, WireFormat::PUBLIC_MESSAGE, content))
}

/// FRM-10, XS-01
#[test]
fn no_such_external_sender() {
    let message = |scene: &Scene, index| {
        outside(&scene.insider(), Sender::External(index), &service().signature_key, remove(CAROL))
    };
    let none = Scene::new();
    none.refuses(&message(&none, 0), ProcessError::UnknownExternalSender(0));
    let one = scene();
    assert!(one.alice.group.process(&one.alice.host.env(), &message(&one, 0)).is_ok());
    for index in [1, u32::MAX] {
        one.refuses(&message(&one, index), ProcessError::UnknownExternalSender(index));
    }
}

/// FRM-08, FRM-10: signed by a member in the service's name.
#[test]
fn external_sender_with_another_key() {
    let scene = scene();
    let insider = scene.insider();
    let message = outside(&insider, Sender::External(0), &insider.signature_key, remove(CAROL));
    scene.refuses(&message, ProcessError::BadSignature(Signed::Message));
}

/// FRM-14: the context is no part of what outsiders sign.
#[test]
fn external_sender_that_signs_the_context() {
    let scene = scene();
    let insider = scene.insider();
    let content = insider.content(Sender::External(0), Content::Proposal(remove(CAROL)));
    let mut signed = insider.sign_with(&service().signature_key, WireFormat::PUBLIC_MESSAGE, content);
    let tbs = insider.tbs(WireFormat::PUBLIC_MESSAGE, &signed.content, true);
    signed.auth.signature = insider.signature(&service().signature_key, &tbs);
    scene.refuses(&insider.public_bytes(signed), ProcessError::BadSignature(Signed::Message));
}

/// FRM-13, XS-04, PROP-05: what an external sender may not propose.
#[test]
fn proposals_that_are_not_for_external_senders() {
    let scene = scene();
    let insider = scene.insider();
    let init = Proposal::ExternalInit(ExternalInit { kem_output: Opaque::new(vec![9; 32]) });
    for proposal in [update(insider.update_leaf(|_| {})), init, custom(CUSTOM)] {
        let message = outside(&insider, Sender::External(0), &service().signature_key, proposal);
        scene.refuses(&message, ProcessError::SenderNotAllowed);
    }
}

/// FRM-13: the boundary: what it may.
#[test]
fn proposals_that_are_for_external_senders() {
    let scene = scene();
    let insider = scene.insider();
    let same = extensions(senders(&[sender("service", key_of(&service()))]));
    for proposal in [add(package("frank", 50)), remove(CAROL), psk(1), Proposal::ReInit(reinit(b"next")), same] {
        let message = outside(&insider, Sender::External(0), &service().signature_key, proposal);
        assert!(scene.alice.group.process(&scene.alice.host.env(), &message).is_ok());
    }
}

/// FRM-19, XS-05
#[test]
fn proposals_that_the_application_refuses() {
    let mut scene = scene();
    scene.alice.host.policy.no_outside_proposals = true;
    let insider = scene.insider();
    let expected = ProcessError::Refused(TestPolicy::OUTSIDE);
    let message = outside(&insider, Sender::External(0), &service().signature_key, remove(CAROL));
    scene.refuses(&message, expected.clone());
    let frank = newcomer("frank", 50, SUITE);
    let join = add(frank.key_package().key_package().clone());
    let message = outside(&insider, Sender::NewMemberProposal, &frank.signature_key, join);
    scene.refuses(&message, expected);
}

/// FRM-12, PROP-24: the Add is signed by another than it adds.
#[test]
fn new_member_proposal_for_somebody_else() {
    let scene = scene();
    let insider = scene.insider();
    let frank = newcomer("frank", 50, SUITE);
    let join = add(frank.key_package().key_package().clone());
    let right = outside(&insider, Sender::NewMemberProposal, &frank.signature_key, join.clone());
    assert!(scene.alice.group.process(&scene.alice.host.env(), &right).is_ok());
    let wrong = outside(&insider, Sender::NewMemberProposal, &service().signature_key, join);
    scene.refuses(&wrong, ProcessError::BadSignature(Signed::Message));
}

/// XS-02, FRM-04: an index of an earlier epoch's list.
#[test]
fn external_proposal_of_another_epoch() {
    let mut scene = scene();
    let message = outside(&scene.insider(), Sender::External(0), &service().signature_key, remove(CAROL));
    let (commit, _) = scene.carol.commit_now(mls_engine::group::CommitOptions::default()).unwrap();
    scene.deliver(&commit, CAROL);
    scene.refuses(&message, ProcessError::StaleEpoch { got: 2, current: 3 });
}

/// XS-06: the rule on commits is told who proposed.
#[test]
fn external_proposal_keeps_its_proposer() {
    let mut scene = scene();
    let message = outside(&scene.insider(), Sender::External(0), &service().signature_key, remove(CAROL));
    scene.alice.receive(&message).unwrap();
    assert_eq!(scene.alice.group.pending_proposals()[0].proposer, Proposer::External(0));
}

/// XS-08, X-DOS-06: outsiders fill only their own part of the cache.
#[test]
fn flood_of_external_proposals() {
    let mut scene = scene();
    scene.alice.host.limits = limits(|limits| limits.max_cached_proposals_per_sender = 2);
    let insider = scene.insider();
    let message = |nonce| outside(&insider, Sender::External(0), &service().signature_key, psk(nonce));
    scene.alice.receive(&message(1)).unwrap();
    scene.alice.receive(&message(2)).unwrap();
    refuses(&scene.alice, &message(3), ProcessError::TooManyProposals);
    scene.alice.receive(&insider.proposal(psk(9)).0).unwrap();
}

/// XS-07
#[test]
fn list_of_external_senders_that_is_not_one() {
    let scene = Scene::new();
    let key = key_of(&service());
    let invalid = ProcessError::InvalidExternalSenders;
    let twice = [sender("service", key.clone()), sender("other", key.clone())];
    scene.refuses_proposal(extensions(senders(&twice)), invalid.clone());
    let bad = [sender("service", SignaturePublicKey::new(vec![9; 31]))];
    scene.refuses_proposal(extensions(senders(&bad)), invalid);
    scene.accepts_list(vec![extensions(senders(&[sender("service", key)]))]);
    scene.accepts_list(vec![extensions(senders(&[]))]);
}

/// XS-07: as many as there may be, and one more.
#[test]
fn external_senders_at_and_over_the_limit() {
    let scene = Scene::new();
    let list = |count: u64| {
        let keys = (0..count).map(|seed| key_of(&newcomer("service", 1_000 + seed, SUITE)));
        keys.map(|key| sender("service", key)).collect::<Vec<_>>()
    };
    scene.accepts_list(vec![extensions(senders(&list(64)))]);
    scene.refuses_proposal(extensions(senders(&list(65))), ProcessError::InvalidExternalSenders);
}

/// CRED-06, CRED-07, PROP-19
#[test]
fn external_sender_that_nobody_vouches_for() {
    let mut scene = Scene::new();
    scene.alice.host.policy.refused = vec![b"service".to_vec()];
    let list = senders(&[sender("service", key_of(&service()))]);
    scene.refuses_proposal(extensions(list), ProcessError::Refused(TestPolicy::CREDENTIAL));
}

/// PROP-19: its credential is of a type that members do not support.
#[test]
fn external_sender_with_an_unsupported_credential() {
    let scene = Scene::new();
    let kind = CredentialType(0xF00C);
    let strange = ExternalSender {
        signature_key: key_of(&service()),
        credential: Credential::Custom(kind, Opaque::from(&b"service"[..])),
    };
    scene.refuses_list(vec![extensions(senders(&[strange]))], ProcessError::UnsupportedCredential(kind));
}

/// CRED-06, XS-07: a creator is held to the same.
#[test]
fn own_group_with_bad_external_senders() {
    let bad = senders(&[sender("service", SignaturePublicKey::new(vec![9; 31]))]);
    let created = newcomer("alice", 1, SUITE).create_with(b"group", bad);
    let expected = OperationError::Rule(ProcessError::InvalidExternalSenders);
    assert_eq!(created.map(|_| ()).unwrap_err(), expected);
}
