//! X-Wing, the hybrid of ML-KEM-768 and X25519 (draft-connolly-cfrg-xwing-kem, draft-ietf-hpke-pq; KEM id 0x647a).
//!
//! In: a 1,216-byte public key or a 32-byte seed, and 64 random bytes or a 1,120-byte KEM output. Out: the 32-byte
//! shared secret, which is also that of the HPKE KEM.
//! Always: keys and KEM outputs whose X25519 half is of low order are refused (CRY-08).
//!
//! For providers that compose HPKE themselves; the portable one uses the same code through its HPKE library.

use hpke::kem::XWing;
use hpke::{Kem, Serializable};
use mls_crypto::{CryptoError, Secret};
use x_wing::{
    Ciphertext, DecapsulationKeyRejectNonContrib, Decapsulator, EncapsulationKey, KeyExport, KeyInit, TryDecapsulate,
};
use zeroize::Zeroize;

use crate::kem::public_key_for_use;
use crate::x25519;

/// Length of a private key, the seed of both halves, in bytes.
pub const SEED_LEN: usize = x_wing::DECAPSULATION_KEY_SIZE;

/// Length of a public key, in bytes.
pub const PUBLIC_KEY_LEN: usize = x_wing::ENCAPSULATION_KEY_SIZE;

/// Length of a KEM output, in bytes.
pub const KEM_OUTPUT_LEN: usize = x_wing::CIPHERTEXT_SIZE;

/// Random bytes one encapsulation takes.
pub const ENCAPSULATION_RANDOMNESS_LEN: usize = x_wing::ENCAPSULATION_RANDOMNESS_SIZE;

/// `DeriveKeyPair(ikm)` (draft-ietf-hpke-pq): the seed and the public key.
pub fn derive_key_pair(ikm: &[u8]) -> (Secret, Vec<u8>) {
    let (private_key, public_key) = XWing::derive_keypair(ikm);
    let mut seed = Secret::zero(SEED_LEN);
    private_key.write_exact(seed.as_mut_slice());
    (seed, public_key.to_bytes().to_vec())
}

/// The public key of a seed.
///
/// # Errors
/// [`CryptoError::InvalidPrivateKey`] unless the seed is 32 bytes long.
pub fn public_key(seed: &[u8]) -> Result<Vec<u8>, CryptoError> {
    Ok(decapsulation_key(seed)?.encapsulation_key().to_bytes().to_vec())
}

/// Whether a public key is valid: length, ML-KEM coefficients in range, X25519 half not of low order (CRY-02).
///
/// # Errors
/// [`CryptoError::InvalidPublicKey`].
pub fn validate_public_key(public_key: &[u8]) -> Result<(), CryptoError> {
    public_key_for_use::<XWing>(public_key).map(|_| ()).map_err(|_| CryptoError::InvalidPublicKey)
}

/// Encapsulates to a public key with fresh uniform random bytes, never used for anything else. Returns KEM output and
/// shared secret.
///
/// # Errors
/// [`CryptoError::InvalidPublicKey`], [`CryptoError::ZeroSharedSecret`].
pub fn encapsulate(
    public_key: &[u8],
    randomness: &[u8; ENCAPSULATION_RANDOMNESS_LEN],
) -> Result<(Vec<u8>, Secret), CryptoError> {
    let key = EncapsulationKey::try_from(public_key).map_err(|_| CryptoError::InvalidPublicKey)?;
    refuse_low_order(public_key)?;
    let (kem_output, mut shared) = key.encapsulate_deterministic(randomness.into());
    let secret = Secret::copy_from(&shared);
    shared.as_mut_slice().zeroize();
    Ok((kem_output.to_vec(), secret))
}

/// Decapsulates a KEM output with the seed of the private key.
///
/// # Errors
/// [`CryptoError::InvalidPrivateKey`] and [`CryptoError::InvalidKemOutput`] for wrong lengths,
/// [`CryptoError::ZeroSharedSecret`]. A KEM output made for another key gives another secret, as ML-KEM does.
pub fn decapsulate(seed: &[u8], kem_output: &[u8]) -> Result<Secret, CryptoError> {
    let key = decapsulation_key(seed)?;
    let ciphertext = Ciphertext::try_from(kem_output).map_err(|_| CryptoError::InvalidKemOutput)?;
    refuse_low_order(kem_output)?;
    let mut shared = key.try_decapsulate(&ciphertext).map_err(|_| CryptoError::ZeroSharedSecret)?;
    let secret = Secret::copy_from(&shared);
    shared.as_mut_slice().zeroize();
    Ok(secret)
}

fn decapsulation_key(seed: &[u8]) -> Result<DecapsulationKeyRejectNonContrib, CryptoError> {
    DecapsulationKeyRejectNonContrib::new_from_slice(seed).map_err(|_| CryptoError::InvalidPrivateKey)
}

// CRY-08 (RFC 9180, Section 7.1.4).
fn refuse_low_order(bytes: &[u8]) -> Result<(), CryptoError> {
    match bytes.last_chunk::<32>() {
        Some(u) if x25519::is_low_order(u) => Err(CryptoError::ZeroSharedSecret),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
