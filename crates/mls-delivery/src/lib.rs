//! The delivery service of MLS groups (RFC 9420, Sections 14 and 16; RFC 9750, Section 5), without input or output.
//!
//! In: requests of devices. Out: replies, or a [`Rejection`] that says what to do next.
//! Always: one commit per group and epoch, the first wins; all readers of a group see one order; what was acknowledged to
//! a sender is durable. The rules are written once, over [`rows::Rows`]; a store implements rows, and nothing else.
//!
//! ```text
//! Request --check--> Checked --prepare--> Prepared --execute, in one transaction--> Done { reply, touched }
//!         no state           public state,        one group commit
//!                            when it is judged
//! ```
//!
//! [`DeliveryService`] is what both ends share; [`MemoryService`] forgets everything when it ends.

pub mod access;
pub mod auth;
pub mod hub;
pub mod quota;
pub mod receipt;
pub mod reply;
pub mod request;
pub mod rows;
pub mod rules;
pub mod shard;
pub mod shards;

mod clock;
mod crypto;
mod header;
mod id;
mod limits;
mod memory;
mod rejection;
mod service;

pub use clock::{Clock, SystemClock, Timestamp};
pub use crypto::ServiceCrypto;
pub use header::{Header, MessageKind};
pub use id::{DeviceId, DeviceKey, Digest, GroupId, Seq, UserId};
pub use limits::{Enrolment, Invite, Limits};
pub use memory::MemoryService;
pub use rejection::Rejection;
pub use service::{BoxFuture, Capabilities, DeliveryService, Operation, Watch, ask};
