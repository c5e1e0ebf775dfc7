//! What every router, store and identity of a host must do, as checks that a new implementation runs in its tests.
//!
//! In: ways to make them. Out: nothing, or a panic that names what was broken.
//! Always: checks know the contract only, not the implementation.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use core::{
    pin::pin,
    task::{Context, Poll, Waker},
};
use std::sync::Arc;

use discovery_conformance::{SERVICE, crypto, key, metadata, public, record, witnessed};
use mls_discovery::{GroupPublicInfo, Trust};
use spacepanda_core::core_mls::{Client, MlsError};
use spacepanda_host::{
    DISCOVERY, GROUP, HostStore, HostStoreError, Identity, MAX_BODY, MESSAGE, PeerId, Router, RouterError, WELCOME,
};

/// Waits for a future, on this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::yield_now(),
        }
    }
}

/// Checks routers. `make` gives the end of a host of this name; asked again for a name, a new end of the same host, as after a
/// restart.
pub fn router(make: &dyn Fn(&str) -> Arc<dyn Router>) {
    let (alice, bob, carol) = (make("alice"), make("bob"), make("carol"));
    assert_eq!(block_on(bob.receive()).unwrap(), []);
    for (number, sender) in [&alice, &carol, &alice, &carol].into_iter().enumerate() {
        block_on(sender.send_rpc(&bob.own(), MESSAGE, &format!("{{\"n\":{number}}}"))).unwrap();
    }
    block_on(alice.send_rpc(&bob.own(), WELCOME, "Grüße")).unwrap();
    let came = block_on(bob.receive()).unwrap();
    let said: Vec<(&str, &str)> = came.iter().map(|rpc| (&rpc.method[..], &rpc.body[..])).collect();
    assert_eq!(said.len(), 5);
    assert_eq!(said[4], (WELCOME, "Grüße"));
    // In the order of each sender.
    let of = |sender: &PeerId| -> Vec<&str> {
        came.iter().filter(|rpc| rpc.from == *sender).map(|rpc| &rpc.body[..]).collect()
    };
    assert_eq!(of(&alice.own()), ["{\"n\":0}", "{\"n\":2}", "Grüße"]);
    assert_eq!(of(&carol.own()), ["{\"n\":1}", "{\"n\":3}"]);
    // Until it is acknowledged it comes again, after a restart too.
    block_on(bob.acknowledge(came[1].ticket)).unwrap();
    let bob = make("bob");
    let rest = block_on(bob.receive()).unwrap();
    assert_eq!(rest, came[2..]);
    block_on(bob.acknowledge(came[4].ticket)).unwrap();
    assert_eq!(block_on(bob.receive()).unwrap(), []);
    assert_eq!(block_on(make("carol").receive()).unwrap(), []);
    // What cannot be sent is not.
    let nobody = PeerId::new(b"nobody");
    assert_eq!(block_on(alice.send_rpc(&nobody, MESSAGE, "{}")), Err(RouterError::UnknownPeer));
    let long = "x".repeat(MAX_BODY + 1);
    let too_large = RouterError::TooLarge { len: MAX_BODY + 1, limit: MAX_BODY };
    assert_eq!(block_on(alice.send_rpc(&bob.own(), MESSAGE, &long)), Err(too_large));
    assert_eq!(block_on(bob.receive()).unwrap(), []);
    // There is an end to what waits.
    let mut sent = 0;
    let full = loop {
        match block_on(alice.send_rpc(&bob.own(), MESSAGE, "{}")) {
            Ok(()) if sent < 100_000 => sent += 1,
            other => break other,
        }
    };
    assert_eq!(full, Err(RouterError::Full), "after {sent}");
}

