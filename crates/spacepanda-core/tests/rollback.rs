//! Old copies of a store that are put back: they read, and never send under a key that was used before.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

use std::sync::Arc;

use mls_engine::error::ProcessError;
use spacepanda_core::core_mls::{
    Client, HandshakeFraming, MlsConfig, MlsError, MlsHandle, Receipt, TrustOnFirstUse,
    store::{MemoryStore, Revision, Section, StateStore, Write},
};

fn config() -> MlsConfig {
    let mut config = MlsConfig::interop();
    config.external_joins = true;
    config
}

fn open(name: &[u8], store: &Arc<dyn StateStore>, receipts: &[Receipt]) -> Client {
    let builder = Client::builder(name, Arc::new(TrustOnFirstUse::new())).config(config()).store(Arc::clone(store));
    builder.not_older_than(receipts.to_vec()).open().unwrap()
}

/// The group of a client that is opened anew.
fn group(name: &[u8], store: &Arc<dyn StateStore>, receipts: &[Receipt]) -> MlsHandle {
    let client = open(name, store, receipts);
    client.group(&client.groups().unwrap()[0]).unwrap()
}

fn new_store() -> Arc<dyn StateStore> {
    Arc::new(MemoryStore::new())
}

/// Every record, in a store of its own.
fn copy(store: &Arc<dyn StateStore>) -> Arc<dyn StateStore> {
    let copy = new_store();
    for (space, _) in store.spaces(None).unwrap() {
        let records: Vec<_> = (0..=255).flat_map(|class| store.scan(&space, class, None).unwrap()).collect();
        let writes = records.iter().map(|(key, value)| Write::Put(key.clone(), value)).collect();
        copy.apply(&[Section { space, expected: Revision::NONE, writes }]).unwrap();
    }
    copy
}

/// Alice and Bob, in a group at epoch 1.
fn pair() -> (Arc<dyn StateStore>, MlsHandle) {
    let (store, bob) = (new_store(), open(b"bob", &new_store(), &[]));
    let alice = open(b"alice", &store, &[]).create_group(None).unwrap();
    alice.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = alice.commit().unwrap();
    let bob = bob.join_group(&welcomes[0]).unwrap();
    (store, bob)
}

/// The sealed state of a group: what may not change when a call is refused.
fn image(store: &Arc<dyn StateStore>) -> Vec<(u8, Vec<u8>, Vec<u8>)> {
    let (space, _) = store.spaces(None).unwrap().into_iter().next_back().unwrap();
    (0..=255)
        .flat_map(|class| store.scan(&space, class, None).unwrap())
        .map(|(key, value)| (key.class, key.id, value.as_slice().to_vec()))
        .collect()
}

#[test]
fn an_old_copy_reads_and_does_not_send() {
    let (store, bob) = pair();
    let old = copy(&store);
    let alice = group(b"alice", &store, &[]);
    bob.receive_message(&alice.send_message(b"one").unwrap()).unwrap();
    let receipt = alice.receipt().unwrap();

    let alice = group(b"alice", &old, std::slice::from_ref(&receipt));
    assert!(alice.is_read_only().unwrap());
    // Said once, it is remembered.
    let alice = group(b"alice", &old, &[]);
    assert!(alice.is_read_only().unwrap());
    let before = image(&old);
    assert_eq!(alice.send_message(b"two"), Err(MlsError::ReadOnly));
    assert_eq!(alice.propose_update(), Err(MlsError::ReadOnly));
    assert_eq!(alice.set_group_name("tea"), Err(MlsError::ReadOnly));
    assert_eq!(alice.propose_remove(1).err(), Some(MlsError::ReadOnly));
    assert_eq!(image(&old), before);
    alice.receive_message(&bob.send_message(b"hello").unwrap()).unwrap();
}

