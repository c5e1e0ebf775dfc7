//! What a store insists on when it is opened.

use std::{fs, os::unix::fs::PermissionsExt};

use mls_store::{KdfParams, Key, MemoryKeySource, OpenOptions, Secret, Space, StoreError, Unlock, Write};

use crate::support::{Dir, apply, get, group, key, open, options, passphrase, put, raw};

#[test]
fn files_are_for_their_owner_only() {
    let dir = Dir::new();
    let store = open(&dir);
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"value");
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(dir.path().to_owned()), 0o700);
    let names: Vec<_> = dir.files().into_keys().collect();
    assert_eq!(names, ["header", "slots", "store.db", "store.db-shm", "store.db-wal"]);
    names.iter().for_each(|name| assert_eq!(mode(dir.file(name)), 0o600, "{name}"));
}

#[test]
fn a_wrong_key_opens_nothing() {
    let dir = Dir::new();
    put(&open(&dir), &group(b"g"), &key(1, 0, b"id"), b"value");
    let before = dir.files();
    let wrong = Unlock::raw_key(Secret::copy_from(&[8; 32])).unwrap();
    assert_eq!(OpenOptions::new(wrong).open(dir.path()).unwrap_err(), StoreError::WrongKey);
    assert_eq!(OpenOptions::new(passphrase("correct horse")).open(dir.path()).unwrap_err(), StoreError::WrongKind);
    let source = || Unlock::key_source(std::sync::Arc::new(MemoryKeySource::new()));
    assert_eq!(OpenOptions::new(source()).open(dir.path()).unwrap_err(), StoreError::WrongKind);
    assert_eq!(dir.files(), before);
    assert_eq!(get(&open(&dir), &group(b"g"), &key(1, 0, b"id")).unwrap(), b"value");
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let dir = Dir::new();
    let with = |text| OpenOptions::new(passphrase(text)).open(dir.path());
    put(&with("correct horse").unwrap(), &Space::Client, &key(1, 0, b"id"), b"value");
    assert_eq!(with("correct house").unwrap_err(), StoreError::WrongKey);
    assert_eq!(with("short").unwrap_err(), StoreError::WrongKey);
    assert_eq!(OpenOptions::new(raw()).open(dir.path()).unwrap_err(), StoreError::WrongKind);
    assert_eq!(get(&with("correct horse").unwrap(), &Space::Client, &key(1, 0, b"id")).unwrap(), b"value");
}

#[test]
fn a_new_passphrase_has_twelve_characters() {
    let dir = Dir::new();
    // Twelve bytes, but six characters.
    let short = OpenOptions::new(passphrase("äöüäöü")).open(dir.path());
    assert_eq!(short.unwrap_err(), StoreError::WeakPassphrase { characters: 6, needed: 12 });
    OpenOptions::new(passphrase("twelve chars")).open(dir.path()).unwrap();
}

/// DEP-60: an application may have a rule of its own, and none is happy with nothing.
#[test]
fn an_application_says_how_long_passphrases_are() {
    let dir = Dir::new();
    let open = |text: &str, least| OpenOptions::new(passphrase(text).passphrase_of_at_least(least)).open(dir.path());
    let weak = |characters, needed| StoreError::WeakPassphrase { characters, needed };
    assert_eq!(open("twelve chars", 13).unwrap_err(), weak(12, 13));
    assert_eq!(open("", 0).unwrap_err(), weak(0, 1));
    drop(open("short", 5).unwrap());
    // It is about new passphrases: what is there opens as ever.
    OpenOptions::new(passphrase("short")).open(dir.path()).unwrap();
}

#[test]
fn parameters_have_a_floor_and_a_cap() {
    let weak = |m, t, p| Err(StoreError::KdfTooWeak { memory_kib: m, passes: t, lanes: p });
    let costly = |m, t, p| Err(StoreError::KdfTooCostly { memory_kib: m, passes: t, lanes: p });
    assert!(KdfParams::new(19_456, 2, 1).is_ok() && KdfParams::new(2_097_152, 16, 16).is_ok());
    assert_eq!(KdfParams::new(19_455, 2, 1), weak(19_455, 2, 1));
    assert_eq!(KdfParams::new(19_456, 1, 1), weak(19_456, 1, 1));
    assert_eq!(KdfParams::new(19_456, 2, 0), weak(19_456, 2, 0));
    assert_eq!(KdfParams::new(2_097_152, 1, 4), Ok(KdfParams::LARGE));
    assert_eq!(KdfParams::new(2_097_153, 2, 1), costly(2_097_153, 2, 1));
    assert_eq!(KdfParams::new(19_456, 17, 1), costly(19_456, 17, 1));
    assert_eq!(KdfParams::new(19_456, 2, 17), costly(19_456, 2, 17));
}

