//! The scenarios that SpacePanda's first version was to fulfil, restated so that each can fail, under their ids.
//!
//! That version let members open their own messages; here every such scenario has two members, and a test of its own for
//! what comes back to its sender (CON-08). Suite 0x0001, for speed: the rules do not depend on the suite.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unreachable,
    reason = "tests"
)]

#[path = "seed/adversarial.rs"]
mod adversarial;
#[path = "seed/envelopes.rs"]
mod envelopes;
#[path = "seed/forgeries.rs"]
mod forgeries;
#[path = "seed/integration.rs"]
mod integration;
#[path = "seed/performance.rs"]
mod performance;
#[path = "seed/support.rs"]
mod support;
