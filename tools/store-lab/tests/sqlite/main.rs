//! SQLite's own promises as the oracle: the lab must agree with them, and must notice where SQLite makes none.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod connections;
mod counter;
mod crashes;
mod naive;
