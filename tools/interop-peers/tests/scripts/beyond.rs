//! The harness's scripts beyond one group: proposals from outside, ReInit, branches.

use interop::{Answer, Change, CommitParams, Invitation, Stack, message::Extension};

use crate::{
    groups::both,
    room::{Room, Setup, of},
};

pub fn new_member_add(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["carl"])?;
    let (info, _) = room.stack.group_info(of(&mut room.members, "alice"), false)?;
    let (joiner, published) = room.stack.new_member_add_proposal(&info, b"bob")?;
    assert!(!published.init_priv.is_empty() && !published.signature_priv.is_empty());
    room.keep_joiner("bob", joiner);
    room.proposals.push(published.message);
    room.commit("alice", CommitParams::default())?;
    room.talk()
}

pub fn signer_adds(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    let signer = room.add_signer("ds")?;
    let package = room.package("carl")?;
    room.propose_external(&signer, Change::Add(package), false)?;
    room.commit("alice", CommitParams::default())?;
    room.talk()
}

pub fn signer_removes(setup: Setup) -> Answer<()> {
    for external_tree in [false, true] {
        let mut room = Room::create(setup, &["bob", "carl"])?;
        let signer = room.add_signer("ds")?;
        room.propose_external(&signer, Change::Remove(b"bob".to_vec()), external_tree)?;
        room.commit_without("alice", CommitParams::default(), &["bob"])?;
        room.talk()?;
    }
    Ok(())
}

pub fn signer_sets_extensions(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    let _first = room.add_signer("ds1")?;
    let second = room.add_signer("ds2")?;
    room.propose_external(&second, Change::Extensions(both().into_iter().take(1).collect()), false)?;
    room.commit("alice", CommitParams::default())?;
    room.talk()
}

pub fn signer_external_psks(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    let first = room.add_signer("ds1")?;
    let _second = room.add_signer("ds2")?;
    for id in [b"1", b"2"] {
        room.install_psk(id)?;
        room.propose_external(&first, Change::ExternalPsk(id.to_vec()), false)?;
    }
    room.commit("alice", CommitParams::default())?;
    room.talk()
}

pub fn signer_resumption_psk(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    let signer = room.add_signer("ds")?;
    room.propose_external(&signer, Change::ResumptionPsk(1), false)?;
    room.commit("alice", CommitParams::default())?;
    room.talk()
}

pub fn signer_reinit(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob", "carl"])?;
    let signer = room.add_signer("ds")?;
    room.propose_external(&signer, reinit_to(other_suite(setup), &[]), false)?;
    room.commit("alice", CommitParams::default())?;
    room.reinit("bob", true, false)?.talk()
}

pub fn reinit_to_another_suite(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob", "carl", "dora"])?;
    room.propose("alice", reinit_to(other_suite(setup), &[]))?;
    room.commit("bob", CommitParams::default())?;
    let mut next = room.reinit("carl", false, false)?;
    next.talk()?;
    next.commit("dora", CommitParams::default())
}

pub fn reinit_by_one(setup: Setup) -> Answer<()> {
    for (external_tree, force_path) in [(false, false), (true, false), (false, true)] {
        let mut room = Room::create(setup, &["bob", "carl"])?;
        room.propose("alice", reinit_to(setup.suite, &both()))?;
        room.commit("alice", CommitParams::default())?;
        room.reinit("alice", force_path, external_tree)?.talk()?;
    }
    Ok(())
}

pub fn branches(setup: Setup) -> Answer<()> {
    for (external_tree, force_path) in [(false, false), (true, false), (false, true)] {
        let mut room = Room::create(setup, &["bob", "carl"])?;
        let branch = room.branch(&[], force_path, external_tree)?;
        // The parent goes on.
        room.commit("bob", CommitParams::default())?;
        room.talk()?;
        // And so does the branch, whose members sign as themselves.
        room.members = branch.into_iter().collect();
        room.agree()?;
        room.propose("carl", Change::Update)?;
        room.commit("bob", CommitParams::default())?;
        room.talk()?;
    }
    Ok(())
}

pub fn branches_with_extensions(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    room.branch(&both(), false, false).map(drop)
}

/// A key package is good for the group it was made for and a Welcome that is none of it is refused.
pub fn wrong_welcome(setup: Setup) -> Answer<()> {
    let mut room = Room::create(setup, &["bob"])?;
    room.package("carl")?;
    let welcome = room.package("dora")?;
    let stack = crate::mixed::Mixed::new(setup.cast);
    let refused = stack.join(room.joiner("carl"), Invitation { welcome: &welcome, ratchet_tree: None }, false);
    assert!(refused.is_err());
    Ok(())
}

fn reinit_to(cipher_suite: u16, extensions: &[Extension]) -> Change {
    Change::ReInit { cipher_suite, group_id: b"next".to_vec(), extensions: extensions.to_vec() }
}

fn other_suite(setup: Setup) -> u16 {
    if setup.suite == 1 { 2 } else { 1 }
}
