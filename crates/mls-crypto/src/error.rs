//! Why a cryptographic operation did not succeed.

use crate::CipherSuite;

/// Why a cryptographic operation did not succeed.
///
/// Variants tell what failed, never a value that was being computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// The provider does not implement this cipher suite.
    #[error("cipher suite {0:?} is not available")]
    UnsupportedSuite(CipherSuite),
    /// A public key is not a valid encoding for the suite (CRY-02, CRY-03).
    #[error("public key is not valid for the cipher suite")]
    InvalidPublicKey,
    /// A private key is not a valid encoding for the suite.
    #[error("private key is not valid for the cipher suite")]
    InvalidPrivateKey,
    /// A signature is malformed or does not verify (CRY-05).
    #[error("signature does not verify")]
    InvalidSignature,
    /// A ciphertext did not open: wrong key, wrong associated data, or tampered bytes.
    #[error("ciphertext does not open")]
    OpenFailed,
    /// A KEM output has the wrong length or is no valid point (PROP-15).
    #[error("KEM output is not valid for the cipher suite")]
    InvalidKemOutput,
    /// A Diffie-Hellman result was all zero (CRY-08).
    #[error("Diffie-Hellman result is all zero")]
    ZeroSharedSecret,
    /// A key or nonce has a length the algorithm does not take.
    #[error("key or nonce has the wrong length")]
    InvalidLength,
    /// More output than the KDF gives, or not representable in 16 bits (CRY-10).
    #[error("requested KDF output of {0} bytes is too long")]
    OutputTooLong(usize),
    /// A key that is elsewhere did not sign: its [`crate::Signer`] refused, or was not given.
    #[error("the signer of a key did not sign; unlock or connect it, then call again")]
    Signer,
    /// The random source failed.
    #[error("random source failed")]
    Random,
    /// The library below refused valid input; a defect or an exhausted machine.
    #[error("crypto library failure")]
    Library,
}
