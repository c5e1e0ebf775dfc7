//! Who did what, and that nobody can say otherwise afterwards.

use std::sync::Arc;

use spacepanda_core::core_mls::{
    AuditAct, AuditEntry, MlsError, Secret,
    roles::Role,
    store::{Key, MemoryStore, Section, Space, Write},
};
use store_conformance::FailingStore;

use crate::world::{Person, group_of};

/// The class of records of the log.
const AUDIT: u8 = 133;

/// DEP-24: what a commit did, who made it and in which epoch it was is the same at every member.
#[test]
fn the_log_says_who_did_what() {
    let (alice, bob, carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    group_of(&[&alice, &bob], true);
    let (group, bobs) = (alice.group(), bob.group());
    bobs.receive_proposal(&group.propose_role(b"carol", Role::Moderator).unwrap()).unwrap();
    bobs.receive_commit(&group.commit().unwrap().0).unwrap();
    group.receive_proposal(&bobs.set_group_name("coffee").unwrap()).unwrap();
    bobs.commit().map(|(commit, _)| group.receive_commit(&commit).unwrap()).unwrap();
    let add = group.propose_add(&carol.client().generate_key_package().unwrap(), b"carol").unwrap();
    bobs.receive_proposal(&add).unwrap();
    let (commit, welcomes) = group.commit().unwrap();
    bobs.receive_commit(&commit).unwrap();
    carol.client().join_group(&welcomes[0]).unwrap();
    let remove = bobs.propose_remove_identity(b"carol").unwrap();
    group.receive_proposal(&remove[0]).unwrap();
    carol.group().receive_proposal(&remove[0]).unwrap();
    let (commit, _) = bobs.commit().unwrap();
    group.receive_commit(&commit).unwrap();
    assert!(carol.group().receive_commit(&commit).is_err());

    let shown = |log: &[AuditEntry]| {
        let entry = |entry: &AuditEntry| {
            (entry.epoch, entry.identity.clone(), entry.leaf_index, entry.acts.clone(), entry.tree_hash.clone())
        };
        log.iter().map(entry).collect::<Vec<_>>()
    };
    let log = alice.group().audit_log(0, 256).unwrap();
    assert_eq!(shown(&log[2..]), shown(&bob.group().audit_log(1, 256).unwrap()));
    assert_eq!(log[0].acts, [AuditAct::Created]);
    assert_eq!(bob.group().audit_log(0, 1).unwrap()[0].acts, [AuditAct::Joined]);
    let who: Vec<_> = log.iter().map(|entry| (entry.number, entry.epoch, entry.identity.as_slice())).collect();
    let (a, b) = (&b"alice"[..], &b"bob"[..]);
    assert_eq!(who, [(0, 0, a), (1, 1, a), (2, 2, a), (3, 3, b), (4, 4, a), (5, 5, b)]);
    let did = |number: usize, act: AuditAct| assert!(log[number].acts.contains(&act), "{:?}", log[number]);
    did(1, AuditAct::Added { identity: b"bob".to_vec(), leaf_index: 1 });
    did(2, AuditAct::RoleChanged { identity: b"carol".to_vec(), role: Role::Moderator });
    did(3, AuditAct::Renamed { name: Some("coffee".to_owned()) });
    did(4, AuditAct::Added { identity: b"carol".to_vec(), leaf_index: 2 });
    did(5, AuditAct::Removed { identity: b"carol".to_vec(), leaf_index: 2 });
    did(5, AuditAct::Updated { leaf_index: 1 });
    let last = carol.group().audit_log(0, 256).unwrap().pop().unwrap();
    assert_eq!((last.identity, last.acts.contains(&AuditAct::WeWereRemoved)), (b"bob".to_vec(), true));
    for person in [&alice, &bob, &carol] {
        person.group().verify_audit().unwrap();
    }
}

/// A group with some history, and its store.
fn written() -> (Person, Vec<(Key, Secret)>) {
    let alice = Person::new("alice");
    group_of(&[&alice, &Person::new("bob")], false);
    for _ in 0..3 {
        alice.group().rotate().unwrap();
    }
    let space = Space::Group(alice.group().group_id());
    let records = alice.store.scan(&space, AUDIT, None).unwrap();
    (alice, records)
}

fn tampered(alice: &Person, writes: Vec<Write<'_>>) -> Result<(), MlsError> {
    let space = Space::Group(alice.group().group_id());
    let expected = alice.store.spaces(Some(&space)).unwrap()[0].1;
    alice.store.apply(&[Section { space, expected, writes }]).unwrap();
    alice.group().verify_audit()
}

/// DEP-24: each byte of each entry.
#[test]
fn a_change_of_the_log_shows() {
    let (alice, records) = written();
    assert_eq!(alice.group().verify_audit(), Ok(()));
    // The head too.
    for (key, record) in &records {
        for position in (0..record.len()).step_by(5) {
            let mut bytes = record.as_slice().to_vec();
            bytes[position] ^= 1;
            let changed = tampered(&alice, vec![Write::Put(key.clone(), &Secret::new(bytes))]);
            let shows = matches!(changed, Err(MlsError::AuditBroken { .. } | MlsError::InvalidRecord));
            assert!(shows, "byte {position} of {:?}", key.id);
            assert_eq!(tampered(&alice, vec![Write::Put(key.clone(), record)]), Ok(()));
        }
    }
}

#[test]
fn what_is_missing_or_moved_shows() {
    let (alice, records) = written();
    let broken = |number| Err(MlsError::AuditBroken { number });
    let at = |number: u64| records.iter().find(|(key, _)| key.id == number.to_be_bytes()).unwrap();
    let head = records.iter().find(|(key, _)| key.id == b"head").unwrap();
    let restore = || records.iter().map(|(key, record)| Write::Put(key.clone(), record)).collect();
    // Taken out.
    assert_eq!(tampered(&alice, vec![Write::Delete(at(2).0.clone())]), broken(2));
    assert_eq!(tampered(&alice, restore()), Ok(()));
    // Put in each other's place.
    let swapped = vec![Write::Put(at(2).0.clone(), &at(3).1), Write::Put(at(3).0.clone(), &at(2).1)];
    assert_eq!(tampered(&alice, swapped), broken(2));
    assert_eq!(tampered(&alice, restore()), Ok(()));
    // Cut off.
    assert_eq!(tampered(&alice, vec![Write::Delete(at(4).0.clone())]), broken(4));
    assert_eq!(tampered(&alice, restore()), Ok(()));
    // Cut off, and the head put back to what it was then: it does not end where the group is.
    let older = written_head(&alice, &records, 4);
    let cut = vec![Write::Delete(at(4).0.clone()), Write::Put(head.0.clone(), &older)];
    assert_eq!(tampered(&alice, cut), broken(4));
    assert_eq!(tampered(&alice, restore()), Ok(()));
    // All of it.
    assert_eq!(tampered(&alice, records.iter().map(|(key, _)| Write::Delete(key.clone())).collect()), broken(0));
}

/// The head as it was with so many entries: their number and the last link, each 32 bytes long.
fn written_head(_: &Person, records: &[(Key, Secret)], count: u64) -> Secret {
    let (_, last) = records.iter().find(|(key, _)| key.id == (count - 1).to_be_bytes()).unwrap();
    Secret::new([&count.to_be_bytes()[..], &[32], &last.as_slice()[..32]].concat())
}

/// An epoch and its entry are durable together.
#[test]
fn no_epoch_is_without_its_entry() {
    let store = Arc::new(FailingStore::over(Arc::new(MemoryStore::new())));
    let (alice, bob) = (Person::over("alice", store.clone()), Person::new("bob"));
    group_of(&[&alice, &bob], false);
    let commit = bob.group().rotate().unwrap();
    let group = alice.group();
    store.fail(true);
    assert!(group.receive_commit(&commit).is_err());
    assert!(group.rotate().is_err());
    store.fail(false);
    assert_eq!((alice.group().epoch(), alice.group().audit_len().unwrap()), (1, 2));
    group.receive_commit(&commit).unwrap();
    assert_eq!((alice.group().epoch(), alice.group().audit_len().unwrap()), (2, 3));
    alice.group().verify_audit().unwrap();
}

/// A page is bounded, and what is beyond the end is empty.
#[test]
fn pages_are_bounded() {
    let alice = Person::new("alice");
    let group = alice.client().create_group(None).unwrap();
    for _ in 0..260 {
        group.rotate().unwrap();
    }
    assert_eq!(group.audit_log(0, u64::MAX).unwrap().len(), 256);
    assert_eq!(group.audit_log(256, 256).unwrap().len(), 5);
    assert_eq!(group.audit_log(261, 256).unwrap(), []);
    assert_eq!(group.audit_log(u64::MAX, 256).unwrap(), []);
    group.verify_audit().unwrap();
}
