//! Authenticated encryption (RFC 9420, Sections 5.1 and 6.3).

use mls_crypto::{CryptoError, SuiteCrypto};

const AAD: &[u8] = b"associated data";

pub(crate) fn check(suite: &dyn SuiteCrypto) {
    round_trip(suite);
    refuses_changes(suite);
    refuses_lengths(suite);
}

fn key_and_nonce(suite: &dyn SuiteCrypto) -> (Vec<u8>, Vec<u8>) {
    (vec![1; suite.aead_key_len()], vec![2; suite.aead_nonce_len()])
}

fn round_trip(suite: &dyn SuiteCrypto) {
    let id = suite.cipher_suite();
    let (key, nonce) = key_and_nonce(suite);
    for len in [0, 1, 15, 16, 17, 1000] {
        let plaintext = vec![3; len];
        let mut buffer = plaintext.clone();
        suite.aead_seal(&key, &nonce, AAD, &mut buffer).unwrap();
        assert_eq!(buffer.len(), len + 16, "{id:?}");
        assert!(len == 0 || !buffer.starts_with(&plaintext), "{id:?}");
        suite.aead_open(&key, &nonce, AAD, &mut buffer).unwrap();
        assert_eq!(buffer, plaintext, "{id:?}");
    }
}

fn refuses_changes(suite: &dyn SuiteCrypto) {
    let id = suite.cipher_suite();
    let (key, nonce) = key_and_nonce(suite);
    let mut sealed = b"plaintext".to_vec();
    suite.aead_seal(&key, &nonce, AAD, &mut sealed).unwrap();

    let open = |key: &[u8], nonce: &[u8], aad: &[u8], sealed: &[u8]| {
        suite.aead_open(key, nonce, aad, &mut sealed.to_vec()).err()
    };
    let failed = Some(CryptoError::OpenFailed);
    assert_eq!(open(&vec![9; key.len()], &nonce, AAD, &sealed), failed, "{id:?}: key");
    assert_eq!(open(&key, &vec![9; nonce.len()], AAD, &sealed), failed, "{id:?}: nonce");
    assert_eq!(open(&key, &nonce, b"other", &sealed), failed, "{id:?}: associated data");
    for position in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        assert_eq!(open(&key, &nonce, AAD, &changed), failed, "{id:?}: byte {position}");
        assert_eq!(open(&key, &nonce, AAD, &sealed[..position]), failed, "{id:?}: cut to {position}");
    }
    assert_eq!(open(&key, &nonce, AAD, &sealed), None, "{id:?}");
}

fn refuses_lengths(suite: &dyn SuiteCrypto) {
    let id = suite.cipher_suite();
    let (key, nonce) = key_and_nonce(suite);
    let both = |key: &[u8], nonce: &[u8]| {
        let mut buffer = vec![0; 32];
        let sealed = suite.aead_seal(key, nonce, AAD, &mut buffer).err();
        (sealed, suite.aead_open(key, nonce, AAD, &mut buffer).err())
    };
    let wrong = (Some(CryptoError::InvalidLength), Some(CryptoError::InvalidLength));
    for len in (0..=33).filter(|len| *len != key.len()) {
        assert_eq!(both(&vec![1; len], &nonce), wrong, "{id:?}: key of {len}");
    }
    for len in (0..=24).filter(|len| *len != nonce.len()) {
        assert_eq!(both(&key, &vec![1; len]), wrong, "{id:?}: nonce of {len}");
    }
}
