//! The sealed store on a disk that loses power, or fails, at every operation.
//!
//! The default run tries a sample; `STORE_LAB_POINTS=100000` sets how many points each scenario tries.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod life;
mod model;
mod place;
mod wipe;

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use store_lab::{Lost, Plan, Scenario, explore};

use crate::{
    life::{Life, Part},
    place::Lock,
    wipe::Wipe,
};

/// All but [`Lost::Noise`]: both slots lie in one sector, so that a disk without powersafe overwrite can take both.
const LOSSES: [Lost; 5] = [Lost::Everything, Lost::Nothing, Lost::Tail(0), Lost::Sectors(0), Lost::Reordered(0)];

/// Tries a plan, and says how fast.
fn holds<T: Scenario>(name: &'static str, scenario: &T, points: u64) {
    let points = std::env::var("STORE_LAB_POINTS").map_or(points, |number| number.parse().unwrap());
    let seed = std::env::var("STORE_LAB_SEED").map_or(1, |number| number.parse().unwrap());
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}").unwrap();
    let bar = ProgressBar::new(points).with_style(style).with_message(name);
    let started = Instant::now();
    let plan = Plan::new(seed, points).losses(&LOSSES);
    let report = explore(scenario, &plan, &mut |done, _| bar.set_position(done)).unwrap();
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64();
    println!("{name}: {} points over {} operations in {seconds:.1} s", report.points, report.operations);
    if let Some(broken) = report.broken {
        panic!("{name}: {broken}");
    }
    assert!(report.points >= points, "{report:?}");
}

#[test]
fn making_a_store() {
    holds("making a store", &Life { lock: Lock::RawKey, part: Part::Birth }, 500);
}

#[test]
fn batches() {
    holds("batches", &Life { lock: Lock::RawKey, part: Part::Batches }, 500);
}

#[test]
fn shredding() {
    holds("shredding", &Life { lock: Lock::RawKey, part: Part::Shredding }, 500);
}

#[test]
fn closing_and_opening() {
    holds("closing and opening", &Life { lock: Lock::RawKey, part: Part::Reopening }, 350);
}

#[test]
fn two_at_once() {
    holds("two at once", &Life { lock: Lock::RawKey, part: Part::Two }, 350);
}

#[test]
fn large_batches() {
    holds("large batches", &Life { lock: Lock::RawKey, part: Part::Large }, 24);
}

#[test]
fn under_a_passphrase() {
    holds("under a passphrase", &Life { lock: Lock::Passphrase, part: Part::Birth }, 24);
}

#[test]
fn wiping() {
    holds("wiping", &Wipe, 500);
}
