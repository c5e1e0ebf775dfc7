//! Why a record does not count.

use mls_crypto::CryptoError;

/// Why a record does not count. Nothing has changed then.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The bytes, or the text, are no record.
    #[error("not a record")]
    Malformed,
    /// A later version of this program made it.
    #[error("record version {0} is not supported; update this program")]
    UnsupportedVersion(u8),
    /// More bytes than a record may have.
    #[error("{len} bytes are more than the limit of {limit}")]
    TooLarge {
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A signature is not its publisher's, or not the service's.
    #[error("a signature is wrong")]
    BadSignature,
    /// The links do not lead from one to the next: another publisher, an epoch that does not grow, or too many.
    #[error("the chain of publishers is broken")]
    BrokenChain,
    /// Nobody who is trusted vouches for it: no service's witness, no pinned publisher.
    #[error("nobody who is trusted vouches for the record; pin its publisher, or trust the service that witnessed it")]
    Untrusted,
    /// What the text says beside the record is not what the record says.
    #[error("text and record do not agree about the {0}")]
    Mismatch(&'static str),
    /// The directory has as many groups as it may.
    #[error("the directory is full: {0} groups")]
    Full(usize),
    /// The library below failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}