/// Somebody writes parameters into the header that we never would, or others than we did.
#[test]
fn parameters_in_the_header_are_held_against_them() {
    let dir = Dir::new();
    let with = || OpenOptions::new(passphrase("correct horse")).open(dir.path());
    drop(with().unwrap());
    let original = fs::read(dir.file("header")).unwrap();
    let opened_with = |memory: u32, passes: u32| {
        let mut header = original.clone();
        header[32..36].copy_from_slice(&memory.to_be_bytes());
        header[36..40].copy_from_slice(&passes.to_be_bytes());
        fs::write(dir.file("header"), header).unwrap();
        with().map(|_| ()).unwrap_err()
    };
    assert_eq!(opened_with(8, 2), StoreError::KdfTooWeak { memory_kib: 8, passes: 2, lanes: 1 });
    assert_eq!(opened_with(u32::MAX, 2), StoreError::KdfTooCostly { memory_kib: u32::MAX, passes: 2, lanes: 1 });
    assert_eq!(opened_with(19_456, 3), StoreError::WrongKey);
    fs::write(dir.file("header"), &original).unwrap();
    with().unwrap();
}

#[test]
fn what_is_no_store_is_not_touched() {
    let dir = Dir::new();
    fs::create_dir_all(dir.path()).unwrap();
    fs::write(dir.file("store.db"), vec![b'x'; 10_000]).unwrap();
    assert_eq!(options().open(dir.path()).unwrap_err(), StoreError::NotAStore);
    assert_eq!(dir.files(), [("store.db".to_owned(), vec![b'x'; 10_000])].into());
}

#[test]
fn a_database_of_others_is_not_touched() {
    let dir = Dir::new();
    fs::create_dir_all(dir.path()).unwrap();
    rusqlite::Connection::open(dir.file("store.db")).unwrap().execute_batch("CREATE TABLE theirs(a)").unwrap();
    let before = dir.files();
    assert_eq!(options().open(dir.path()).unwrap_err(), StoreError::NotAStore);
    assert_eq!(dir.files(), before);
}

#[test]
fn a_store_cut_short_is_no_store() {
    let dir = Dir::new();
    let store = open(&dir);
    for n in 0..40 {
        put(&store, &group(b"g"), &key(1, n, b"id"), &[5; 600]);
    }
    store.close().unwrap();
    let whole = dir.files();
    for part in [100, 512, 4_096, 5_000, 12_288] {
        let mut files = whole.clone();
        files.get_mut("store.db").unwrap().truncate(part);
        let cut = Dir::with(&files);
        assert_eq!(options().open(cut.path()).unwrap_err(), StoreError::NotAStore, "{part} bytes");
        assert_eq!(fs::read(cut.file("slots")).unwrap(), whole["slots"]);
    }
    // Nothing is left of the database: the slots still know that there was one.
    let mut files = whole.clone();
    files.get_mut("store.db").unwrap().clear();
    let error = options().open(Dir::with(&files).path()).unwrap_err();
    assert_eq!(error, StoreError::RolledBack { found: 0, expected: 1 });
    for name in ["header", "slots"] {
        let mut files = whole.clone();
        files.get_mut(name).unwrap().truncate(50);
        let error = options().open(Dir::with(&files).path()).unwrap_err();
        assert!(matches!(error, StoreError::NotAStore | StoreError::KeyLost { .. }), "{name}: {error:?}");
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let dir = Dir::new();
    drop(open(&dir));
    let connection = rusqlite::Connection::open(dir.file("store.db")).unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    drop(connection);
    assert_eq!(options().open(dir.path()).unwrap_err(), StoreError::NewerSchema { found: 2, known: 1 });
}

#[test]
fn a_newer_header_is_refused() {
    let dir = Dir::new();
    drop(open(&dir));
    let mut header = fs::read(dir.file("header")).unwrap();
    header[11] = 2;
    fs::write(dir.file("header"), header).unwrap();
    assert_eq!(options().open(dir.path()).unwrap_err(), StoreError::NewerSchema { found: 2, known: 1 });
}

#[test]
fn rows_of_the_application_share_a_batch() {
    let dir = Dir::new();
    let store = open(&dir);
    let (inbox, value) = (Space::Application(b"inbox".to_vec()), Secret::copy_from(b"value"));
    let section = |space: &Space| mls_store::Section {
        space: space.clone(),
        expected: mls_store::Revision::NONE,
        writes: vec![Write::Put(key(1, 0, b"id"), &value)],
    };
    mls_store::StateStore::apply(&store, &[section(&group(b"inbox")), section(&inbox)]).unwrap();
    assert_eq!(get(&store, &inbox, &key(1, 0, b"id")).unwrap(), b"value");
}

#[test]
fn a_name_may_be_too_long() {
    let dir = Dir::new();
    let (store, value) = (open(&dir), Secret::copy_from(b"value"));
    let long = Key { class: 1, epoch: 0, id: vec![0; 1_025] };
    let error = apply(&store, &Space::Client, vec![Write::Put(long, &value)]);
    assert_eq!(error, Err(StoreError::NameTooLong { len: 1_025, limit: 1_024 }));
}

/// One of them makes it, the others wait.
#[test]
fn many_may_make_a_store_at_once() {
    for _ in 0..10 {
        let dir = Dir::new();
        let barrier = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for n in 0..6 {
                let (dir, barrier) = (&dir, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    put(&open(dir), &group(&[n]), &key(1, 0, b"id"), &[n]);
                });
            }
        });
        let store = open(&dir);
        (0..6).for_each(|n| assert_eq!(get(&store, &group(&[n]), &key(1, 0, b"id")), Some(vec![n])));
    }
}
