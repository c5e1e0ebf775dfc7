use mls_crypto::{Aead, HashAlgorithm, Kdf, Kem, SignatureScheme, SuiteParameters};

use super::*;

const OWN: CipherSuite = CipherSuite(0xF123);

fn with_own(kdf: Kdf, hash: HashAlgorithm) -> RustCrypto {
    let parameters = SuiteParameters {
        kem: Kem::XWing,
        kdf,
        aead: Aead::ChaCha20Poly1305,
        hash,
        signature: SignatureScheme::EcdsaP384Sha384,
    };
    RustCrypto::with_suites(&SuiteTable::default().with(OWN, parameters))
}

/// CRY-01
#[test]
fn offers_all_default_suites_but_x448() {
    let ids: Vec<u16> = RustCrypto::default().cipher_suites().iter().map(|id| id.0).collect();
    assert_eq!(ids, [0x004E, 0x004F, 0x0001, 0x0003, 0x0002, 0x0007, 0x0005]);
}

#[test]
fn refuses_suites_it_lacks() {
    let error = RustCrypto::default().suite(CipherSuite::X448_AES256).map(|_| ());
    assert_eq!(error, Err(CryptoError::UnsupportedSuite(CipherSuite::X448_AES256)));
}

#[test]
fn offers_a_suite_the_application_maps() {
    let suite = with_own(Kdf::Sha384, HashAlgorithm::Sha384).suite(OWN).unwrap();
    assert_eq!(suite.cipher_suite(), OWN);
    assert_eq!(suite.hash(&[b"x"]).as_slice().len(), 48);
}

#[test]
fn leaves_out_a_suite_with_two_hash_lengths() {
    let error = with_own(Kdf::Sha256, HashAlgorithm::Sha384).suite(OWN).map(|_| ());
    assert_eq!(error, Err(CryptoError::UnsupportedSuite(OWN)));
}
