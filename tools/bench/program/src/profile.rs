//! Where the time goes: a sampled profile of ours, by the time of all processors.
//!
//! In: workloads in groups of one size. Out: for each, how many samples fell into which [`Part`].
//! Always: only a step itself counts, on whichever thread; what prepares it, and the other side, do not. Nothing is
//! timed while samples are taken.

mod parts;
mod report;

use std::{
    collections::BTreeMap,
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use indicatif::ProgressBar;
use mls_crypto::CipherSuite;
use pprof::ProfilerGuardBuilder;

pub use parts::Part;
pub use report::{chart, markdown};

use crate::{
    peer::{Impl, Peer},
    run::attempt,
    sample::processors,
    scene::Scene,
    workload::{QUEUED, Workload},
};

/// Samples a second of processor time that are asked for; the system's clock gives as many as it ticks.
const FREQUENCY: i32 = 997;
/// How long steps are taken, by the time of all processors; what is between the steps counts too.
const PATIENCE: Duration = Duration::from_millis(2_000);
/// Turns of `catch-up`, whose queues are made beforehand.
const QUEUES: usize = 60;
/// After so many steps both sides hear of each other: whoever only sends would get too far ahead.
const APART: usize = 250;
/// After so many messages an epoch ends: a chain of one epoch has a hundred thousand at most.
const EPOCH: usize = 20_000;

/// What is profiled: suite, workload, members.
pub type Subject = (u16, Workload, u32);

/// Samples of a workload, by part.
pub type Profile = BTreeMap<Part, usize>;

/// Whether a step is being taken, for threads that help with it.
static IN_STEP: AtomicBool = AtomicBool::new(false);

/// Does the work of a step, so that its samples can be told from others.
pub fn step<T>(work: impl FnOnce() -> T) -> T {
    let mut work = Some(work);
    let mut result = None;
    IN_STEP.store(true, Relaxed);
    sampled_step(&mut || result = work.take().map(|work| work()));
    IN_STEP.store(false, Relaxed);
    result.unwrap()
}

/// Does the work of a thread that was started for some work: for a step, if one is being taken.
pub fn helper(work: impl FnOnce()) {
    let mut work = Some(work);
    let mut once = || work.take().map(|work| work()).unwrap_or_default();
    if IN_STEP.load(Relaxed) { sampled_step(&mut once) } else { once() }
}

/// The frame that samples of a step have.
const MARK: &str = "profile::sampled_step";

#[inline(never)]
fn sampled_step(work: &mut dyn FnMut()) {
    work();
    // Not in place of this frame: it has to stand on the stack meanwhile.
    black_box(());
}

/// Profiles of the subjects. What cannot be profiled is left out.
pub fn take(subjects: &[Subject]) -> BTreeMap<Subject, Profile> {
    let progress = ProgressBar::new_spinner();
    let mut groups: BTreeMap<_, Vec<Workload>> = BTreeMap::new();
    for (suite, workload, members) in subjects {
        groups.entry((*suite, *members, workload.is_cold())).or_default().push(*workload);
    }
    let mut profiles = BTreeMap::new();
    for ((suite, members, cold), mut workloads) in groups {
        workloads.sort_by_key(|workload| workload.order());
        workloads.dedup();
        let suite_of = CipherSuite(suite);
        let make = move |seed| -> Box<dyn Peer> { Impl::Ours.client(seed, suite_of) };
        let mut scene = Scene::new(cold, Impl::Ours.group(suite_of, members), &make);
        for workload in workloads {
            progress.set_message(format!("{suite:#06x}, {members} members: profile of {}", workload.name()));
            progress.tick();
            match attempt(|| sample(&mut scene, workload).map_err(|error| error.to_string())).flatten() {
                Ok(profile) => _ = profiles.insert((suite, workload, members), profile),
                Err(error) => {
                    progress.println(format!("no profile of {}: {error}", workload.name()));
                    // Whatever it was doing is half done.
                    scene = Scene::new(cold, Impl::Ours.group(suite_of, members), &make);
                }
            }
        }
    }
    progress.finish_and_clear();
    profiles
}

fn sample(scene: &mut Scene<'_>, workload: Workload) -> pprof::Result<Profile> {
    scene.prepare_for(workload, QUEUES);
    let guard = ProfilerGuardBuilder::default().frequency(FREQUENCY).build()?;
    let (begun, mut steps) = (processors(), 0);
    let (queued, repeats) = (workload == Workload::CatchUp, workload.payload().is_some());
    let each = if workload == Workload::CatchUpOne { QUEUED } else { 1 };
    while processors().saturating_sub(begun) < PATIENCE && (!queued || steps < QUEUES) {
        scene.step(workload);
        steps += 1;
        if repeats && !queued && steps % (EPOCH / each) == 0 {
            scene.next_epoch();
        }
        if steps % APART == 0 && !queued {
            scene.prepare(workload);
        }
    }
    let report = guard.report().build()?;
    drop(guard);
    let mut profile = Profile::new();
    for (stack, count) in &report.data {
        // From the innermost to the outermost.
        let names: Vec<_> = stack.frames.iter().flatten().map(pprof::Symbol::name).collect();
        if let Some(mark) = names.iter().position(|name| name.contains(MARK)) {
            let part = Part::of(&names[..mark]);
            *profile.entry(part).or_default() += usize::try_from(*count).unwrap_or_default();
        }
    }
    Ok(profile)
}
