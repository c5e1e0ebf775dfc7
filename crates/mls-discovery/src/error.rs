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
    /// The directory has as many groups or bytes as it may, or as one publisher may have.
    #[error("the directory has no room for more than {0}; unpublish others, or raise its bounds")]
    Full(u64),
    /// The store cannot be read or written now.
    #[error("the directory cannot be reached; try again")]
    Unavailable,
    /// What is stored is not what was stored.
    #[error("the directory's store is damaged; put back a copy, or let it be filled by its peers anew")]
    Damaged,
    /// The library below failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}
