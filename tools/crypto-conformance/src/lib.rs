//! What every provider of cryptography must do (RFC 9420, Section 5; RFC 9180; RFC 8032).
//!
//! In: providers, as `&dyn CryptoProvider`. Out: nothing, or a panic that names the suite and the broken expectation.
//! Always: only the traits of `mls-crypto` are used, so that one suite of tests serves every provider.
//!
//! A provider calls these functions from its `tests/` folder. Each runs over all cipher suites the provider offers.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod aead;
mod agree;
mod digest;
mod ecdsa;
mod ed25519;
mod hpke;
mod keys;
mod random;
mod rfc9180;
mod signature;
mod signer;
mod wycheproof;

use std::sync::Arc;

use mls_crypto::{CryptoProvider, Random, SuiteCrypto, SuiteParameters};

pub use agree::agree;
pub use ed25519::ed25519_accept_set;
pub use rfc9180::rfc9180;
pub use signer::signer;
pub use wycheproof::wycheproof;

/// Every operation of every suite of `provider`: round trips, exact errors, key validation and a failing random source.
///
/// # Panics
/// If an expectation does not hold.
pub fn conformance(provider: &dyn CryptoProvider, random: &dyn Random) {
    for suite in suites(provider) {
        let suite = suite.as_ref();
        digest::check(suite);
        aead::check(suite);
        hpke::check(suite, random);
        keys::check(suite, random);
        signature::check(suite, random);
        ecdsa::check(suite, random);
        random::check(suite, random);
    }
}

/// The suites a provider offers, most preferred first.
fn suites(provider: &dyn CryptoProvider) -> Vec<Arc<dyn SuiteCrypto>> {
    let ids = provider.cipher_suites();
    assert!(!ids.is_empty(), "{provider:?} offers no suite");
    ids.iter()
        .map(|id| {
            let suite = provider.suite(*id).unwrap_or_else(|error| panic!("{id:?} is offered but: {error}"));
            assert_eq!(suite.cipher_suite(), *id);
            suite
        })
        .collect()
}

/// The first suite whose parameters satisfy `wanted`.
fn suite_with(
    provider: &dyn CryptoProvider,
    wanted: impl Fn(&SuiteParameters) -> bool,
) -> Option<Arc<dyn SuiteCrypto>> {
    suites(provider).into_iter().find(|suite| wanted(&suite.parameters()))
}
