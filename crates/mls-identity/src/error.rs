//! Why something of this crate cannot be made or taken.

use mls_crypto::CryptoError;
use thiserror::Error;

/// Why something of this crate cannot be made or taken. Nothing has changed then.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum IdentityError {
    /// The bytes are not what they should be, of another version, or too many.
    #[error("the bytes are no valid encoding; fetch it again, or update the program")]
    Malformed,
    /// An end before the beginning, a device without an id, or a value that is too long.
    #[error("the certificate would not be valid; correct its device id, key or times")]
    Invalid,
    /// Somebody else signed it, or it was changed.
    #[error("the signature does not verify; drop it")]
    BadSignature,
    /// A newer one is here.
    #[error("it is not newer than what is here; drop it")]
    Stale,
    /// A key or a signature could not be made.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}
