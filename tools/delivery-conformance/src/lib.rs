//! What every [`DeliveryService`] must do, as checks that an implementation runs in its tests.
//!
//! In: a [`Bench`], which opens empty services and reopens them. Out: nothing, or a panic that names what was broken.
//! Always: checks know the contract only, not the implementation; none of them sleeps or looks at a real clock.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod commits;
mod devices;
mod groups;
mod logs;
mod mail;
mod passes;
mod quotas;
mod reports;
mod restart;
mod run;
mod world;

use std::{fmt, sync::Arc};

use mls_delivery::{Clock, DeliveryService, Limits, rules::Rules};

pub use run::{block_on, join_all};
pub use world::{Device, Group, TestClock, World, private_message, rules};

/// How to open services of one kind.
pub trait Bench: fmt::Debug + Send + Sync {
    /// An empty service under these rules and this clock.
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService>;

    /// A device has been thought up, whose key a bench may need to log in for it.
    fn meet(&self, _device: &Device) {}

    /// Ends the service that was opened last and opens it again; one that is not durable is just returned. The suite has
    /// dropped it before.
    fn reopen(&mut self) -> Arc<dyn DeliveryService>;

    /// Whether the service keeps everything in one database, so that a user's share is counted once for all groups.
    fn one_database(&self) -> bool {
        true
    }

    /// Lets the service that was opened last delete what has had its time.
    fn sweep(&self);
}

/// One rule of the contract.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What it says.
    pub name: &'static str,
    /// Caps under which it is looked at.
    limits: fn(&mut Limits),
    run: fn(&mut World<'_>),
}

impl Check {
    const fn new(name: &'static str, run: fn(&mut World<'_>)) -> Self {
        Self { name, limits: |_| {}, run }
    }

    const fn with(name: &'static str, limits: fn(&mut Limits), run: fn(&mut World<'_>)) -> Self {
        Self { name, limits, run }
    }

    /// Looks at an empty service of the bench.
    pub fn run(&self, bench: &mut dyn Bench) {
        let mut limits = Limits::default();
        (self.limits)(&mut limits);
        (self.run)(&mut World::open(bench, limits));
    }
}

/// All checks.
pub fn checks() -> Vec<Check> {
    let lists: [&[Check]; 9] = [
        &commits::CHECKS,
        &logs::CHECKS,
        &mail::CHECKS,
        &devices::CHECKS,
        &groups::CHECKS,
        &passes::CHECKS,
        &quotas::CHECKS,
        &reports::CHECKS,
        &restart::CHECKS,
    ];
    lists.concat()
}

/// Runs every check on a service of its own; panics at the first that fails.
pub fn delivery_conformance(bench: &mut dyn Bench) {
    for check in checks() {
        println!("delivery conformance: {}", check.name);
        check.run(bench);
    }
}
