//! Message framing (RFC 9420, Section 6).
//!
//! In: bytes that claim to come from someone, or content of ours. Out: content that is known to come from its sender,
//! or a message.
//! Always: `Unverified → Authenticated`; each step takes the last by value, and only this module makes the next.

mod auth;
mod padding;
mod private;
mod public;

pub use auth::{Authenticated, Unverified, authenticate_all, sign};
pub use padding::Padding;
pub use private::{PrivateKeys, SenderData, open_content, open_sender_data, seal};
pub use public::{open, open_observed, protect};
