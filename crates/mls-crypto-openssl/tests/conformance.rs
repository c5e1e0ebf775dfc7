//! The OpenSSL provider does what every provider must (RFC 9420, Section 5.1).

use mls_crypto::{CipherSuite, CryptoProvider};
use mls_crypto_openssl::{OpenSsl, OsRandom};

#[test]
fn offers_the_two_suites() {
    let suites = OpenSsl::default().cipher_suites();
    assert_eq!(suites, [CipherSuite::X448_AES256, CipherSuite::X448_CHACHA20]);
}

#[test]
fn conforms() {
    crypto_conformance::conformance(&OpenSsl::default(), &OsRandom);
}

#[test]
fn agrees_with_itself() {
    crypto_conformance::agree(&OpenSsl::default(), &OpenSsl::default(), &OsRandom);
}

/// AES-256-GCM, ChaCha20-Poly1305, HKDF and HMAC; X448 and Ed448 are beside their code.
#[test]
fn passes_wycheproof() {
    assert!(crypto_conformance::wycheproof(&OpenSsl::default()) >= 600);
}
