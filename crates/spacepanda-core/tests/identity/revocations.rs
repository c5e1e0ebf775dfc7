//! Lists of revoked devices outlive the process.

use std::{collections::BTreeSet, sync::Arc};

use spacepanda_core::core_mls::{
    MlsError, Secret,
    policy::{CertifiedDevices, IdentityError, RevocationList, StoredRevocations},
    store::{MemoryStore, OpenOptions, StateStore, StoreError, Unlock},
};
use store_conformance::FailingStore;

use crate::support::{dump, master, policy, revocation};

fn open(store: &Arc<dyn StateStore>) -> (StoredRevocations, Arc<CertifiedDevices>) {
    let devices = policy();
    (StoredRevocations::open(Arc::clone(store), Arc::clone(&devices)).unwrap(), devices)
}

fn newer(user: &str, serials: &[u64]) -> Vec<u8> {
    let serials = BTreeSet::from_iter(serials.iter().copied());
    RevocationList::issue(&master(user), user.as_bytes(), 2, &serials).unwrap().to_bytes().unwrap()
}

fn outlive(store: Arc<dyn StateStore>) {
    let store = &store;
    let (stored, _) = open(store);
    stored.revoke(&revocation("bob", &[1])).unwrap();
    stored.revoke(&revocation("carol", &[3])).unwrap();
    stored.revoke(&newer("bob", &[1, 2])).unwrap();
    let (stored, devices) = open(store);
    assert_eq!(devices.revocation_lists(), [newer("bob", &[1, 2]), revocation("carol", &[3])]);
    // What does not count is not stored.
    let before = dump(store.as_ref());
    let mut changed = newer("bob", &[1, 2, 3]);
    *changed.last_mut().unwrap() ^= 1;
    let refused = [(revocation("bob", &[1]), IdentityError::Stale), (changed, IdentityError::BadSignature)];
    for (list, error) in refused {
        assert_eq!(stored.revoke(&list), Err(MlsError::Identity(error)));
    }
    assert_eq!(dump(store.as_ref()), before);
}

/// CAP-27
#[test]
fn lists_outlive_the_process() {
    outlive(Arc::new(MemoryStore::new()));
    let folder = std::env::temp_dir().join(format!("spacepanda-revocations-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let unlock = Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap();
    outlive(Arc::new(OpenOptions::new(unlock).open(&folder).unwrap()));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A list that cannot be made durable counts nowhere, and can be given again.
#[test]
fn what_is_not_durable_does_not_count() {
    let failing = Arc::new(FailingStore::default());
    let store: Arc<dyn StateStore> = failing.clone();
    let (stored, devices) = open(&store);
    failing.fail(true);
    let list = revocation("bob", &[1]);
    assert_eq!(stored.revoke(&list), Err(MlsError::Store(StoreError::Unavailable)));
    assert!(devices.revocation_lists().is_empty());
    failing.fail(false);
    stored.revoke(&list).unwrap();
    assert_eq!(devices.revocation_lists(), [list]);
}

/// Two processes: each learns of the other's lists when it stores one, and no older one takes the place of a newer.
#[test]
fn processes_do_not_overwrite_each_other() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let ((one, here), (other, _)) = (open(&store), open(&store));
    other.revoke(&newer("bob", &[1, 2])).unwrap();
    assert_eq!(one.revoke(&revocation("bob", &[1])), Err(MlsError::Identity(IdentityError::Stale)));
    one.revoke(&revocation("carol", &[3])).unwrap();
    assert_eq!(here.revocation_lists().len(), 2);
    assert_eq!(open(&store).1.revocation_lists(), here.revocation_lists());
}
