//! Ed448 (RFC 8032, Section 5.2; RFC 9420, Section 5.1.2).
//!
//! In: 57-byte seeds and public keys, 114-byte signatures. Out: signatures and verdicts.
//! Always: the context is empty; a public key that may enter a leaf is the canonical encoding of a point on the curve
//! that is not of small order.

use mls_crypto::{CryptoError, Random, Secret, SignaturePrivateKey, SignaturePublicKey, SignatureScheme, SignedItem};
use mls_crypto_compose::SignatureFunctions;
use openssl::{
    error::ErrorStack,
    pkey::{Id, PKey, Private},
    sign::{Signer, Verifier},
};

mod point;

pub(crate) use point::PRIME;

/// Ed448.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ed448;

fn private_key(seed: &[u8]) -> Result<PKey<Private>, CryptoError> {
    if seed.len() != SEED_LEN {
        return Err(CryptoError::InvalidPrivateKey);
    }
    PKey::private_key_from_raw_bytes(seed, Id::ED448).map_err(|_| CryptoError::InvalidPrivateKey)
}

impl SignatureFunctions for Ed448 {
    fn generate(&self, random: &dyn Random) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError> {
        let mut seed = Secret::zero(SEED_LEN);
        random.fill(seed.as_mut_slice())?;
        let public_key = self.public_key(seed.as_slice())?;
        Ok((SignaturePrivateKey::new(seed), public_key))
    }

    fn public_key(&self, seed: &[u8]) -> Result<SignaturePublicKey, CryptoError> {
        let public_key = private_key(seed)?.raw_public_key().map_err(|_| CryptoError::Library)?;
        Ok(SignaturePublicKey::new(public_key))
    }

    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError> {
        // CRY-03 (RFC 9420, Section 5.1.1), X-AUTH-05.
        if point::is_on_curve(public_key)? && !point::is_small_order(public_key) {
            Ok(())
        } else {
            Err(CryptoError::InvalidPublicKey)
        }
    }

    fn sign(&self, key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        // Parsing derives the public key. OpenSSL wipes a private key when it frees it.
        key.with_parsed(SignatureScheme::Ed448, private_key, |key: &PKey<Private>| {
            let mut signer = Signer::new_without_digest(key).map_err(|_| CryptoError::Library)?;
            signer.sign_oneshot_to_vec(message).map_err(|_| CryptoError::Library)
        })
    }

    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError> {
        let public_key = item.public_key.as_slice();
        if !point::is_canonical(public_key) {
            return Err(CryptoError::InvalidPublicKey);
        }
        // CRY-05 (RFC 9420, Section 5.1.2): exactly `R || S`.
        if item.signature.len() != SIGNATURE_LEN {
            return Err(CryptoError::InvalidSignature);
        }
        if verifies(item).unwrap_or(false) {
            return Ok(());
        }
        // OpenSSL does not say which of the two was at fault.
        if point::is_on_curve(public_key)? {
            Err(CryptoError::InvalidSignature)
        } else {
            Err(CryptoError::InvalidPublicKey)
        }
    }
}

fn verifies(item: SignedItem<'_>) -> Result<bool, ErrorStack> {
    let key = PKey::public_key_from_raw_bytes(item.public_key.as_slice(), Id::ED448)?;
    Verifier::new_without_digest(&key)?.verify_oneshot(item.signature, item.message)
}

/// Length of a private key, in bytes.
const SEED_LEN: usize = 57;
/// Length of a signature `R || S`, in bytes.
const SIGNATURE_LEN: usize = 114;

#[cfg(test)]
mod tests;
