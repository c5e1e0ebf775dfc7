//! PrivateMessages and the window of generations (RFC 9420, Sections 6.3, 9 and 15.3).

use mls_crypto::Opaque;
use mls_engine::{
    codec::encode,
    error::{DecodeError, OperationError, ProcessError, Signed},
    framing::SenderData,
    group::{MessageOptions, ProposalKind},
    math::LeafIndex,
    message::{Content, ContentType, MlsMessage, PrivateMessage, WireFormat},
    schedule::RatchetKind,
};
use testkit::forge::insider::{Envelope, Insider};

use crate::scene::{BLANK, CAROL, DAVE, MALLORY, OUTSIDE, Scene, limits, psk, refuses, remove};

fn plaintext(insider: &Insider) -> Vec<u8> {
    Insider::plaintext(&signed(insider))
}

fn signed(insider: &Insider) -> mls_engine::message::AuthenticatedContent {
    let content = insider.own_content(Content::Application(Opaque::from(&b"hello"[..])));
    insider.sign(WireFormat::PRIVATE_MESSAGE, content)
}

/// A message of Mallory's in this generation.
fn message(insider: &Insider, generation: u32) -> Vec<u8> {
    insider.seal_bytes(&insider.envelope(ContentType::Application, MALLORY, generation), plaintext(insider))
}

/// Alice refuses a message in an edited envelope.
fn refuses_envelope(edit: impl FnOnce(&mut Envelope), expected: ProcessError) {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let mut envelope = insider.envelope(ContentType::Application, MALLORY, 0);
    edit(&mut envelope);
    scene.refuses(&insider.seal_bytes(&envelope, plaintext(&insider)), expected);
    assert_eq!(scene.alice.open(&message(&insider, 0)).unwrap(), (b"hello".to_vec(), MALLORY));
}

/// Alice refuses an edited message.
fn refuses_message(edit: impl FnOnce(&mut PrivateMessage), expected: ProcessError) {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let envelope = insider.envelope(ContentType::Application, MALLORY, 0);
    let mut sealed = insider.seal(&envelope, plaintext(&insider));
    edit(&mut sealed);
    scene.refuses(&encode(&MlsMessage::PrivateMessage(Box::new(sealed))).unwrap(), expected);
    assert_eq!(scene.alice.open(&message(&insider, 0)).unwrap(), (b"hello".to_vec(), MALLORY));
}

fn sender_data(leaf_index: LeafIndex, generation: u32) -> Option<Vec<u8>> {
    Some(encode(&SenderData { leaf_index, generation, reuse_guard: [0; 4] }).unwrap())
}

/// PM-01
#[test]
fn sample_of_another_length() {
    refuses_envelope(|envelope| envelope.sample = Some(31), ProcessError::DecryptionFailed);
}

/// PM-02
#[test]
fn sender_data_of_another_epoch() {
    refuses_envelope(|envelope| envelope.sender_data_epoch = Some(1), ProcessError::DecryptionFailed);
}

/// PM-03
#[test]
fn sender_that_is_no_member() {
    for leaf in [BLANK, OUTSIDE, LeafIndex::new(u32::MAX)] {
        refuses_envelope(|envelope| envelope.sender_data = sender_data(leaf, 0), ProcessError::UnknownMember(leaf));
    }
}

/// PM-04
#[test]
fn sender_data_of_a_wrong_length() {
    for (len, expected) in [(11, DecodeError::Truncated), (13, DecodeError::TrailingBytes)] {
        let mut bytes = sender_data(MALLORY, 0).unwrap();
        bytes.resize(len, 0);
        refuses_envelope(|envelope| envelope.sender_data = Some(bytes), ProcessError::Decode(expected));
    }
}

/// PM-06
#[test]
fn key_of_the_other_ratchet() {
    refuses_envelope(|envelope| envelope.key.kind = RatchetKind::Handshake, ProcessError::DecryptionFailed);
}

