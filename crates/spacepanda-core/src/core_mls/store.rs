//! Where state lives: named records, changed in batches that happen as a whole or not at all.
//!
//! In: batches made by the client. Out: records as they were put.
//! Always: a store knows ids and bytes, not MLS. What it holds is secret, all of it: seal it at rest, and delete for good.

use core::fmt;

use mls_crypto::Secret;

mod memory;

pub use memory::MemoryStore;

/// A namespace of records. Two groups never share a record.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "a store has to place every space")]
pub enum Space {
    /// What belongs to the client and to no group: identity, key packages, pre-shared keys.
    Client,
    /// What belongs to the group with this id.
    Group(Vec<u8>),
}

impl fmt::Debug for Space {
    /// Tells the kind only: group ids do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "Client",
            Self::Group(_) => "Group(..)",
        })
    }
}

/// The name of a record within its space.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// Its kind; records of one kind live about equally long.
    pub class: u8,
    /// The epoch it belongs to; 0 for those that belong to none.
    pub epoch: u64,
    /// What tells it from others of its class and epoch, at most 1,024 bytes.
    pub id: Vec<u8>,
}

/// One change. A batch applies them in order.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a store has to carry out every change")]
pub enum Write<'a> {
    /// Writes a record, in place of one that is there.
    Put(Key, &'a Secret),
    /// Deletes a record, if it is there.
    Delete(Key),
    /// Deletes every record of this class and epoch.
    DeleteEpoch {
        /// Class.
        class: u8,
        /// Epoch.
        epoch: u64,
    },
    /// Deletes every record of the space.
    Clear,
}

/// Counts the batches of a store; a space carries the number of the last one that touched it.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Revision(u64);

impl Revision {
    /// Of a space that does not exist.
    pub const NONE: Self = Self(0);

    /// The revision with this number.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::store::Revision;
    /// assert_eq!(Revision::new(0), Revision::NONE);
    /// ```
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::store::Revision;
    /// assert_eq!(Revision::new(7).get(), 7);
    /// ```
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The part of a batch that changes one space.
#[derive(Debug)]
pub struct Section<'a> {
    /// Which space.
    pub space: Space,
    /// The revision the changes were worked out from; [`Revision::NONE`] creates the space.
    pub expected: Revision,
    /// The changes, in order.
    pub writes: Vec<Write<'a>>,
}

/// Why a store did not do as told. Nothing has changed then.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else changed a space first; read it again.
    #[error("state is at revision {actual}, not {expected}")]
    Conflict {
        /// The revision the caller expected.
        expected: u64,
        /// The revision that is there.
        actual: u64,
    },
    /// The store cannot be reached, or cannot write.
    #[error("store is not available")]
    Unavailable,
    /// What is stored cannot be read.
    #[error("stored state is damaged")]
    Damaged,
}

/// Durable state. Every method may be called from any thread.
///
/// The conformance suite of the repository (`tools/store-conformance`) says what an implementation must do.
pub trait StateStore: Send + Sync + fmt::Debug {
    /// Applies a batch, in one transaction: all sections, or none. Afterwards every space of the batch has the returned
    /// revision, which no earlier batch of this store had. No space is in a batch twice.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a space is not at the expected revision, else as the medium fails.
    fn apply(&self, batch: &[Section<'_>]) -> Result<Revision, StoreError>;

    /// One record.
    ///
    /// # Errors
    /// [`StoreError`].
    fn get(&self, space: &Space, key: &Key) -> Result<Option<Secret>, StoreError>;

    /// Every record of a class, of one epoch or of all, in the order of their keys.
    ///
    /// # Errors
    /// [`StoreError`].
    fn scan(&self, space: &Space, class: u8, epoch: Option<u64>) -> Result<Vec<(Key, Secret)>, StoreError>;

    /// The spaces that exist, with their revisions, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn spaces(&self) -> Result<Vec<(Space, Revision)>, StoreError>;

    /// Deletes a space and every record in it, so that no record can be had again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it is not at the expected revision.
    fn delete(&self, space: &Space, expected: Revision) -> Result<(), StoreError>;
}
