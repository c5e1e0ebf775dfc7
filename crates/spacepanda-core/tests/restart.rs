//! A client that ends after every call: what passes by a group is there again.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::unreachable,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use spacepanda_core::core_mls::{
    ApplicationRow, Client, Incoming, MlsConfig, MlsEnvelope, MlsError, MlsHandle, OutboxState, Secret,
    TrustOnFirstUse,
    store::{Key, Leases, MemoryStore, Revision, Section, Space, StateStore, StoreError, Write},
};
use store_conformance::FailingStore;

/// Counts the bytes of what is written.
#[derive(Debug)]
struct Counting(Arc<dyn StateStore>, AtomicUsize);

impl Leases for Counting {}

impl StateStore for Counting {
    fn apply(&self, batch: &[Section<'_>]) -> Result<Revision, StoreError> {
        for write in batch.iter().flat_map(|section| &section.writes) {
            let bytes = match write {
                Write::Put(key, value) => 9 + key.id.len() + value.len(),
                Write::Delete(key) => 9 + key.id.len(),
                _ => 9,
            };
            self.1.fetch_add(bytes, Ordering::Relaxed);
        }
        self.0.apply(batch)
    }

    fn get(&self, space: &Space, key: &Key) -> Result<Option<Secret>, StoreError> {
        self.0.get(space, key)
    }

    fn scan(&self, space: &Space, class: u8, epoch: Option<u64>) -> Result<Vec<(Key, Secret)>, StoreError> {
        self.0.scan(space, class, epoch)
    }

    fn spaces(&self, only: Option<&Space>) -> Result<Vec<(Space, Revision)>, StoreError> {
        self.0.spaces(only)
    }

    fn delete(&self, space: &Space, expected: Revision) -> Result<(), StoreError> {
        self.0.delete(space, expected)
    }
}

/// Opened anew for each call.
struct Person {
    name: &'static [u8],
    store: Arc<dyn StateStore>,
    config: MlsConfig,
}

impl Person {
    fn new(name: &'static [u8]) -> Self {
        Self { name, store: Arc::new(MemoryStore::new()), config: MlsConfig::interop() }
    }

    fn client(&self) -> Client {
        let builder = Client::builder(self.name, Arc::new(TrustOnFirstUse::new())).config(self.config.clone());
        builder.store(Arc::clone(&self.store)).open().unwrap()
    }

