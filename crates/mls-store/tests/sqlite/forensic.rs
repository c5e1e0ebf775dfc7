//! What was deleted opens no more, whatever copies were kept; what is there opens, and so does everything if the slots
//! were kept: this test can fail.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use mls_store::{KeySource, MemoryKeySource, OpenOptions, Secret, Space, StateStore, Unlock, Write};

use crate::{
    attacker::Attacker,
    support::{Dir, Files, RAW, apply, get, group, key, options, put, raw, revision},
};

/// Values that are there, and values that are not any more.
#[derive(Default)]
struct Values {
    count: u32,
    live: BTreeSet<Vec<u8>>,
    dead: BTreeSet<Vec<u8>>,
}

impl Values {
    /// A value like no other.
    fn next(&mut self) -> Vec<u8> {
        self.count += 1;
        let value = format!("value {:026}", self.count).into_bytes();
        self.live.insert(value.clone());
        value
    }

    fn kill(&mut self, value: Vec<u8>) {
        assert!(self.live.remove(&value));
        self.dead.insert(value);
    }
}

/// Ratchets that move, epochs that end, records that come and go, a space that is deleted. An image after every batch.
fn live_through(dir: &Dir, store: &dyn StateStore) -> (Values, Vec<Files>) {
    let (mut values, mut images) = (Values::default(), Vec::new());
    let (space, doomed) = (group(b"g"), group(b"doomed"));
    put(store, &doomed, &key(1, 0, b"id"), &values.next());
    let mut ratchets = vec![Vec::new(); 10];
    for epoch in 0..5 {
        let epoch_secret = values.next();
        put(store, &space, &key(3, epoch, b"secret"), &epoch_secret);
        for step in 0..12_usize {
            let leaf = step * 7 % 10;
            let next = values.next();
            put(store, &space, &key(6, 0, &[leaf as u8]), &next);
            let last = std::mem::replace(&mut ratchets[leaf], next);
            if !last.is_empty() {
                values.kill(last);
            }
            let passing = values.next();
            put(store, &space, &key(7, 0, &[step as u8]), &passing);
            images.push(dir.files());
            apply(store, &space, vec![Write::Delete(key(7, 0, &[step as u8]))]).unwrap();
            values.kill(passing);
            images.push(dir.files());
        }
        if epoch < 4 {
            apply(store, &space, vec![Write::DeleteEpoch { class: 3, epoch }]).unwrap();
            values.kill(epoch_secret);
        }
        images.push(dir.files());
    }
    values.kill(get(store, &doomed, &key(1, 0, b"id")).unwrap());
    store.delete(&doomed, revision(store, &doomed)).unwrap();
    images.push(dir.files());
    (values, images)
}

fn judge(values: &Values, found: &BTreeSet<Vec<u8>>) {
    let undead: Vec<_> = found.intersection(&values.dead).map(|value| String::from_utf8_lossy(value)).collect();
    assert!(undead.is_empty(), "{} of {} came back: {undead:?}", undead.len(), values.dead.len());
    assert!(values.live.is_subset(found), "the attacker does not read what is there");
}

#[test]
fn deleted_records_open_with_no_image_and_the_current_slots() {
    let dir = Dir::new();
    let store = options().shred_after(8, Duration::from_secs(1 << 30)).open(dir.path()).unwrap();
    let (values, mut images) = live_through(&dir, &store);
    store.shred().unwrap();
    images.push(dir.files());
    drop(store);
    images.push(dir.files());
    let mut attacker = Attacker::default();
    images.iter().for_each(|image| attacker.add(image));
    attacker.add_slots(images.last().unwrap());
    judge(&values, &attacker.read(&RAW));

    // Whoever kept the slots too reads it all: the values were there, and the attacker knows how.
    images.iter().for_each(|image| attacker.add_slots(image));
    let found = attacker.read(&RAW);
    let back = found.intersection(&values.dead).count();
    assert_eq!(back, values.dead.len());
}

/// As above, with all that the disk ever held: nothing of a key source that deletes is on it.
#[test]
fn a_key_source_that_deletes_needs_no_trust_in_the_disk() {
    let dir = Dir::new();
    let source = Arc::new(MemoryKeySource::new());
    let unlock = Unlock::key_source(source.clone());
    let store = OpenOptions::new(unlock).shred_after(8, Duration::from_secs(1 << 30)).open(dir.path()).unwrap();
    let (values, mut images) = live_through(&dir, &store);
    let before = source.load(store.mark().unwrap().period).unwrap().unwrap();
    store.shred().unwrap();
    images.push(dir.files());
    let mut attacker = Attacker::default();
    images.iter().for_each(|image| attacker.add(image));
    let current = source.load(store.mark().unwrap().period).unwrap().unwrap();
    judge(&values, &attacker.read_with(current.as_slice()));
    let forgotten = attacker.read_with(before.as_slice());
    assert!(current.ct_eq(&before) || forgotten.intersection(&values.dead).count() > 0);
}

/// No call to `shred`: at most 8 batches, counting the one that deletes.
#[test]
fn forgetting_comes_by_itself() {
    let dir = Dir::new();
    let store = options().shred_after(8, Duration::from_secs(1 << 30)).open(dir.path()).unwrap();
    let period = || store.mark().unwrap().period;
    for n in 0..9_u8 {
        // The first one replaces nothing.
        put(&store, &Space::Client, &key(1, 0, b"id"), &[n]);
        assert_eq!(period(), if n < 8 { 1 } else { 2 }, "batch {n}");
    }
}

