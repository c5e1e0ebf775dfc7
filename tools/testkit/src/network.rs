//! Members on a virtual network: engine groups whose every step goes through a store of records first.
//!
//! Time and randomness are fixed by a seed, so that a failure replays. A member can be reopened from its records at
//! any moment and must go on as if nothing had happened.

mod host;
mod member;
mod records;

pub use host::{Host, Judge, SeededRandom, TestPolicy};
pub use member::{Member, NewMember, Offered};
pub use records::Records;
