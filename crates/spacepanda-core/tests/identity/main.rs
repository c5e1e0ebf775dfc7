//! Who stands behind a key, as a client sees it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

mod conformance;
mod pins;
mod revocations;
mod revoked;
mod rotation;
mod signers;
mod support;
mod x509;
