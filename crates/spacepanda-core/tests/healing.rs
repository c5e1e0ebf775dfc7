//! Where a group stands among its members, and its way back; and the log of who did what.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::unreachable,
    reason = "tests"
)]

#[path = "healing/ahead.rs"]
mod ahead;
#[path = "healing/audit.rs"]
mod audit;
#[path = "healing/health.rs"]
mod health;
#[path = "healing/succession.rs"]
mod succession;
#[path = "healing/world.rs"]
mod world;
