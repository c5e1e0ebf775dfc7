//! What a client refuses: one rule each, broken alone, by an insider that signs, tags and encrypts like anyone else.
//!
//! Each test says which rule it breaks (ids of the rule map) and asserts the exact error; the victim must be what it was
//! before, and go on with the next honest message.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests"
)]

mod commit;
mod create;
mod decode;
mod dos;
mod external_commit;
mod external_senders;
mod framing;
mod grove;
mod key_package;
mod leaf;
mod limits;
mod list;
mod observer;
mod path;
mod poison;
mod private;
mod proposals;
mod public;
mod scene;
mod schedule;
mod succession;
mod tree;
mod welcome;
