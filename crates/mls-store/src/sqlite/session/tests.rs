//! What no other process's step may lose, and what memory may not keep.

use std::time::Duration;

use mls_crypto::Secret;

use crate::{Key, OpenOptions, Revision, Section, Space, SqliteStore, StateStore, Unlock, Write};

fn options() -> OpenOptions {
    let unlock = Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap();
    OpenOptions::new(unlock).shred_after(u32::MAX, Duration::from_secs(1 << 30))
}

/// Whose key is in memory.
fn period(store: &SqliteStore) -> Option<u64> {
    store.session().keys.current.as_ref().map(|(period, _)| *period)
}

/// Between our commit and our erasing, another process may have moved on: its key lies where ours did.
#[test]
fn who_comes_late_erases_nothing() {
    let dir = std::env::temp_dir().join(format!("mls-store-late-{}", std::process::id()));
    let (late, other) = (options().open(&dir).unwrap(), options().open(&dir).unwrap());
    let (name, value) = (Key { class: 1, epoch: 0, id: Vec::new() }, Secret::copy_from(b"value"));
    let mut expected = Revision::NONE;
    for _ in 0..2 {
        let writes = vec![Write::Put(name.clone(), &value)];
        expected = late.apply(&[Section { space: Space::Client, expected, writes }]).unwrap();
    }
    let ours = late.mark().unwrap().period;
    other.shred().unwrap();
    late.session().retire(ours).unwrap();
    drop((late, other));
    let store = options().open(&dir).unwrap();
    assert!(store.get(&Space::Client, &name).unwrap().is_some());
    store.wipe().unwrap();
    std::fs::remove_dir(dir).unwrap();
}

#[test]
fn memory_holds_the_current_key_only() {
    let dir = std::env::temp_dir().join(format!("mls-store-memory-{}", std::process::id()));
    let (one, other) = (options().open(&dir).unwrap(), options().open(&dir).unwrap());
    let (name, value) = (Key { class: 1, epoch: 0, id: Vec::new() }, Secret::copy_from(b"value"));
    let mut expected = Revision::NONE;
    for _ in 0..2 {
        let writes = vec![Write::Put(name.clone(), &value)];
        expected = one.apply(&[Section { space: Space::Client, expected, writes }]).unwrap();
    }
    one.shred().unwrap();
    assert_eq!(period(&one), Some(2));
    // The other one notices when it is told to look.
    assert_eq!(period(&other), Some(1));
    other.maintain().unwrap();
    assert_eq!(period(&other), Some(2));
    drop(other);
    one.wipe().unwrap();
    std::fs::remove_dir(dir).unwrap();
}