#[test]
fn a_state_that_is_not_behind_goes_on() {
    let (store, bob) = pair();
    let alice = group(b"alice", &store, &[]);
    bob.receive_message(&alice.send_message(b"one").unwrap()).unwrap();
    let (old, receipt) = (copy(&store), alice.receipt().unwrap());
    // Of the block that both know to be given out, nothing is used again.
    bob.receive_message(&alice.send_message(b"two").unwrap()).unwrap();
    assert_eq!(alice.receipt().unwrap(), receipt);
    let alice = group(b"alice", &old, &[receipt]);
    assert!(!alice.is_read_only().unwrap());
    let generation = bob.receive_message(&alice.send_message(b"three").unwrap()).unwrap().generation;
    assert_eq!(generation, 32);
}

#[test]
fn every_older_state_is_found() {
    let (store, bob) = pair();
    let alice = group(b"alice", &store, &[]);
    let mut states = vec![(copy(&store), alice.receipt().unwrap())];
    for round in 0..6_u32 {
        match round % 3 {
            0 => drop(bob.receive_message(&alice.send_message(b"hello").unwrap()).unwrap()),
            1 => drop(bob.receive_proposal(&alice.propose_update().unwrap()).unwrap()),
            _ => drop(bob.receive_commit(&alice.commit().unwrap().0).unwrap()),
        }
        states.push((copy(&store), alice.receipt().unwrap()));
    }
    for (at, (state, _)) in states.iter().enumerate() {
        for (of, (_, receipt)) in states.iter().enumerate() {
            let alice = group(b"alice", &copy(state), std::slice::from_ref(receipt));
            assert_eq!(alice.is_read_only().unwrap(), at < of, "state {at}, receipt {of}");
        }
    }
}

#[test]
fn an_accepted_commit_of_our_own_ends_it() {
    let (store, bob) = pair();
    let old = copy(&store);
    let alice = group(b"alice", &store, &[]);
    bob.receive_message(&alice.send_message(b"one").unwrap()).unwrap();
    let alice = group(b"alice", &old, &[alice.receipt().unwrap()]);
    let pending = alice.stage_rotation().unwrap();
    // RFC 9420, Section 6.2: the ratchet for handshakes may have been used as well.
    assert_eq!(&pending.commit.payload()[..4], [0, 1, 0, 1]);
    assert!(alice.is_read_only().unwrap());
    bob.receive_commit(&pending.commit).unwrap();
    alice.apply_pending_commit(&pending.id).unwrap();
    assert!(!alice.is_read_only().unwrap());
    let alice = group(b"alice", &old, &[]);
    bob.receive_message(&alice.send_message(b"two").unwrap()).unwrap();
}

#[test]
fn commits_of_others_end_it_behind_the_receipt() {
    let (store, bob) = pair();
    let old = copy(&store);
    let alice = group(b"alice", &store, &[]);
    let first = bob.rotate().unwrap();
    alice.receive_commit(&first).unwrap();
    bob.receive_message(&alice.send_message(b"one").unwrap()).unwrap();
    let alice = group(b"alice", &old, &[alice.receipt().unwrap()]);
    alice.receive_commit(&first).unwrap();
    // In this epoch we have sent, though not in this copy.
    assert_eq!(alice.send_message(b"two"), Err(MlsError::ReadOnly));
    alice.receive_commit(&bob.rotate().unwrap()).unwrap();
    bob.receive_message(&alice.send_message(b"two").unwrap()).unwrap();
    assert!(!group(b"alice", &old, &[]).is_read_only().unwrap());
    // Nothing is left of it.
    assert!(image(&old).iter().all(|(class, _, _)| *class != 130));
}

#[test]
fn a_commit_that_waited_in_the_copy_does_not_end_it() {
    let (store, bob) = pair();
    let alice = group(b"alice", &store, &[]);
    let pending = alice.stage_rotation().unwrap();
    let old = copy(&store);
    bob.receive_commit(&pending.commit).unwrap();
    alice.apply_pending_commit(&pending.id).unwrap();
    bob.receive_message(&alice.send_message(b"one").unwrap()).unwrap();
    let alice = group(b"alice", &old, &[alice.receipt().unwrap()]);
    alice.apply_pending_commit(&pending.id).unwrap();
    assert_eq!(alice.send_message(b"two"), Err(MlsError::ReadOnly));
}

