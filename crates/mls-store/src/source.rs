//! Key sources: the one small place that really forgets.
//!
//! In: the key of each period, by number. Out: the key of the current one.
//! Always: there are at most two keys at once, the current one and the next; once a period is over, its key is gone,
//! and with it everything that was deleted in that period, wherever copies of the store may lie.

mod memory;
mod slots;

use core::fmt;

use mls_crypto::Secret;

use crate::StoreError;

pub use memory::MemoryKeySource;
pub use slots::FileSlots;

/// The longest entry a source has to keep.
pub const MAX_ENTRY: usize = 79;

/// Keeps the key of the current period, and a counter that only grows: the file beside the database, or better a
/// keystore of the operating system that can delete.
///
/// The conformance suite of the repository (`tools/store-conformance`) says what an implementation must do. Only one process
/// at a time calls [`KeySource::store`] and [`KeySource::retain`]: the store holds its write lock.
pub trait KeySource: Send + Sync + fmt::Debug {
    /// The key of a period; `None` if it is not there, whatever the reason.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the source cannot be asked.
    fn load(&self, period: u64) -> Result<Option<Secret>, StoreError>;

    /// Keeps the key of the next period, of at most [`MAX_ENTRY`] bytes, beside that of the current one, in place of a
    /// key of that period that is there. Durable on return.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it could not be kept.
    fn store(&self, period: u64, key: &Secret) -> Result<(), StoreError>;

    /// Forgets every key but that of this period, and sets the counter to the period if it is lower. Durable on return.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it could not be done; to be called again then.
    fn retain(&self, period: u64) -> Result<(), StoreError>;

    /// The highest period that was ever retained; 0 if there was none. A store of an earlier one is an old copy.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the source cannot be asked.
    fn counter(&self) -> Result<u64, StoreError>;

    /// Forgets every key, and the counter.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if it could not be done; to be called again then.
    fn destroy(&self) -> Result<(), StoreError>;
}
