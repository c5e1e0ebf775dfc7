//! What a cryptographic library must offer (RFC 9180, Section 4; RFC 9420, Section 5.1).
//!
//! In: bytes whose lengths the caller has not checked. Out: bytes, or the error that names the bad input.
//! Always: an implementation keeps no state and draws randomness only from the [`Random`] it is given.

use core::fmt;

use mls_crypto::{
    CryptoError, Hash, HpkePrivateKey, HpkePublicKey, Kem, Random, Secret, SignaturePrivateKey, SignaturePublicKey,
    SignedItem,
};

/// A private key and its public half.
pub type KeyPair = (HpkePrivateKey, HpkePublicKey);

/// A hash function and the HMAC over it (RFC 2104).
pub trait HashFunction: Send + Sync + fmt::Debug {
    /// `Nh`, in bytes: 32, 48 or 64.
    fn output_len(&self) -> usize;

    /// Hash of the concatenated parts: `Nh` bytes.
    fn hash(&self, parts: &[&[u8]]) -> Hash;

    /// Fills `mac` with the first bytes of HMAC over the concatenated parts. `mac` holds at most `Nh` bytes; bytes
    /// beyond that stay as they are.
    fn hmac(&self, key: &[u8], parts: &[&[u8]], mac: &mut [u8]);
}

/// An AEAD of RFC 9180, Section 7.3, with its 16-byte tag after the ciphertext.
pub trait AeadCipher: Send + Sync + fmt::Debug {
    /// Encrypts `buffer` in place and appends the tag.
    ///
    /// # Errors
    /// [`CryptoError::InvalidLength`] for a key or nonce of the wrong length.
    fn seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError>;

    /// Opens `buffer` (ciphertext and tag) in place and cuts the tag off.
    ///
    /// # Errors
    /// [`CryptoError::InvalidLength`] for a key or nonce of the wrong length, [`CryptoError::OpenFailed`].
    fn open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError>;
}

/// A Diffie-Hellman group of RFC 9180, Section 7.1.
pub trait DiffieHellman: Send + Sync + fmt::Debug {
    /// A private key as the library wants it. Wiped when dropped.
    type PrivateKey: Send + Sync + 'static;

    /// The DHKEM whose group this is.
    fn kem(&self) -> Kem;

    /// `DeserializePrivateKey` of `Nsk` bytes; for NIST curves also that the scalar is in `1..n`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    fn private_key(&self, bytes: &[u8]) -> Result<Self::PrivateKey, CryptoError>;

    /// `SerializePublicKey(pk(sk))`.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    fn public_key(&self, private_key: &Self::PrivateKey) -> Result<Vec<u8>, CryptoError>;

    /// `DH(sk, pk)`: the x-coordinate. The caller refuses an all-zero result, so it may be returned.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicKey`], [`CryptoError::ZeroSharedSecret`].
    fn agree(&self, private_key: &Self::PrivateKey, public_key: &[u8]) -> Result<Secret, CryptoError>;

    /// CRY-02: length, form and, for NIST curves, that the point is on the curve and not the identity.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicKey`].
    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError>;
}

/// A KEM (RFC 9180, Section 4).
pub trait KeyEncapsulation: Send + Sync + fmt::Debug {
    /// `GenerateKeyPair()`.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    fn generate(&self, random: &dyn Random) -> Result<KeyPair, CryptoError>;

    /// `DeriveKeyPair(ikm)`.
    ///
    /// # Errors
    /// [`CryptoError::Library`] if no key can be derived (probability negligible).
    fn derive_key_pair(&self, ikm: &[u8]) -> Result<KeyPair, CryptoError>;

    /// The public half of a serialized private key.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    fn public_key(&self, private_key: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// CRY-02.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicKey`].
    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError>;

    /// `Encap(pkR)`: the shared secret and the KEM output.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicKey`], [`CryptoError::ZeroSharedSecret`], [`CryptoError::Random`].
    fn encapsulate(&self, public_key: &[u8], random: &dyn Random) -> Result<(Secret, Vec<u8>), CryptoError>;

    /// `Decap(enc, skR)`, the public half of `skR` given too.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKemOutput`], [`CryptoError::ZeroSharedSecret`], [`CryptoError::InvalidPrivateKey`].
    fn decapsulate(
        &self,
        private_key: &HpkePrivateKey,
        public_key: &[u8],
        kem_output: &[u8],
    ) -> Result<Secret, CryptoError>;
}

/// A signature scheme (RFC 9420, Section 5.1.2); see [`mls_crypto::SuiteCrypto`] for what each must check.
pub trait SignatureFunctions: Send + Sync + fmt::Debug {
    /// A fresh key pair.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    fn generate(&self, random: &dyn Random) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError>;

    /// The public half of a private key.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    fn public_key(&self, private_key: &[u8]) -> Result<SignaturePublicKey, CryptoError>;

    /// CRY-03.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicKey`].
    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError>;

    /// A signature over `message`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Verifies one signature.
    ///
    /// # Errors
    /// [`CryptoError::InvalidSignature`], [`CryptoError::InvalidPublicKey`].
    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError>;

    /// Verifies many; accepts exactly when [`SignatureFunctions::verify`] accepts each.
    ///
    /// # Errors
    /// The position of the first bad item and why it is bad.
    fn verify_batch(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        items.iter().enumerate().try_for_each(|(position, item)| self.verify(*item).map_err(|error| (position, error)))
    }

    /// Verifies many by keys that have yet to be checked; see [`mls_crypto::SuiteCrypto::verify_batch_of_new_keys`].
    ///
    /// # Errors
    /// The position of the first bad key, then that of the first bad item, and why it is bad.
    fn verify_batch_of_new_keys(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        let validate = |(position, item): (usize, &SignedItem<'_>)| {
            self.validate(item.public_key.as_slice()).map_err(|error| (position, error))
        };
        items.iter().enumerate().try_for_each(validate)?;
        self.verify_batch(items)
    }
}

/// The primitives of one cipher suite.
#[derive(Debug)]
pub struct Primitives {
    /// Of the suite: transcripts, trees, MACs.
    pub hash: &'static dyn HashFunction,
    /// Under HKDF, in HPKE and in the key schedule of MLS.
    pub kdf: &'static dyn HashFunction,
    /// HPKE and message encryption.
    pub aead: &'static dyn AeadCipher,
    /// HPKE.
    pub kem: Box<dyn KeyEncapsulation>,
    /// Signatures.
    pub signature: &'static dyn SignatureFunctions,
}
