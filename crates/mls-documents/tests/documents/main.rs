//! Documents merge in any order, their sizes are bounded, and who edits is what the roles say.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests"
)]

mod editing;
mod groups;
mod growing;
mod laws;
mod refusing;
mod support;
