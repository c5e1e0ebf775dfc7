//! X-Wing, the hybrid of ML-KEM-768 and X25519 (draft-ietf-hpke-pq).
//!
//! In: 32-byte seeds as private keys, 1,216-byte public keys, 1,120-byte KEM outputs. Out: 32-byte shared secrets.
//! Always: the KEM itself is the portable provider's, since aws-lc-rs offers no key generation from a seed.

use mls_crypto::{CryptoError, HpkePrivateKey, HpkePublicKey, Random, Secret};
use mls_crypto_compose::{KeyEncapsulation, KeyPair};
use mls_crypto_rust::xwing;
use zeroize::Zeroizing;

/// MLKEM768-X25519, 0x647a.
#[derive(Clone, Copy, Debug)]
pub(crate) struct XWing;

impl KeyEncapsulation for XWing {
    fn generate(&self, random: &dyn Random) -> Result<KeyPair, CryptoError> {
        let mut seed = Secret::zero(xwing::SEED_LEN);
        random.fill(seed.as_mut_slice())?;
        let public_key = xwing::public_key(seed.as_slice())?;
        Ok((HpkePrivateKey::new(seed), HpkePublicKey::new(public_key)))
    }

    fn derive_key_pair(&self, ikm: &[u8]) -> Result<KeyPair, CryptoError> {
        let (seed, public_key) = xwing::derive_key_pair(ikm);
        Ok((HpkePrivateKey::new(seed), HpkePublicKey::new(public_key)))
    }

    fn public_key(&self, private_key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        xwing::public_key(private_key)
    }

    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError> {
        xwing::validate_public_key(public_key)
    }

    fn encapsulate(&self, public_key: &[u8], random: &dyn Random) -> Result<(Secret, Vec<u8>), CryptoError> {
        let mut randomness = Zeroizing::new([0; xwing::ENCAPSULATION_RANDOMNESS_LEN]);
        random.fill(randomness.as_mut_slice())?;
        let (kem_output, shared_secret) = xwing::encapsulate(public_key, &randomness)?;
        Ok((shared_secret, kem_output))
    }

    fn decapsulate(&self, private_key: &HpkePrivateKey, _: &[u8], kem_output: &[u8]) -> Result<Secret, CryptoError> {
        xwing::decapsulate(private_key.secret().as_slice(), kem_output)
    }
}