    fn group(&self) -> MlsHandle {
        let client = self.client();
        client.group(&client.groups().unwrap()[0]).unwrap()
    }
}

fn pair(change: fn(&mut MlsConfig)) -> (Person, Person) {
    let (mut alice, mut bob) = (Person::new(b"alice"), Person::new(b"bob"));
    [&mut alice, &mut bob].into_iter().for_each(|person| change(&mut person.config));
    alice.client().create_group(None).unwrap();
    let package = bob.client().generate_key_package().unwrap();
    alice.group().propose_add(&package, b"bob").unwrap();
    let pending = alice.group().stage_commit().unwrap();
    assert!(alice.group().outbox().unwrap().iter().all(|entry| entry.welcomes.is_empty()));
    alice.group().apply_pending_commit(&pending.id).unwrap();
    // COM-22: released after acceptance, and after a restart.
    let outbox = alice.group().outbox().unwrap();
    let commit = outbox.iter().find(|entry| entry.state == OutboxState::Accepted).unwrap();
    assert_eq!(commit.envelope, pending.commit);
    bob.client().join_group(&commit.welcomes[0]).unwrap();
    let all: Vec<_> = outbox.iter().map(|entry| entry.id).collect();
    alice.group().mark_sent(&all).unwrap();
    assert!(alice.group().outbox().unwrap().is_empty());
    (alice, bob)
}

/// CON-08
#[test]
fn own_messages_open_once() {
    let (alice, _) = pair(|_| {});
    let sent = alice.group().send_message(b"hello").unwrap();
    assert_eq!(alice.group().outbox().unwrap()[0].envelope, sent);
    let echo = alice.group().receive_message(&sent).unwrap();
    assert_eq!((echo.plaintext.as_slice(), echo.own_echo), (&b"hello"[..], true));
    assert!(matches!(alice.group().receive_message(&sent), Err(MlsError::ReplayDetected { sender: 0, generation: 0 })));
    assert!(matches!(alice.group().handle_incoming(&sent).unwrap(), Incoming::Duplicate));
}

/// CAP-24
#[test]
fn strict_clients_forget_own_messages_with_their_epoch() {
    let (alice, _) = pair(|config| config.strict_epoch_check = true);
    let sent = alice.group().send_message(b"hello").unwrap();
    alice.group().rotate().unwrap();
    assert!(alice.group().receive_message(&sent).is_err());
}

/// CON-04
#[test]
fn deliveries_are_recognised() {
    let (alice, bob) = pair(|_| {});
    for round in 0..40_u8 {
        let sent = alice.group().send_message(&[round]).unwrap();
        assert!(matches!(bob.group().handle_incoming(&sent).unwrap(), Incoming::Delivered(_)));
        assert!(matches!(bob.group().handle_incoming(&sent).unwrap(), Incoming::Duplicate));
    }
    let proposal = alice.group().propose_update().unwrap();
    assert!(matches!(bob.group().handle_incoming(&proposal).unwrap(), Incoming::Proposal(_)));
    for group in [alice.group(), bob.group()] {
        assert!(matches!(group.handle_incoming(&proposal).unwrap(), Incoming::Duplicate));
    }
}

/// CAP-24
#[test]
fn early_messages_wait() {
    let (alice, bob) = pair(|_| {});
    let (commit, early) = (alice.group().rotate().unwrap(), alice.group().send_message(b"early").unwrap());
    assert!(matches!(bob.group().handle_incoming(&early).unwrap(), Incoming::Buffered { .. }));
    let Incoming::EpochAdvanced(outcome) = bob.group().handle_incoming(&commit).unwrap() else { unreachable!() };
    assert!(matches!(&outcome.released[..], [Ok(Incoming::Delivered(_))]));
    assert!(bob.group().process_buffered().is_empty());
    assert_eq!(alice.group().epoch_authenticator().unwrap(), bob.group().epoch_authenticator().unwrap());
}

#[test]
fn a_commit_that_lost_is_said_to_be_superseded() {
    let (alice, bob) = pair(|_| {});
    let lost = alice.group().stage_rotation().unwrap();
    assert_eq!(alice.group().outbox().unwrap()[0].state, OutboxState::Pending);
    alice.group().receive_commit(&bob.group().rotate().unwrap()).unwrap();
    let outbox = alice.group().outbox().unwrap();
    assert_eq!((outbox[0].id, outbox[0].state), (lost.id, OutboxState::Superseded));
}

#[test]
fn rows_come_with_the_message() {
    let (alice, bob) = pair(|_| {});
    let sent = alice.group().send_message(b"hello").unwrap();
    let row = |value: &[u8]| vec![ApplicationRow { key: b"m".to_vec(), value: Some(value.to_vec()) }];
    let failing = FailingStore::over(Arc::clone(&bob.store));
    failing.fail(true);
    let broken = Person { name: b"bob", store: Arc::new(failing), config: bob.config.clone() };
    let refused = broken.group().receive_message_with(&sent, |message| row(&message.plaintext));
    assert_eq!(refused, Err(MlsError::Store(StoreError::Unavailable)));
    assert_eq!(bob.group().application_row(b"m").unwrap(), None);
    bob.group().receive_message_with(&sent, |message| row(&message.plaintext)).unwrap();
    assert_eq!(bob.group().application_row(b"m").unwrap().as_deref(), Some(&b"hello"[..]));
    let id = bob.group().group_id().to_vec();
    bob.client().delete_group(&id).unwrap();
    assert!(bob.store.spaces(None).unwrap().iter().all(|(space, _)| format!("{space:?}") == "Client"));
}

/// All records of one message of 32 bytes, with echo and outbox, or with the hash of its delivery.
#[test]
fn a_message_writes_little() {
    let (mut alice, mut bob) = pair(|_| {});
    let count = |person: &mut Person| {
        let counting = Arc::new(Counting(Arc::clone(&person.store), AtomicUsize::new(0)));
        person.store = Arc::<Counting>::clone(&counting);
        counting
    };
    let (sending, receiving) = (count(&mut alice), count(&mut bob));
    let (alice, bob) = (alice.group(), bob.group());
    bob.receive_message(&alice.send_message(&[0; 32]).unwrap()).unwrap();
    let mut most = [0; 2];
    for _ in 0..400 {
        let before = [&sending, &receiving].map(|store| store.1.load(Ordering::Relaxed));
        bob.receive_message(&alice.send_message(&[7; 32]).unwrap()).unwrap();
        let after = [&sending, &receiving].map(|store| store.1.load(Ordering::Relaxed));
        most = [most[0].max(after[0] - before[0]), most[1].max(after[1] - before[1])];
    }
    println!("bytes of records: sending {}, receiving {}", most[0], most[1]);
    assert!(most.iter().all(|bytes| *bytes <= 1_000), "{most:?}");
}

/// A seeded walk: whoever acts ends and comes back before every single call, and all stay together.
#[test]
fn three_members_walk_through_restarts() {
    let (alice, bob) = pair(|_| {});
    let carol = Person::new(b"carol");
    let package = carol.client().generate_key_package().unwrap();
    let add = bob.group().propose_add(&package, b"carol").unwrap();
    alice.group().handle_incoming(&add).unwrap();
    let (commit, welcomes) = alice.group().commit().unwrap();
    bob.group().handle_incoming(&commit).unwrap();
    carol.client().join_group(&welcomes[0]).unwrap();
    let people = [alice, bob, carol];
    let (id, mut random) = (people[0].group().group_id(), 7_u64);
    for step in 0..60 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let actor = &people[usize::try_from((random >> 33) % 3).unwrap()];
        let others = people.iter().filter(|person| person.name != actor.name);
        let envelope = match (random >> 40) % 4 {
            0 => {
                let pending = actor.group().stage_rotation().unwrap();
                let listed = actor.group().outbox().unwrap().pop().unwrap();
                assert_eq!((listed.state, &listed.envelope), (OutboxState::Pending, &pending.commit), "step {step}");
                actor.group().apply_pending_commit(&listed.id).unwrap();
                listed.envelope
            }
            1 => {
                let proposal = actor.group().propose_update().unwrap();
                others.clone().for_each(|other| drop(other.group().handle_incoming(&proposal).unwrap()));
                let (commit, _) = actor.group().commit().unwrap();
                commit
            }
            2 => actor.group().send_message(&[step]).unwrap(),
            _ => actor.client().send_message(&id, &[step]).unwrap(),
        };
        for other in others {
            // With the group opened, or with it closed.
            let first = match step % 2 {
                0 => other.group().handle_incoming(&envelope).unwrap(),
                _ => other.client().handle_incoming(&envelope).unwrap(),
            };
            assert!(matches!(first, Incoming::Delivered(_) | Incoming::EpochAdvanced(_)), "step {step}");
            assert!(matches!(other.group().handle_incoming(&envelope).unwrap(), Incoming::Duplicate), "step {step}");
        }
        let views = people.each_ref().map(|person| person.group().epoch_authenticator().unwrap());
        assert!(views.iter().all(|view| *view == views[0]), "step {step}");
    }
}

