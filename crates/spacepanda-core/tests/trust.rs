//! Trust on first use that outlives processes: who was seen first is who is believed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use spacepanda_core::core_mls::{
    Client, IdentityPolicy, MlsConfig, MlsError, StoredTrustOnFirstUse, TrustOnFirstUse,
    policy::reason,
    store::{MemoryStore, StateStore},
};
use store_conformance::FailingStore;

fn client(name: &[u8], policy: Arc<dyn IdentityPolicy>, store: Arc<dyn StateStore>) -> Client {
    Client::builder(name, policy).config(MlsConfig::interop()).store(store).open().unwrap()
}

fn somebody(name: &[u8]) -> Client {
    client(name, Arc::new(TrustOnFirstUse::new()), Arc::new(MemoryStore::new()))
}

fn stored(store: &Arc<dyn StateStore>) -> Arc<StoredTrustOnFirstUse> {
    Arc::new(StoredTrustOnFirstUse::open(Arc::clone(store)).unwrap())
}

const IMPOSTOR: MlsError = MlsError::Unauthorized { reason: reason::UNKNOWN_KEY };

#[test]
fn who_was_seen_is_remembered() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let bob = somebody(b"bob");
    let alice = client(b"alice", stored(&store), Arc::clone(&store));
    let group = alice.create_group(None).unwrap();
    group.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    drop((group, alice));

    let policy = stored(&store);
    assert_eq!(policy.pins(), [(b"bob".to_vec(), bob.signature_key().to_vec())]);
    let alice = client(b"alice", policy, Arc::clone(&store));
    let group = alice.group(&alice.groups().unwrap()[0]).unwrap();
    let mallory = somebody(b"bob").generate_key_package().unwrap();
    assert_eq!(group.propose_add(&mallory, b"bob"), Err(IMPOSTOR));
    // Another device of his, once he has said so.
    let phone = somebody(b"bob");
    let policy = stored(&store);
    policy.pin(b"bob", phone.signature_key()).unwrap();
    let alice = client(b"alice", policy, Arc::clone(&store));
    let group = alice.group(&alice.groups().unwrap()[0]).unwrap();
    group.propose_add(&phone.generate_key_package().unwrap(), b"bob").unwrap();
    let policy = stored(&store);
    policy.unpin(b"bob", bob.signature_key()).unwrap();
    assert_eq!(stored(&store).pins(), [(b"bob".to_vec(), phone.signature_key().to_vec())]);
}

/// Joining counts as seeing every member, in one batch.
#[test]
fn members_of_a_joined_group_are_remembered() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let (alice, bob) = (somebody(b"alice"), client(b"bob", stored(&store), Arc::clone(&store)));
    let group = alice.create_group(None).unwrap();
    group.propose_add(&somebody(b"carol").generate_key_package().unwrap(), b"carol").unwrap();
    group.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = group.commit().unwrap();
    bob.join_group(&welcomes[1]).unwrap();
    let seen: Vec<_> = stored(&store).pins().into_iter().map(|(identity, _)| identity).collect();
    assert_eq!(seen, [b"alice".to_vec(), b"carol".to_vec()]);
}

/// Two processes see somebody for the first time: the first one's key is the one that counts.
#[test]
fn processes_agree_on_who_was_first() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let (here, there) = (stored(&store), stored(&store));
    let alice = client(b"alice", here, Arc::clone(&store));
    let group = alice.create_group(None).unwrap();
    there.pin(b"bob", &[7; 32]).unwrap();
    let bob = somebody(b"bob").generate_key_package().unwrap();
    for _ in 0..2 {
        assert_eq!(group.propose_add(&bob, b"bob"), Err(IMPOSTOR));
    }
    assert_eq!(stored(&store).pins(), [(b"bob".to_vec(), vec![7; 32])]);
    assert!(group.pending_proposals().unwrap().is_empty());
}

/// Who cannot be remembered is not believed: a restart would ask again.
#[test]
fn what_cannot_be_stored_does_not_count() {
    let full = Arc::new(FailingStore::default());
    full.fail(true);
    let pins: Arc<dyn StateStore> = Arc::<FailingStore>::clone(&full);
    let alice = client(b"alice", stored(&pins), Arc::new(MemoryStore::new()));
    let group = alice.create_group(None).unwrap();
    let bob = somebody(b"bob").generate_key_package().unwrap();
    let refused = Err(MlsError::Unauthorized { reason: reason::NOT_REMEMBERED });
    assert_eq!(group.propose_add(&bob, b"bob"), refused);
    assert!(group.pending_proposals().unwrap().is_empty());
    full.fail(false);
    group.propose_add(&bob, b"bob").unwrap();
    assert_eq!(stored(&pins).pins().len(), 1);
}
