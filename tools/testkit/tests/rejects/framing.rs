//! Framing common to all messages (RFC 9420, Sections 6 and 6.1).

use mls_crypto::Opaque;
use mls_engine::{
    codec::encode,
    error::{OperationError, ProcessError, Signed},
    framing::{Padding, PrivateKeys, seal, sign},
    message::{Commit, Content, ContentType, FramedContent, FramedContentAuthData, MlsMessage, Sender, WireFormat},
    schedule::SenderDataSecret,
};
use testkit::forge::insider::{Insider, encode_public};

use crate::scene::{ALICE, BLANK, CAROL, MALLORY, OUTSIDE, SUITE, Scene, psk, refuses, remove};

fn hello() -> Content {
    Content::Application(Opaque::from(&b"hello"[..]))
}

/// A proposal of this sender's, signed as Mallory.
fn from(insider: &Insider, sender: Sender) -> Vec<u8> {
    let content = insider.content(sender, Content::Proposal(psk(1)));
    insider.public_bytes(insider.sign(WireFormat::PUBLIC_MESSAGE, content))
}

/// An edited proposal of Mallory's, signed and tagged.
fn edited(insider: &Insider, edit: impl FnOnce(&mut FramedContent)) -> Vec<u8> {
    let mut content = insider.own_content(Content::Proposal(psk(1)));
    edit(&mut content);
    insider.public_bytes(insider.sign(WireFormat::PUBLIC_MESSAGE, content))
}

/// FRM-01
#[test]
fn application_data_in_clear() {
    let scene = Scene::new();
    let message = edited(&scene.insider(), |content| content.content = hello());
    scene.refuses(&message, ProcessError::PublicApplicationData);
}

/// FRM-01: not even when sending.
#[test]
fn application_data_in_clear_is_not_signed() {
    let scene = Scene::new();
    let insider = scene.insider();
    let content = insider.own_content(hello());
    let context = insider.public.encoded_context();
    let signed = sign(insider.suite.as_ref(), &insider.signature_key, WireFormat::PUBLIC_MESSAGE, content, context);
    assert_eq!(signed.unwrap_err(), ProcessError::PublicApplicationData);
}

/// FRM-02
#[test]
fn public_handshake_where_only_private_ones_are_allowed() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let (proposal, _) = insider.proposal(psk(1));
    let commit = insider.finish(&insider.commit_with_path(vec![]));
    scene.accepts(&commit);
    scene.alice.host.policy.only_private = true;
    scene.refuses(&proposal, ProcessError::WrongFraming);
    scene.refuses(&commit, ProcessError::WrongFraming);
}

/// FRM-03
#[test]
fn another_group() {
    let scene = Scene::new();
    let message = edited(&scene.insider(), |content| content.group_id = Opaque::from(&b"grouq"[..]));
    scene.refuses(&message, ProcessError::WrongGroup);
}

/// FRM-04, COM-01, EPO-01, EPO-02, PROP-01
#[test]
fn another_epoch() {
    let scene = Scene::new();
    let insider = scene.insider();
    let current = 2;
    for (epoch, expected) in [
        (0, ProcessError::StaleEpoch { got: 0, current }),
        (1, ProcessError::StaleEpoch { got: 1, current }),
        (3, ProcessError::FutureEpoch { got: 3, current }),
        (u64::MAX, ProcessError::FutureEpoch { got: u64::MAX, current }),
    ] {
        scene.refuses(&edited(&insider, |content| content.epoch = epoch), expected.clone());
        let commit = Content::Commit(Commit { proposals: Vec::new(), path: None });
        let message = edited(&insider, |content| (content.epoch, content.content) = (epoch, commit.clone()));
        // A commit has a confirmation tag; without one it does not even decode.
        assert!(scene.alice.group.process(&scene.alice.host.env(), &message).is_err());
    }
}

/// FRM-06
#[test]
fn private_message_of_another_epoch() {
    let scene = Scene::new();
    let insider = scene.insider();
    let signed = insider.sign(WireFormat::PRIVATE_MESSAGE, insider.own_content(hello()));
    let envelope = insider.envelope(ContentType::Application, MALLORY, 0);
    let mut message = insider.seal(&envelope, Insider::plaintext(&signed));
    for (epoch, expected) in
        [(3, ProcessError::FutureEpoch { got: 3, current: 2 }), (0, ProcessError::StaleEpoch { got: 0, current: 2 })]
    {
        message.epoch = epoch;
        // Carol never was in epoch 0.
        refuses(&scene.carol, &encode(&MlsMessage::PrivateMessage(Box::new(message.clone()))).unwrap(), expected);
    }
    scene.goes_on();
}

