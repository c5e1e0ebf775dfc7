//! Many envelopes in one call: one batch of the store, the answers in order, the bad ones named, and nothing lost.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use spacepanda_core::core_mls::{
    Client, Incoming, MlsConfig, MlsEnvelope, MlsError, MlsHandle, MlsResult, Secret, TrustOnFirstUse,
    store::{Key, Leases, MemoryStore, Revision, Section, Space, StateStore, StoreError, Write},
};
use store_conformance::FailingStore;

/// Counts batches.
#[derive(Debug)]
struct Counting(Arc<dyn StateStore>, AtomicUsize);

impl Leases for Counting {}

impl StateStore for Counting {
    fn apply(&self, batch: &[Section<'_>]) -> Result<Revision, StoreError> {
        let writes = batch.iter().flat_map(|section| &section.writes);
        // A batch without writes changes nothing.
        self.1.fetch_add(
            usize::from(writes.filter(|write| matches!(write, Write::Put(..))).count() > 0),
            Ordering::Relaxed,
        );
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

fn client(identity: &[u8], store: &Arc<dyn StateStore>) -> Client {
    let builder = Client::builder(identity, Arc::new(TrustOnFirstUse::new())).config(MlsConfig::interop());
    builder.store(Arc::clone(store)).open().unwrap()
}

fn group_of(client: &Client) -> MlsHandle {
    client.group(&client.groups().unwrap()[0]).unwrap()
}

/// Alice's handle, Bob's handle, and Bob's store.
fn pair() -> (MlsHandle, MlsHandle, Arc<dyn StateStore>) {
    let stores: [Arc<dyn StateStore>; 2] = [Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new())];
    let [alice, bob] = [client(b"alice", &stores[0]), client(b"bob", &stores[1])];
    let group = alice.create_group(Some("tea")).unwrap();
    group.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let joined = bob.join_group(&group.commit().unwrap().1[0]).unwrap();
    let [_, of_bob] = stores;
    (group, joined, of_bob)
}

fn messages(group: &MlsHandle, count: u8) -> Vec<MlsEnvelope> {
    (0..count).map(|n| group.send_message(&[n]).unwrap()).collect()
}

fn plaintexts<'a>(received: impl IntoIterator<Item = &'a MlsResult<Incoming>>) -> Vec<Vec<u8>> {
    let plaintext = |incoming: &MlsResult<Incoming>| match incoming {
        Ok(Incoming::Delivered(message)) => message.plaintext.clone(),
        other => panic!("{other:?}"),
    };
    received.into_iter().map(plaintext).collect()
}

fn numbers(count: u8) -> Vec<Vec<u8>> {
    (0..count).map(|n| vec![n]).collect()
}

#[test]
fn many_messages_are_one_batch() {
    let (group, joined, of_bob) = pair();
    let waited = messages(&group, 100);
    drop(joined);
    let counting = Arc::new(Counting(of_bob, AtomicUsize::new(0)));
    let store: Arc<dyn StateStore> = Arc::<Counting>::clone(&counting);
    let joined = group_of(&client(b"bob", &store));
    counting.1.store(0, Ordering::Relaxed);
    let received = joined.receive_all(&waited);
    assert_eq!(counting.1.load(Ordering::Relaxed), 1);
    assert_eq!(plaintexts(&received), numbers(100));
}

#[test]
fn they_may_come_in_any_order() {
    let (group, joined, _) = pair();
    let mut waited = messages(&group, 20);
    waited.reverse();
    let mut expected = numbers(20);
    expected.reverse();
    assert_eq!(plaintexts(&joined.receive_all(&waited)), expected);
}

#[test]
fn a_bad_one_is_named_and_keeps_no_other_from_being_read() {
    let (group, joined, _) = pair();
    let mut waited = messages(&group, 6);
    let mut bent = waited[1].payload().to_vec();
    *bent.last_mut().unwrap() ^= 1;
    waited[1] = MlsEnvelope::wrap_application(bent).unwrap();
    waited[3] = waited[2].clone();
    waited.insert(4, joined.send_message(b"mine").unwrap());
    let (_, stranger, _) = pair();
    waited.insert(5, stranger.send_message(b"elsewhere").unwrap());
    let received = joined.receive_all(&waited);
    assert_eq!(received.len(), 8);
    assert!(matches!(received[1], Err(MlsError::CryptoError(_))), "{:?}", received[1]);
    assert!(matches!(received[3], Ok(Incoming::Duplicate)), "{:?}", received[3]);
    assert!(matches!(received[4], Ok(Incoming::OwnEcho(_))), "{:?}", received[4]);
    assert!(matches!(received[5], Err(MlsError::GroupMismatch)), "{:?}", received[5]);
    assert_eq!(plaintexts([0, 2, 6, 7].map(|place: usize| &received[place])), [[0], [2], [4], [5]]);
}

#[test]
fn commits_and_what_comes_behind_them_keep_their_order() {
    let (group, joined, _) = pair();
    let mut waited = messages(&group, 3);
    waited.push(group.rotate().unwrap());
    waited.extend(messages(&group, 3));
    let received = joined.receive_all(&waited);
    assert_eq!(plaintexts(&received[..3]), numbers(3));
    assert!(matches!(received[3], Ok(Incoming::EpochAdvanced(_))));
    assert_eq!(plaintexts(&received[4..]), numbers(3));
    assert_eq!(joined.epoch(), group.epoch());
}

/// What is heard and not read stays what it is, in the midst of messages.
#[test]
fn a_beacon_among_messages_is_heard() {
    let (group, joined, _) = pair();
    let mut waited = messages(&group, 2);
    waited.push(group.send_beacon().unwrap());
    waited.extend(messages(&group, 2));
    let received = joined.receive_all(&waited);
    assert_eq!(plaintexts(received.iter().take(2).chain(received.iter().skip(3))), [[0], [1], [0], [1]]);
    assert!(matches!(received[2], Ok(Incoming::Beacon { .. })), "{:?}", received[2]);
}

/// If the batch is not durable nothing is used up: whoever starts again reads everything.
#[test]
fn if_the_store_fails_nothing_is_lost() {
    let (group, joined, of_bob) = pair();
    let waited = messages(&group, 30);
    drop(joined);
    let failing = Arc::new(FailingStore::over(Arc::clone(&of_bob)));
    let store: Arc<dyn StateStore> = Arc::<FailingStore>::clone(&failing);
    let joined = group_of(&client(b"bob", &store));
    failing.fail(true);
    let refused = joined.receive_all(&waited);
    assert_eq!(refused.len(), 30);
    for answer in refused {
        assert_eq!(answer.err(), Some(MlsError::Store(StoreError::Unavailable)));
    }
    drop(joined);
    // As after a kill: another client on what is durable.
    assert_eq!(plaintexts(&group_of(&client(b"bob", &of_bob)).receive_all(&waited)), numbers(30));
}

#[test]
fn what_was_read_is_known_after_a_restart() {
    let (group, joined, of_bob) = pair();
    let waited = messages(&group, 40);
    joined.receive_all(&waited);
    drop(joined);
    let joined = group_of(&client(b"bob", &of_bob));
    for again in joined.receive_all(&waited) {
        assert!(matches!(again, Ok(Incoming::Duplicate)), "{again:?}");
    }
    for envelope in &waited {
        assert!(matches!(joined.receive_message(envelope), Err(MlsError::ReplayDetected { .. })));
    }
}
