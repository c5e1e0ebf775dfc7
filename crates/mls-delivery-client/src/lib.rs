//! The client of a delivery service over HTTP: retry and resume, and nothing else.
//!
//! In: an address, a device's key, TLS roots. Out: the same [`mls_delivery::DeliveryService`] that is over there.
//! Always: what may be repeated is repeated, with jittered pauses, because the service does a request once however often it
//! comes (claims take further key packages, and a direct message arrives again: both are harmless); a commit counts as taken only with a receipt of the service's key; no state is made up: cursors are the service's.

mod backoff;
mod directory;
mod http;
mod outcome;
mod push;
mod remote;
mod watch;

pub use backoff::Backoff;
pub use directory::{DirectoryClient, Pulled, Replica};
pub use outcome::{Outcome, submit_commit};
pub use remote::{Connect, Identity, Remote};
