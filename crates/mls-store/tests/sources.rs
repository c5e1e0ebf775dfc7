//! Both key sources do the same.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]

use std::{path::Path, sync::Arc};

use mls_store::{
    FileSlots, KeySource, MAX_ENTRY, MemoryKeySource, Secret,
    files::{Files, MemoryFiles},
};

fn entry(n: u8) -> Secret {
    Secret::copy_from(&[n; MAX_ENTRY])
}

fn holds(source: &dyn KeySource, period: u64) -> Option<Vec<u8>> {
    source.load(period).unwrap().map(|key| key.as_slice().to_vec())
}

/// What every key source must do.
fn conforms(source: &dyn KeySource) {
    assert_eq!((source.counter(), holds(source, 1)), (Ok(0), None));
    source.store(1, &entry(1)).unwrap();
    // Nothing was retained yet: a store that was never there may still be made.
    assert_eq!(source.counter(), Ok(0));
    source.store(1, &entry(9)).unwrap();
    source.retain(1).unwrap();
    assert_eq!((source.counter(), holds(source, 1)), (Ok(1), Some(vec![9; MAX_ENTRY])));
    for period in 1..=6 {
        let (this, next) = (holds(source, period).unwrap(), entry(u8::try_from(period).unwrap()));
        source.store(period + 1, &Secret::copy_from(b"given up")).unwrap();
        source.store(period + 1, &next).unwrap();
        // Both are there, the current one counts.
        assert_eq!((source.counter(), holds(source, period)), (Ok(period), Some(this)));
        assert_eq!(holds(source, period + 1).unwrap(), next.as_slice());
        source.retain(period + 1).unwrap();
        source.retain(period + 1).unwrap();
        assert_eq!((source.counter(), holds(source, period)), (Ok(period + 1), None));
    }
    source.store(8, &entry(8)).unwrap();
    source.retain(7).unwrap();
    assert_eq!((holds(source, 8), source.counter()), (None, Ok(7)));
    source.store(8, &Secret::zero(0)).unwrap();
    assert_eq!(holds(source, 8), Some(Vec::new()));
    source.destroy().unwrap();
    source.destroy().unwrap();
    assert_eq!((holds(source, 7), holds(source, 8), source.counter()), (None, None, Ok(0)));
    source.store(1, &entry(1)).unwrap();
    assert_eq!(holds(source, 1), Some(vec![1; MAX_ENTRY]));
}

#[test]
fn keys_in_memory_conform() {
    conforms(&MemoryKeySource::new());
}

#[test]
fn slots_conform() {
    conforms(&FileSlots::new(Arc::new(MemoryFiles::new()), Path::new("dir")));
}

/// Production: the file never grows, and nothing of an old key is left in it.
#[test]
fn slots_are_overwritten_in_place() {
    let files = Arc::new(MemoryFiles::new());
    let source = FileSlots::new(files.clone(), Path::new("dir"));
    let path = Path::new("dir").join("slots");
    for period in 1..20 {
        source.store(period, &entry(u8::try_from(period).unwrap())).unwrap();
        source.retain(period).unwrap();
        assert_eq!(files.len(&path).unwrap(), Some(8_192));
        let mut file = [0; 8_192];
        files.read_at(&path, 0, &mut file).unwrap();
        let old = file.windows(8).filter(|window| (1..period).any(|n| window.iter().all(|b| u64::from(*b) == n)));
        assert_eq!(old.count(), 0, "period {period}");
    }
}

/// A slot that a power failure tore is as an empty one.
#[test]
fn a_torn_slot_is_empty() {
    let files = Arc::new(MemoryFiles::new());
    let source = FileSlots::new(files.clone(), Path::new("dir"));
    let path = Path::new("dir").join("slots");
    source.store(1, &entry(1)).unwrap();
    source.retain(1).unwrap();
    source.store(2, &entry(2)).unwrap();
    files.write_at(&path, 60, &[0; 68]).unwrap();
    assert_eq!((holds(&source, 2), source.counter()), (None, Ok(1)));
    assert_eq!(holds(&source, 1).unwrap(), entry(1).as_slice());
    // What is left of it is erased all the same.
    source.retain(1).unwrap();
    let mut slot = [1; 128];
    files.read_at(&path, 0, &mut slot).unwrap();
    assert_eq!(slot, [0; 128]);
}
