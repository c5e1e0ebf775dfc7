//! Files in memory, for tests.

use core::fmt;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Files;

/// Files that end with the process. Everything is durable at once; a file needs no directory.
#[derive(Default)]
pub struct MemoryFiles {
    files: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
    dirs: Mutex<BTreeSet<PathBuf>>,
}

impl MemoryFiles {
    /// No files.
    ///
    /// ```
    /// # use mls_store::files::{Files, MemoryFiles};
    /// # use std::path::Path;
    /// let files = MemoryFiles::new();
    /// files.create(Path::new("a"))?;
    /// files.write_at(Path::new("a"), 2, b"text")?;
    /// assert_eq!(files.len(Path::new("a"))?, Some(6));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Vec<u8>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files: _, dirs: _ } = self;
        f.debug_struct("MemoryFiles").finish_non_exhaustive()
    }
}

impl Files for MemoryFiles {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let made = self.dirs.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
        if made { Ok(()) } else { Err(io::ErrorKind::AlreadyExists.into()) }
    }

    fn create(&self, path: &Path) -> io::Result<()> {
        let mut files = self.files();
        if files.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        files.insert(path.to_owned(), Vec::new());
        Ok(())
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        self.files().get(path).map(|file| u64::try_from(file.len()).map_err(io::Error::other)).transpose()
    }

    fn read_at(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let files = self.files();
        let file = files.get(path).ok_or(io::ErrorKind::NotFound)?;
        let rest = usize::try_from(offset).ok().and_then(|offset| file.get(offset..)).unwrap_or_default();
        let read = into.iter_mut().zip(rest).map(|(to, from)| *to = *from).count();
        Ok(read)
    }

    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.files();
        let file = files.get_mut(path).ok_or(io::ErrorKind::NotFound)?;
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.checked_add(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        if file.len() < end {
            file.resize(end, 0);
        }
        let place = file.get_mut(start..end).ok_or(io::ErrorKind::FileTooLarge)?;
        place.copy_from_slice(bytes);
        Ok(())
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.files().get(path).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.files();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files().remove(path);
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}
