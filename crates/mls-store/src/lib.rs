//! Where a client's state lives: named records, changed in batches that happen as a whole or not at all.
//!
//! In: ids and bytes. Out: the same bytes, until they are deleted; then nothing can bring them back.
//! Always: a store knows no MLS. What it holds is secret, all of it: sealed at rest, wiped from memory, deleted for good.
//!
//! [`StateStore`] is the trait. [`MemoryStore`] forgets everything when it ends.

pub mod files;

mod error;
mod memory;
mod record;
mod store;

pub use error::{StoreError, Table};
pub use memory::MemoryStore;
pub use record::{Key, Revision, Section, Space, Write};
pub use store::StateStore;
