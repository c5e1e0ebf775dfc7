//! Keys that people have compared, and those that they have not.

use std::sync::Arc;

use spacepanda_core::core_mls::{
    IdentityPolicy, PinState, StoredTrustOnFirstUse, TrustEvent,
    policy::{IdentityClaim, SafetyNumber, reason},
    store::{MemoryStore, StateStore},
};

use crate::support::crypto;

fn open(store: &Arc<dyn StateStore>) -> StoredTrustOnFirstUse {
    StoredTrustOnFirstUse::open(Arc::clone(store)).unwrap()
}

#[test]
fn what_was_compared_is_remembered() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let (first, other): (&[u8], &[u8]) = (&[1; 32], &[2; 32]);
    let policy = open(&store);
    assert_eq!(policy.state(b"bob", first), PinState::Unknown);
    policy.validate(&IdentityClaim::new(b"bob", first, 0)).unwrap();
    assert_eq!(policy.state(b"bob", first), PinState::Unverified);
    policy.settle().unwrap();
    assert_eq!(open(&store).state(b"bob", first), PinState::Unverified);

    let numbers = SafetyNumber::new(&crypto(), (b"alice", &[9; 32]), (b"bob", first)).unwrap();
    let scanned = SafetyNumber::new(&crypto(), (b"bob", first), (b"alice", &[9; 32])).unwrap().qr();
    numbers.compare(&scanned).unwrap();
    policy.verify(b"bob", first).unwrap();
    // Pinning what is verified takes nothing away.
    policy.pin(b"bob", first).unwrap();
    let policy = open(&store);
    assert_eq!(policy.state(b"bob", first), PinState::Verified);
    assert_eq!(policy.state(b"bob", other), PinState::Changed);
    assert_eq!(policy.validate(&IdentityClaim::new(b"bob", first, 0)), Ok(()));
    policy.unpin(b"bob", first).unwrap();
    assert_eq!(open(&store).state(b"bob", first), PinState::Unknown);
}

#[test]
fn the_user_is_told_once() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let policy = open(&store);
    let (first, other): (&[u8], &[u8]) = (&[1; 32], &[2; 32]);
    let event = |was_verified| TrustEvent::KeyChanged { identity: b"bob".to_vec(), key: other.to_vec(), was_verified };
    for _ in 0..2 {
        policy.validate(&IdentityClaim::new(b"bob", first, 0)).unwrap();
        assert_eq!(policy.validate(&IdentityClaim::new(b"bob", other, 0)), Err(reason::UNKNOWN_KEY));
    }
    let seen = TrustEvent::FirstUse { identity: b"bob".to_vec(), key: first.to_vec() };
    assert_eq!(policy.take_events(), [seen, event(false)]);
    assert!(policy.take_events().is_empty());
    policy.verify(b"bob", first).unwrap();
    assert_eq!(policy.validate(&IdentityClaim::new(b"bob", other, 0)), Err(reason::UNKNOWN_KEY));
    assert_eq!(policy.take_events(), [event(true)]);
}
