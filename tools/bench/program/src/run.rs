//! A run: every workload at every size, the implementations taking turns.
//!
//! In: workloads and sizes. Out: a [`Row`] for each, and for each implementation.
//! Always: within a round every implementation takes its steps once, so that a slow moment of the machine meets all.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    floor::{Primitives, counts},
    peer::Impl,
    workload::{Make, Sample, Scene, Workload},
};

/// What was measured of one implementation.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Row {
    /// Name of the workload.
    pub workload: String,
    /// Size of the group.
    pub members: u32,
    /// Name of the implementation.
    #[serde(rename = "impl")]
    pub kind: &'static str,
    /// Median of all steps, in microseconds.
    pub median_us: f64,
    /// Of twenty steps, one is longer.
    pub p95_us: f64,
    /// Median of the best peer divided by this one's: over 1 is faster than every peer.
    pub ratio_best_peer: f64,
    /// This median divided by the floor of our own step.
    pub ratio_floor: f64,
    /// Bytes on the wire.
    pub bytes: usize,
    /// Bytes of keys and values handed to the store; ours alone says.
    pub stored: Option<usize>,
}

/// Measures everything.
pub fn run(workloads: &[Workload], sizes: &[u32], rounds: usize) -> (Primitives, Vec<Row>) {
    let primitives = Primitives::measure();
    let (cold, full): (Vec<Workload>, Vec<_>) = workloads.iter().partition(|workload| workload.is_cold());
    let progress = ProgressBar::new((workloads.len() * sizes.len()) as u64);
    let style = ProgressStyle::with_template("{elapsed_precise} {bar:30} {pos}/{len} {msg}");
    progress.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut rows = Vec::new();
    for &members in sizes {
        progress.set_message(format!("{members} members: setting up"));
        let counted = counts(workloads, members);
        for (workloads, cold) in [(&full, false), (&cold, true)] {
            if workloads.is_empty() {
                continue;
            }
            let makers = Impl::ALL.map(|kind| (kind, move |seed| kind.client(seed)));
            let mut scenes: Vec<_> = makers.iter().map(|(kind, make)| (*kind, scene(members, make, cold))).collect();
            for &workload in workloads {
                progress.set_message(format!("{members} members: {}", workload.name()));
                let samples = measure(&mut scenes, workload, rounds);
                let floor = counted.get(&workload).map_or(f64::NAN, |counts| primitives.cost(counts));
                rows.extend(summarize((workload, members), &samples, floor));
                progress.inc(1);
            }
        }
    }
    progress.finish_and_clear();
    (primitives, rows)
}

fn scene<'a>(members: u32, make: Make<'a>, cold: bool) -> Scene<'a> {
    if cold { Scene::cold(members, make) } else { Scene::full(members, make) }
}

fn measure(scenes: &mut [(Impl, Scene<'_>)], workload: Workload, rounds: usize) -> BTreeMap<Impl, Vec<Sample>> {
    let mut samples: BTreeMap<Impl, Vec<Sample>> = BTreeMap::new();
    scenes.iter_mut().for_each(|(_, scene)| {
        scene.prepare(workload);
        // Once outside the count: caches, lazily made tables.
        scene.step(workload);
    });
    for _ in 0..rounds {
        for (kind, scene) in &mut *scenes {
            let taken = (0..workload.repeats()).map(|_| scene.step(workload));
            samples.entry(*kind).or_default().extend(taken);
        }
    }
    samples
}

fn summarize((workload, members): (Workload, u32), samples: &BTreeMap<Impl, Vec<Sample>>, floor: f64) -> Vec<Row> {
    let times = |kind| sorted(&samples[&kind]);
    let peers = samples.keys().filter(|kind| **kind != Impl::Ours);
    let best = peers.map(|kind| quantile(&times(*kind), 0.5)).fold(f64::INFINITY, f64::min);
    samples
        .iter()
        .map(|(kind, taken)| {
            let times = times(*kind);
            let median_us = quantile(&times, 0.5);
            Row {
                workload: workload.name(),
                members,
                kind: kind.name(),
                median_us,
                p95_us: quantile(&times, 0.95),
                ratio_best_peer: best / median_us,
                ratio_floor: median_us / floor,
                bytes: taken.last().map_or(0, |sample| sample.bytes),
                stored: taken.last().and_then(|sample| sample.stored),
            }
        })
        .collect()
}

fn sorted(samples: &[Sample]) -> Vec<f64> {
    let mut times: Vec<_> = samples.iter().map(|sample| sample.time.as_secs_f64() * 1e6).collect();
    times.sort_by(f64::total_cmp);
    times
}

fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}