#[test]
fn joining_again_ends_it() {
    let (store, bob) = pair();
    let old = copy(&store);
    let alice = group(b"alice", &store, &[]);
    bob.receive_message(&alice.send_message(b"one").unwrap()).unwrap();
    let client = open(b"alice", &old, &[alice.receipt().unwrap()]);
    let join = client.join_external(&bob.group_info().unwrap(), None).unwrap();
    bob.receive_commit(join.commit()).unwrap();
    let alice = join.accepted().unwrap();
    assert!(!alice.is_read_only().unwrap());
    bob.receive_message(&alice.send_message(b"two").unwrap()).unwrap();
    let alice = group(b"alice", &old, &[]);
    bob.receive_message(&alice.send_message(b"three").unwrap()).unwrap();
}

#[test]
fn receipts_travel_as_bytes() {
    let (store, _) = pair();
    let receipt = group(b"alice", &store, &[]).receipt().unwrap();
    let bytes = receipt.to_bytes().unwrap();
    assert_eq!(Receipt::from_bytes(&bytes), Ok(receipt));
    for len in 0..bytes.len() {
        assert_eq!(Receipt::from_bytes(&bytes[..len]), Err(MlsError::InvalidRecord));
    }
    let later = [&[2], &bytes[1..]].concat();
    assert_eq!(Receipt::from_bytes(&later), Err(MlsError::UnsupportedVersion(2)));
}

/// FRM-02
#[test]
fn only_commits_may_be_public_and_only_where_allowed() {
    let (store, bob) = pair();
    let mut public = config();
    public.handshake_framing = HandshakeFraming::Public;
    let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(public);
    let client = builder.store(Arc::clone(&store)).open().unwrap();
    let alice = client.group(&client.groups().unwrap()[0]).unwrap();
    let wrong_framing = MlsError::Rejected(ProcessError::WrongFraming);
    assert_eq!(bob.receive_proposal(&alice.propose_update().unwrap()), Err(wrong_framing.clone()));
    bob.receive_commit(&alice.commit().unwrap().0).unwrap();

    let mut closed = config();
    closed.public_commits = false;
    let builder = Client::builder(b"carol", Arc::new(TrustOnFirstUse::new())).config(closed);
    let carol = builder.open().unwrap();
    alice.propose_add(&carol.generate_key_package().unwrap(), b"carol").unwrap();
    let carol = carol.join_group(&alice.commit().unwrap().1[0]).unwrap();
    assert_eq!(carol.receive_commit(&alice.rotate().unwrap()).err(), Some(wrong_framing));
}

#[test]
fn a_copy_of_unknown_age_reads_and_does_not_send() {
    let (store, bob) = pair();
    let receipt = group(b"alice", &store, &[]).receipt().unwrap();
    let reopen = |store: &Arc<dyn StateStore>, receipts: &[Receipt]| {
        let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(config());
        let builder = builder.store(Arc::clone(store)).not_older_than(receipts.to_vec()).from_old_copy();
        let client = builder.open().unwrap();
        client.group(&client.groups().unwrap()[0]).unwrap()
    };
    assert!(!reopen(&copy(&store), &[receipt]).is_read_only().unwrap());
    let alice = reopen(&store, &[]);
    assert_eq!(alice.send_message(b"one"), Err(MlsError::ReadOnly));
    alice.receive_commit(&bob.rotate().unwrap()).unwrap();
    // Remembered, and said twice is the same as once.
    assert!(group(b"alice", &store, &[]).is_read_only().unwrap());
    let commit = reopen(&store, &[]).rotate().unwrap();
    bob.receive_commit(&commit).unwrap();
    let alice = group(b"alice", &store, &[]);
    bob.receive_message(&alice.send_message(b"two").unwrap()).unwrap();
}
