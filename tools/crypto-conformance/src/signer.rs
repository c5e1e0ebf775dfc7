//! Signers, wherever their key is (RFC 9420, Section 5.1.2).

use std::sync::Arc;

use mls_crypto::{CryptoError, CryptoProvider, SignaturePrivateKey, Signer, SuiteCrypto, WithSigners};

use crate::signature::verdict;

/// What every signer must do. `make` opens one and the same key each time, of the scheme of `suite`.
///
/// # Panics
/// If an expectation does not hold.
pub fn signer(provider: &Arc<dyn CryptoProvider>, suite: &dyn SuiteCrypto, make: &dyn Fn() -> Arc<dyn Signer>) {
    let (one, again) = (make(), make());
    let public_key = one.public_key().clone();
    assert_eq!(again.public_key(), &public_key, "one key");
    assert_eq!(suite.validate_signature_public_key(&public_key), Ok(()), "a key of the scheme");
    for message in [&b""[..], b"message", &[8; 5_000]] {
        for signer in [&one, &again] {
            let signature = signer.sign(message).unwrap();
            assert_eq!(verdict(suite, &public_key, message, &signature), Ok(()), "its signature");
            let other = [message, b"!"].concat();
            let refused = Err(CryptoError::InvalidSignature);
            assert_eq!(verdict(suite, &public_key, &other, &signature), refused, "of this message");
        }
    }
    handle(provider, suite, &one);
    threads(suite, &one);
}

/// An engine signs with it where it is handed its handle.
fn handle(provider: &Arc<dyn CryptoProvider>, suite: &dyn SuiteCrypto, signer: &Arc<dyn Signer>) {
    let with = WithSigners::new(provider.clone(), vec![signer.clone()]).suite(suite.cipher_suite()).unwrap();
    let handle = SignaturePrivateKey::handle(signer.public_key());
    assert_eq!(with.signature_public_key(&handle).as_ref(), Ok(signer.public_key()));
    let signature = with.sign(&handle, b"message").unwrap();
    assert_eq!(verdict(suite, signer.public_key(), b"message", &signature), Ok(()), "by its handle");
}

/// Several ask at once.
fn threads(suite: &dyn SuiteCrypto, signer: &Arc<dyn Signer>) {
    std::thread::scope(|scope| {
        for number in 0..4_u8 {
            scope.spawn(move || {
                for message in [[number, 0], [number, 1]] {
                    let signature = signer.sign(&message).unwrap();
                    assert_eq!(verdict(suite, signer.public_key(), &message, &signature), Ok(()), "thread {number}");
                }
            });
        }
    });
}
