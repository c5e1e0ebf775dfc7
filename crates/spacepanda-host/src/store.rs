//! What a host keeps beside the state of its groups (SURF-B).
//!
//! In: a kind, an id, bytes. Out: the bytes, or what they merged to.
//! Always: saving a record of a group merges it: what is there and counts more stays, and what is not valid is refused. Anything
//! else that is saved takes the place of what was there. What was saved is durable, if the store is.

mod memory;
mod sealed;

use core::fmt;

use mls_discovery::DiscoveryError;
use spacepanda_core::core_mls::store::StoreError;

pub use memory::MemoryHostStore;
pub use sealed::SealedHostStore;

/// The kind of what belongs to a group, and is for its members: never published, sealed at rest.
pub const GROUP: &str = "mls_group";

/// The kind of records of groups, which are public; the id is the group's.
pub const DISCOVERY: &str = "mls_discovery";

/// Why something was not saved or read. Nothing has changed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HostStoreError {
    /// A kind that is none of the two.
    #[error("nothing of this kind is kept; the kinds are mls_group and mls_discovery")]
    UnknownKind,
    /// A record that belongs to another id.
    #[error("the record is that of another group; save it under its own id")]
    WrongId,
    /// Too long an id or value.
    #[error("{len} bytes, and at most {limit} are allowed; save less")]
    TooLarge {
        /// How many there are.
        len: usize,
        /// How many may be.
        limit: usize,
    },
    /// A record does not count.
    #[error(transparent)]
    Record(#[from] DiscoveryError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A store of a host. Every method may be called from any thread.
///
/// The suite of the repository (`tools/host-conformance`) says what an implementation must do.
pub trait HostStore: Send + Sync + fmt::Debug {
    /// Saves; returns whether anything changed.
    ///
    /// # Errors
    /// [`HostStoreError`].
    fn save_crdt(&self, kind: &str, id: &[u8], value: &[u8]) -> Result<bool, HostStoreError>;

    /// What is there; `None` if there is nothing, or a group is not to be found any more.
    ///
    /// # Errors
    /// [`HostStoreError`].
    fn load_crdt(&self, kind: &str, id: &[u8]) -> Result<Option<Vec<u8>>, HostStoreError>;

    /// Deletes what belongs to a group; nothing to delete is fine. Records are not deleted: a tombstone takes their place.
    ///
    /// # Errors
    /// [`HostStoreError::UnknownKind`] for records, and as the store fails.
    fn delete(&self, kind: &str, id: &[u8]) -> Result<(), HostStoreError>;
}

pub(crate) fn check(id: &[u8], value: &[u8]) -> Result<(), HostStoreError> {
    for (len, limit) in [(id.len(), MAX_ID), (value.len(), MAX_VALUE)] {
        if len > limit {
            return Err(HostStoreError::TooLarge { len, limit });
        }
    }
    Ok(())
}

const MAX_ID: usize = 1_024;
const MAX_VALUE: usize = 16 << 20;
