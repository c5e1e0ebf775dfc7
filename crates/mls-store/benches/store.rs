//! What the store costs beside the disk: `cargo bench -p mls-store`. How often it waits for the disk, a test counts.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::{hint::black_box, time::Duration};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mls_store::{Key, OpenOptions, Revision, Secret, Section, Space, SqliteStore, StateStore, Unlock, Write};

fn open(name: &str) -> SqliteStore {
    let dir = std::env::temp_dir().join(format!("mls-store-bench-{name}-{}", std::process::id()));
    let unlock = Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap();
    OpenOptions::new(unlock).shred_after(u32::MAX, Duration::from_secs(3_600)).open(&dir).unwrap()
}

fn key(epoch: u64) -> Key {
    Key { class: 1, epoch, id: b"id".to_vec() }
}

fn put(store: &SqliteStore, space: &Space, epochs: core::ops::Range<u64>) {
    let value = Secret::copy_from(&[1; 100]);
    let expected = store.spaces(Some(space)).unwrap().first().map_or(Revision::NONE, |(_, revision)| *revision);
    let writes = epochs.map(|epoch| Write::Put(key(epoch), &value)).collect();
    store.apply(&[Section { space: space.clone(), expected, writes }]).unwrap();
}

/// One record of a hundred is replaced, each under a key of its own.
fn shred(criterion: &mut Criterion) {
    let store = open("shred");
    put(&store, &Space::Client, 0..100);
    criterion.bench_function("shred/100 keys", |bencher| {
        let dirty = || put(&store, &Space::Client, 7..8);
        bencher.iter_batched(dirty, |()| store.shred().unwrap(), BatchSize::PerIteration);
    });
    store.wipe().unwrap();
}

fn spaces(criterion: &mut Criterion) {
    let store = open("spaces");
    let spaces: Vec<_> = (0..1_000_u32).map(|n| Space::Group(n.to_be_bytes().to_vec())).collect();
    spaces.iter().for_each(|space| put(&store, space, 0..1));
    let other = open("spaces");
    let one = spaces.first().unwrap();
    criterion.bench_function("spaces/one of 1,000", |bencher| bencher.iter(|| black_box(store.spaces(Some(one)))));
    criterion.bench_function("spaces/all 1,000", |bencher| bencher.iter(|| black_box(store.spaces(None))));
    let changed = || put(&other, one, 0..1);
    criterion.bench_function("spaces/one of 1,000, after another process", |bencher| {
        bencher.iter_batched(changed, |()| black_box(store.spaces(Some(one))), BatchSize::PerIteration);
    });
    let changed = || {
        black_box(store.spaces(None)).unwrap();
        put(&other, one, 0..1);
    };
    criterion.bench_function("spaces/all 1,000, after another process", |bencher| {
        bencher.iter_batched(changed, |()| black_box(store.spaces(None)), BatchSize::PerIteration);
    });
    criterion.bench_function("spaces/all 1,000, just opened", |bencher| {
        bencher.iter_batched(|| open("spaces"), |opened| black_box(opened.spaces(None)), BatchSize::PerIteration);
    });
    drop(other);
    store.wipe().unwrap();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = shred, spaces
}
criterion_main!(benches);
