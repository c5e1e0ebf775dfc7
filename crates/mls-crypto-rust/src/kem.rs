//! KEM keys: generation, derivation and validation (RFC 9180, Sections 4 and 7.1; RFC 9420, Section 5.1.1).
//!
//! In: serialized keys. Out: the library's typed keys, or the error that names what is wrong.
//! Always: a public key that leaves [`public_key_for_use`] is a valid point that is not of low order.

use core::fmt;
use core::marker::PhantomData;

use hpke::kem::{DhP256HkdfSha256, DhP384HkdfSha384, DhP521HkdfSha512, X25519HkdfSha256, XWing};
use hpke::{Deserializable, Serializable};
use mls_crypto::{CryptoError, HpkePrivateKey, HpkePublicKey, Kem, Random, Secret};
use zeroize::Zeroizing;

use crate::x25519;

/// Key operations of one KEM.
pub(crate) trait KemOps: Send + Sync + fmt::Debug {
    /// A fresh key pair: `DeriveKeyPair` of `Nsk` random bytes.
    fn generate(&self, random: &dyn Random) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError>;
    /// `DeriveKeyPair(ikm)` (RFC 9180, Section 7.1.3; for X-Wing draft-ietf-hpke-pq).
    fn derive_key_pair(&self, ikm: &[u8]) -> (HpkePrivateKey, HpkePublicKey);
    /// The public half.
    fn public_key(&self, private_key: &HpkePrivateKey) -> Result<HpkePublicKey, CryptoError>;
    /// Whether the public key is valid and not of low order.
    fn validate(&self, public_key: &HpkePublicKey) -> Result<(), CryptoError>;
}

/// What the library's KEM trait does not say.
pub(crate) trait MlsKem: hpke::Kem {
    /// Whether public keys and KEM outputs end with an X25519 u-coordinate.
    const ENDS_WITH_X25519: bool;
}

impl MlsKem for DhP256HkdfSha256 {
    const ENDS_WITH_X25519: bool = false;
}

impl MlsKem for DhP384HkdfSha384 {
    const ENDS_WITH_X25519: bool = false;
}

impl MlsKem for DhP521HkdfSha512 {
    const ENDS_WITH_X25519: bool = false;
}

impl MlsKem for X25519HkdfSha256 {
    const ENDS_WITH_X25519: bool = true;
}

impl MlsKem for XWing {
    const ENDS_WITH_X25519: bool = true;
}

/// The key operations of `kem`; `None` if it is not here.
pub(crate) const fn of_kem(kem: Kem) -> Option<&'static dyn KemOps> {
    match kem {
        Kem::X25519 => Some(&Keys::<X25519HkdfSha256>(PhantomData)),
        Kem::P256 => Some(&Keys::<DhP256HkdfSha256>(PhantomData)),
        Kem::P384 => Some(&Keys::<DhP384HkdfSha384>(PhantomData)),
        Kem::P521 => Some(&Keys::<DhP521HkdfSha512>(PhantomData)),
        Kem::XWing => Some(&Keys::<XWing>(PhantomData)),
        _ => None,
    }
}

/// A public key a Diffie-Hellman operation may use.
///
/// # Errors
/// [`CryptoError::InvalidPublicKey`], [`CryptoError::ZeroSharedSecret`].
pub(crate) fn public_key_for_use<K: MlsKem>(bytes: &[u8]) -> Result<K::PublicKey, CryptoError> {
    let public_key = K::PublicKey::from_bytes(bytes).map_err(|_| CryptoError::InvalidPublicKey)?;
    refuse_low_order::<K>(bytes)?;
    Ok(public_key)
}

/// A KEM output a Diffie-Hellman operation may use.
///
/// # Errors
/// [`CryptoError::InvalidKemOutput`], [`CryptoError::ZeroSharedSecret`].
pub(crate) fn kem_output_for_use<K: MlsKem>(bytes: &[u8]) -> Result<K::EncappedKey, CryptoError> {
    // PROP-15 (Section 12.1.6): wrong length or no point of the curve.
    let kem_output = K::EncappedKey::from_bytes(bytes).map_err(|_| CryptoError::InvalidKemOutput)?;
    refuse_low_order::<K>(bytes)?;
    Ok(kem_output)
}

/// The typed private key.
///
/// # Errors
/// [`CryptoError::InvalidPrivateKey`].
pub(crate) fn private_key<K: MlsKem>(key: &HpkePrivateKey) -> Result<K::PrivateKey, CryptoError> {
    K::PrivateKey::from_bytes(key.secret().as_slice()).map_err(|_| CryptoError::InvalidPrivateKey)
}

// CRY-08 (RFC 9180, Section 7.1.4): with a low-order point the shared secret would be all zero. X-Wing would mix it
// with the ML-KEM secret; it is refused all the same, as MLS has no use for such a key.
fn refuse_low_order<K: MlsKem>(bytes: &[u8]) -> Result<(), CryptoError> {
    let u = bytes.last_chunk::<32>();
    if K::ENDS_WITH_X25519 && u.is_some_and(|u| x25519::is_low_order(u)) {
        return Err(CryptoError::ZeroSharedSecret);
    }
    Ok(())
}

struct Keys<K>(PhantomData<fn() -> K>);

impl<K> fmt::Debug for Keys<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

impl<K: MlsKem> KemOps for Keys<K> {
    fn generate(&self, random: &dyn Random) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        let mut ikm = Zeroizing::new(vec![0; K::PrivateKey::size()]);
        random.fill(&mut ikm)?;
        Ok(self.derive_key_pair(&ikm))
    }

    fn derive_key_pair(&self, ikm: &[u8]) -> (HpkePrivateKey, HpkePublicKey) {
        let (private_key, public_key) = K::derive_keypair(ikm);
        let mut secret = Secret::zero(K::PrivateKey::size());
        private_key.write_exact(secret.as_mut_slice());
        (HpkePrivateKey::new(secret), serialized::<K>(&public_key))
    }

    fn public_key(&self, key: &HpkePrivateKey) -> Result<HpkePublicKey, CryptoError> {
        Ok(serialized::<K>(&K::sk_to_pk(&private_key::<K>(key)?)))
    }

    fn validate(&self, public_key: &HpkePublicKey) -> Result<(), CryptoError> {
        // CRY-02 (Section 5.1.1): length, encoding, not the identity; X25519 points of low order count as invalid.
        let valid = public_key_for_use::<K>(public_key.as_slice());
        valid.map(|_| ()).map_err(|_| CryptoError::InvalidPublicKey)
    }
}

fn serialized<K: MlsKem>(public_key: &K::PublicKey) -> HpkePublicKey {
    HpkePublicKey::new(public_key.to_bytes().to_vec())
}
