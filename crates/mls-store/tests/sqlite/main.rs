//! The durable store: what it keeps, what it refuses, and what it forgets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests"
)]

mod attacker;
mod crash;
mod fixtures;
mod forensic;
mod leases;
mod opening;
mod processes;
mod remnants;
mod reopen;
mod rollback;
mod spaces;
mod support;
mod tamper;
mod unlock;
mod wipe;
