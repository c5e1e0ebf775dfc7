//! Documents of a group that merge: its topic with the history of it, and what is pinned (SURF-D).
//!
//! In: edits of ours, and application messages of others. Out: application messages, and the same document at every member.
//! Always: edits made at the same time merge, in whatever order they arrive and however often; who made an edit is who sent the
//! message, and whether they may is what the group's roles say in the epoch it was sent in; what breaks a rule changes nothing.
//! The merging is automerge's. What travels is typed and bounded, in the codec of MLS: no peer's bytes reach automerge's decoder,
//! and whatever a peer could lie about, as numbers of operations and what they take the place of, is worked out and not sent.
//!
//! ```text
//! "SPDOC" | u8 version = 1 | u8 kind | body
//!
//! kind 1, an update     u64 number | Hash builds_on<V> | Edit edits<V>            by the sender of the message
//! kind 2, a snapshot    u64 number | (author<V> | Hash builds_on<V> | Edit edits<V>) changes<V>
//! Edit                  u8 what | bytes<V>         1 the topic is, 2 pinned is, 3 pinned is not
//! ```
//!
//! A **pin** that is taken back while somebody else pins the same stays pinned. Of two **topics** set at the same time one is
//! shown, the same to all, and both are in the history. A **snapshot** has everything, for who joins late or lost a message: it is
//! believed as a whole, so it is taken by nobody who misses nothing, and from nobody who may not edit everything. A document that
//! has grown is **begun anew** with the next number: what it shows goes on, its history ends.

mod author;
mod change;
mod document;
mod error;
mod merge;
mod message;
mod saved;

pub use author::Author;
pub use document::{Edit, Edited, GroupDocument, Topic};
pub use error::DocumentError;
pub use message::is_document;

/// Bytes of a topic, at most.
pub const MAX_TOPIC: usize = 1_024;

/// Bytes of what names a message that is pinned, at most.
pub const MAX_PIN: usize = 64;

/// Messages that are pinned, at most. Members who pin at the same time may come to more, and then nobody pins another.
pub const MAX_PINS: usize = 256;

/// Edits of one document, at most, until it is begun anew. Members who edit at the same time may come to more, up to twice as many.
pub const MAX_CHANGES: usize = 1_024;

/// Bytes of an update, at most.
pub const MAX_UPDATE: usize = 64 * 1_024;

/// Bytes of a snapshot, at most.
pub const MAX_SNAPSHOT: usize = 512 * 1_024;

/// Edits of one author that wait for others, at most; all authors together may have eight times as many.
pub const MAX_WAITING: usize = 32;
