//! Signature schemes as objects (RFC 9420, Section 5.1.2).
//!
//! In: serialized keys, messages and signatures. Out: signatures and verdicts.
//! Always: a scheme is looked up once, when its suite is made.

use core::fmt;

use mls_crypto::{CryptoError, Random, Secret, SignatureScheme, SignedItem};

use crate::ecdsa::{P256, P384, P521};
use crate::ed25519;

/// Operations of one signature scheme.
pub(crate) trait SignatureOps: Send + Sync + fmt::Debug {
    /// A fresh private key.
    fn generate(&self, random: &dyn Random) -> Result<Secret, CryptoError>;
    /// The public half of a private key.
    fn public_key(&self, private_key: &[u8]) -> Result<Vec<u8>, CryptoError>;
    /// Whether the public key may enter a leaf.
    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError>;
    /// A signature.
    fn sign(&self, private_key: &[u8], message: &[u8]) -> Result<Vec<u8>, CryptoError>;
    /// Whether one signature verifies.
    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError>;
    /// Whether all signatures verify; the first that does not, otherwise.
    fn verify_batch(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        let checked =
            |(position, item): (usize, &SignedItem<'_>)| self.verify(*item).map_err(|error| (position, error));
        items.iter().enumerate().try_for_each(checked)
    }
    /// Whether all keys may enter leaves and all signatures verify; the first that does not, otherwise.
    fn verify_batch_of_new_keys(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        let validate = |(position, item): (usize, &SignedItem<'_>)| {
            self.validate(item.public_key.as_slice()).map_err(|error| (position, error))
        };
        items.iter().enumerate().try_for_each(validate)?;
        self.verify_batch(items)
    }
}

/// The operations of `scheme`; `None` if it is not here.
pub(crate) const fn of_scheme(scheme: SignatureScheme) -> Option<&'static dyn SignatureOps> {
    match scheme {
        SignatureScheme::Ed25519 => Some(&Ed25519),
        SignatureScheme::EcdsaP256Sha256 => Some(&P256),
        SignatureScheme::EcdsaP384Sha384 => Some(&P384),
        SignatureScheme::EcdsaP521Sha512 => Some(&P521),
        _ => None,
    }
}

#[derive(Debug)]
struct Ed25519;

impl SignatureOps for Ed25519 {
    fn generate(&self, random: &dyn Random) -> Result<Secret, CryptoError> {
        let mut seed = Secret::zero(ed25519::SEED_LEN);
        random.fill(seed.as_mut_slice())?;
        Ok(seed)
    }

    fn public_key(&self, private_key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        ed25519::public_key(private_key).map(Vec::from)
    }

    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError> {
        ed25519::validate_public_key(public_key)
    }

    fn sign(&self, private_key: &[u8], message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        ed25519::sign(private_key, message).map(Vec::from)
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
