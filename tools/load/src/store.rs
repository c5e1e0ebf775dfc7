//! Commits of a service alone, without a network in between.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use delivery_conformance::Group;
use mls_delivery::{
    Clock, GroupId, SystemClock, ask,
    request::{Enrol, SubmitCommit},
};

use crate::{
    Report,
    author::{Author, name},
    child,
    report::progress,
};

/// Commits for so long, in so many groups at once. They are made and signed beforehand: what is measured is the service, which
/// verifies each, orders it, makes it durable and signs a receipt.
pub fn commits(data: &str, groups: usize, time: Duration) -> Report {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut author = Author;
    let world = author.world();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let service = runtime.block_on(child::open(data, world.rules.clone(), clock));
    let alice = world.stranger(&name("alice"));
    let (user, key) = (alice.user.clone(), alice.key.clone());
    let enrol = Enrol { user, key, invite: b"".into(), voucher: None };
    runtime.block_on(ask(service.as_ref(), alice.id, enrol)).unwrap();
    let each = PREPARED.saturating_mul(time.as_secs().max(1)) / groups.max(1) as u64;
    let prepared: Vec<(Group, Vec<SubmitCommit>)> = std::thread::scope(|scope| {
        let making: Vec<_> = (0..groups)
            .map(|n| {
                let world = &world;
                scope.spawn(move || {
                    let group = Group { id: GroupId::new(name(&format!("load {n}")).as_bytes()) };
                    let commit = |epoch| world.sign(&group, epoch, world.bundle(&group, epoch, "commit"));
                    let commits = (0..each).map(commit).collect();
                    (group, commits)
                })
            })
            .collect();
        making.into_iter().map(|making| making.join().unwrap()).collect()
    });
    for (group, _) in &prepared {
        runtime.block_on(ask(service.as_ref(), alice.id, world.create(group))).unwrap();
    }
    let bar = progress("commits", time.as_secs());
    let began = Instant::now();
    let results: Vec<(Vec<Duration>, u64)> = std::thread::scope(|scope| {
        let running: Vec<_> = prepared
            .into_iter()
            .map(|(_, commits)| {
                let (service, alice, bar) = (service.as_ref(), &alice, &bar);
                let work = async move {
                    let (mut latencies, mut errors) = (Vec::new(), 0);
                    for commit in commits {
                        if began.elapsed() >= time {
                            break;
                        }
                        let asked = Instant::now();
                        match ask(service, alice.id, commit).await {
                            Ok(_) => latencies.push(asked.elapsed()),
                            Err(_) => errors += 1,
                        }
                        bar.set_position(began.elapsed().as_secs());
                    }
                    (latencies, errors)
                };
                let runtime = &runtime;
                scope.spawn(move || runtime.block_on(work))
            })
            .collect();
        running.into_iter().map(|running| running.join().unwrap()).collect()
    });
    bar.finish_and_clear();
    let errors = results.iter().map(|(_, errors)| errors).sum();
    let latencies = results.into_iter().flat_map(|(latencies, _)| latencies).collect();
    Report { what: format!("commits over {groups} groups"), took: began.elapsed(), latencies, errors, memory: None }
}

/// How many commits are made for each second, more than a machine does.
const PREPARED: u64 = if cfg!(debug_assertions) { 2_000 } else { 20_000 };
