//! Single proposals (RFC 9420, Section 12.1).

use mls_crypto::{CipherSuite, Opaque};
use mls_engine::{
    error::{DecodeError, OperationError, ProcessError},
    group::ProposalKind,
    message::{
        ExtensionType, Extensions, PreSharedKey, PreSharedKeyId, Proposal, ProposalType, ProtocolVersion, PskKind,
        ReInit, ResumptionPskUsage,
    },
};

use crate::scene::{
    BLANK, CAROL, CUSTOM, EXTENSION, OUTSIDE, Scene, UNKNOWN_EXTENSION, custom, extensions, limits, one_extension, psk,
    psk_of, refuses, reinit, remove,
};

/// PROP-06, X-DOS-03
#[test]
fn removal_of_nobody() {
    let scene = Scene::new();
    for leaf in [BLANK, OUTSIDE] {
        scene.refuses_proposal(remove(leaf), ProcessError::RemovedLeafBlank(leaf));
    }
}

fn resumption(usage: ResumptionPskUsage) -> Proposal {
    psk_of(PskKind::Resumption { usage, psk_group_id: Opaque::from(&b"group"[..]), psk_epoch: 1 }, 1)
}

/// PROP-07, PROP-08, GRP-08
#[test]
fn resumption_psk_of_a_succession() {
    let scene = Scene::new();
    let expected = ProcessError::ProposalNotAllowed(ProposalType::PSK);
    scene.refuses_proposal(resumption(ResumptionPskUsage::ReInit), expected.clone());
    scene.refuses_proposal(resumption(ResumptionPskUsage::Branch), expected);
    let (message, _) = scene.insider().proposal(resumption(ResumptionPskUsage::Application));
    assert!(scene.alice.group.process(&scene.alice.host.env(), &message).is_ok());
}

/// PROP-09
#[test]
fn psk_nonce_of_a_wrong_length() {
    let scene = Scene::new();
    for len in [0, 31, 33, 64] {
        let kind = PskKind::External(Opaque::from(&b"psk"[..]));
        let psk = PreSharedKeyId { kind, psk_nonce: Opaque::new(vec![1; len]) };
        scene.refuses_proposal(Proposal::PreSharedKey(PreSharedKey { psk }), ProcessError::PskNonceLength);
    }
}

/// PROP-11: a PSK that we do not hold may be proposed; only the commit needs it.
#[test]
fn missing_psk_may_be_proposed() {
    let mut scene = Scene::new();
    scene.alice.host.psks.clear();
    let (message, _) = scene.insider().proposal(psk(1));
    scene.alice.receive(&message).unwrap();
    let expected = OperationError::Rule(ProcessError::MissingPsk);
    let own = vec![ProposalKind::ExternalPsk(b"psk".to_vec())];
    assert_eq!(scene.alice.commit_by_value(own).unwrap_err(), expected);
}

/// PROP-13: a host that tells the two groups apart may have it so.
#[test]
fn reinit_under_the_same_id_where_the_host_accepts_it() {
    let mut scene = Scene::new();
    scene.alice.host.policy.reinit_under_same_id = true;
    let (message, _) = scene.insider().proposal(Proposal::ReInit(reinit(b"group")));
    scene.alice.receive(&message).unwrap();
}

/// PROP-12, PROP-13
#[test]
fn reinit_to_what_cannot_be() {
    let scene = Scene::new();
    let good = reinit(b"next");
    for bad in [
        ReInit { version: ProtocolVersion(0), ..good.clone() },
        ReInit { version: ProtocolVersion(2), ..good.clone() },
        ReInit { group_id: Opaque::from(&b"group"[..]), ..good.clone() },
    ] {
        scene.refuses_proposal(Proposal::ReInit(bad), ProcessError::InvalidReInit);
    }
    for kind in [ExtensionType::APPLICATION_ID, ExtensionType::RATCHET_TREE, ExtensionType::EXTERNAL_PUB] {
        let bad = ReInit { extensions: one_extension(kind, b""), ..good.clone() };
        scene.refuses_proposal(Proposal::ReInit(bad), ProcessError::MisplacedExtension(kind));
    }
}

