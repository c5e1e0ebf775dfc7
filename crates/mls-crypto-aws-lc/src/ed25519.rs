//! Ed25519 (RFC 8032; RFC 9420, Section 5.1.2).
//!
//! In: 32-byte seeds and public keys, 64-byte signatures. Out: signatures and verdicts.
//! Always: aws-lc signs; verification is the portable provider's, so that both have one accept set.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use mls_crypto::{CryptoError, Random, Secret, SignaturePrivateKey, SignaturePublicKey, SignatureScheme, SignedItem};
use mls_crypto_compose::SignatureFunctions;
use mls_crypto_rust::ed25519;

/// Ed25519.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ed25519;

fn key_pair(seed: &[u8]) -> Result<Ed25519KeyPair, CryptoError> {
    // Unchecked means that no public key is given to compare with.
    Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| CryptoError::InvalidPrivateKey)
}

impl SignatureFunctions for Ed25519 {
    fn generate(&self, random: &dyn Random) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError> {
        let mut seed = Secret::zero(ed25519::SEED_LEN);
        random.fill(seed.as_mut_slice())?;
        let public_key = self.public_key(seed.as_slice())?;
        Ok((SignaturePrivateKey::new(seed), public_key))
    }

    fn public_key(&self, private_key: &[u8]) -> Result<SignaturePublicKey, CryptoError> {
        Ok(SignaturePublicKey::new(key_pair(private_key)?.public_key().as_ref().to_vec()))
    }

    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError> {
        ed25519::validate_public_key(public_key)
    }

    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        // Parsing derives the public key, which takes as long as signing. aws-lc wipes what it frees.
        private_key.with_parsed(SignatureScheme::Ed25519, key_pair, |key_pair: &Ed25519KeyPair| {
            let signature = key_pair.try_sign(message).map_err(|_| CryptoError::Library)?;
            Ok(signature.as_ref().to_vec())
        })
    }

    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError> {
        ed25519::verify(item)
    }

    fn verify_batch(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        ed25519::verify_batch(items)
    }

    fn verify_batch_of_new_keys(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        ed25519::verify_batch_of_new_keys(items)
    }
}
