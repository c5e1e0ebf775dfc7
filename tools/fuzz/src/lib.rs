//! What arbitrary bytes must never do, as functions of bytes.
//!
//! In: bytes, chosen by whoever calls. Out: whether what they say was accepted.
//! Always: a target panics where an oracle fails, and on nothing else; what it does depends on its bytes alone.
//!
//! `cargo xtask fuzz` runs the targets under libFuzzer. The tests of this crate run each on its seeds and on the corpus.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod choices;
mod scene;
mod targets;

pub use targets::TARGETS;

/// What a target says of its bytes.
#[allow(clippy::exhaustive_enums, reason = "there is no third answer")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// They are sound.
    Accepted,
    /// They are not, and changed nothing.
    Refused,
}

impl Verdict {
    fn of<T, E>(result: &Result<T, E>) -> Self {
        if result.is_ok() { Self::Accepted } else { Self::Refused }
    }
}

/// One door, and what stands behind it.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// What it promises.
    pub oracle: &'static str,
    /// Tries bytes.
    pub run: fn(&[u8]) -> Verdict,
    /// Bytes to begin with; the first is accepted.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// All names.
    pub fn names() -> Vec<&'static str> {
        TARGETS.iter().map(|target| target.name).collect()
    }
}
