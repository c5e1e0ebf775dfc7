//! Load on a delivery service, and abuse of it, all of it on loopback.
//!
//! In: how much of what, for how long. Out: [`Report`]s: latencies, errors, memory. Always: the service is a process of its
//! own, so its memory is its own; it ends with the process that started it; nothing leaves this machine.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a tool for measuring: what fails ends it"
)]

pub mod abuse;
pub mod attack;
pub mod author;
pub mod child;
pub mod idle;
pub mod machine;
pub mod report;
pub mod soak;
pub mod store;
pub mod traffic;

pub use child::Service;
pub use report::Report;
