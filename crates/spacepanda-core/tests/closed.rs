//! Groups that are not open: messages go, the tree stays where it is, and whatever else comes opens them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests"
)]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use spacepanda_core::core_mls::{
    Client, Incoming, MlsConfig, MlsEnvelope, MlsError, MlsHandle, Receipt, Secret, TrustOnFirstUse,
    store::{Key, Leases, MemoryStore, Revision, Section, Space, StateStore, StoreError},
};
use store_conformance::FailingStore;

/// The class of public tree nodes.
const NODE: u8 = 2;

/// Counts the rows of trees that are read.
#[derive(Debug)]
struct Watched(Arc<dyn StateStore>, AtomicUsize);

impl Leases for Watched {}

impl StateStore for Watched {
    fn apply(&self, batch: &[Section<'_>]) -> Result<Revision, StoreError> {
        self.0.apply(batch)
    }

    fn get(&self, space: &Space, key: &Key) -> Result<Option<Secret>, StoreError> {
        self.1.fetch_add(usize::from(key.class == NODE), Ordering::Relaxed);
        self.0.get(space, key)
    }

    fn scan(&self, space: &Space, class: u8, epoch: Option<u64>) -> Result<Vec<(Key, Secret)>, StoreError> {
        assert_ne!(class, NODE);
        self.0.scan(space, class, epoch)
    }

    fn spaces(&self, only: Option<&Space>) -> Result<Vec<(Space, Revision)>, StoreError> {
        self.0.spaces(only)
    }

    fn delete(&self, space: &Space, expected: Revision) -> Result<(), StoreError> {
        self.0.delete(space, expected)
    }
}

fn client(name: &[u8], store: Arc<dyn StateStore>) -> Client {
    let builder = Client::builder(name, Arc::new(TrustOnFirstUse::new())).config(MlsConfig::interop());
    builder.store(store).open().unwrap()
}

/// A group of sixteen: Alice's store, and Bob with his handle.
struct Scene {
    store: Arc<Watched>,
    bob: MlsHandle,
    id: Vec<u8>,
}

impl Scene {
    fn new() -> Self {
        let store = Arc::new(Watched(Arc::new(MemoryStore::new()), AtomicUsize::new(0)));
        let alice = client(b"alice", Arc::<Watched>::clone(&store)).create_group(None).unwrap();
        let bob = client(b"bob", Arc::new(MemoryStore::new()));
        alice.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
        for n in 0..14_u8 {
            let other = client(&[n], Arc::new(MemoryStore::new()));
            alice.propose_add(&other.generate_key_package().unwrap(), &[n]).unwrap();
        }
        let (_, welcomes) = alice.commit().unwrap();
        let bob = bob.join_group(&welcomes[0]).unwrap();
        alice.receive_commit(&bob.rotate().unwrap()).unwrap();
        Self { store, id: alice.group_id(), bob }
    }

    /// Alice, just started.
    fn alice(&self) -> Client {
        client(b"alice", Arc::<Watched>::clone(&self.store))
    }

