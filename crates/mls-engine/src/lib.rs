//! Messaging Layer Security (RFC 9420), sans-IO.
//!
//! In: bytes from peers, wishes of an application, and an [`policy::Env`] with everything that is not computation: time,
//! randomness, cryptography, parallelism, decisions. Out: values: what to make durable, what to send, what to hear.
//! Always: a verb borrows its [`group::Group`] and returns a [`group::Step`]; nothing happens before the step's changes
//! are durable and [`group::Group::adopt`] consumes it.
//!
//! Modules follow the RFC's chapters and depend on each other in one direction only:
//! `group → framing → { tree, schedule } → policy → message → math → mls-crypto`.

pub mod codec;
pub mod error;
pub mod framing;
pub mod group;
pub mod limits;
pub mod math;
pub mod message;
pub mod policy;
pub mod schedule;
pub mod tree;