#[test]
fn forgetting_comes_with_time() {
    let dir = Dir::new();
    let store = options().shred_after(u32::MAX, Duration::ZERO).open(dir.path()).unwrap();
    put(&store, &Space::Client, &key(1, 0, b"id"), b"1");
    assert_eq!(store.mark().unwrap().period, 1);
    put(&store, &Space::Client, &key(1, 0, b"id"), b"2");
    assert_eq!(store.mark().unwrap().period, 2);
}

/// The marks are in the database: a process that ends in between leaves them to the next one.
#[test]
fn forgetting_outlives_the_process() {
    let dir = Dir::new();
    let store = options().open(dir.path()).unwrap();
    put(&store, &Space::Client, &key(1, 0, b"id"), b"first");
    put(&store, &Space::Client, &key(1, 0, b"id"), b"second");
    let image = dir.files();
    drop(store);
    let later = Dir::with(&image);
    drop(options().open(later.path()).unwrap());
    let mut attacker = Attacker::default();
    attacker.add(&image);
    attacker.add_slots(&image);
    assert!(attacker.read(&RAW).len() == 1, "only the last value is in this image");
    let mut attacker = Attacker::default();
    [&image, &later.files()].into_iter().for_each(|image| attacker.add(image));
    attacker.add_slots(&later.files());
    assert_eq!(attacker.read(&RAW), [b"second".to_vec()].into());
}

#[test]
fn maintenance_forgets_what_is_due_and_empties_the_log() {
    let dir = Dir::new();
    let store = OpenOptions::new(raw()).shred_after(u32::MAX, Duration::ZERO).open(dir.path()).unwrap();
    put(&store, &Space::Client, &key(1, 0, b"id"), b"value");
    let emptied = || std::fs::metadata(dir.file("store.db-wal")).unwrap().len() == 0;
    assert!(!emptied());
    store.maintain().unwrap();
    assert!(emptied());
    assert_eq!(store.mark().unwrap().period, 1);
}

/// Public tree nodes are sealed, but replacing them costs no shred step.
#[test]
fn public_classes_need_not_be_forgotten() {
    let dir = Dir::new();
    let public = |space: &Space, class| matches!(space, Space::Group(_)) && class == 2;
    let store = options().shred_after(1, Duration::ZERO).public_classes(public).open(dir.path()).unwrap();
    put(&store, &group(b"g"), &key(2, 0, b"node"), b"first");
    put(&store, &group(b"g"), &key(2, 0, b"node"), b"second");
    apply(&store, &group(b"g"), vec![Write::Delete(key(2, 0, b"node"))]).unwrap();
    assert_eq!(store.mark().unwrap().period, 1);
    // The same class of another kind of space is a secret.
    put(&store, &Space::Client, &key(2, 0, b"node"), b"first");
    put(&store, &Space::Client, &key(2, 0, b"node"), b"second");
    assert_eq!(store.mark().unwrap().period, 2);
}

/// Forgetting in one space rewrites nothing of the others.
#[test]
fn forgetting_costs_one_path() {
    let dir = Dir::new();
    let store = options().open(dir.path()).unwrap();
    for n in 0..100_u8 {
        let value = Secret::copy_from(&[n; 100]);
        let writes = (0..20).map(|id| Write::Put(key(1, 0, &[id]), &value)).collect();
        apply(&store, &group(&[n]), writes).unwrap();
    }
    store.shred().unwrap();
    put(&store, &group(&[7]), &key(1, 0, &[3]), b"new");
    let before = store.bytes_written();
    store.shred().unwrap();
    let written = store.bytes_written() - before;
    assert!(written < 8_000, "{written} bytes");
}

/// Each way to lose a record, with nothing else beside it that would renew the same keys.
#[test]
fn each_change_is_forgotten_by_itself() {
    let value = Secret::copy_from(b"new");
    let changes: [Vec<Write<'_>>; 4] = [
        vec![Write::Put(key(3, 7, b"id"), &value)],
        vec![Write::Delete(key(3, 7, b"id"))],
        vec![Write::DeleteEpoch { class: 3, epoch: 7 }],
        vec![Write::Clear],
    ];
    let space_deleted = Vec::new();
    for (n, writes) in changes.into_iter().chain([space_deleted]).enumerate() {
        let dir = Dir::new();
        let store = options().open(dir.path()).unwrap();
        put(&store, &group(b"g"), &key(3, 7, b"id"), b"old");
        put(&store, &group(b"g"), &key(3, 8, b"id"), b"other");
        let before = dir.files();
        if writes.is_empty() {
            store.delete(&group(b"g"), revision(&store, &group(b"g"))).unwrap();
        } else {
            apply(&store, &group(b"g"), writes).unwrap();
            store.shred().unwrap();
        }
        let mut attacker = Attacker::default();
        [&before, &dir.files()].into_iter().for_each(|image| attacker.add(image));
        attacker.add_slots(&dir.files());
        let found = attacker.read(&RAW);
        assert!(!found.contains(&b"old"[..]), "change {n}");
        assert_eq!(found.contains(&b"other"[..]), n < 3, "change {n}");
    }
}

/// A store does not grow with what it forgot.
#[test]
fn a_segment_with_nothing_left_leaves_no_page() {
    let dir = Dir::new();
    let store = options().open(dir.path()).unwrap();
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"value");
    let pages = || {
        let connection = rusqlite::Connection::open(dir.file("store.db")).unwrap();
        connection.query_row("SELECT count(*) FROM pages", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let before = pages();
    for epoch in 1..20 {
        put(&store, &group(b"g"), &key(1, epoch, b"id"), b"value");
        apply(&store, &group(b"g"), vec![Write::Delete(key(1, epoch, b"id"))]).unwrap();
    }
    store.shred().unwrap();
    assert_eq!(pages(), before);
}
