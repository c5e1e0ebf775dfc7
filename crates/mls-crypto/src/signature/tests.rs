use core::cell::Cell;

use super::SignaturePrivateKey;
use crate::{CryptoError, Secret, SignatureScheme};

/// What a provider makes of a key.
struct First(Vec<u8>);
/// What another one makes of it.
struct Second;

fn key() -> SignaturePrivateKey {
    SignaturePrivateKey::new(Secret::copy_from(&[7; 32]))
}

/// Signs with the first provider's form; counts how often that is made.
fn sign(key: &SignaturePrivateKey, scheme: SignatureScheme, parsed: &Cell<u32>) -> Result<Vec<u8>, CryptoError> {
    let parse = |bytes: &[u8]| {
        parsed.set(parsed.get().saturating_add(1));
        Ok(First(bytes.to_vec()))
    };
    key.with_parsed(scheme, parse, |First(bytes)| Ok(bytes.clone()))
}

#[test]
fn is_parsed_once_for_all_owners() {
    let (key, parsed) = (key(), Cell::new(0));
    for owner in [&key, &key.duplicate(), &key] {
        assert_eq!(sign(owner, SignatureScheme::Ed25519, &parsed), Ok(vec![7; 32]));
    }
    assert_eq!(parsed.get(), 1);
}

#[test]
fn a_form_serves_its_own_scheme_and_provider_only() {
    let (key, parsed) = (key(), Cell::new(0));
    for scheme in [SignatureScheme::Ed25519, SignatureScheme::EcdsaP256Sha256, SignatureScheme::EcdsaP256Sha256] {
        assert_eq!(sign(&key, scheme, &parsed), Ok(vec![7; 32]));
    }
    assert_eq!(parsed.get(), 3);
    let other = Cell::new(false);
    let parse = |_: &[u8]| {
        other.set(true);
        Ok(Second)
    };
    assert_eq!(key.with_parsed(SignatureScheme::Ed25519, parse, |Second| Ok(())), Ok(()));
    assert!(other.get());
    // The first form is still there.
    assert_eq!(sign(&key, SignatureScheme::Ed25519, &parsed), Ok(vec![7; 32]));
    assert_eq!(parsed.get(), 3);
}

#[test]
fn a_key_that_cannot_be_parsed_keeps_nothing() {
    let (key, parsed) = (key(), Cell::new(0));
    let refuse = |_: &[u8]| Err::<First, _>(CryptoError::InvalidPrivateKey);
    let refused = key.with_parsed(SignatureScheme::Ed25519, refuse, |_| Ok(()));
    assert_eq!(refused, Err(CryptoError::InvalidPrivateKey));
    assert_eq!(sign(&key, SignatureScheme::Ed25519, &parsed), Ok(vec![7; 32]));
    assert_eq!(parsed.get(), 1);
}
