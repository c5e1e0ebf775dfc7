//! Another signature key in every group, whatever happens in between.

use std::sync::Arc;

use spacepanda_core::core_mls::{
    Client, IdentityRotation, Incoming, MlsError, MlsHandle,
    policy::{IdentityError, reason},
    store::{MemoryStore, StateStore},
};
use store_conformance::FailingStore;

use crate::support::{certificate, device, device_in, dump, policy};

fn add(group: &MlsHandle, one: &Client) -> MlsHandle {
    group.propose_add(&one.generate_key_package().unwrap(), one.identity()).unwrap();
    one.join_group(&group.commit().unwrap().1[0]).unwrap()
}

fn open(store: &Arc<dyn StateStore>) -> Client {
    device_in("alice", ("phone", 1), policy(), Arc::clone(store))
}

/// REQ-2: a crash after the first of two groups, and an invitation that was under way.
#[test]
fn goes_on_after_a_crash() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let (alice, bob) = (open(&store), device("bob", policy()));
    let groups = [alice.create_group(None).unwrap(), alice.create_group(None).unwrap()];
    let bobs: Vec<_> = groups.iter().map(|group| add(group, &bob)).collect();
    let third = bob.create_group(None).unwrap();
    third.propose_add(&alice.generate_key_package().unwrap(), b"alice").unwrap();
    let (_, welcomes) = third.commit().unwrap();
    let old = (alice.signature_key().to_vec(), alice.signature_private_key());
    let holds_old = |store: &dyn StateStore| {
        let secret = old.1.secret().as_slice();
        dump(store).iter().any(|(_, _, value)| value.windows(secret.len()).any(|window| window == secret))
    };
    assert!(holds_old(store.as_ref()));

    alice.begin_identity_rotation(|key| Ok(Some(certificate("alice", "phone", 2, key)))).unwrap();
    let first = groups[0].stage_identity_rotation().unwrap();
    groups[0].apply_pending_commit(&first.id).unwrap();
    let left = alice.end_identity_rotation().unwrap();
    assert_eq!(left, [groups[1].group_id()]);
    let new = alice.signature_key().to_vec();
    drop((alice, groups));

    let alice = open(&store);
    assert_eq!((alice.signature_key(), alice.certificate().unwrap().serial()), (&new[..], 2));
    // Made with the old key, and still good.
    let joined = alice.join_group(&welcomes[0]).unwrap();
    let rotation = alice.resume_identity_rotation().unwrap();
    assert!(rotation.is_over());
    assert_eq!(rotation.groups.len(), 2);
    bobs[0].receive_commit(&first.commit).unwrap();
    for (id, commit) in &rotation.groups {
        let theirs = bobs.iter().chain([&third]).find(|group| group.group_id() == *id).unwrap();
        theirs.receive_commit(commit.as_ref().unwrap()).unwrap();
    }
    for theirs in bobs.iter().chain([&third]) {
        let member = theirs.members().into_iter().find(|member| member.identity == b"alice").unwrap();
        assert_eq!((member.signature_key, member.certificate), (new.clone(), alice.certificate()));
        let hello = alice.send_message(&theirs.group_id(), b"hello").unwrap();
        assert!(matches!(theirs.handle_incoming(&hello).unwrap(), Incoming::Delivered(_)));
    }
    assert_eq!(joined.epoch_authenticator().unwrap(), third.epoch_authenticator().unwrap());
    assert!(!holds_old(store.as_ref()));
    assert_eq!(alice.resume_identity_rotation().unwrap(), IdentityRotation::default());
}

/// A key package that was made with the old key goes with it, and a late Welcome is told why.
#[test]
fn old_key_packages_go_with_the_old_key() {
    let (alice, bob) = (device("alice", policy()), device("bob", policy()));
    let key_package = alice.generate_key_package().unwrap();
    alice.rotate_identity(|key| Ok(Some(certificate("alice", "phone", 2, key)))).unwrap();
    assert_eq!(alice.key_package_count().unwrap(), 0);
    let group = bob.create_group(None).unwrap();
    group.propose_add(&key_package, b"alice").unwrap();
    let (_, welcomes) = group.commit().unwrap();
    assert_eq!(alice.join_group(&welcomes[0]).err(), Some(MlsError::KeyPackageExpired));
    add(&bob.create_group(None).unwrap(), &alice);
}

#[test]
fn one_group_that_fails_keeps_no_other_back() {
    let store = Arc::new(FailingStore::default());
    let shared: Arc<dyn StateStore> = Arc::<FailingStore>::clone(&store);
    let alice = open(&shared);
    let group = alice.create_group(None).unwrap();
    alice.begin_identity_rotation(|key| Ok(Some(certificate("alice", "phone", 2, key)))).unwrap();
    store.fail(true);
    let rotation = alice.resume_identity_rotation().unwrap();
    assert!(rotation.groups[0].1.is_err() && !rotation.is_over());
    store.fail(false);
    let refused = alice.rotate_identity(|_| Ok(None));
    assert_eq!(refused, Err(MlsError::RotationPending));
    assert!(alice.resume_identity_rotation().unwrap().is_over());
    assert_eq!(group.members()[0].signature_key, alice.signature_key());
}

#[test]
fn nothing_begins_without_a_successor() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let alice = open(&store);
    let before = (dump(store.as_ref()), alice.signature_key().to_vec());
    let other = alice.signature_key().to_vec();
    let stale = Some(MlsError::Identity(IdentityError::Stale));
    let attempts = [
        alice.rotate_identity(|key| Ok(Some(certificate("alice", "phone", 1, key)))).err(),
        alice.rotate_identity(|key| Ok(Some(certificate("alice", "laptop", 2, key)))).err(),
    ];
    assert_eq!(attempts, [stale.clone(), stale]);
    let attempts = [
        alice.rotate_identity(|_| Ok(Some(certificate("alice", "phone", 2, &other)))).err(),
        alice.rotate_identity(|key| Ok(Some(certificate("bob", "phone", 2, key)))).err(),
    ];
    assert_eq!(attempts, [Some(MlsError::IdentityMismatch), Some(MlsError::IdentityMismatch)]);
    let refused = MlsError::Unauthorized { reason: reason::NO_CERTIFICATE };
    assert_eq!(alice.rotate_identity(|_| Err(refused.clone())).err(), Some(refused.clone()));
    assert_eq!((dump(store.as_ref()), alice.signature_key().to_vec()), before);
}

/// CRED-08: others do not take a leaf that is of another device.
#[test]
fn others_take_a_successor_only() {
    let (alice, bob) = (device("alice", policy()), device("bob", policy()));
    let group = alice.create_group(None).unwrap();
    let bobs = add(&group, &bob);
    // Alice's client lets her drop the certificate; Bob's does not.
    alice.begin_identity_rotation(|_| Ok(None)).unwrap();
    let pending = group.stage_identity_rotation().unwrap();
    let refused = MlsError::Unauthorized { reason: reason::NO_CERTIFICATE };
    assert_eq!(bobs.receive_commit(&pending.commit).err(), Some(refused));
    assert_eq!(bobs.epoch(), 1);
}
