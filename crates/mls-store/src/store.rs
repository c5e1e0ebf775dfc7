//! The one trait of stores.
//!
//! In: batches made by the client. Out: records as they were put.
//! Always: a batch happens as a whole or not at all, and is durable when `apply` returns.

use core::fmt;

use mls_crypto::Secret;

use crate::{Key, Leases, Revision, Section, Space, StoreError};

/// Durable state. Every method may be called from any thread.
///
/// The conformance suite of the repository (`tools/store-conformance`) says what an implementation must do.
pub trait StateStore: Leases + Send + Sync + fmt::Debug {
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

    /// The spaces that exist, with their revisions, in order; or only this one, if it exists, which looks at no other.
    ///
    /// # Errors
    /// [`StoreError`].
    fn spaces(&self, only: Option<&Space>) -> Result<Vec<(Space, Revision)>, StoreError>;

    /// Deletes a space and every record in it, so that no record can be had again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it is not at the expected revision.
    fn delete(&self, space: &Space, expected: Revision) -> Result<(), StoreError>;
}
