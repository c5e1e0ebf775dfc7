//! Groups in step with a delivery service: the half of a client that every application would have to write.
//!
//! In: what a person wants to do, and a [`mls_delivery::DeliveryService`], near or far. Out: groups that have done it, and a
//! history that is the same at every member.
//! Always: what is wanted is durable before anything is sent, and is worked off whatever ends in between; a commit that loses
//! its race is made anew on top of the winner; what was fetched is acknowledged after it is durable; a message is in the
//! history once, however often it was sent.
//!
//! ```text
//! wish ──> queue, durable ──> fetch ──> process ──> stage ──> submit the bundle ──> fetch: it is in the log ──> done
//!                               ^                                  │ another commit was first
//!                               └──────────────────────────────────┘
//! ```
//!
//! Nothing here opens a connection, reads a clock or starts a thread: the service does, or the application. Only one process
//! at a time may bring a group into step; it is the application's to see to that.

mod account;
mod allowed;
mod claim;
mod commit;
mod error;
mod invite;
mod joining;
mod log;
mod mailbox;
mod open;
mod public;
mod queue;
mod rows;
mod safety;
mod seen;
mod step;
mod trust;
mod verify;

pub use account::Account;
pub use error::SyncError;
pub use invite::{Invite, InviteCode};
pub use public::Listing;
pub use queue::{Wish, WishId};
pub use rows::HistoryEntry;
pub use safety::safety_number;
pub use step::{News, Report};
pub use trust::DeviceTrust;
pub use verify::{Compared, Shared};

/// Result of most calls.
pub type SyncResult<T> = Result<T, SyncError>;
