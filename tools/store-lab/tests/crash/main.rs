//! The sealed store on a disk that loses power, or fails, at every operation.
//!
//! The default run tries a sample. With `STORE_LAB_POINTS=100000` most scenarios try so many points, and the slow ones
//! their share. `STORE_LAB_SEED` sets the seed.
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
mod reads;
mod talk;
mod unlock;
mod wipe;

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use store_lab::{Plan, Scenario, explore};

use crate::{
    life::{Life, Part},
    place::Lock,
    talk::Talk,
    unlock::NewKey,
    wipe::Wipe,
};

/// What most scenarios try by default.
const POINTS: u64 = 500;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().unwrap())
}

/// Tries a plan, and says how fast. `points` is the default.
fn holds<T: Scenario>(name: &'static str, scenario: &T, points: u64) {
    let points = setting("STORE_LAB_POINTS").map_or(points, |all| all * points / POINTS);
    let seed = setting("STORE_LAB_SEED").unwrap_or(1);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}").unwrap();
    let bar = ProgressBar::new(points).with_style(style).with_message(name);
    let started = Instant::now();
    let plan = Plan::new(seed, points);
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
    holds("making a store", &Life { lock: Lock::RawKey, part: Part::Birth }, POINTS);
}

#[test]
fn batches() {
    holds("batches", &Life { lock: Lock::RawKey, part: Part::Batches }, POINTS);
}

#[test]
fn shredding() {
    holds("shredding", &Life { lock: Lock::RawKey, part: Part::Shredding }, POINTS);
}

#[test]
fn closing_and_opening() {
    holds("closing and opening", &Life { lock: Lock::RawKey, part: Part::Reopening }, POINTS / 2);
}

#[test]
fn two_at_once() {
    holds("two at once", &Life { lock: Lock::RawKey, part: Part::Two }, POINTS / 2);
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
fn two_members_talk() {
    holds("two members talk", &Talk, POINTS / 2);
}

#[test]
fn wiping() {
    holds("wiping", &Wipe, POINTS);
}

#[test]
fn changing_the_key() {
    holds("changing the key", &NewKey, POINTS);
}
