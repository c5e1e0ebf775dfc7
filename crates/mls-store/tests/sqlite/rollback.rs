//! Old copies are recognised.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use mls_store::{
    FileSlots, KeySource, Mark, MemoryKeySource, OpenOptions, Revision, Secret, SqliteStore, StateStore, StoreError,
    Unlock, files::Disk,
};

use crate::support::{Dir, Files, get, group, key, open, options, put, raw};

fn changed_and_shredded(store: &SqliteStore, value: &[u8]) {
    put(store, &group(b"g"), &key(1, 0, b"id"), value);
    store.shred().unwrap();
}

/// Images of one store in three periods.
fn three_images(dir: &Dir, unlock: &dyn Fn() -> Unlock) -> Vec<Files> {
    let image = |n| {
        let store = OpenOptions::new(unlock()).open(dir.path()).unwrap();
        put(&store, &group(b"g"), &key(1, 0, b"id"), &[n, 0]);
        changed_and_shredded(&store, &[n, 1]);
        store.close().unwrap();
        dir.files()
    };
    (0..3).map(image).collect()
}

#[test]
fn an_old_database_with_the_current_slots_does_not_open() {
    let dir = Dir::new();
    let images = three_images(&dir, &raw);
    for old in &images[..2] {
        let mut files = old.clone();
        files.insert("slots".to_owned(), images[2]["slots"].clone());
        let copy = Dir::with(&files);
        let error = options().open(copy.path()).unwrap_err();
        assert!(matches!(error, StoreError::RolledBack { found, expected } if found < expected), "{error:?}");
        assert_eq!(copy.files(), files);
    }
    options().open(Dir::with(&images[2]).path()).unwrap();
}

#[test]
fn a_current_database_with_old_slots_does_not_open() {
    let dir = Dir::new();
    let images = three_images(&dir, &raw);
    let mut files = images[2].clone();
    files.insert("slots".to_owned(), images[0]["slots"].clone());
    let copy = Dir::with(&files);
    assert!(matches!(options().open(copy.path()).unwrap_err(), StoreError::KeyLost { .. }));
    assert_eq!(copy.files(), files);
}

#[test]
fn an_old_database_does_not_open_with_a_key_source() {
    let dir = Dir::new();
    let source = Arc::new(MemoryKeySource::new());
    let images = three_images(&dir, &|| Unlock::key_source(source.clone()));
    for old in &images[..2] {
        let error = OpenOptions::new(Unlock::key_source(source.clone())).open(Dir::with(old).path()).unwrap_err();
        assert!(matches!(error, StoreError::RolledBack { .. }), "{error:?}");
    }
}

/// Slots on the disk, and a counter that is not.
#[derive(Debug)]
struct Counted {
    slots: FileSlots,
    counter: Arc<AtomicU64>,
}

impl KeySource for Counted {
    fn load(&self, period: u64) -> Result<Option<Secret>, StoreError> {
        self.slots.load(period)
    }

    fn store(&self, period: u64, key: &Secret) -> Result<(), StoreError> {
        self.slots.store(period, key)
    }

    fn retain(&self, period: u64) -> Result<(), StoreError> {
        self.slots.retain(period)?;
        self.counter.fetch_max(period, Ordering::SeqCst);
        Ok(())
    }

    fn counter(&self) -> Result<u64, StoreError> {
        Ok(self.counter.load(Ordering::SeqCst))
    }

    fn destroy(&self) -> Result<(), StoreError> {
        self.slots.destroy()
    }
}

#[test]
fn a_counter_elsewhere_tells_when_all_files_are_old() {
    let (dir, counter) = (Dir::new(), Arc::new(AtomicU64::new(0)));
    let unlock = |dir: &Dir| {
        let slots = FileSlots::new(Arc::new(Disk), dir.path());
        raw().and_key_source(Arc::new(Counted { slots, counter: Arc::clone(&counter) }))
    };
    let images = three_images(&dir, &|| unlock(&dir));
    let copy = Dir::with(&images[1]);
    let error = OpenOptions::new(unlock(&copy)).open(copy.path()).unwrap_err();
    assert!(matches!(error, StoreError::RolledBack { .. }), "{error:?}");
    let copy = Dir::with(&images[2]);
    OpenOptions::new(unlock(&copy)).open(copy.path()).unwrap();
}

#[test]
fn a_receipt_tells_when_all_files_are_old() {
    let dir = Dir::new();
    let store = open(&dir);
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"old");
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"old");
    let image = dir.files();
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"new");
    let mark = store.mark().unwrap();
    assert_eq!(mark, Mark { period: 1, revision: Revision::new(3) });
    drop(store);
    let copy = Dir::with(&image);
    let error = options().at_least(mark).open(copy.path()).unwrap_err();
    assert_eq!(error, StoreError::RolledBack { found: 2, expected: 3 });
    assert_eq!(copy.files()["slots"], image["slots"], "an old copy is left as it is");
    options().at_least(mark).open(dir.path()).unwrap();
    // Without the receipt nobody can tell.
    assert_eq!(get(&options().open(copy.path()).unwrap(), &group(b"g"), &key(1, 0, b"id")).unwrap(), b"old");
}

/// Half of a log, as after a power failure that lost what was not synced: never half a batch.
#[test]
fn a_log_cut_short_ends_with_a_whole_batch() {
    let dir = Dir::new();
    let store = open(&dir);
    for n in 0..20 {
        put(&store, &group(b"g"), &key(1, 0, b"id"), &[n; 500]);
    }
    let image = dir.files();
    drop(store);
    for part in 1..10 {
        let mut files = image.clone();
        let log = files.get_mut("store.db-wal").unwrap();
        log.truncate(log.len() * part / 10);
        match options().open(Dir::with(&files).path()) {
            Ok(store) => {
                let found = get(&store, &group(b"g"), &key(1, 0, b"id"));
                assert!(found.is_none_or(|value| value.len() == 500 && value.iter().all(|byte| *byte == value[0])));
            }
            Err(StoreError::RolledBack { .. } | StoreError::NotAStore) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn a_database_that_is_missing_is_not_made_anew() {
    let dir = Dir::new();
    drop(open(&dir));
    fs::remove_file(dir.file("store.db")).unwrap();
    assert_eq!(options().open(dir.path()).unwrap_err(), StoreError::RolledBack { found: 0, expected: 1 });
    let fresh = Dir::new();
    assert!(open(&fresh).spaces(None).unwrap().is_empty());
}