/// FRM-04: a past epoch that is kept is for application data only.
#[test]
fn handshake_of_a_kept_epoch() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let private = |content: Content| {
        insider.private_bytes(&insider.sign(WireFormat::PRIVATE_MESSAGE, insider.own_content(content)))
    };
    let (late, data) = (private(Content::Proposal(psk(1))), private(hello()));
    let commit = insider.finish(&insider.commit_with_path(vec![]));
    scene.alice.receive(&commit).unwrap();
    assert_eq!(scene.alice.open(&data).unwrap().0, b"hello");
    refuses(&scene.alice, &late, ProcessError::StaleEpoch { got: 2, current: 3 });
    refuses(&scene.alice, &commit, ProcessError::StaleEpoch { got: 2, current: 3 });
}

/// FRM-07, DEC-28
#[test]
fn sender_that_is_no_member() {
    let scene = Scene::new();
    for leaf in [BLANK, OUTSIDE, mls_engine::math::LeafIndex::new(u32::MAX)] {
        scene.refuses(&from(&scene.insider(), Sender::Member(leaf)), ProcessError::UnknownMember(leaf));
    }
}

/// FRM-08, FRM-09: signed with a key that is not the named sender's.
#[test]
fn signed_with_the_key_of_another_member() {
    let scene = Scene::new();
    let expected = ProcessError::BadSignature(Signed::Message);
    scene.refuses(&from(&scene.insider(), Sender::Member(CAROL)), expected);
}

/// FRM-11
#[test]
fn new_member_commit_that_is_a_proposal() {
    let scene = Scene::new();
    scene.refuses(&from(&scene.insider(), Sender::NewMemberCommit), ProcessError::SenderNotAllowed);
}

/// FRM-12
#[test]
fn new_member_proposal_that_is_no_add() {
    let scene = Scene::new();
    scene.refuses(&from(&scene.insider(), Sender::NewMemberProposal), ProcessError::SenderNotAllowed);
}

/// FRM-17
#[test]
fn commit_of_an_outsider() {
    let scene = Scene::new();
    let insider = scene.insider();
    for sender in [Sender::External(0), Sender::NewMemberProposal] {
        let mut forged = insider.commit_with_path(vec![]);
        forged.sender = sender;
        scene.refuses(&insider.finish(&forged), ProcessError::SenderNotAllowed);
    }
}

/// FRM-18: application data of one that is no member, in clear.
#[test]
fn application_data_of_an_outsider() {
    let scene = Scene::new();
    let insider = scene.insider();
    for sender in [Sender::External(0), Sender::NewMemberProposal, Sender::NewMemberCommit] {
        let message = edited(&insider, |content| (content.sender, content.content) = (sender, hello()));
        scene.refuses(&message, ProcessError::PublicApplicationData);
    }
}

/// FRM-14: the context is missing from what a member signs.
#[test]
fn signature_without_the_context() {
    let scene = Scene::new();
    let insider = scene.insider();
    let content = insider.own_content(Content::Proposal(psk(1)));
    let mut signed = insider.sign(WireFormat::PUBLIC_MESSAGE, content);
    let tbs = insider.tbs(WireFormat::PUBLIC_MESSAGE, &signed.content, false);
    signed.auth.signature = insider.signature(&insider.signature_key, &tbs);
    scene.refuses(&insider.public_bytes(signed), ProcessError::BadSignature(Signed::Message));
}

/// FRM-14: signed for the other wire format, in both directions.
#[test]
fn signature_for_the_other_wire_format() {
    let scene = Scene::new();
    let insider = scene.insider();
    let content = insider.own_content(Content::Proposal(psk(1)));
    let expected = ProcessError::BadSignature(Signed::Message);
    let signed = insider.sign(WireFormat::PRIVATE_MESSAGE, content.clone());
    scene.refuses(&insider.public_bytes(signed), expected.clone());
    let signed = insider.sign(WireFormat::PUBLIC_MESSAGE, content);
    scene.refuses(&insider.private_bytes(&signed), expected);
}

/// FRM-16, PM-05: one that is no member cannot even be made to send in private.
#[test]
fn outsider_in_a_private_message() {
    let scene = Scene::new();
    let insider = scene.insider();
    for sender in [Sender::External(0), Sender::NewMemberProposal, Sender::NewMemberCommit] {
        let content = insider.content(sender, Content::Proposal(psk(1)));
        let context = insider.public.encoded_context();
        let key = &insider.signature_key;
        let suite = insider.suite.as_ref();
        let signed = sign(suite, key, WireFormat::PRIVATE_MESSAGE, content.clone(), context);
        assert_eq!(signed.unwrap_err(), ProcessError::SenderNotAllowed);
        let secret = SenderDataSecret::from_secret(mls_crypto::Secret::zero(32));
        let message_key =
            mls_engine::schedule::MessageKey { key: mls_crypto::Secret::zero(16), nonce: mls_crypto::Secret::zero(12) };
        let keys = PrivateKeys { sender_data_secret: &secret, message_key, generation: 0, padding: Padding::None };
        let signed = insider.sign(WireFormat::PRIVATE_MESSAGE, content);
        let sealed = seal(suite, keys, signed, &insider.host.random);
        assert_eq!(sealed.unwrap_err(), ProcessError::SenderNotAllowed);
    }
}

