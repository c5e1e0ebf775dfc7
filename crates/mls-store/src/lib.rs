//! Where a client's state lives: named records, changed in batches that happen as a whole or not at all.
//!
//! In: ids and bytes. Out: the same bytes, until they are deleted; then nothing can bring them back.
//! Always: a store knows no MLS. What it holds is secret, all of it: sealed at rest, wiped from memory, deleted for good.
//!
//! [`StateStore`] is the trait. [`SqliteStore`] is durable, [`MemoryStore`] forgets everything when it ends.

pub mod files;

mod error;
mod header;
mod kdf;
mod lease;
mod memory;
mod place;
mod record;
mod seal;
mod sealed;
mod source;
mod sqlite;
mod store;
mod unlock;

pub use error::{StoreError, Table};
pub use kdf::KdfParams;
pub use lease::{Lease, Leases};
pub use memory::MemoryStore;
pub use mls_crypto::Secret;
pub use record::{Key, Revision, Section, Space, Write};
pub use sealed::{FileKey, FileKind, read_file, write_file};
pub use source::{FileSlots, KeySource, MAX_ENTRY, MemoryKeySource};
pub use sqlite::{Mark, OpenOptions, PublicClasses, SqliteStore};
pub use store::StateStore;
pub use unlock::Unlock;
