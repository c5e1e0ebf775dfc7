//! Diffie-Hellman groups: X25519 and the NIST curves (RFC 9180, Section 7.1).
//!
//! In: private keys as raw or big-endian bytes, public keys as raw bytes or uncompressed points.
//! Out: the x-coordinate of the product.
//! Always: a public key's length and form are checked before aws-lc, which takes other forms too, sees it.

use aws_lc_rs::agreement::{self, ParsedPublicKey, PrivateKey, UnparsedPublicKey};
use mls_crypto::{CryptoError, Kem, Secret};
use mls_crypto_compose::DiffieHellman;
use mls_crypto_rust::x25519::is_low_order;

/// One group of aws-lc.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    kem: Kem,
    algorithm: &'static agreement::Algorithm,
    /// `Npk`, in bytes.
    public_len: usize,
}

pub(crate) const X25519: Group = Group { kem: Kem::X25519, algorithm: &agreement::X25519, public_len: 32 };
pub(crate) const P256: Group = Group { kem: Kem::P256, algorithm: &agreement::ECDH_P256, public_len: 65 };
pub(crate) const P384: Group = Group { kem: Kem::P384, algorithm: &agreement::ECDH_P384, public_len: 97 };
pub(crate) const P521: Group = Group { kem: Kem::P521, algorithm: &agreement::ECDH_P521, public_len: 133 };

impl Group {
    fn is_montgomery(&self) -> bool {
        self.kem == Kem::X25519
    }

    /// CRY-02 (RFC 9420, Section 5.1.1): `Npk` bytes, an uncompressed point on the NIST curves.
    pub(crate) fn check_form(&self, public_key: &[u8]) -> Result<(), CryptoError> {
        let tagged = self.is_montgomery() || public_key.first() == Some(&UNCOMPRESSED);
        if tagged && public_key.len() == self.public_len { Ok(()) } else { Err(CryptoError::InvalidPublicKey) }
    }

    /// What a refusal by aws-lc means for a key whose form is right.
    fn refusal(&self) -> CryptoError {
        if self.is_montgomery() { CryptoError::ZeroSharedSecret } else { CryptoError::InvalidPublicKey }
    }
}

impl DiffieHellman for Group {
    type PrivateKey = PrivateKey;

    fn kem(&self) -> Kem {
        self.kem
    }

    fn private_key(&self, bytes: &[u8]) -> Result<PrivateKey, CryptoError> {
        PrivateKey::from_private_key(self.algorithm, bytes).map_err(|_| CryptoError::InvalidPrivateKey)
    }

    fn public_key(&self, private_key: &PrivateKey) -> Result<Vec<u8>, CryptoError> {
        let public_key = private_key.compute_public_key().map_err(|_| CryptoError::Library)?;
        Ok(public_key.as_ref().to_vec())
    }

    fn agree(&self, private_key: &PrivateKey, public_key: &[u8]) -> Result<Secret, CryptoError> {
        self.check_form(public_key)?;
        let peer = UnparsedPublicKey::new(self.algorithm, public_key);
        agreement::agree(private_key, peer, self.refusal(), |dh| Ok(Secret::copy_from(dh)))
    }

    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError> {
        self.check_form(public_key)?;
        let valid = if self.is_montgomery() {
            // CRY-08 foreseen: nobody could ever encrypt to such a key.
            !is_low_order(public_key)
        } else {
            ParsedPublicKey::try_from(UnparsedPublicKey::new(self.algorithm, public_key)).is_ok()
        };
        if valid { Ok(()) } else { Err(CryptoError::InvalidPublicKey) }
    }
}

/// First byte of an uncompressed point (SEC 1, Section 2.3.3).
pub(crate) const UNCOMPRESSED: u8 = 0x04;
