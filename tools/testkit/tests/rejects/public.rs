//! PublicMessages (RFC 9420, Section 6.2).

use mls_crypto::Tag;
use mls_engine::{
    error::ProcessError,
    message::{Content, WireFormat},
};
use testkit::forge::insider::encode_public;

use crate::scene::{Scene, psk, refuses};

/// PUB-01, CRY-11, X-AUTH-01: every other length, and every bit of the tag counts.
#[test]
fn membership_tag_is_wrong() {
    let scene = Scene::new();
    let insider = scene.insider();
    let signed = insider.sign(WireFormat::PUBLIC_MESSAGE, insider.own_content(Content::Proposal(psk(1))));
    let right = insider.public(signed.clone());
    let tag = right.membership_tag.unwrap().as_slice().to_vec();
    let with = |tag: &[u8]| {
        let mut message = right.clone();
        message.membership_tag = Tag::from_slice(tag);
        encode_public(message)
    };
    for len in (0..=64).filter(|len| *len != tag.len()) {
        let other: Vec<_> = tag.iter().copied().chain([0; 64]).take(len).collect();
        refuses(&scene.alice, &with(&other), ProcessError::BadMembershipTag);
    }
    for position in 0..tag.len() {
        let mut other = tag.clone();
        other[position] ^= 0x80;
        refuses(&scene.alice, &with(&other), ProcessError::BadMembershipTag);
    }
    assert!(scene.alice.group.process(&scene.alice.host.env(), &with(&tag)).is_ok());
    scene.goes_on();
}

/// PUB-02: over the content without its authentication.
#[test]
fn membership_tag_over_something_else() {
    let scene = Scene::new();
    let insider = scene.insider();
    let signed = insider.sign(WireFormat::PUBLIC_MESSAGE, insider.own_content(Content::Proposal(psk(1))));
    let mut message = insider.public(signed.clone());
    let mut unsigned = signed;
    unsigned.auth.signature = mls_crypto::Opaque::new(Vec::new());
    message.membership_tag = Some(insider.membership_tag(&unsigned));
    scene.refuses(&encode_public(message), ProcessError::BadMembershipTag);
}

/// PUB-02, FRM-14: under the key of another epoch.
#[test]
fn membership_tag_of_another_epoch() {
    let mut scene = Scene::new();
    let old = scene.insider();
    let (commit, _) = scene.carol.commit_now(mls_engine::group::CommitOptions::default()).unwrap();
    scene.deliver(&commit, crate::scene::CAROL);
    let insider = scene.insider();
    let signed = insider.sign(WireFormat::PUBLIC_MESSAGE, insider.own_content(Content::Proposal(psk(1))));
    let mut message = insider.public(signed.clone());
    message.membership_tag = Some(old.membership_tag(&signed));
    scene.refuses(&encode_public(message), ProcessError::BadMembershipTag);
}

/// PUB-01: the tag comes before the signature: a message that has neither is refused for its tag.
#[test]
fn tag_is_checked_first() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut signed = insider.sign(WireFormat::PUBLIC_MESSAGE, insider.own_content(Content::Proposal(psk(1))));
    signed.auth.signature = mls_crypto::Opaque::new(Vec::new());
    let mut message = insider.public(signed);
    message.membership_tag = Tag::from_slice(&[7; 32]);
    scene.refuses(&encode_public(message), ProcessError::BadMembershipTag);
}

/// PUB-04, PROP-02: the same proposal again is the same proposal.
#[test]
fn proposal_again_is_the_same() {
    let mut scene = Scene::new();
    let (message, _) = scene.insider().proposal(psk(1));
    scene.alice.receive(&message).unwrap();
    scene.alice.receive(&message).unwrap();
    assert_eq!(scene.alice.group.pending_proposals().len(), 1);
    assert_eq!(scene.alice.records.count(mls_engine::group::RecordClass::Proposal), 1);
}
