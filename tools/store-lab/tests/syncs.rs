//! How often the store waits for the disk: a number that is the same on every machine.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]

use std::{path::Path, sync::Arc, time::Duration};

use mls_store::{Key, OpenOptions, Revision, Secret, Section, Space, SqliteStore, StateStore, Unlock, Write};
use rusqlite::ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE;
use store_lab::{Disk, Vfs};

fn key(epoch: u64) -> Key {
    Key { class: 1, epoch, id: b"id".to_vec() }
}

/// A store with records under a hundred keys.
fn open(disk: &Disk) -> (SqliteStore, Vfs, Revision) {
    let vfs = Vfs::with_characteristics(disk, SQLITE_IOCAP_POWERSAFE_OVERWRITE).unwrap();
    let options = OpenOptions::new(Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap());
    let options =
        options.files(Arc::new(disk.clone())).vfs(vfs.name()).shred_after(u32::MAX, Duration::from_secs(3_600));
    let store = options.open(Path::new("store")).unwrap();
    let value = Secret::copy_from(&[1; 100]);
    let writes = (0..100).map(|epoch| Write::Put(key(epoch), &value)).collect();
    let revision = store.apply(&[Section { space: Space::Client, expected: Revision::NONE, writes }]).unwrap();
    (store, vfs, revision)
}

fn syncs(disk: &Disk, act: impl FnOnce()) -> usize {
    disk.record();
    act();
    disk.recording().unwrap().syncs()
}

/// The new key, the transaction, the old key.
#[test]
fn a_shred_step_waits_for_the_disk_three_times() {
    let disk = Disk::new(1);
    let (store, _vfs, expected) = open(&disk);
    let value = Secret::copy_from(&[2; 100]);
    let writes = || vec![Write::Put(key(7), &value), Write::DeleteEpoch { class: 1, epoch: 8 }];
    let mut revision = expected;
    let batch = syncs(&disk, || {
        revision = store.apply(&[Section { space: Space::Client, expected, writes: writes() }]).unwrap();
    });
    assert_eq!(batch, 1);
    assert_eq!(syncs(&disk, || store.shred().unwrap()), 3);
    assert_eq!(syncs(&disk, || store.shred().unwrap()), 0, "there is nothing to forget");
    assert_eq!(syncs(&disk, || drop(store.get(&Space::Client, &key(7)).unwrap().unwrap())), 0);
    assert_eq!(syncs(&disk, || drop(store.spaces(None).unwrap())), 0);
}
