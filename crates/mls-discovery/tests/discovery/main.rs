//! Publishing, checking, merging and finding records of groups.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

mod finding;
mod laws;
mod publishing;
mod support;
