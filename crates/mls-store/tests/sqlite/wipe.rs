//! The end of a space, and of a store.

use mls_store::{StateStore, StoreError};

use crate::support::{Dir, get, group, key, open, put, revision};

#[test]
fn a_wiped_store_is_gone() {
    let dir = Dir::new();
    let store = open(&dir);
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"value");
    let other = open(&dir);
    store.wipe().unwrap();
    assert!(dir.files().is_empty(), "{:?}", dir.files().keys());
    assert!(other.get(&group(b"g"), &key(1, 0, b"id")).is_err());
    drop(other);
    assert_eq!(get(&open(&dir), &group(b"g"), &key(1, 0, b"id")), None);
}

#[test]
fn a_deleted_space_leaves_the_others() {
    let dir = Dir::new();
    let store = open(&dir);
    for n in 0..70_u8 {
        put(&store, &group(&[n]), &key(1, 0, b"id"), &[n]);
    }
    for n in (0..70).step_by(2) {
        let space = group(&[n]);
        store.delete(&space, revision(&store, &space)).unwrap();
    }
    drop(store);
    let store = open(&dir);
    for n in 0..70 {
        assert_eq!(get(&store, &group(&[n]), &key(1, 0, b"id")), (n % 2 == 1).then(|| vec![n]));
    }
    let none = store.delete(&group(&[0]), mls_store::Revision::new(1));
    assert_eq!(none, Err(StoreError::Conflict { expected: 1, actual: 0 }));
}
