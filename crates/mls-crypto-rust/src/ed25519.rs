//! Ed25519 with one accept set (RFC 8032, Section 5.1; RFC 9420, Section 5.1.2).
//!
//! In: 32-byte seeds and public keys, 64-byte signatures, messages. Out: signatures and verdicts.
//! Always: [`verify`] and [`verify_batch`] accept the same signatures: `A` and `R` canonically encoded, `S` reduced,
//! and the cofactored equation `[8][S]B = [8]R + [8][k]A`.
//!
//! Whatever the cofactorless equation accepts, the cofactored one accepts too, so [`verify`] tries the faster
//! cofactorless check first and the cofactored one only when that fails.
//!
//! A public key of small order passes [`verify`] if its encoding is canonical and the equation holds. Such keys are
//! kept out where a key enters a leaf, by [`validate_public_key`]; a rule in one place cannot differ between single
//! and batch verification.

mod batch;

use std::sync::LazyLock;

use curve25519_dalek::{constants::EIGHT_TORSION, edwards::CompressedEdwardsY};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use mls_crypto::{CryptoError, SignedItem};

pub use batch::{verify_batch, verify_batch_of_new_keys};

/// Length of a private key, in bytes.
pub const SEED_LEN: usize = 32;

/// Length of a public key, in bytes.
pub const PUBLIC_KEY_LEN: usize = 32;

/// Length of a signature `R || S`, in bytes.
pub const SIGNATURE_LEN: usize = 64;

/// The public key of a 32-byte seed.
///
/// # Errors
/// [`CryptoError::InvalidPrivateKey`] for any other length.
pub fn public_key(seed: &[u8]) -> Result<[u8; PUBLIC_KEY_LEN], CryptoError> {
    Ok(signing_key(seed)?.verifying_key().to_bytes())
}

/// The deterministic signature of `message` under a 32-byte seed.
///
/// # Errors
/// [`CryptoError::InvalidPrivateKey`] for any other length.
pub fn sign(seed: &[u8], message: &[u8]) -> Result<[u8; SIGNATURE_LEN], CryptoError> {
    Ok(signing_key(seed)?.sign(message).to_bytes())
}

/// Whether a public key may enter a leaf: 32 bytes, the canonical encoding of a point that is not of small order.
///
/// # Errors
/// [`CryptoError::InvalidPublicKey`].
pub fn validate_public_key(public_key: &[u8]) -> Result<(), CryptoError> {
    // CRY-03 (Section 5.1.1), X-AUTH-05.
    let bytes = canonical_public_key(public_key)?;
    match CompressedEdwardsY(bytes).decompress() {
        Some(point) if !point.is_small_order() => Ok(()),
        _ => Err(CryptoError::InvalidPublicKey),
    }
}

/// Whether the bytes, if they encode a point at all, are a public key that [`validate_public_key`] lets into a leaf: told
/// by the encoding alone, for whoever reads the point later.
fn may_enter_leaf(public_key: &[u8]) -> bool {
    // A point of small order has one canonical encoding.
    static SMALL_ORDER: LazyLock<[[u8; 32]; 8]> =
        LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().to_bytes()));
    canonical_public_key(public_key).is_ok_and(|bytes| !SMALL_ORDER.contains(&bytes))
}

/// Verifies one signature.
///
/// # Errors
/// [`CryptoError::InvalidPublicKey`] if the key is not the canonical encoding of a point;
/// [`CryptoError::InvalidSignature`] otherwise.
pub fn verify(item: SignedItem<'_>) -> Result<(), CryptoError> {
    let (public_key, signature) = canonical(item)?;
    let key = VerifyingKey::from_bytes(&public_key).map_err(|_| CryptoError::InvalidPublicKey)?;
    if key.verify(item.message, &Signature::from_bytes(&signature)).is_ok() {
        return Ok(());
    }
    verify_cofactored(&public_key, item.message, &signature)
}

/// The cofactored equation alone; encodings have been checked.
fn verify_cofactored(
    public_key: &[u8; PUBLIC_KEY_LEN],
    message: &[u8],
    signature: &[u8; SIGNATURE_LEN],
) -> Result<(), CryptoError> {
    let key = ed25519_zebra::VerificationKey::try_from(*public_key).map_err(|_| CryptoError::InvalidPublicKey)?;
    key.verify(&Signature::from_bytes(signature), message).map_err(|_| CryptoError::InvalidSignature)
}

/// Public key and signature of an item, with right lengths and with `A` and `R` canonical.
fn canonical(item: SignedItem<'_>) -> Result<([u8; PUBLIC_KEY_LEN], [u8; SIGNATURE_LEN]), CryptoError> {
    let public_key = canonical_public_key(item.public_key.as_slice())?;
    // CRY-05 (Section 5.1.2): exactly `R || S`. The equation's own code requires `S` to be reduced.
    let signature: [u8; SIGNATURE_LEN] = item.signature.try_into().map_err(|_| CryptoError::InvalidSignature)?;
    match signature.first_chunk() {
        Some(r) if is_canonical(r) => Ok((public_key, signature)),
        _ => Err(CryptoError::InvalidSignature),
    }
}

fn canonical_public_key(public_key: &[u8]) -> Result<[u8; PUBLIC_KEY_LEN], CryptoError> {
    let bytes = public_key.try_into().map_err(|_| CryptoError::InvalidPublicKey)?;
    if is_canonical(&bytes) { Ok(bytes) } else { Err(CryptoError::InvalidPublicKey) }
}

/// Whether the bytes, if they encode a point at all, are its only RFC 8032 encoding (Section 5.1.3 there): `y` is below
/// the prime `2^255 - 19`, and the sign bit is clear where `x` is zero, which is at `y = 1` and `y = -1`.
fn is_canonical(encoding: &[u8; 32]) -> bool {
    let [first, middle @ .., last] = encoding;
    let (top, negative) = (last & 0x7f, last & 0x80 != 0);
    let all_ones = top == 0x7f && middle.iter().all(|byte| *byte == 0xff);
    let all_zeros = top == 0x00 && middle.iter().all(|byte| *byte == 0x00);
    let reduced = !(all_ones && *first >= 0xed);
    let x_is_zero = (all_zeros && *first == 0x01) || (all_ones && *first == 0xec);
    reduced && !(x_is_zero && negative)
}

fn signing_key(seed: &[u8]) -> Result<SigningKey, CryptoError> {
    SigningKey::try_from(seed).map_err(|_| CryptoError::InvalidPrivateKey)
}

#[cfg(test)]
mod tests;
