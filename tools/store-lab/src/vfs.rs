//! The disk as SQLite sees it: a virtual file system under a name.
//!
//! In: a disk. Out: a name to open databases with. Always: a file that is open keeps its disk, whoever drops what; the
//! memory that SQLite was given is never freed, only used again.

use std::{
    ffi::{CString, NulError},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use rusqlite::{Connection, OpenFlags, ffi::SQLITE_OK};

use crate::disk::Disk;

mod c_api;
mod open_file;

pub use c_api::seed_sqlite;

/// A disk that SQLite can open databases on, as long as this is held.
#[derive(Debug)]
pub struct Vfs {
    slot: &'static Slot,
}

/// SQLite did not take the file system.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VfsError {
    /// Its name has a zero byte.
    #[error(transparent)]
    Name(#[from] NulError),
    /// The result code of SQLite.
    #[error("SQLite refused the file system with code {0}")]
    Refused(i32),
}

impl Vfs {
    /// Registers the disk with no promises about the device: writes may tear, and harm the rest of their sector.
    ///
    /// # Errors
    /// [`VfsError`].
    pub fn register(disk: &Disk) -> Result<Self, VfsError> {
        Self::with_characteristics(disk, 0)
    }

    /// Registers the disk with flags `SQLITE_IOCAP_...`.
    ///
    /// # Errors
    /// [`VfsError`].
    pub fn with_characteristics(disk: &Disk, characteristics: i32) -> Result<Self, VfsError> {
        let free = pool().pop();
        let slot = free.map_or_else(new_slot, Ok)?;
        *slot.mounted() = Some(Mounted { disk: disk.clone(), characteristics });
        Ok(Self { slot })
    }

    /// The name that SQLite knows it by.
    pub fn name(&self) -> &str {
        &self.slot.name
    }

    /// Opens or makes a database.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn open(&self, file: &str) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        Connection::open_with_flags_and_vfs(file, flags, self.name())
    }
}

impl Drop for Vfs {
    /// Files that are open go on working. Their place is not used again then.
    fn drop(&mut self) {
        *self.slot.mounted() = None;
        if self.slot.open_files.load(Ordering::SeqCst) == 0 {
            pool().push(self.slot);
        }
    }
}

/// What one registered file system points at. It lives for ever.
#[derive(Debug)]
struct Slot {
    name: String,
    mounted: Mutex<Option<Mounted>>,
    open_files: AtomicUsize,
}

#[derive(Clone, Debug)]
struct Mounted {
    disk: Disk,
    characteristics: i32,
}

impl Slot {
    fn mounted(&self) -> std::sync::MutexGuard<'_, Option<Mounted>> {
        self.mounted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_slot() -> Result<&'static Slot, VfsError> {
    let name = format!("lab-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let c_name = CString::new(name.as_str())?;
    let slot: &Slot = Box::leak(Box::new(Slot { name, mounted: Mutex::new(None), open_files: AtomicUsize::new(0) }));
    match c_api::register(c_name, slot) {
        SQLITE_OK => Ok(slot),
        code => Err(VfsError::Refused(code)),
    }
}

fn pool() -> std::sync::MutexGuard<'static, Vec<&'static Slot>> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Slots that nobody uses.
static POOL: Mutex<Vec<&'static Slot>> = Mutex::new(Vec::new());

/// Number of the next new slot.
static NEXT: AtomicU64 = AtomicU64::new(0);