/// FRM-20: a message of our leaf that we did not send.
#[test]
fn message_of_our_own_leaf() {
    let scene = Scene::new();
    let double = Insider::of(&scene.alice);
    scene.refuses(&double.proposal(psk(1)).0, ProcessError::OwnMessage);
    scene.refuses(&double.finish(&double.commit_with_path(vec![])), ProcessError::OwnMessage);
    let signed = double.sign(WireFormat::PRIVATE_MESSAGE, double.own_content(hello()));
    scene.refuses(&double.private_bytes(&signed), ProcessError::OwnMessage);
}

/// DEC-15: a commit without its confirmation tag, and a proposal with one.
#[test]
fn confirmation_tag_out_of_place() {
    let scene = Scene::new();
    let insider = scene.insider();
    let commit = Content::Commit(Commit { proposals: Vec::new(), path: None });
    let message = edited(&insider, |content| content.content = commit);
    scene.refuses(&message, ProcessError::Decode(mls_engine::error::DecodeError::Truncated));
    let mut signed = insider.sign(WireFormat::PUBLIC_MESSAGE, insider.own_content(Content::Proposal(psk(1))));
    signed.auth.confirmation_tag = mls_crypto::Tag::from_slice(&[7; 32]);
    let bytes = insider.public_bytes(signed);
    scene.refuses(&bytes, ProcessError::Decode(mls_engine::error::DecodeError::TrailingBytes));
}

/// DEC-14: a member without a membership tag, and another with one.
#[test]
fn membership_tag_out_of_place() {
    let scene = Scene::new();
    let insider = scene.insider();
    let signed = insider.sign(WireFormat::PUBLIC_MESSAGE, insider.own_content(Content::Proposal(psk(1))));
    let mut message = insider.public(signed);
    let tag = message.membership_tag.take();
    let truncated = ProcessError::Decode(mls_engine::error::DecodeError::Truncated);
    scene.refuses(&encode_public(message.clone()), truncated);
    message.content.sender = Sender::External(0);
    message.membership_tag = tag;
    let trailing = ProcessError::Decode(mls_engine::error::DecodeError::TrailingBytes);
    scene.refuses(&encode_public(message), trailing);
}

/// COM-20, FRM-08, LIST-03, PUB-01 once more, with another suite.
#[test]
fn another_suite() {
    let scene = Scene::with(mls_crypto::CipherSuite::P256_AES128, mls_engine::message::Extensions::new());
    assert_ne!(scene.alice.group.cipher_suite(), SUITE);
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![]);
    scene.accepts(&insider.finish(&forged));
    forged.confirmation_tag = mls_crypto::Tag::from_slice(&[7; 32]);
    scene.refuses(&insider.finish(&forged), ProcessError::BadConfirmationTag);
    scene.refuses_list(vec![remove(MALLORY)], ProcessError::CommitterRemoved(MALLORY));
    let expected = ProcessError::BadSignature(Signed::Message);
    scene.refuses(&from(&insider, Sender::Member(CAROL)), expected);
    let signed = insider.sign(WireFormat::PUBLIC_MESSAGE, insider.own_content(Content::Proposal(psk(1))));
    let mut message = insider.public(signed);
    message.membership_tag = mls_crypto::Tag::from_slice(&[7; 32]);
    scene.refuses(&encode_public(message), ProcessError::BadMembershipTag);
}

/// FRM-03: on a group we were removed from, nothing is looked at.
#[test]
fn our_old_group() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let (proposal, _) = insider.proposal(psk(1));
    let message = insider.finish(&insider.commit_with_path(vec![remove(ALICE)]));
    scene.alice.receive(&message).unwrap();
    refuses(&scene.alice, &proposal, ProcessError::NotAMember);
    let gone = OperationError::Rule(ProcessError::NotAMember);
    assert_eq!(scene.alice.group.group_info(&scene.alice.host.env(), true, true).unwrap_err(), gone);
}

/// PUB-03, FRM-08: empty, cut and bent signatures.
#[test]
fn signature_of_a_wrong_form() {
    let scene = Scene::new();
    let insider = scene.insider();
    let signed = insider.sign(WireFormat::PUBLIC_MESSAGE, insider.own_content(Content::Proposal(psk(1))));
    let right = signed.auth.signature.as_slice().to_vec();
    let mut bent = right.clone();
    bent[0] ^= 1;
    for wrong in [Vec::new(), right[..63].to_vec(), [&right[..], &[0]].concat(), bent] {
        let mut signed = signed.clone();
        signed.auth = FramedContentAuthData { signature: Opaque::new(wrong), confirmation_tag: None };
        scene.refuses(&insider.public_bytes(signed), ProcessError::BadSignature(Signed::Message));
    }
}
