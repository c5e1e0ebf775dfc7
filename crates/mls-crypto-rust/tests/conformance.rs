//! The portable provider does what every provider must (RFC 9420, Section 5.1).

use mls_crypto::{Aead, CipherSuite, HashAlgorithm, Kdf, Kem, SignatureScheme, SuiteParameters, SuiteTable};
use mls_crypto_rust::{OsRandom, RustCrypto};

#[test]
fn conforms() {
    crypto_conformance::conformance(&RustCrypto::default(), &OsRandom);
}

#[test]
fn gives_the_known_answers_of_rfc_9180() {
    crypto_conformance::rfc9180(&RustCrypto::default());
}

/// The draft's vectors pair X-Wing with algorithms that no suite of the default table has.
#[test]
fn gives_the_known_answers_of_x_wing() {
    let parameters = SuiteParameters {
        kem: Kem::XWing,
        kdf: Kdf::Sha256,
        aead: Aead::ChaCha20Poly1305,
        hash: HashAlgorithm::Sha256,
        signature: SignatureScheme::Ed25519,
    };
    let table = SuiteTable::default().only(|_| false).with(CipherSuite(0xF123), parameters);
    crypto_conformance::rfc9180(&RustCrypto::with_suites(&table));
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
