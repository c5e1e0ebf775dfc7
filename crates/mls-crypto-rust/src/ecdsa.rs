//! ECDSA over the NIST curves (RFC 9420, Sections 5.1.1 and 5.1.2; FIPS 186-5; RFC 6979).
//!
//! In: big-endian scalars as private keys, uncompressed points as public keys, messages. Out: DER signatures with low
//! `s`, and verdicts.
//! Always: signatures are strict DER and public keys uncompressed.
//!
//! High `s` is accepted on verification: the signature scheme of RFC 8446 that Section 5.1.2 names allows it, and other
//! implementations emit it. Nothing may therefore take the bytes of a signature for an identity (X-AUTH-05).

use core::fmt;

use mls_crypto::{CryptoError, Random, Secret, SignedItem};

use crate::signature::SignatureOps;

/// How often a random scalar is drawn before the random source counts as broken. For every curve a draw fails with
/// probability below 2^-32.
const MAX_DRAWS: usize = 8;

/// Implements a signature scheme named `$scheme` on the curve crate `$curve`, whose scalars are `$len` bytes long and
/// have the bits of `$mask` in their first byte.
macro_rules! scheme {
    ($scheme:ident, $curve:ident, $len:literal, $mask:literal) => {
        #[doc = concat!("ECDSA with the hash and curve of the crate `", stringify!($curve), "`.")]
        pub(crate) struct $scheme;

        impl SignatureOps for $scheme {
            fn generate(&self, random: &dyn Random) -> Result<Secret, CryptoError> {
                let mut scalar = Secret::zero($len);
                for _ in 0..MAX_DRAWS {
                    random.fill(scalar.as_mut_slice())?;
                    if let Some(first) = scalar.as_mut_slice().first_mut() {
                        *first &= $mask;
                    }
                    if $curve::ecdsa::SigningKey::from_slice(scalar.as_slice()).is_ok() {
                        return Ok(scalar);
                    }
                }
                Err(CryptoError::Random)
            }

            fn public_key(&self, private_key: &[u8]) -> Result<Vec<u8>, CryptoError> {
                let key = Self::signing_key(private_key)?;
                Ok(key.verifying_key().to_sec1_point(false).as_bytes().to_vec())
            }

            fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError> {
                Self::verifying_key(public_key).map(|_| ())
            }

            fn sign(&self, private_key: &[u8], message: &[u8]) -> Result<Vec<u8>, CryptoError> {
                use $curve::ecdsa::signature::Signer;
                let key = Self::signing_key(private_key)?;
                let signature: $curve::ecdsa::Signature = key.try_sign(message).map_err(|_| CryptoError::Library)?;
                Ok(signature.normalize_s().to_der().as_bytes().to_vec())
            }

            fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError> {
                use $curve::ecdsa::signature::Verifier;
                let key = Self::verifying_key(item.public_key.as_slice())?;
                // CRY-05 (Section 5.1.2): strict DER; r and s between 1 and the group order.
                let signature = $curve::ecdsa::Signature::from_der(item.signature);
                let signature = signature.map_err(|_| CryptoError::InvalidSignature)?;
                key.verify(item.message, &signature).map_err(|_| CryptoError::InvalidSignature)
            }
        }

        impl $scheme {
            fn signing_key(bytes: &[u8]) -> Result<$curve::ecdsa::SigningKey, CryptoError> {
                if bytes.len() != $len {
                    return Err(CryptoError::InvalidPrivateKey);
                }
                $curve::ecdsa::SigningKey::from_slice(bytes).map_err(|_| CryptoError::InvalidPrivateKey)
            }

            fn verifying_key(bytes: &[u8]) -> Result<$curve::ecdsa::VerifyingKey, CryptoError> {
                // CRY-03 (Section 5.1.1): uncompressed form, and a point of the curve.
                if !is_uncompressed(bytes, $len) {
                    return Err(CryptoError::InvalidPublicKey);
                }
                $curve::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| CryptoError::InvalidPublicKey)
            }
        }

        impl fmt::Debug for $scheme {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($scheme))
            }
        }
    };
}

scheme!(P256, p256, 32, 0xff);
scheme!(P384, p384, 48, 0xff);
scheme!(P521, p521, 66, 0x01);

/// Whether the bytes have the shape `0x04 || X || Y` with coordinates of `len` bytes.
fn is_uncompressed(bytes: &[u8], len: usize) -> bool {
    matches!(bytes, [0x04, coordinates @ ..] if coordinates.len() == len.saturating_mul(2))
}
