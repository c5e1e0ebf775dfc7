//! Welcomes into groups that continue others (RFC 9420, Sections 11.2, 11.3 and 12.4.3.1).

use mls_crypto::{CipherSuite, Opaque};
use mls_engine::{
    error::ProcessError,
    message::{PreSharedKeyId, ProtocolVersion, PskKind, ReInit, ResumptionPskUsage},
    policy::Predecessor,
};

use crate::{
    scene::{EXTENSION, one_extension},
    welcome::Invitation,
};

/// An invitation into the first epoch of a group that continues `old`, which Frank knows.
fn invitation(usage: ResumptionPskUsage) -> Invitation {
    let mut invitation = Invitation::new();
    let kind = PskKind::Resumption { usage, psk_group_id: Opaque::from(&b"old"[..]), psk_epoch: 7 };
    let id = PreSharedKeyId { kind, psk_nonce: Opaque::new(vec![1; 32]) };
    invitation.welcome.psks = vec![(id, b"resumption".to_vec())];
    invitation.welcome.context.epoch = 1;
    let host = &mut invitation.frank.host;
    host.resumption_psks.insert((b"old".to_vec(), 7), b"resumption".to_vec());
    let context = invitation.welcome.context.clone();
    let reinit = ReInit {
        group_id: context.group_id.clone(),
        version: context.version,
        cipher_suite: context.cipher_suite,
        extensions: context.extensions.clone(),
    };
    let members = invitation.scene.alice.group.members().into_iter().map(|(_, leaf)| leaf.clone());
    let members = members.chain([invitation.keys.key_package().leaf_node.clone()]).collect();
    let mut old = context;
    (old.group_id, old.epoch) = (Opaque::from(&b"old"[..]), 7);
    let reinit = (usage == ResumptionPskUsage::ReInit).then_some(reinit);
    host.predecessors.insert(b"old".to_vec(), Predecessor { context: old, reinit, members });
    invitation
}

/// Refused once the old group is this; accepted as it was.
fn refuses(usage: ResumptionPskUsage, edit: impl FnOnce(&mut Predecessor)) {
    let mut invitation = invitation(usage);
    invitation.accepted();
    edit(invitation.frank.host.predecessors.get_mut(&b"old"[..]).unwrap());
    invitation.refused(ProcessError::InvalidSuccession);
}

/// WEL-17, GRP-06, GRP-09
#[test]
fn epoch_that_is_not_the_first() {
    for usage in [ResumptionPskUsage::ReInit, ResumptionPskUsage::Branch] {
        for epoch in [0, 2] {
            let mut invitation = invitation(usage);
            invitation.accepted();
            invitation.welcome.context.epoch = epoch;
            invitation.refused(ProcessError::InvalidSuccession);
        }
    }
}

/// WEL-20
#[test]
fn group_that_we_do_not_know() {
    for usage in [ResumptionPskUsage::ReInit, ResumptionPskUsage::Branch] {
        let mut one = invitation(usage);
        one.frank.host.predecessors.clear();
        one.refused(ProcessError::InvalidSuccession);
        let mut one = invitation(usage);
        one.frank.host.resumption_psks.clear();
        one.refused(ProcessError::MissingPsk);
    }
}

/// WEL-18, GRP-06, GRP-07: every parameter.
#[test]
fn reinit_that_was_not_agreed() {
    let edit = |edit: fn(&mut ReInit)| {
        refuses(ResumptionPskUsage::ReInit, |old| edit(old.reinit.as_mut().unwrap()));
    };
    edit(|reinit| reinit.group_id = Opaque::from(&b"other"[..]));
    edit(|reinit| reinit.version = ProtocolVersion(2));
    edit(|reinit| reinit.cipher_suite = CipherSuite::P256_AES128);
    edit(|reinit| reinit.extensions = one_extension(EXTENSION, b""));
    refuses(ResumptionPskUsage::ReInit, |old| old.reinit = None);
    refuses(ResumptionPskUsage::ReInit, |old| old.context.epoch = 6);
}

/// WEL-18: an old member is not in the new group.
#[test]
fn reinit_without_an_old_member() {
    refuses(ResumptionPskUsage::ReInit, |old| {
        let mut gone = old.members[0].clone();
        gone.credential = mls_engine::message::Credential::basic(b"gone");
        old.members.push(gone);
    });
}

/// WEL-19, GRP-09
#[test]
fn branch_with_a_stranger() {
    refuses(ResumptionPskUsage::Branch, |old| {
        old.members.remove(2);
    });
}

/// WEL-19, GRP-09
#[test]
fn branch_with_other_parameters() {
    refuses(ResumptionPskUsage::Branch, |old| old.context.cipher_suite = CipherSuite::P256_AES128);
    refuses(ResumptionPskUsage::Branch, |old| old.context.version = ProtocolVersion(2));
}

/// WEL-19: the boundary: fewer members than the old group is what a branch is for.
#[test]
fn branch_of_some() {
    let mut invitation = invitation(ResumptionPskUsage::Branch);
    let old = invitation.frank.host.predecessors.get_mut(&b"old"[..]).unwrap();
    let mut other = old.members[0].clone();
    other.credential = mls_engine::message::Credential::basic(b"not invited");
    old.members.push(other);
    invitation.accepted();
}
