//! The few files beside the database, behind a trait, so that a test can take the power away.
//!
//! In: paths, offsets and bytes. Out: bytes, and errors of the medium.
//! Always: a file or directory is for its owner only from the moment it exists; only what was synced counts as written.

#[cfg(not(unix))]
#[path = "files/open_other.rs"]
mod open;
#[cfg(unix)]
#[path = "files/open_unix.rs"]
mod open;

mod disk;
mod memory;

use core::{any::Any, fmt};
use std::{io, path::Path};

pub use disk::Disk;
pub use memory::MemoryFiles;

/// What the store asks of a file system. Handles are not kept: each call names the file.
///
/// An implementation never opens an existing file in [`Files::create`] and [`Files::len`]: closing a file gives up the
/// locks that SQLite has on it in the same process.
pub trait Files: Send + Sync + fmt::Debug {
    /// Makes a directory that only its owner may enter (mode 0700), in one that is there. Durable after
    /// [`Files::sync_dir`] of that one.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if it is there, else as the medium fails.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes an empty file that only its owner may read and write (mode 0600).
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if it is there, else as the medium fails.
    fn create(&self, path: &Path) -> io::Result<()>;

    /// The length of a file; `None` if it is not there.
    ///
    /// # Errors
    /// As the medium fails.
    fn len(&self, path: &Path) -> io::Result<Option<u64>>;

    /// Reads from an offset; returns how many bytes there were, less than asked for only at the end of the file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the file is not there, else as the medium fails.
    fn read_at(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes in place, at an offset; the file grows if need be.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the file is not there, else as the medium fails.
    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns when what was written to the file is durable.
    ///
    /// # Errors
    /// As the medium fails; what was written since the last sync may be lost then.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Renames a file, in place of one that is there. Durable after [`Files::sync_dir`].
    ///
    /// # Errors
    /// As the medium fails.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; nothing happens if it is not there. Durable after [`Files::sync_dir`].
    ///
    /// # Errors
    /// As the medium fails.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns when the names in a directory are durable. An empty path is the directory that the process works in.
    ///
    /// # Errors
    /// As the medium fails.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Locks a file for its holder alone until the lock is dropped or the process ends, and makes it first (mode 0600) if
    /// need be; `None` if somebody else holds it, in this process or another. Nobody locks a file that SQLite has open.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] if there are no locks, as in an implementation that does not say otherwise; else as the
    /// medium fails.
    fn try_lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let _never = path;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A locked file; dropping it unlocks the file.
pub type Lock = Box<dyn Any + Send + Sync>;

/// Makes a directory and those above it; durable on return, with every name on the way to it.
///
/// What is there already is synced too: whoever made it may have been killed before that was done.
pub(crate) fn make_dir(files: &dyn Files, path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent() else { return Ok(()) };
    make_dir(files, parent)?;
    let made = match files.create_dir(path) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(error),
    };
    match files.sync_dir(parent) {
        // The directories of the system can often not even be opened; then they are not ours to make durable.
        Err(error) if !made && CLOSED.contains(&error.kind()) => Ok(()),
        synced => synced,
    }
}

/// A directory that we may not, or cannot, sync.
const CLOSED: [io::ErrorKind; 4] = [
    io::ErrorKind::PermissionDenied,
    io::ErrorKind::ReadOnlyFilesystem,
    io::ErrorKind::Unsupported,
    io::ErrorKind::InvalidInput,
];

/// Whatever the medium's reason, the store is not there for now.
pub(crate) fn unavailable(_: io::Error) -> crate::StoreError {
    crate::StoreError::Unavailable
}
