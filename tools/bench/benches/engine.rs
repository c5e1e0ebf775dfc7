//! What the steps of a group cost, by size and kind of tree.
//!
//! `cargo bench -p mls-bench`, then read `<workload>/<cold or full>/<members>`; `-- --test` runs everything once.
//! A step is measured as a host runs it, without storage: bytes in and bytes out, changes made but not written.
//! `update`, `add1` and `remove1` make a commit and drop it; `process` stages one and drops it.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{
    BatchSize, BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main, measurement::WallTime,
};
use mls_bench::{Pair, Warmth, adds, message, newcomer, pair};
use mls_engine::{
    group::{CommitOptions, Group, MessageOptions, PathChoice, ProposalKind},
    math::LeafIndex,
};

const SIZES: [u32; 3] = [10, 100, 1_000];
const PAYLOADS: [usize; 4] = [32, 1_024, 65_536, 1_048_576];

/// Runs `work` for each kind of tree and each size.
fn each(
    criterion: &mut Criterion,
    workload: &str,
    work: impl Fn(&mut BenchmarkGroup<'_, WallTime>, BenchmarkId, &mut Pair),
) {
    let mut group = criterion.benchmark_group(workload);
    group.sample_size(10);
    for warmth in [Warmth::Cold, Warmth::Full] {
        for members in SIZES {
            work(&mut group, BenchmarkId::new(warmth.name(), members), &mut pair(warmth, members));
        }
    }
    group.finish();
}

/// Making a commit with these options.
fn commit(criterion: &mut Criterion, workload: &str, options: impl Fn(&Pair) -> CommitOptions) {
    each(criterion, workload, |group, id, pair| {
        let options = options(pair);
        let member = &pair.first;
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(member.group.commit(&member.host.env(), options.clone()).unwrap()));
        });
    });
}

fn keypackage(criterion: &mut Criterion) {
    let newcomer = newcomer(1);
    criterion.bench_function("keypackage", |bencher| bencher.iter(|| black_box(newcomer.key_package())));
}

/// One commit that adds everyone, and its Welcome.
fn build(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build");
    group.sample_size(10);
    for members in SIZES {
        let first = newcomer(0).create(b"group");
        let packages: Vec<_> = (1..members).map(|seed| newcomer(u64::from(seed)).key_package()).collect();
        let options = adds(&packages.iter().collect::<Vec<_>>(), PathChoice::Always);
        group.bench_function(BenchmarkId::from_parameter(members), |bencher| {
            bencher.iter(|| black_box(first.group.commit(&first.host.env(), options.clone()).unwrap()));
        });
    }
    group.finish();
}

fn join(criterion: &mut Criterion) {
    each(criterion, "join", |group, id, pair| {
        let newcomer = newcomer(9_000);
        let keys = newcomer.key_package();
        let member = &pair.first;
        let options = adds(&[&keys], PathChoice::Always);
        let welcome = member.group.commit(&member.host.env(), options).unwrap().welcome.unwrap();
        let env = newcomer.host.env();
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(Group::join(&env, &welcome, &[&keys], None).unwrap()));
        });
    });
}

fn update(criterion: &mut Criterion) {
    commit(criterion, "update", |_| CommitOptions::default());
}

fn process(criterion: &mut Criterion) {
    each(criterion, "process", |group, id, pair| {
        let pending = pair.first.group.commit(&pair.first.host.env(), CommitOptions::default()).unwrap();
        let receiver = &pair.last;
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(receiver.group.process(&receiver.host.env(), &pending.commit).unwrap()));
        });
    });
}

fn add1(criterion: &mut Criterion) {
    commit(criterion, "add1", |_| adds(&[&newcomer(9_001).key_package()], PathChoice::Always));
}

fn add1_nopath(criterion: &mut Criterion) {
    commit(criterion, "add1_nopath", |_| adds(&[&newcomer(9_002).key_package()], PathChoice::WhenRequired));
}

fn remove1(criterion: &mut Criterion) {
    commit(criterion, "remove1", |pair| {
        let middle = LeafIndex::new(pair.first.group.member_count() / 2);
        CommitOptions { by_value: vec![ProposalKind::Remove(middle)], ..CommitOptions::default() }
    });
}

fn external_join(criterion: &mut Criterion) {
    each(criterion, "external_join", |group, id, pair| {
        let info = pair.first.group.group_info(&pair.first.host.env(), true, true).unwrap();
        group.bench_function(id, |bencher| {
            let joiner = || newcomer(9_003);
            bencher.iter_batched(
                joiner,
                |joiner| joiner.join_external(&info, None, None).unwrap(),
                BatchSize::LargeInput,
            );
        });
    });
}

fn group_info(criterion: &mut Criterion) {
    each(criterion, "group_info", |group, id, pair| {
        let member = &pair.first;
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(member.group.group_info(&member.host.env(), true, true).unwrap()));
        });
    });
}

/// What a step that moves the epoch writes, and what opening a group reads.
fn state(criterion: &mut Criterion) {
    each(criterion, "state_save", |group, id, pair| {
        let member = &mut pair.first;
        let (commit, ..) = member.commit(CommitOptions::default()).unwrap();
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(member.group.accept(&member.host.env(), &commit).unwrap()));
        });
    });
    each(criterion, "state_load", |group, id, pair| {
        let member = &pair.first;
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(Group::load(&member.host.env(), &member.records).unwrap()));
        });
    });
}

/// Sealing a message and opening it, each after the first of its sender.
fn messages(criterion: &mut Criterion) {
    for payload in PAYLOADS {
        let plaintext = vec![7; payload];
        each(criterion, &format!("send_{payload}"), |group, id, pair| {
            message(pair, &plaintext);
            let (member, options) = (&pair.first, MessageOptions::default());
            group.bench_function(id, |bencher| {
                bencher.iter(|| black_box(member.group.send(&member.host.env(), &plaintext, &options).unwrap()));
            });
        });
        each(criterion, &format!("recv_{payload}"), |group, id, pair| {
            let first = message(pair, &plaintext);
            pair.last.open(&first).unwrap();
            let second = message(pair, &plaintext);
            let member = &pair.last;
            group.bench_function(id, |bencher| {
                bencher.iter(|| black_box(member.group.process(&member.host.env(), &second).unwrap()));
            });
        });
    }
}

criterion_group!(
    benches,
    keypackage,
    build,
    join,
    update,
    process,
    add1,
    add1_nopath,
    remove1,
    external_join,
    group_info,
    state,
    messages
);
criterion_main!(benches);
