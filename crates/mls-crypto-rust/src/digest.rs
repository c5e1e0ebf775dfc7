//! Hash, HMAC and HKDF (RFC 9420, Section 5.1; RFC 2104; RFC 5869).
//!
//! In: bytes. Out: `Nh` bytes, or as many as asked for within the KDF's limit.
//! Always: generic over the hash here, an object above.

use core::fmt;
use core::marker::PhantomData;

use hkdf::Hkdf;
use hmac::{EagerHash, Mac};
use mls_crypto::{CryptoError, Hash, HashAlgorithm, Kdf, Secret, Tag};
use sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroize;

use crate::hmac::keyed;

/// Hash, MAC and KDF over one hash function.
pub(crate) trait DigestOps: Send + Sync + fmt::Debug {
    /// Hash of the concatenated parts.
    fn hash(&self, parts: &[&[u8]]) -> Hash;
    /// HMAC of the concatenated parts.
    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Tag;
    /// HKDF-Extract (RFC 5869, Section 2.2).
    fn extract(&self, salt: &[u8], ikm: &[u8]) -> Secret;
    /// HKDF-Expand (RFC 5869, Section 2.3).
    fn expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError>;
}

/// The operations over `hash`; `None` if it is not here.
pub(crate) const fn of_hash(hash: HashAlgorithm) -> Option<&'static dyn DigestOps> {
    match hash {
        HashAlgorithm::Sha256 => Some(&Over::<Sha256>(PhantomData)),
        HashAlgorithm::Sha384 => Some(&Over::<Sha384>(PhantomData)),
        HashAlgorithm::Sha512 => Some(&Over::<Sha512>(PhantomData)),
        _ => None,
    }
}

/// The hash under `kdf`; `None` if it is not here.
pub(crate) const fn hash_of(kdf: Kdf) -> Option<HashAlgorithm> {
    match kdf {
        Kdf::Sha256 => Some(HashAlgorithm::Sha256),
        Kdf::Sha384 => Some(HashAlgorithm::Sha384),
        Kdf::Sha512 => Some(HashAlgorithm::Sha512),
        _ => None,
    }
}

struct Over<D>(PhantomData<fn() -> D>);

impl<D> fmt::Debug for Over<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Over")
    }
}

impl<D: Digest + EagerHash + Clone> DigestOps for Over<D> {
    fn hash(&self, parts: &[&[u8]]) -> Hash {
        let mut digest = D::new();
        parts.iter().for_each(|part| Digest::update(&mut digest, part));
        output(Hash::from_slice(&digest.finalize()))
    }

    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Tag {
        let mut mac = keyed::<D>(key);
        parts.iter().for_each(|part| mac.update(part));
        output(Tag::from_slice(&mac.finalize().into_bytes()))
    }

    fn extract(&self, salt: &[u8], ikm: &[u8]) -> Secret {
        let (mut prk, _) = Hkdf::<D>::extract(Some(salt), ikm);
        let secret = Secret::copy_from(&prk);
        prk.zeroize();
        secret
    }

    fn expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
        // CRY-10 (Section 8): at most 255 blocks, refused before anything is allocated.
        if len > <D as Digest>::output_size().saturating_mul(255) {
            return Err(CryptoError::OutputTooLong(len));
        }
        let hkdf = Hkdf::<D>::from_prk(prk).map_err(|_| CryptoError::InvalidLength)?;
        let mut secret = Secret::zero(len);
        hkdf.expand(info, secret.as_mut_slice()).map_err(|_| CryptoError::OutputTooLong(len))?;
        Ok(secret)
    }
}

#[expect(clippy::expect_used, reason = "no SHA-2 output is longer than 64 bytes")]
fn output<T>(value: Option<T>) -> T {
    value.expect("at most 64 bytes")
}
