//! A store on a simulated disk: how it is opened, and what its slots must look like.

use std::{path::Path, sync::Arc, time::Duration};

use mls_store::{KdfParams, Mark, OpenOptions, Secret, SqliteStore, StoreError, Unlock};
use rusqlite::ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE;
use store_lab::{BoxError, Disk, Vfs};

pub(crate) const FOLDER: &str = "home/store";

/// What opens the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lock {
    RawKey,
    OtherKey,
    Passphrase,
}

/// An open store, and the file system that it needs.
pub(crate) struct Place {
    pub(crate) store: SqliteStore,
    // Dropped after the store.
    _vfs: Arc<Vfs>,
}

impl Place {
    /// The store for a client, and what has to outlive it.
    pub(crate) fn share(self) -> (Arc<SqliteStore>, Arc<Vfs>) {
        (Arc::new(self.store), self._vfs)
    }
}

impl Lock {
    pub(crate) fn unlock(self) -> Result<Unlock, StoreError> {
        match self {
            Self::RawKey => Unlock::raw_key(Secret::copy_from(&[7; 32])),
            Self::OtherKey => Unlock::raw_key(Secret::copy_from(&[8; 32])),
            // The least work that is allowed.
            Self::Passphrase => {
                Ok(Unlock::passphrase("correct horse battery".to_owned()).kdf(KdfParams::new(19 * 1_024, 2, 1)?))
            }
        }
    }

    pub(crate) fn open(self, disk: &Disk, vfs: &Arc<Vfs>, mark: Mark) -> Result<Place, StoreError> {
        let options = OpenOptions::new(self.unlock()?)
            .files(Arc::new(disk.clone()))
            .vfs(vfs.name())
            .timeout(Duration::ZERO)
            // By count only: time would not pass twice in the same way.
            .shred_after(4, Duration::from_secs(3_600))
            .at_least(mark);
        Ok(Place { store: options.open(Path::new(FOLDER))?, _vfs: Arc::clone(vfs) })
    }
}

/// The disk, with the promise that SQLite makes for every Unix, for its own files: a write harms nothing beside it. The
/// store relies on it for no other file.
pub(crate) fn mount(disk: &Disk) -> Result<Arc<Vfs>, BoxError> {
    Device::Powersafe.mount(disk)
}

/// What the disk promises, and SQLite is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Device {
    /// A write that is interrupted harms nothing beside it, in SQLite's own files.
    Powersafe,
    /// It may harm the rest of its sector, and SQLite knows.
    Plain,
    /// It may harm the rest of its sector, and SQLite was told that it does not.
    Lying,
}

impl Device {
    pub(crate) fn mount(self, disk: &Disk) -> Result<Arc<Vfs>, BoxError> {
        if self == Self::Powersafe {
            disk.spare_noise(&format!("{FOLDER}/store.db"));
        }
        let promised = if self == Self::Plain { 0 } else { SQLITE_IOCAP_POWERSAFE_OVERWRITE };
        Ok(Arc::new(Vfs::with_characteristics(disk, promised)?))
    }
}

/// Exactly one slot holds a key, and it is the one of the current period.
pub(crate) fn one_slot_counts(disk: &Disk, mark: Mark) -> Result<(), BoxError> {
    let mut slots = [0; 8_192];
    let len = disk.read_at(&format!("{FOLDER}/slots"), 0, &mut slots)?;
    let used: Vec<usize> = (0..2).filter(|slot| slots[slot * 4_096..][..128] != [0; 128]).collect();
    let current = usize::try_from(mark.period % 2)?;
    let period = &slots[current * 4_096 + 8..][..8];
    if len == 8_192 && used == [current] && period == mark.period.to_be_bytes() {
        return Ok(());
    }
    Err(format!("slots in use after opening: {used:?}, of {len} bytes; period {period:?}, not {}", mark.period).into())
}
