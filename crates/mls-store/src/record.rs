//! Names of records, and changes to them.
//!
//! In: ids and bytes. Out: keys, and batches of writes. Always: nothing here is printed that tells a group or a record apart.

use core::fmt;

use mls_crypto::Secret;

/// A namespace of records. Two groups never share a record.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "a store has to place every space")]
pub enum Space {
    /// What belongs to the client and to no group: identity, key packages, pre-shared keys.
    Client,
    /// What belongs to the group with this id.
    Group(Vec<u8>),
    /// What belongs to the application, under a name it chose; in one batch with a group's, so that both change or neither.
    Application(Vec<u8>),
}

impl fmt::Debug for Space {
    /// Tells the kind only: group ids do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "Client",
            Self::Group(_) => "Group(..)",
            Self::Application(_) => "Application(..)",
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
    /// # use mls_store::Revision;
    /// assert_eq!(Revision::new(0), Revision::NONE);
    /// ```
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    ///
    /// ```
    /// # use mls_store::Revision;
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