/// PROP-13: we do not propose what we cannot follow.
#[test]
fn own_reinit_to_an_unsupported_suite() {
    let mut scene = Scene::new();
    let suite = CipherSuite(0x7777);
    let reinit = ReInit { cipher_suite: suite, ..reinit(b"next") };
    let expected = OperationError::Rule(ProcessError::Crypto(mls_crypto::CryptoError::UnsupportedSuite(suite)));
    assert_eq!(scene.alice.propose(ProposalKind::ReInit(reinit)).unwrap_err(), expected);
}

/// DEC-26
#[test]
fn context_extension_of_another_object() {
    let scene = Scene::new();
    for kind in [ExtensionType::APPLICATION_ID, ExtensionType::RATCHET_TREE, ExtensionType::EXTERNAL_PUB] {
        scene.refuses_proposal(extensions(one_extension(kind, b"")), ProcessError::MisplacedExtension(kind));
    }
}

/// DEC-08, DEC-21: the body of `required_capabilities` and of `external_senders` is exactly one value.
#[test]
fn context_extension_that_does_not_decode() {
    let scene = Scene::new();
    for (kind, body, expected) in [
        (ExtensionType::REQUIRED_CAPABILITIES, &b""[..], DecodeError::Truncated),
        (ExtensionType::REQUIRED_CAPABILITIES, b"\0\0\0\0", DecodeError::TrailingBytes),
        (ExtensionType::EXTERNAL_SENDERS, b"", DecodeError::Truncated),
    ] {
        let (message, _) = scene.insider().proposal(extensions(one_extension(kind, body)));
        scene.refuses(&message, ProcessError::Decode(expected));
    }
}

/// PROP-18: the list is replaced, not merged.
#[test]
fn context_extensions_are_replaced() {
    let mut scene = Scene::with_extensions(one_extension(EXTENSION, b"old"));
    let insider = scene.insider();
    let message = insider.finish(&insider.commit_with_path(vec![extensions(Extensions::new())]));
    scene.alice.receive(&message).unwrap();
    assert_eq!(scene.alice.group.public().context().extensions, Extensions::new());
}

/// PROP-17, PROP-20: nor do we make such a commit.
#[test]
fn own_context_extension_that_members_do_not_list() {
    let mut scene = Scene::new();
    for kind in [UNKNOWN_EXTENSION, ExtensionType(0x1A1A)] {
        let change = ProposalKind::GroupContextExtensions(one_extension(kind, b""));
        let refused = scene.alice.commit_by_value(vec![change]).unwrap_err();
        assert_eq!(refused, OperationError::Rule(ProcessError::UnsupportedExtension(kind)));
    }
}

/// X-DOS-06: of one sender, and in all.
#[test]
fn cached_proposals_at_and_over_the_limit() {
    let mut scene = Scene::new();
    let carol = testkit::forge::insider::Insider::of(&scene.carol);
    let insider = scene.insider();
    scene.alice.host.limits = limits(|limits| {
        limits.max_cached_proposals_per_sender = 2;
        limits.max_cached_proposals = 3;
    });
    scene.alice.receive(&insider.proposal(psk(1)).0).unwrap();
    scene.alice.receive(&insider.proposal(psk(2)).0).unwrap();
    refuses(&scene.alice, &insider.proposal(psk(3)).0, ProcessError::TooManyProposals);
    scene.alice.receive(&insider.proposal(psk(2)).0).unwrap();
    scene.alice.receive(&carol.proposal(psk(1)).0).unwrap();
    refuses(&scene.alice, &carol.proposal(psk(2)).0, ProcessError::TooManyProposals);
    assert_eq!(scene.alice.group.pending_proposals().len(), 3);
}

/// EPO-07, PROP-02: proposals end with their epoch.
#[test]
fn proposal_of_the_last_epoch() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let (message, reference) = insider.proposal(remove(CAROL));
    scene.alice.receive(&message).unwrap();
    let commit = insider.finish(&insider.commit_with_path(vec![]));
    scene.alice.receive(&commit).unwrap();
    assert!(scene.alice.group.pending_proposals().is_empty());
    let _ = (reference, custom(CUSTOM));
}

/// KS-02: as many PSKs as there may be, and one more.
#[test]
fn psks_at_and_over_the_limit() {
    let scene = Scene::new();
    let list = |count: u8| (0..count).map(psk).collect::<Vec<_>>();
    scene.accepts_list(list(64));
    scene.refuses_list(list(65), ProcessError::TooManyPsks);
}