/// CAP-24: a commit that came too early, and whose proposal is later still, waits on.
#[test]
fn an_early_commit_waits_for_its_proposal_too() {
    let (alice, bob) = pair(|_| {});
    let first = alice.group().rotate().unwrap();
    let proposal = alice.group().set_group_name("later").unwrap();
    let (second, _) = alice.group().commit().unwrap();
    assert!(matches!(bob.group().handle_incoming(&second).unwrap(), Incoming::Buffered { .. }));
    let staying = bob.group();
    let Incoming::EpochAdvanced(outcome) = staying.handle_incoming(&first).unwrap() else { unreachable!() };
    assert!(matches!(&outcome.released[..], [Err(MlsError::UnknownProposal)]));
    staying.handle_incoming(&proposal).unwrap();
    // In memory and, for a client that is opened anew, in the store.
    for group in [staying, bob.group()] {
        let released = group.process_buffered();
        let followed = matches!(&released[..], [Ok(Incoming::EpochAdvanced(_))]) || released.is_empty();
        assert!(followed && group.epoch() == 3, "{released:?}");
    }
    assert_eq!(alice.group().epoch_authenticator().unwrap(), bob.group().epoch_authenticator().unwrap());
}

/// What was refused when it was due is gone, for a client that is opened anew as well.
#[test]
fn an_early_message_that_is_refused_is_gone() {
    let (alice, bob) = pair(|_| {});
    let commit = alice.group().rotate().unwrap();
    let mut bytes = alice.group().send_message(b"early").unwrap().payload().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let early = MlsEnvelope::wrap_application(bytes).unwrap();
    assert!(matches!(bob.group().handle_incoming(&early).unwrap(), Incoming::Buffered { .. }));
    let Incoming::EpochAdvanced(outcome) = bob.group().handle_incoming(&commit).unwrap() else { unreachable!() };
    assert!(matches!(&outcome.released[..], [Err(MlsError::CryptoError(_))]));
    assert!(bob.group().process_buffered().is_empty());
}

/// A commit that was marked while it waited keeps its place: its Welcomes are not lost if nobody reads the outcome.
#[test]
fn a_commit_that_waits_cannot_be_marked() {
    let (alice, _) = pair(|_| {});
    let carol = Person::new(b"carol");
    alice.group().propose_add(&carol.client().generate_key_package().unwrap(), b"carol").unwrap();
    let pending = alice.group().stage_commit().unwrap();
    alice.group().mark_sent(&[pending.id]).unwrap();
    drop(alice.group().apply_pending_commit(&pending.id).unwrap());
    let outbox = alice.group().outbox().unwrap();
    let entry = outbox.iter().find(|entry| entry.id == pending.id).unwrap();
    carol.client().join_group(&entry.welcomes[0]).unwrap();
    alice.group().mark_sent(&[pending.id]).unwrap();
    assert!(alice.group().outbox().unwrap().iter().all(|entry| entry.id != pending.id));
}
