//! CAP-27: a revoked device does not come in, and is shown the door.

use std::sync::Arc;

use spacepanda_core::core_mls::{
    Client, MlsError, MlsHandle,
    policy::{CertifiedDevices, reason},
    roles::{Denied, GroupPolicy, Right},
    store::MemoryStore,
};

use crate::support::{device, device_in, dump, policy, revocation};

const REVOKED: MlsError = MlsError::Unauthorized { reason: reason::REVOKED };

/// Alice, who knows that Bob's phone is revoked, and what she believes.
fn alice() -> (Client, Arc<CertifiedDevices>) {
    let believed = policy();
    (device("alice", Arc::clone(&believed)), believed)
}

fn add(group: &MlsHandle, one: &Client) -> MlsHandle {
    group.propose_add(&one.generate_key_package().unwrap(), one.identity()).unwrap();
    one.join_group(&group.commit().unwrap().1[0]).unwrap()
}

#[test]
fn it_is_not_added() {
    let (alice, believed) = alice();
    let bob = device("bob", policy());
    let key_package = bob.generate_key_package().unwrap();
    believed.revoke(&revocation("bob", &[1])).unwrap();
    let group = alice.create_group(None).unwrap();
    assert_eq!(group.propose_add(&key_package, b"bob").err(), Some(REVOKED));
    assert!(group.pending_proposals().unwrap().is_empty());
    // His new phone is another matter.
    let phone = device_in("bob", ("new phone", 2), policy(), Arc::new(MemoryStore::new()));
    add(&group, &phone);
    assert_eq!(group.members()[1].certificate, phone.certificate());
}

/// Somebody who does not know adds it: those who do know do not follow.
#[test]
fn nobody_follows_who_adds_it() {
    let (alice, believed) = alice();
    let carol = device("carol", policy());
    let bob = device("bob", policy());
    let group = alice.create_group(None).unwrap();
    let carols = add(&group, &carol);
    believed.revoke(&revocation("bob", &[1])).unwrap();
    let proposal = carols.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (commit, _) = carols.commit().unwrap();
    assert_eq!(group.receive_proposal(&proposal).err(), Some(REVOKED));
    assert!(group.receive_commit(&commit).is_err());
    assert_eq!((group.epoch(), group.member_count()), (1, 2));
}

/// Who is told of it in time does not come where it still is.
#[test]
fn nobody_joins_where_it_is() {
    let alice = device("alice", policy());
    let group = alice.create_group(None).unwrap();
    add(&group, &device("bob", policy()));
    let believed = policy();
    let store = Arc::new(MemoryStore::new());
    let carol = device_in("carol", ("phone", 1), Arc::clone(&believed), store.clone());
    believed.revoke(&revocation("bob", &[1])).unwrap();
    group.propose_add(&carol.generate_key_package().unwrap(), b"carol").unwrap();
    let (_, welcomes) = group.commit().unwrap();
    let before = dump(store.as_ref());
    assert_eq!(carol.join_group(&welcomes[0]).err(), Some(REVOKED));
    assert_eq!(dump(store.as_ref()), before);
}

#[test]
fn it_does_not_join_by_itself() {
    let (alice, believed) = alice();
    let group = alice.create_group(None).unwrap();
    believed.revoke(&revocation("bob", &[1])).unwrap();
    let join = device("bob", policy()).join_external(&group.group_info().unwrap(), None).unwrap();
    assert_eq!(group.receive_commit(join.commit()).err(), Some(REVOKED));
    assert_eq!((group.epoch(), group.member_count()), (0, 1));
    let phone = device_in("bob", ("new phone", 2), policy(), Arc::new(MemoryStore::new()));
    let join = phone.join_external(&group.group_info().unwrap(), None).unwrap();
    group.receive_commit(join.commit()).unwrap();
}

#[test]
fn it_does_not_renew_its_keys() {
    let (alice, believed) = alice();
    let group = alice.create_group(None).unwrap();
    let bobs = add(&group, &device("bob", policy()));
    believed.revoke(&revocation("bob", &[1])).unwrap();
    let update = bobs.propose_update().unwrap();
    assert_eq!(group.receive_proposal(&update).err(), Some(REVOKED));
    let (commit, _) = bobs.commit().unwrap();
    assert!(group.receive_commit(&commit).is_err());
    assert_eq!(group.epoch(), 1);
}

#[test]
fn removals_are_proposed_where_we_may() {
    let (alice, believed) = alice();
    let (bob, carol) = (device("bob", policy()), device("carol", policy()));
    let free = alice.create_group(None).unwrap();
    add(&free, &bob);
    let apart = alice.create_group(None).unwrap();
    add(&apart, &carol);
    let governed = carol.create_group_with_policy(None, &GroupPolicy::new(b"carol")).unwrap();
    add(&governed, &bob);
    let ours = add(&governed, &alice);
    assert!(alice.propose_removals(&[reason::REVOKED]).unwrap().is_empty());

    believed.revoke(&revocation("bob", &[1])).unwrap();
    let doubtful = ours.members_in_doubt().unwrap();
    assert_eq!((doubtful.len(), doubtful[0].reason), (1, reason::REVOKED));
    let removals = alice.propose_removals(&[reason::REVOKED]).unwrap();
    assert_eq!(removals.len(), 2);
    assert!(removals.iter().all(|removal| removal.member.identity == b"bob"));
    for removal in removals {
        if removal.group_id == free.group_id() {
            assert!(removal.outcome.is_ok());
        } else {
            let denied = Denied::Right(Right::Remove);
            assert_eq!((removal.group_id, removal.outcome.err()), (ours.group_id(), Some(MlsError::Denied(denied))));
        }
    }
    // What waits is not proposed again.
    let again = alice.propose_removals(&[reason::REVOKED]).unwrap();
    assert!(again.iter().all(|removal| removal.group_id == ours.group_id()));
    free.commit().unwrap();
    assert_eq!((free.member_count(), apart.member_count()), (1, 2));
}