/// Checks stores. `make` gives an empty one that believes whom the trust names.
pub fn store(make: &dyn Fn(Trust) -> Arc<dyn HostStore>) {
    let store = make(Trust::nobody().in_service(&public(SERVICE)));
    assert_eq!(store.load_crdt(GROUP, b"1"), Ok(None));
    assert_eq!(store.save_crdt(GROUP, b"1", b"state"), Ok(true));
    assert_eq!(store.save_crdt(GROUP, b"1", b"state"), Ok(false));
    assert_eq!(store.save_crdt(GROUP, b"1", b"next"), Ok(true));
    assert_eq!(store.save_crdt(GROUP, b"2", b""), Ok(true));
    assert_eq!(store.load_crdt(GROUP, b"1"), Ok(Some(b"next".to_vec())));
    store.delete(GROUP, b"1").unwrap();
    store.delete(GROUP, b"1").unwrap();
    assert_eq!(store.load_crdt(GROUP, b"1"), Ok(None));
    assert_eq!(store.load_crdt(GROUP, b"2"), Ok(Some(Vec::new())));
    // Records are merged.
    let (first, second) = (record(b"1", &metadata("tea", 1)), record(b"1", &metadata("tea", 2)));
    let bytes = |record: &GroupPublicInfo| record.to_bytes().unwrap();
    assert_eq!(store.save_crdt(DISCOVERY, b"1", &bytes(&second)), Ok(true));
    assert_eq!(store.save_crdt(DISCOVERY, b"1", &bytes(&first)), Ok(false));
    assert_eq!(store.load_crdt(DISCOVERY, b"1"), Ok(Some(bytes(&second))));
    // What does not count changes nothing.
    let liar = witnessed((b"1", &metadata("mine", 9)), 1, 99);
    assert!(matches!(store.save_crdt(DISCOVERY, b"1", &bytes(&liar)), Err(HostStoreError::Record(_))));
    assert!(matches!(store.save_crdt(DISCOVERY, b"1", b"\x01no record"), Err(HostStoreError::Record(_))));
    assert_eq!(store.save_crdt(DISCOVERY, b"2", &bytes(&second)), Err(HostStoreError::WrongId));
    assert_eq!(store.save_crdt("mls_secret", b"1", b"state"), Err(HostStoreError::UnknownKind));
    assert_eq!(store.load_crdt("mls_secret", b"1"), Err(HostStoreError::UnknownKind));
    assert_eq!(store.delete(DISCOVERY, b"1"), Err(HostStoreError::UnknownKind));
    assert!(matches!(store.save_crdt(GROUP, &[0; 1_025], b"state"), Err(HostStoreError::TooLarge { .. })));
    assert_eq!(store.load_crdt(DISCOVERY, b"1"), Ok(Some(bytes(&second))));
    // A tombstone takes the place of a record.
    let end = GroupPublicInfo::tombstone(&crypto(), b"1", 3, &key(1)).unwrap();
    let end = end.witnessed(&crypto(), &key(SERVICE)).unwrap();
    assert_eq!(store.save_crdt(DISCOVERY, b"1", &bytes(&end)), Ok(true));
    assert_eq!(store.load_crdt(DISCOVERY, b"1"), Ok(None));
}

/// Checks identities. `make` gives one of this name that has seen nobody.
pub fn identity(make: &dyn Fn(&str) -> Arc<dyn Identity>) {
    let alice = make("alice");
    assert_eq!(alice.own(), b"alice");
    let client = |identity: &dyn Identity| Client::new(&identity.own(), identity.policy());
    let bob = make("bob");
    let (alice_client, bob_client) = (client(alice.as_ref()).unwrap(), client(bob.as_ref()).unwrap());
    alice.confirm(b"alice", alice_client.signature_key()).unwrap();
    alice.confirm(b"bob", bob_client.signature_key()).unwrap();
    bob.confirm(b"bob", bob_client.signature_key()).unwrap();
    bob.confirm(b"alice", alice_client.signature_key()).unwrap();
    let group = alice_client.create_group(None).unwrap();
    group.propose_add(&bob_client.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = group.commit().unwrap();
    assert_eq!(bob_client.join_group(&welcomes[0]).unwrap().member_count(), 2);
    // Somebody else under a name that is known is not believed, and changes nothing.
    let impostor = make("bob");
    let impostor_client = client(impostor.as_ref()).unwrap();
    let forged = impostor_client.generate_key_package().unwrap();
    let refused = group.propose_add(&forged, b"bob").unwrap_err();
    assert!(matches!(refused, MlsError::Unauthorized { .. }), "{refused:?}");
    assert!(group.pending_proposals().unwrap().is_empty());
    // Unless people have compared keys.
    alice.confirm(b"bob", impostor_client.signature_key()).unwrap();
    group.propose_add(&forged, b"bob").unwrap();
    group.commit().unwrap();
    assert_eq!(group.devices_of(b"bob").len(), 2);
}
