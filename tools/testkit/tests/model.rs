//! The engine against a model: random sequences of operations over 2 to 30 members, on a virtual delivery service that
//! puts handshakes in order and delivers messages whenever it likes.
//!
//! In: a configuration and operations, as data. Out: nothing, or the shortest sequence that breaks a promise.
//! Always: after every operation, members in the same epoch agree on everything; a group loaded from its records is the
//! group; every message within the window is opened once by each other member, and by nobody else.
//!
//! `PROPTEST_CASES` asks for more runs than the default.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests"
)]

mod model {
    pub(crate) mod actions;
    pub(crate) mod check;
    pub(crate) mod ops;
    pub(crate) mod player;
    pub(crate) mod succession;
    mod tricky;
    pub(crate) mod trouble;
    pub(crate) mod world;
}

use model::{
    ops::{Config, Op, config, ops},
    world::World,
};
use proptest::{prelude::*, test_runner::Config as Runner};

/// Cases unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 64;
/// Operations of one case, at most.
const OPS: usize = 60;

fn runner() -> Runner {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    Runner { cases, failure_persistence: None, max_shrink_time: 120_000, ..Runner::default() }
}

fn run(config: &Config, ops: &[Op]) {
    let mut world = World::new(config.clone());
    for op in ops {
        world.step(op);
    }
    world.finish();
}

proptest! {
    #![proptest_config(runner())]

    #[test]
    fn members_agree_whatever_happens(config in config(), ops in ops(OPS)) {
        run(&config, &ops);
    }
}
