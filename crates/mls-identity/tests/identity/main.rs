//! Who stands behind a key: certificates of devices, X.509, revocation, safety numbers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

mod certificate;
mod certified;
mod safety;
mod signer;
mod support;
mod x509;
