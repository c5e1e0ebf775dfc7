//! The end of a space, and of a store.

use std::{fs, sync::Arc, time::Duration};

use mls_store::{Leases, OpenOptions, SqliteStore, StateStore, StoreError, files::Disk};

use crate::support::{Dir, get, group, key, open, options, passphrase, put, revision};

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

fn destroy(dir: &Dir) -> Result<(), StoreError> {
    SqliteStore::destroy(dir.path(), Arc::new(Disk))
}

/// Stopped after each of its files.
#[test]
fn a_wipe_that_was_stopped_says_so_and_is_ended() {
    let dir = Dir::new();
    let store = open(&dir);
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"value");
    drop(store.lease(&group(b"g"), Duration::ZERO).unwrap());
    store.close().unwrap();
    let mut files = dir.files();
    let names: Vec<_> = files.keys().filter(|name| *name != "header").cloned().collect();
    files.insert("header".to_owned(), [&b"SPANDEND"[..], &[0; 88]].concat());
    for name in [None].into_iter().chain(names.iter().map(Some)) {
        files.retain(|other, _| Some(other) != name);
        let left = Dir::with(&files);
        assert_eq!(options().open(left.path()).unwrap_err(), StoreError::Wiped, "without {name:?}");
        assert_eq!(left.files(), files, "without {name:?}");
        destroy(&left).unwrap();
        assert!(left.files().is_empty(), "{:?}", left.files().keys());
        destroy(&left).unwrap();
        assert_eq!(get(&open(&left), &group(b"g"), &key(1, 0, b"id")), None);
    }
}

#[test]
fn a_store_nobody_can_open_is_destroyed() {
    let dir = Dir::new();
    let store = OpenOptions::new(passphrase("correct horse")).open(dir.path()).unwrap();
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"value");
    store.close().unwrap();
    fs::write(dir.file("theirs"), b"not ours").unwrap();
    destroy(&dir).unwrap();
    assert_eq!(dir.files().into_keys().collect::<Vec<_>>(), ["theirs"]);
    destroy(&Dir::new()).unwrap();
}

#[test]
fn what_is_not_ours_is_not_destroyed() {
    let dir = Dir::new();
    fs::create_dir_all(dir.path()).unwrap();
    fs::write(dir.file("store.db"), b"theirs").unwrap();
    for header in [None, Some(&[7; 96][..]), Some(b"short")] {
        if let Some(header) = header {
            fs::write(dir.file("header"), header).unwrap();
        }
        let before = dir.files();
        assert_eq!(destroy(&dir), Err(StoreError::NotAStore));
        assert_eq!(dir.files(), before);
    }
}
