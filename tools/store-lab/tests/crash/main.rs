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
use store_lab::{Failure, Lost, Plan, Scenario, explore};

use crate::{
    life::{Life, Part},
    place::{Device, Lock},
    talk::Talk,
    unlock::NewKey,
    wipe::Wipe,
};

/// What most scenarios try by default.
const POINTS: u64 = 300;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().unwrap())
}

/// Tries a plan, and says how fast. `points` is the default.
fn holds<T: Scenario>(name: &'static str, scenario: &T, points: u64) {
    holds_for(name, scenario, points, &|plan| plan);
}

/// The same, for some of the ways to fail.
fn holds_for<T: Scenario>(name: &'static str, scenario: &T, points: u64, narrow: &dyn Fn(Plan) -> Plan) {
    let points = setting("STORE_LAB_POINTS").map_or(points, |all| all * points / POINTS);
    let seed = setting("STORE_LAB_SEED").unwrap_or(1);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}").unwrap();
    let bar = ProgressBar::new(points).with_style(style).with_message(name);
    let started = Instant::now();
    let report = explore(scenario, &narrow(Plan::new(seed, points)), &mut |done, _| bar.set_position(done)).unwrap();
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
    holds("making a store", &Life::of(Part::Birth), POINTS);
}

#[test]
fn batches() {
    holds("batches", &Life::of(Part::Batches), POINTS);
}

#[test]
fn shredding() {
    holds("shredding", &Life::of(Part::Shredding), POINTS);
}

#[test]
fn closing_and_opening() {
    holds("closing and opening", &Life::of(Part::Reopening), POINTS / 2);
}

#[test]
fn two_at_once() {
    holds("two at once", &Life::of(Part::Two), POINTS / 2);
}

#[test]
fn large_batches() {
    holds("large batches", &Life::of(Part::Large), 12);
}

#[test]
fn under_a_passphrase() {
    holds("under a passphrase", &Life { lock: Lock::Passphrase, ..Life::of(Part::Birth) }, 12);
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

/// On a disk whose interrupted writes harm the rest of their sector, if SQLite knows it: it fills the last sector of the log
/// behind each commit, and the store never writes behind a log that it has found.
#[test]
fn without_powersafe_overwrite() {
    let failures: Vec<Failure> = Failure::ERRORS.into_iter().filter(|kind| *kind != Failure::SyncForgets).collect();
    for part in [Part::Birth, Part::Shredding] {
        let life = Life { device: Device::Plain, ..Life::of(part) };
        holds_for("without powersafe overwrite", &life, POINTS / 3, &|plan| plan.failures(&failures));
    }
}

/// Controls, and the reason why the store asks for powersafe overwrite, as SQLite does. What SQLite fills a sector with is
/// written behind the sync: if the next sync fails and forgets it, the log has a hole, and what is acknowledged later lies
/// behind the hole. And what SQLite does not know of it cannot prevent.
#[test]
fn notices_what_is_asked_of_the_disk() {
    let broken = |device, plan: Plan| {
        let life = Life { device, ..Life::of(Part::Shredding) };
        explore(&life, &plan, &mut |_, _| ()).unwrap().broken.map(|broken| broken.message)
    };
    let forgets = Plan::new(1, 400).losses(&[Lost::Everything]).failures(&[Failure::SyncForgets]);
    let noise = Plan::new(1, 400).losses(&[Lost::Noise(1)]).failures(&[]);
    assert!(broken(Device::Plain, forgets.clone()).unwrap().contains("does not open"));
    assert!(broken(Device::Lying, noise.clone()).unwrap().contains("does not open"));
    assert_eq!(broken(Device::Powersafe, forgets), None);
    assert_eq!(broken(Device::Powersafe, noise), None);
}
