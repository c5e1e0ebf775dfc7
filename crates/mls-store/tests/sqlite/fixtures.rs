//! Stores of every released format open, and hold what they held.

use std::{fs, path::PathBuf};

use mls_store::{OpenOptions, Space, StateStore, Unlock};

use crate::support::{Dir, Files, get, group, key, passphrase, put, raw};

fn home(format: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format)
}

fn unlocks() -> [(&'static str, Unlock); 2] {
    [("raw", raw()), ("passphrase", passphrase("correct horse battery"))]
}

fn fixture(format: &str, name: &str) -> Dir {
    let entries = fs::read_dir(home(format).join(name)).unwrap().map(|entry| entry.unwrap().path());
    let files: Files =
        entries.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())).collect();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["header", "slots", "store.db"]);
    Dir::with(&files)
}

/// Writes what the next test reads. To be run once for each format, by whoever releases it.
#[test]
#[ignore = "replaces the fixtures of the current format"]
fn write_fixtures() {
    for (name, unlock) in unlocks() {
        let home = home("v1").join(name);
        let _gone = fs::remove_dir_all(&home);
        let store = OpenOptions::new(unlock).open(&home).unwrap();
        put(&store, &Space::Client, &key(1, 0, b"identity"), b"who");
        put(&store, &group(b"one"), &key(6, 7, b"leaf"), b"old");
        put(&store, &group(b"one"), &key(6, 7, b"leaf"), b"new");
        put(&store, &group(b"one"), &key(6, u64::MAX, b""), b"");
        put(&store, &Space::Application(b"inbox".to_vec()), &key(255, 0, &[0xFF; 40]), &[9; 100]);
        store.close().unwrap();
    }
}

#[test]
fn format_1_opens() {
    for (name, unlock) in unlocks() {
        let dir = fixture("v1", name);
        let store = OpenOptions::new(unlock).open(dir.path()).unwrap();
        assert_eq!(get(&store, &Space::Client, &key(1, 0, b"identity")).unwrap(), b"who");
        let records = store.scan(&group(b"one"), 6, None).unwrap();
        let records: Vec<_> = records.iter().map(|(key, value)| (key.epoch, &key.id[..], value.as_slice())).collect();
        assert_eq!(records, [(7, &b"leaf"[..], &b"new"[..]), (u64::MAX, b"", b"")]);
        let inbox = Space::Application(b"inbox".to_vec());
        assert_eq!(get(&store, &inbox, &key(255, 0, &[0xFF; 40])).unwrap(), [9; 100]);
        let spaces: Vec<_> = store.spaces(None).unwrap().into_iter().map(|(_, revision)| revision.get()).collect();
        assert_eq!(spaces.len(), 3);
        put(&store, &group(b"one"), &key(6, 7, b"leaf"), b"newer");
        store.close().unwrap();
    }
}
