//! Time is an argument: where the client reads it from.
//!
//! In: nothing. Out: seconds since 1970. Always: no other file of this crate reads a clock.

use core::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a client reads the time; a test hands in one of its own.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> u64;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    /// A clock before 1970 reads 0, at which no lifetime is valid.
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}