/// PM-06: the key of another generation, or of another sender.
#[test]
fn key_of_another_generation_or_sender() {
    refuses_envelope(|envelope| envelope.sender_data = sender_data(MALLORY, 1), ProcessError::DecryptionFailed);
    refuses_envelope(|envelope| envelope.sender_data = sender_data(CAROL, 0), ProcessError::DecryptionFailed);
}

/// PM-07
#[test]
fn other_authenticated_data() {
    let other = |sealed: &mut PrivateMessage| sealed.authenticated_data = Opaque::from(&b"other"[..]);
    refuses_message(other, ProcessError::DecryptionFailed);
}

/// PM-02, PM-07, PM-16: another content type in clear.
#[test]
fn other_content_type_in_clear() {
    refuses_message(|sealed| sealed.content_type = ContentType::Proposal, ProcessError::DecryptionFailed);
}

/// PM-16: application data sealed as a proposal throughout.
#[test]
fn content_that_is_not_what_was_announced() {
    let scene = Scene::new();
    let insider = scene.insider();
    let envelope = insider.envelope(ContentType::Proposal, MALLORY, 0);
    let message = insider.seal_bytes(&envelope, plaintext(&insider));
    let error = scene.alice.group.process(&scene.alice.host.env(), &message).unwrap_err();
    assert!(matches!(error, ProcessError::Decode(_)), "{error:?}");
    refuses(&scene.alice, &message, error);
    scene.goes_on();
}

/// PM-01: bytes that are no ciphertext.
#[test]
fn ciphertext_that_is_too_short() {
    refuses_message(|sealed| sealed.ciphertext = Opaque::new(Vec::new()), ProcessError::DecryptionFailed);
    refuses_message(|sealed| sealed.encrypted_sender_data = Opaque::new(Vec::new()), ProcessError::DecryptionFailed);
}

/// PM-10
#[test]
fn generation_twice() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let first = message(&insider, 3);
    scene.alice.open(&first).unwrap();
    let replay = |generation| ProcessError::ReplayDetected { leaf: MALLORY, generation };
    scene.refuses(&first, replay(3));
    let skipped = message(&insider, 1);
    scene.alice.open(&skipped).unwrap();
    scene.refuses(&skipped, replay(1));
    scene.alice.reopen();
    scene.refuses(&skipped, replay(1));
    assert_eq!(scene.alice.open(&message(&insider, 4)).unwrap().0, b"hello");
}

/// PM-11, X-DOS-05: the boundary, the next one, and the last one.
#[test]
fn generation_too_far_ahead() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let too_far = |generation| ProcessError::GenerationTooFar { leaf: MALLORY, generation };
    scene.refuses(&message(&insider, 1_001), too_far(1_001));
    let mut envelope = insider.envelope(ContentType::Application, MALLORY, 0);
    envelope.sender_data = sender_data(MALLORY, u32::MAX);
    scene.refuses(&insider.seal_bytes(&envelope, plaintext(&insider)), too_far(u32::MAX));
    scene.alice.open(&message(&insider, 1_000)).unwrap();
    scene.alice.open(&message(&insider, 2_001)).unwrap();
    scene.refuses(&message(&insider, 3_003), too_far(3_003));
}

/// X-DOS-05, CRY-13: as many generations in an epoch, from whatever small steps.
#[test]
fn generation_beyond_the_epochs_cap() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    scene.alice.host.limits = limits(|limits| limits.max_derivations = 10);
    scene.alice.open(&message(&insider, 9)).unwrap();
    let expected = ProcessError::GenerationTooFar { leaf: MALLORY, generation: 10 };
    scene.refuses(&message(&insider, 10), expected);
}

/// PM-13, CRY-13: and the sender stops before it.
#[test]
fn own_generations_are_used_up() {
    let mut scene = Scene::new();
    scene.alice.host.limits = limits(|limits| limits.max_derivations = 4);
    for _ in 0..3 {
        let sent = scene.alice.send(b"hello").unwrap();
        scene.mallory.open(&sent).unwrap();
    }
    assert_eq!(scene.alice.send(b"hello").unwrap_err(), OperationError::GenerationsExhausted);
}

