//! What a provider of cryptography offers (RFC 9420, Section 5.1).

use core::fmt;
use std::sync::Arc;

use crate::{
    CipherSuite, CryptoError, Hash, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Random, SealJob,
    Secret, SignaturePrivateKey, SignaturePublicKey, SignedItem, SuiteParameters, Tag,
};

/// A set of cipher suites. Object safe; handed to the engine by reference.
pub trait CryptoProvider: Send + Sync + fmt::Debug {
    /// Suites offered, in order of preference.
    fn cipher_suites(&self) -> Vec<CipherSuite>;

    /// The suite's operations.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSuite`] if it is not offered.
    fn suite(&self, cipher_suite: CipherSuite) -> Result<Arc<dyn SuiteCrypto>, CryptoError>;
}

/// The operations of one cipher suite. Every method is a pure function of its arguments.
///
/// Lengths: `Nh` is [`SuiteCrypto::hash_len`], equal to the KDF's output for every suite.
pub trait SuiteCrypto: Send + Sync + fmt::Debug {
    /// The id under which the suite was looked up.
    fn cipher_suite(&self) -> CipherSuite;

    /// Its algorithms.
    fn parameters(&self) -> SuiteParameters;

    /// `Nh`, in bytes.
    fn hash_len(&self) -> usize {
        self.parameters().hash.output_len()
    }

    /// AEAD key length `Nk`, in bytes.
    fn aead_key_len(&self) -> usize {
        self.parameters().aead.key_len()
    }

    /// AEAD nonce length `Nn`, in bytes.
    fn aead_nonce_len(&self) -> usize {
        self.parameters().aead.nonce_len()
    }

    /// Hash of the concatenated parts.
    fn hash(&self, parts: &[&[u8]]) -> Hash;

    /// `MAC(key, data)`: HMAC with the suite's hash (RFC 9420, Section 5.1).
    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Tag;

    /// `KDF.Extract(salt, ikm)`: `Nh` bytes.
    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Secret;

    /// `KDF.Expand(prk, info, len)`.
    ///
    /// # Errors
    /// [`CryptoError::OutputTooLong`] above `255 * Nh` (CRY-10).
    fn kdf_expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError>;

    /// Encrypts `buffer` in place and appends the tag.
    ///
    /// # Errors
    /// [`CryptoError::InvalidLength`] for a wrong key or nonce length.
    fn aead_seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError>;

    /// Opens `buffer` (ciphertext and tag) in place and cuts the tag off. On failure the contents are unspecified.
    ///
    /// # Errors
    /// [`CryptoError::OpenFailed`], [`CryptoError::InvalidLength`].
    fn aead_open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError>;

    /// A fresh HPKE key pair.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    fn hpke_generate(&self, random: &dyn Random) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError>;

    /// `KEM.DeriveKeyPair(ikm)` (RFC 9180, Section 7.1.3).
    ///
    /// # Errors
    /// [`CryptoError::Library`] if no key can be derived (probability negligible).
    fn hpke_derive_key_pair(&self, ikm: &[u8]) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError>;

    /// The public half of a private key.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    fn hpke_public_key(&self, private_key: &HpkePrivateKey) -> Result<HpkePublicKey, CryptoError>;

    /// CRY-02: whether the bytes are a valid, non-identity key of the KEM.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicKey`].
    fn validate_hpke_public_key(&self, public_key: &HpkePublicKey) -> Result<(), CryptoError>;

    /// Single-shot seal (RFC 9180, Section 6.1).
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicKey`], [`CryptoError::ZeroSharedSecret`], [`CryptoError::Random`].
    fn hpke_seal(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError>;

    /// Base mode with empty associated data to many recipients under one `info`, hashed once. Order is kept.
    ///
    /// # Errors
    /// As [`SuiteCrypto::hpke_seal`], for the first recipient that fails.
    fn hpke_seal_many(
        &self,
        info: &[u8],
        jobs: &[SealJob<'_>],
        random: &dyn Random,
    ) -> Result<Vec<HpkeCiphertext>, CryptoError>;

    /// Single-shot open (RFC 9180, Section 6.1). `key_pair.1` must be the public half of `key_pair.0`.
    ///
    /// # Errors
    /// [`CryptoError::OpenFailed`], [`CryptoError::InvalidKemOutput`], [`CryptoError::ZeroSharedSecret`],
    /// [`CryptoError::InvalidPrivateKey`].
    fn hpke_open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        ciphertext: &HpkeCiphertext,
    ) -> Result<Secret, CryptoError>;

    /// `SetupBaseS` and `Export` (RFC 9420, Section 8.3). `info` and the exporter context are given as
    /// `(info, exporter_context)`. Returns the KEM output and `len` secret bytes.
    ///
    /// # Errors
    /// As [`SuiteCrypto::hpke_seal`], and [`CryptoError::OutputTooLong`].
    fn hpke_export_sender(
        &self,
        public_key: &HpkePublicKey,
        inputs: (&[u8], &[u8]),
        len: usize,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError>;

    /// `SetupBaseR` and `Export`, the other side of [`SuiteCrypto::hpke_export_sender`].
    ///
    /// # Errors
    /// As [`SuiteCrypto::hpke_open`], and [`CryptoError::OutputTooLong`].
    fn hpke_export_receiver(
        &self,
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
        inputs: (&[u8], &[u8]),
        len: usize,
    ) -> Result<Secret, CryptoError>;

    /// A fresh signature key pair.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    fn signature_generate(&self, random: &dyn Random)
    -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError>;

    /// The public half of a signature private key.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    fn signature_public_key(&self, private_key: &SignaturePrivateKey) -> Result<SignaturePublicKey, CryptoError>;

    /// CRY-03: whether the bytes are a canonical encoding that may enter a leaf. Small-order Edwards points are
    /// refused here.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicKey`].
    fn validate_signature_public_key(&self, public_key: &SignaturePublicKey) -> Result<(), CryptoError>;

    /// Signs `message`. ECDSA signatures are DER with low `s`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Verifies one signature. Ed25519: the cofactored equation, canonical `A` and `R`, reduced `S`.
    ///
    /// # Errors
    /// [`CryptoError::InvalidSignature`], [`CryptoError::InvalidPublicKey`].
    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError>;

    /// Verifies many signatures; accepts exactly when [`SuiteCrypto::verify`] accepts each.
    ///
    /// # Errors
    /// The position of the first bad item and why it is bad.
    fn verify_batch(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        items.iter().enumerate().try_for_each(|(position, item)| self.verify(*item).map_err(|error| (position, error)))
    }

    /// Verifies many signatures by keys that have yet to be checked: accepts exactly when
    /// [`SuiteCrypto::validate_signature_public_key`] accepts each key and [`SuiteCrypto::verify`] each signature.
    /// A key is read once for both.
    ///
    /// # Errors
    /// The position of the first bad key and [`CryptoError::InvalidPublicKey`]; if all keys are good, as
    /// [`SuiteCrypto::verify_batch`].
    fn verify_batch_of_new_keys(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        let validate = |(position, item): (usize, &SignedItem<'_>)| {
            self.validate_signature_public_key(item.public_key).map_err(|error| (position, error))
        };
        items.iter().enumerate().try_for_each(validate)?;
        self.verify_batch(items)
    }
}
