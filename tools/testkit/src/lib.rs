//! What tests share: a virtual network, forged groups and messages, and the official vectors.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

pub mod counting;
pub mod forge;
pub mod network;
pub mod vectors;
