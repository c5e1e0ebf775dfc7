//! Signatures, single and in batches (RFC 9420, Sections 5.1.1 and 5.1.2).

use mls_crypto::{
    CryptoError, Random, Secret, SignaturePrivateKey, SignaturePublicKey, SignatureScheme, SignedItem, SuiteCrypto,
};

use crate::ecdsa::Curve;
use crate::ed25519;
use crate::keys::with_len;

const MESSAGE: &[u8] = b"message";

pub(crate) fn check(suite: &dyn SuiteCrypto, random: &dyn Random) {
    round_trip(suite, random);
    refuses_changes(suite, random);
    refuses_lengths(suite, random);
    refuses_keys(suite, random);
    batches(suite, random);
}

/// The verdict of `suite` on one signature.
pub(crate) fn verdict(
    suite: &dyn SuiteCrypto,
    public_key: &SignaturePublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError> {
    suite.verify(SignedItem { public_key, message, signature })
}

fn round_trip(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let id = suite.cipher_suite();
    let (private_key, public_key) = suite.signature_generate(random).unwrap();
    assert_eq!(suite.signature_public_key(&private_key).as_ref(), Ok(&public_key), "{id:?}");
    assert_eq!(suite.validate_signature_public_key(&public_key), Ok(()), "{id:?}");
    for message in [&b""[..], MESSAGE, &[8; 5000]] {
        let signature = suite.sign(&private_key, message).unwrap();
        assert_eq!(verdict(suite, &public_key, message, &signature), Ok(()), "{id:?}");
    }
    let (_, other) = suite.signature_generate(random).unwrap();
    assert_ne!(public_key, other, "{id:?}: keys are not fresh");
    let signature = suite.sign(&private_key, MESSAGE).unwrap();
    let refused = Err(CryptoError::InvalidSignature);
    assert_eq!(verdict(suite, &other, MESSAGE, &signature), refused, "{id:?}: key");
    assert_eq!(verdict(suite, &public_key, b"other", &signature), refused, "{id:?}: message");
}

/// CRY-05
fn refuses_changes(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let id = suite.cipher_suite();
    let (private_key, public_key) = suite.signature_generate(random).unwrap();
    let signature = suite.sign(&private_key, MESSAGE).unwrap();
    let refused = Err(CryptoError::InvalidSignature);
    for position in 0..signature.len() {
        let mut changed = signature.clone();
        changed[position] ^= 1 << (position % 8);
        assert_eq!(verdict(suite, &public_key, MESSAGE, &changed), refused, "{id:?}: byte {position}");
    }
    for len in (0..=signature.len() + 1).filter(|len| *len != signature.len()) {
        let cut = with_len(&signature, len);
        assert_eq!(verdict(suite, &public_key, MESSAGE, &cut), refused, "{id:?}: length {len}");
    }
}

/// CRY-03
fn refuses_lengths(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let (private_key, public_key) = suite.signature_generate(random).unwrap();
    let (public, secret) = (public_key.as_slice(), private_key.secret().as_slice());
    for len in (0..=public.len() + 1).filter(|len| *len != public.len()) {
        refuses_public_key(suite, &with_len(public, len));
    }
    for len in (0..=2 * secret.len()).filter(|len| *len != secret.len()) {
        refuses_private_key(suite, &secret.iter().copied().cycle().take(len).collect::<Vec<u8>>());
    }
}

/// CRY-03, X-AUTH-05
fn refuses_keys(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let id = suite.cipher_suite();
    let Some(curve) = Curve::of(suite.parameters().signature) else {
        if suite.parameters().signature == SignatureScheme::Ed25519 {
            for bytes in ed25519::invalid_public_keys() {
                let validated = suite.validate_signature_public_key(&SignaturePublicKey::new(bytes.clone()));
                assert_eq!(validated, Err(CryptoError::InvalidPublicKey), "{id:?}: {bytes:02x?}");
            }
        }
        return;
    };
    let (_, public_key) = suite.signature_generate(random).unwrap();
    curve.invalid_points(public_key.as_slice()).iter().for_each(|bytes| refuses_public_key(suite, bytes));
    curve.invalid_scalars().iter().for_each(|bytes| refuses_private_key(suite, bytes));
}

fn refuses_public_key(suite: &dyn SuiteCrypto, bytes: &[u8]) {
    let id = suite.cipher_suite();
    let key = SignaturePublicKey::new(bytes.to_vec());
    let invalid = Err(CryptoError::InvalidPublicKey);
    assert_eq!(suite.validate_signature_public_key(&key), invalid, "{id:?}: {bytes:02x?}");
    assert_eq!(verdict(suite, &key, MESSAGE, &[0; 64]), invalid, "{id:?}: {bytes:02x?}");
}

fn refuses_private_key(suite: &dyn SuiteCrypto, bytes: &[u8]) {
    let id = suite.cipher_suite();
    let key = SignaturePrivateKey::new(Secret::copy_from(bytes));
    let invalid = Some(CryptoError::InvalidPrivateKey);
    assert_eq!(suite.signature_public_key(&key).err(), invalid, "{id:?}: length {}", bytes.len());
    assert_eq!(suite.sign(&key, MESSAGE).err(), invalid, "{id:?}: length {}", bytes.len());
}

fn batches(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let id = suite.cipher_suite();
    let keys = [suite.signature_generate(random).unwrap(), suite.signature_generate(random).unwrap()];
    let messages: Vec<Vec<u8>> = (0..6).map(|position| vec![position; 10]).collect();
    let signed = |position: usize| suite.sign(&keys[position % 2].0, &messages[position]).unwrap();
    let signatures: Vec<Vec<u8>> = (0..6).map(signed).collect();
    let no_key = SignaturePublicKey::new(vec![1; 7]);
    let item = |position: usize| SignedItem {
        public_key: &keys[position % 2].1,
        message: &messages[position],
        signature: &signatures[position],
    };
    let items: Vec<SignedItem<'_>> = (0..6).map(item).collect();
    assert_eq!(suite.verify_batch(&[]), Ok(()), "{id:?}");
    for len in 1..=6 {
        assert_eq!(suite.verify_batch(&items[..len]), Ok(()), "{id:?}: {len}");
        assert_eq!(suite.verify_batch_of_new_keys(&items[..len]), Ok(()), "{id:?}: new keys: {len}");
    }
    for first in 0..6 {
        for second in first..6 {
            let mut items = items.clone();
            items[second].public_key = &no_key;
            items[first].public_key = &keys[(first + 1) % 2].1;
            let error = suite.verify_batch(&items);
            assert_eq!(error, Err((first, CryptoError::InvalidSignature)), "{id:?}: {first}, {second}");
            let error = suite.verify_batch_of_new_keys(&items);
            let expected = if first == second { CryptoError::InvalidSignature } else { CryptoError::InvalidPublicKey };
            assert_eq!(error, Err((second, expected)), "{id:?}: new keys: {first}, {second}");
            items[first].public_key = &no_key;
            let error = suite.verify_batch(&items);
            assert_eq!(error, Err((first, CryptoError::InvalidPublicKey)), "{id:?}: {first}, {second}");
        }
    }
    let mut swapped = items;
    swapped[2].signature = &signatures[4];
    swapped[4].signature = &signatures[2];
    assert_eq!(suite.verify_batch(&swapped), Err((2, CryptoError::InvalidSignature)), "{id:?}: swapped");
}