/// PM-12, EPO-04: of too many skipped keys the oldest go.
#[test]
fn skipped_keys_are_capped() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    scene.alice.host.limits = limits(|limits| limits.max_skipped_keys_per_sender = 3);
    scene.alice.open(&message(&insider, 10)).unwrap();
    let replay = |generation| ProcessError::ReplayDetected { leaf: MALLORY, generation };
    scene.refuses(&message(&insider, 6), replay(6));
    assert_eq!(scene.alice.records.count(mls_engine::group::RecordClass::Skipped), 3);
    scene.alice.open(&message(&insider, 7)).unwrap();
    scene.alice.open(&message(&insider, 9)).unwrap();
}

/// PM-12, EPO-04: and over all senders.
#[test]
fn skipped_keys_of_all_senders_are_capped() {
    let mut scene = Scene::new();
    let (mallory, carol) = (scene.insider(), Insider::of(&scene.carol));
    scene.alice.host.limits = limits(|limits| limits.max_skipped_keys = 5);
    scene.alice.open(&message(&mallory, 4)).unwrap();
    let of_carol = carol.seal_bytes(&carol.envelope(ContentType::Application, CAROL, 4), plaintext(&carol));
    scene.alice.open(&of_carol).unwrap();
    assert!(scene.alice.records.count(mls_engine::group::RecordClass::Skipped) <= 5);
}

/// DEL-06, PM-12: skipped keys end with age.
#[test]
fn skipped_keys_age() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    scene.alice.open(&message(&insider, 2)).unwrap();
    scene.alice.host.now += 24 * 3600;
    assert!(scene.alice.group.expire(&scene.alice.host.env()).is_none());
    scene.alice.host.now += 1;
    let step = scene.alice.group.expire(&scene.alice.host.env()).unwrap();
    scene.alice.adopt(step).unwrap();
    let expected = ProcessError::ReplayDetected { leaf: MALLORY, generation: 1 };
    scene.refuses(&message(&insider, 1), expected);
}

/// PM-14: any byte of the padding.
#[test]
fn padding_that_is_not_zero() {
    for position in [0, 1, 15] {
        let mut scene = Scene::new();
        let insider = scene.insider();
        let envelope = insider.envelope(ContentType::Application, MALLORY, 0);
        let mut padding = [0; 16];
        padding[position] = 1;
        let padded = [plaintext(&insider), padding.to_vec()].concat();
        let expected = ProcessError::Decode(DecodeError::NonZeroPadding);
        scene.refuses(&insider.seal_bytes(&envelope, padded), expected);
        let padded = [plaintext(&insider), vec![0; 16]].concat();
        scene.alice.open(&insider.seal_bytes(&envelope, padded)).unwrap();
    }
}

/// PM-15, X-AUTH-03: an unsigned message in somebody's generation does not use it up.
#[test]
fn signature_inside_is_wrong() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let mut bent = signed(&insider);
    bent.auth.signature = Opaque::new(vec![7; 64]);
    let expected = ProcessError::BadSignature(Signed::Message);
    scene.refuses(&insider.private_bytes(&bent), expected.clone());
    let in_carols_name = insider.envelope(ContentType::Application, CAROL, 0);
    scene.refuses(&insider.seal_bytes(&in_carols_name, plaintext(&insider)), expected);
    let honest = scene.carol.send(b"I").unwrap();
    assert_eq!(scene.alice.open(&honest).unwrap(), (b"I".to_vec(), CAROL));
    scene.alice.open(&message(&insider, 0)).unwrap();
}

/// PM-19, COM-26
#[test]
fn message_while_proposals_wait() {
    let mut scene = Scene::new();
    let (proposal, _) = scene.insider().proposal(remove(DAVE));
    scene.alice.receive(&proposal).unwrap();
    assert_eq!(scene.alice.send(b"hello").unwrap_err(), OperationError::CommitRequired);
}

