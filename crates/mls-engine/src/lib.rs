//! Messaging Layer Security (RFC 9420), sans-IO.
pub mod codec;
pub mod error;
pub mod framing;
pub mod limits;
pub mod math;
pub mod message;
pub mod policy;
pub mod schedule;
pub mod tree;
