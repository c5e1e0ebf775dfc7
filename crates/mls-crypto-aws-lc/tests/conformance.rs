//! The native provider does what every provider must, as the portable one does it (RFC 9420, Section 5.1).

use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_crypto_rust::RustCrypto;

#[test]
fn conforms() {
    crypto_conformance::conformance(&AwsLc::default(), &OsRandom);
}

#[test]
fn gives_the_known_answers_of_rfc_9180() {
    crypto_conformance::rfc9180(&AwsLc::default());
}

/// X-AUTH-05
#[test]
fn accepts_the_ed25519_signatures_the_portable_provider_accepts() {
    crypto_conformance::ed25519_accept_set(&[&AwsLc::default(), &RustCrypto::default()]);
}

#[test]
fn agrees_with_the_portable_provider() {
    for _ in 0..4 {
        crypto_conformance::agree(&AwsLc::default(), &RustCrypto::default(), &OsRandom);
    }
}

#[test]
fn passes_wycheproof() {
    assert!(crypto_conformance::wycheproof(&AwsLc::default()) > 4_000);
}
