//! What was there is there again.

use std::{sync::Arc, time::Duration};

use mls_store::{MemoryKeySource, OpenOptions, Secret, Space, StateStore, Unlock, Write};

use crate::support::{Dir, apply, get, group, key, open, options, put, raw, revision};

/// A model beside the store, compared after every reopening.
#[test]
fn a_store_goes_on_where_it_ended() {
    let dir = Dir::new();
    let space = group(b"g");
    let mut model = std::collections::BTreeMap::new();
    for round in 0..60_u64 {
        // Some rounds forget at once, some at close, some not at all before the next open.
        let batches = if round % 3 == 0 { 1 } else { u32::MAX };
        let store = options().shred_after(batches, Duration::from_secs(1 << 30)).open(dir.path()).unwrap();
        for n in 0..7 {
            let name = key(1 + (round as u8 + n) % 3, round % 4, &[n]);
            put(&store, &space, &name, &[round as u8, n]);
            model.insert(name, vec![round as u8, n]);
        }
        if round % 5 == 4 {
            let class = 1 + (round as u8) % 3;
            apply(&store, &space, vec![Write::DeleteEpoch { class, epoch: round % 4 }]).unwrap();
            model.retain(|name, _| (name.class, name.epoch) != (class, round % 4));
        }
        let before = revision(&store, &space);
        if round % 2 == 0 {
            store.close().unwrap()
        } else {
            drop(store)
        }
        let store = open(&dir);
        assert_eq!(revision(&store, &space), before);
        for class in 1..=3 {
            let found: Vec<_> = store.scan(&space, class, None).unwrap().into_iter().collect();
            let found: Vec<_> = found.into_iter().map(|(name, value)| (name, value.as_slice().to_vec())).collect();
            let expected: Vec<_> = model.iter().filter(|(name, _)| name.class == class).collect();
            assert_eq!(found.iter().map(|(name, value)| (name, value)).collect::<Vec<_>>(), expected, "round {round}");
        }
    }
}

#[test]
fn a_key_source_opens_what_it_made() {
    let dir = Dir::new();
    let source = Arc::new(MemoryKeySource::new());
    let with = |unlock: Unlock| OpenOptions::new(unlock).shred_after(1, Duration::ZERO).open(dir.path());
    for n in 0..3 {
        put(&with(raw().and_key_source(source.clone())).unwrap(), &Space::Client, &key(1, 0, b"id"), &[n]);
    }
    let store = with(raw().and_key_source(source.clone())).unwrap();
    assert_eq!(get(&store, &Space::Client, &key(1, 0, b"id")), Some(vec![2]));
    assert!(!dir.file("slots").exists());
    // The source alone is not enough, nor is the key.
    assert!(with(Unlock::key_source(source)).is_err() && with(raw()).is_err());
}

#[test]
fn a_store_counts_what_it_writes() {
    let dir = Dir::new();
    let store = open(&dir);
    put(&store, &Space::Client, &key(1, 0, b"id"), &[0; 10_000]);
    let first = store.bytes_written();
    put(&store, &Space::Client, &key(1, 0, b"id"), b"small");
    assert!(first > 10_000 && store.bytes_written() - first < 500);
}

#[test]
fn nothing_is_printed() {
    let dir = Dir::new();
    assert_eq!(format!("{:?}", open(&dir)), "SqliteStore { .. }");
    assert_eq!(format!("{:?}", Secret::copy_from(b"value")), "Secret(..)");
}