    /// How many rows of the tree this reads.
    fn rows<T>(&self, act: impl FnOnce() -> T) -> (T, usize) {
        let before = self.store.1.load(Ordering::Relaxed);
        let value = act();
        (value, self.store.1.load(Ordering::Relaxed) - before)
    }
}

fn text(incoming: Incoming) -> Vec<u8> {
    match incoming {
        Incoming::Delivered(message) => message.plaintext,
        other => panic!("no message: {other:?}"),
    }
}

/// Five levels: our own leaf when it is opened, and the sender's for each message.
#[test]
fn messages_take_a_path_and_no_tree() {
    let scene = Scene::new();
    let alice = scene.alice();
    let hello = scene.bob.send_message(b"hello").unwrap();
    let (incoming, rows) = scene.rows(|| alice.handle_incoming(&hello).unwrap());
    assert_eq!((text(incoming), rows), (b"hello".to_vec(), 10));
    let (sent, rows) = scene.rows(|| alice.send_message(&scene.id, b"well?").unwrap());
    assert_eq!(rows, 0);
    assert_eq!(scene.bob.receive_message(&sent).unwrap().plaintext, b"well?");
    let (sent, rows) = scene.rows(|| scene.alice().send_message(&scene.id, b"again").unwrap());
    assert_eq!((scene.bob.receive_message(&sent).unwrap().generation, rows), (32, 5));
    // A handle is of the whole group.
    let (_, rows) = scene.rows(|| alice.group(&scene.id).unwrap());
    assert!(rows >= 31, "{rows}");
}

/// The order of things does not depend on whether the group is open.
#[test]
fn what_is_no_common_message_opens_the_group() {
    let scene = Scene::new();
    let hello = scene.bob.send_message(b"hello").unwrap();
    assert_eq!(text(scene.alice().handle_incoming(&hello).unwrap()), b"hello");
    assert!(matches!(scene.alice().handle_incoming(&hello).unwrap(), Incoming::Duplicate));
    let own = scene.alice().send_message(&scene.id, b"mine").unwrap();
    assert!(matches!(scene.alice().handle_incoming(&own).unwrap(), Incoming::OwnEcho(_)));
    assert!(matches!(scene.alice().handle_incoming(&own).unwrap(), Incoming::Duplicate));
    let last = scene.bob.send_message(b"last").unwrap();
    let (commit, early) = (scene.bob.rotate().unwrap(), scene.bob.send_message(b"early").unwrap());
    assert!(matches!(scene.alice().handle_incoming(&early).unwrap(), Incoming::Buffered { .. }));
    let Incoming::EpochAdvanced(outcome) = scene.alice().handle_incoming(&commit).unwrap() else { panic!() };
    assert_eq!(outcome.released.len(), 1);
    // Of the epoch before.
    assert_eq!(text(scene.alice().handle_incoming(&last).unwrap()), b"last");
    let mut broken = scene.bob.send_message(b"broken").unwrap().payload().to_vec();
    let end = broken.len() - 1;
    broken[end] ^= 1;
    let broken = MlsEnvelope::wrap_application(broken).unwrap();
    let refused = scene.alice().handle_incoming(&broken).err();
    assert_eq!(refused, scene.alice().group(&scene.id).unwrap().handle_incoming(&broken).err());
    assert!(refused.is_some());
    // PM-19
    let proposal = scene.bob.propose_update().unwrap();
    let alice = scene.alice();
    assert!(matches!(alice.handle_incoming(&proposal).unwrap(), Incoming::Proposal(_)));
    assert_eq!(scene.alice().send_message(&scene.id, b"late"), Err(MlsError::CommitRequired));
    assert_eq!(alice.send_message(b"another", b"late"), Err(MlsError::UnknownGroup));
}

#[test]
fn many_messages_open_the_group() {
    let scene = Scene::new();
    let alice = scene.alice();
    let read = (0..40_u8).map(|n| {
        let message = scene.bob.send_message(&[n]).unwrap();
        let (incoming, rows) = scene.rows(|| alice.handle_incoming(&message).unwrap());
        assert_eq!(text(incoming), [n]);
        rows
    });
    let read: Vec<_> = read.collect();
    assert!(read[1..32].iter().all(|rows| *rows == 5), "{read:?}");
    assert!(read[32] >= 31, "{read:?}");
    assert!(read[33..].iter().all(|rows| *rows == 0), "{read:?}");
}

/// X-STATE-03: two that have the group closed, one that has it open, and one store.
#[test]
fn nobody_uses_what_another_has_used() {
    let scene = Scene::new();
    let (one, two, open) = (scene.alice(), scene.alice(), scene.alice().group(&scene.id).unwrap());
    let mut generations = std::collections::BTreeSet::new();
    for round in 0..12_u8 {
        for by in 0..3 {
            let text = [round, by];
            let sent = match by {
                0 => one.send_message(&scene.id, &text),
                1 => two.send_message(&scene.id, &text),
                _ => open.send_message(&text),
            };
            let message = scene.bob.receive_message(&sent.unwrap()).unwrap();
            assert_eq!(message.plaintext, text);
            assert!(generations.insert(message.generation));
        }
        let hello = scene.bob.send_message(&[round]).unwrap();
        assert_eq!(text(one.handle_incoming(&hello).unwrap()), [round]);
        assert!(matches!(two.handle_incoming(&hello).unwrap(), Incoming::Duplicate));
        assert!(matches!(open.handle_incoming(&hello).unwrap(), Incoming::Duplicate));
    }
}

/// A write that fails is told, and counts for nothing.
#[test]
fn a_store_that_fails_changes_nothing() {
    let scene = Scene::new();
    let broken = Arc::new(FailingStore::over(Arc::clone(&scene.store.0)));
    let alice = client(b"alice", Arc::<FailingStore>::clone(&broken));
    let first = alice.send_message(&scene.id, b"first").unwrap();
    let hello = scene.bob.send_message(b"hello").unwrap();
    broken.fail(true);
    let failed = MlsError::from(StoreError::Unavailable);
    assert_eq!(alice.send_message(&scene.id, b"second"), Err(failed.clone()));
    assert_eq!(alice.handle_incoming(&hello).err(), Some(failed));
    broken.fail(false);
    let second = alice.send_message(&scene.id, b"second").unwrap();
    assert_eq!(text(alice.handle_incoming(&hello).unwrap()), b"hello");
    for (sent, text) in [(first, b"first".to_vec()), (second, b"second".to_vec())] {
        assert_eq!(scene.bob.receive_message(&sent).unwrap().plaintext, text);
    }
}

/// X-STATE-04: what may be an old copy is opened, and does not send.
#[test]
fn an_old_copy_reads_and_does_not_send() {
    let scene = Scene::new();
    let newest = scene.alice().group(&scene.id).unwrap();
    scene.bob.receive_message(&newest.send_message(b"one").unwrap()).unwrap();
    let receipt = newest.receipt().unwrap();
    let later = Receipt::from_bytes(&receipt.to_bytes().unwrap()).unwrap();
    let known = |receipt| {
        let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(MlsConfig::interop());
        builder.store(Arc::<Watched>::clone(&scene.store)).not_older_than([receipt]).open().unwrap()
    };
    // The same state sends, and stays closed.
    let (sent, rows) = scene.rows(|| known(later).send_message(&scene.id, b"two").unwrap());
    assert_eq!((scene.bob.receive_message(&sent).unwrap().plaintext, rows), (b"two".to_vec(), 5));
    scene.bob.receive_message(&newest.send_message(b"three").unwrap()).unwrap();
    let mut behind = receipt.to_bytes().unwrap();
    // The last four bytes count generations of application messages.
    let end = behind.len() - 2;
    behind[end] = 1;
    let behind = known(Receipt::from_bytes(&behind).unwrap());
    assert_eq!(behind.send_message(&scene.id, b"old"), Err(MlsError::ReadOnly));
    // It is so for whoever comes next.
    assert_eq!(scene.alice().send_message(&scene.id, b"old"), Err(MlsError::ReadOnly));
    let hello = scene.bob.send_message(b"hello").unwrap();
    assert_eq!(text(scene.alice().handle_incoming(&hello).unwrap()), b"hello");
}
