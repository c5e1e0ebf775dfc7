//! The portable provider does what every provider must (RFC 9420, Section 5.1).

#![allow(clippy::unwrap_used, reason = "tests")]

use mls_crypto_rust::{OsRandom, RustCrypto};

#[test]
fn conforms() {
    crypto_conformance::conformance(&RustCrypto::default(), &OsRandom);
}

#[test]
fn gives_the_known_answers_of_rfc_9180() {
    crypto_conformance::rfc9180(&RustCrypto::default());
}

/// X-AUTH-05
#[test]
fn accepts_one_set_of_ed25519_signatures() {
    crypto_conformance::ed25519_accept_set(&[&RustCrypto::default()]);
}

#[test]
fn agrees_with_itself() {
    crypto_conformance::agree(&RustCrypto::default(), &RustCrypto::default(), &OsRandom);
}

#[test]
fn passes_wycheproof() {
    assert!(crypto_conformance::wycheproof(&RustCrypto::default()) > 4_000);
}
