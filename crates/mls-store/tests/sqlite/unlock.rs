//! Another passphrase or key: the new one opens the store, and the old one nothing of it.

use std::{fs, sync::Arc, time::Duration};

use mls_store::{KeySource, MemoryKeySource, OpenOptions, Secret, Space, SqliteStore, StoreError, Unlock};

use crate::support::{Dir, Files, get, group, key, open, options, passphrase, put, raw};

fn other() -> Unlock {
    Unlock::raw_key(Secret::copy_from(&[8; 32])).unwrap()
}

fn open_with(dir: &Dir, unlock: Unlock) -> Result<SqliteStore, StoreError> {
    OpenOptions::new(unlock).shred_after(u32::MAX, Duration::from_secs(1 << 30)).open(dir.path())
}

fn with_value(dir: &Dir) -> SqliteStore {
    let store = open(dir);
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"value");
    store
}

fn value(store: &SqliteStore) -> Option<Vec<u8>> {
    get(store, &group(b"g"), &key(1, 0, b"id"))
}

/// Of the store as it is, with one file in place of its own.
fn opens_with_file(files: &Files, name: &str, bytes: &[u8], unlock: Unlock) -> Result<(), StoreError> {
    let mut files = files.clone();
    files.insert(name.to_owned(), bytes.to_vec());
    open_with(&Dir::with(&files), unlock).map(|_| ())
}

#[test]
fn only_the_new_one_opens_the_store() {
    let dir = Dir::new();
    let store = with_value(&dir);
    store.change_unlock(passphrase("correct horse")).unwrap();
    // It goes on as if nothing had happened, and forgets as before.
    put(&store, &Space::Client, &key(1, 0, b"id"), b"later");
    store.shred().unwrap();
    assert_eq!(value(&store).unwrap(), b"value");
    store.close().unwrap();
    assert_eq!(open_with(&dir, raw()).unwrap_err(), StoreError::WrongKind);
    assert_eq!(open_with(&dir, passphrase("correct house")).unwrap_err(), StoreError::WrongKey);
    let store = open_with(&dir, passphrase("correct horse")).unwrap();
    assert_eq!(value(&store).unwrap(), b"value");
    store.change_unlock(passphrase("battery staple")).unwrap();
    drop(store);
    assert_eq!(open_with(&dir, passphrase("correct horse")).unwrap_err(), StoreError::WrongKey);
    let store = open_with(&dir, passphrase("battery staple")).unwrap();
    store.change_unlock(raw()).unwrap();
    drop(store);
    assert_eq!(value(&open(&dir)).unwrap(), b"value");
}

/// The old header is no secret, and may be kept. With it, the old key opens none of the files that are there.
#[test]
fn the_old_one_opens_nothing_with_its_own_header() {
    let dir = Dir::new();
    let store = with_value(&dir);
    let header = fs::read(dir.file("header")).unwrap();
    store.change_unlock(other()).unwrap();
    let (files, after) = (dir.files(), fs::read(dir.file("header")).unwrap());
    assert_eq!((header.len(), after.len(), header[..32] == after[..32]), (96, 96, true));
    assert!(matches!(opens_with_file(&files, "header", &header, raw()), Err(StoreError::KeyLost { .. })));
    assert_eq!(opens_with_file(&files, "header", &after, other()), Ok(()));
}

#[test]
fn what_cannot_be_changed_is_left() {
    let dir = Dir::new();
    let store = with_value(&dir);
    let before = dir.files();
    let weak = StoreError::WeakPassphrase { characters: 5, needed: 12 };
    assert_eq!(store.change_unlock(passphrase("short")), Err(weak));
    let source: Arc<dyn KeySource> = Arc::new(MemoryKeySource::new());
    for unlock in [other().and_key_source(Arc::clone(&source)), Unlock::key_source(Arc::clone(&source))] {
        assert_eq!(store.change_unlock(unlock), Err(StoreError::WrongKind));
    }
    assert_eq!(dir.files(), before);
    let held = rusqlite::Connection::open(dir.file("store.db")).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let hasty = options().timeout(Duration::ZERO);
    drop(store);
    held.execute_batch("ROLLBACK").unwrap();
    let store = hasty.open(dir.path()).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(store.change_unlock(other()), Err(StoreError::TimedOut));
    held.execute_batch("ROLLBACK").unwrap();
    drop(store);
    assert_eq!(value(&open(&dir)).unwrap(), b"value");
}

#[test]
fn a_key_source_stays() {
    let (dir, source) = (Dir::new(), Arc::new(MemoryKeySource::new()));
    let with = |unlock: Unlock| unlock.and_key_source(source.clone());
    let store = open_with(&dir, with(raw())).unwrap();
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"value");
    assert_eq!(store.change_unlock(other()), Err(StoreError::WrongKind));
    store.change_unlock(with(other())).unwrap();
    drop(store);
    assert_eq!(open_with(&dir, with(raw())).unwrap_err(), StoreError::WrongKey);
    assert_eq!(value(&open_with(&dir, with(other())).unwrap()).unwrap(), b"value");
    // Alone it needs no key, and there is none to change.
    let dir = Dir::new();
    let alone = || Unlock::key_source(Arc::new(MemoryKeySource::new()));
    assert_eq!(open_with(&dir, alone()).unwrap().change_unlock(with(raw())), Err(StoreError::WrongKind));
}

/// Of two at once one wins; the other one is told, and so is whoever only uses the store.
#[test]
fn another_process_is_told() {
    let dir = Dir::new();
    let (first, second) = (with_value(&dir), open(&dir));
    assert_eq!(value(&second).unwrap(), b"value");
    first.change_unlock(other()).unwrap();
    assert_eq!(second.change_unlock(passphrase("correct horse")), Err(StoreError::WrongKey));
    assert_eq!(mls_store::StateStore::spaces(&second, None), Err(StoreError::WrongKey));
    assert_eq!(value(&first).unwrap(), b"value");
    drop((first, second));
    assert_eq!(value(&open_with(&dir, other()).unwrap()).unwrap(), b"value");
}

/// The part that is there while a change lasts is bound to its header and cannot be replaced.
#[test]
fn a_header_with_a_foreign_part_is_refused() {
    let dir = Dir::new();
    drop(with_value(&dir));
    let (files, header) = (dir.files(), fs::read(dir.file("header")).unwrap());
    for len in [97, 167, 169] {
        let longer = [&header[..], &vec![0; len - 96]].concat();
        assert_eq!(opens_with_file(&files, "header", &longer, raw()), Err(StoreError::NotAStore), "{len}");
    }
    let longer = [&header[..], &[1; 72]].concat();
    assert_eq!(opens_with_file(&files, "header", &longer, raw()), Err(StoreError::NotAStore));
}