/// ADV-12: the payload's boundary.
#[test]
fn payload_at_and_over_the_limit() {
    let mut scene = Scene::new();
    scene.alice.host.limits = limits(|limits| limits.max_application_data = 100);
    scene.alice.send(&[7; 100]).unwrap();
    let expected = OperationError::PayloadTooLarge { len: 101, limit: 100 };
    assert_eq!(scene.alice.send(&[7; 101]).unwrap_err(), expected);
}

/// X-DOS-02: on length alone.
#[test]
fn message_at_and_over_the_limit() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let bytes = message(&insider, 0);
    scene.alice.host.limits = limits(|limits| limits.max_message = bytes.len() - 1);
    let expected = DecodeError::OverLimit { len: bytes.len(), limit: bytes.len() - 1 };
    refuses(&scene.alice, &bytes, ProcessError::Decode(expected));
    scene.alice.host.limits = limits(|limits| limits.max_message = bytes.len());
    scene.alice.open(&bytes).unwrap();
}

/// EPO-03: past epochs are kept by number and by age.
#[test]
fn past_epochs_end() {
    let mut scene = Scene::new();
    scene.alice.host.limits = limits(|limits| limits.max_past_epochs = 2);
    let old = scene.mallory.send(b"old").unwrap();
    for kept in 1..=3 {
        let (commit, _) = scene.carol.commit_now(mls_engine::group::CommitOptions::default()).unwrap();
        scene.deliver(&commit, CAROL);
        let expected = if kept <= 2 { None } else { Some(ProcessError::StaleEpoch { got: 2, current: 5 }) };
        assert_eq!(scene.alice.peek(&old).map(|_| ()).err(), expected);
    }
    assert_eq!(scene.alice.group.past_epochs(), [3, 4]);
    scene.alice.host.now += 14 * 24 * 3600;
    assert!(scene.alice.group.expire(&scene.alice.host.env()).is_none());
    scene.alice.host.now += 1;
    let step = scene.alice.group.expire(&scene.alice.host.env()).unwrap();
    scene.alice.adopt(step).unwrap();
    assert!(scene.alice.group.past_epochs().is_empty());
}

/// FRM-05, X-AUTH-13: a late message is named by the tree of its own epoch.
#[test]
fn late_message_of_a_removed_member() {
    let mut scene = Scene::new();
    let late = scene.carol.send(b"last words").unwrap();
    let insider = scene.insider();
    let commit = insider.finish(&insider.commit_with_path(vec![remove(CAROL)]));
    scene.alice.receive(&commit).unwrap();
    let opened = scene.alice.peek(&late).unwrap();
    assert_eq!(opened.sender_leaf.credential, testkit::network::Host::credential("carol"));
    let envelope = insider.envelope(ContentType::Application, BLANK, 0);
    let wrong = insider.seal_bytes(&envelope, plaintext(&insider));
    refuses(&scene.alice, &wrong, ProcessError::UnknownMember(BLANK));
}

/// FRM-16: a proposal that only those outside may make is refused from a member in private as well.
#[test]
fn proposal_in_private_is_judged_too() {
    let scene = Scene::new();
    let insider = scene.insider();
    let content = insider.own_content(Content::Proposal(remove(BLANK)));
    let signed = insider.sign(WireFormat::PRIVATE_MESSAGE, content);
    scene.refuses(&insider.private_bytes(&signed), ProcessError::RemovedLeafBlank(BLANK));
}

/// PM-08: equal plaintexts in one generation, of two clones, get different nonces from the reuse guard.
#[test]
fn reuse_guard_is_fresh() {
    let scene = Scene::new();
    let send = || scene.alice.group.send(&scene.alice.host.env(), b"hello", &MessageOptions::default()).unwrap();
    let (one, two) = (send(), send());
    assert_eq!(one.generation, two.generation);
    assert_ne!(one.message, two.message);
    let _ = (psk(1), ProposalKind::Remove(DAVE));
}
