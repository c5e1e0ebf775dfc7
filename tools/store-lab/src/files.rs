//! The disk as the store sees it beside its database.
//!
//! In: calls of [`Files`]. Out: the same disk, and the same count of operations, that SQLite works on.
//! Always: no handle is kept; the power that is lost is lost for both.

use std::{io, path::Path};

use mls_store::files::Files;

use crate::{disk::Disk, fault::DiskError};

impl Files for Disk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let name = name_of(path)?;
        if self.exists(&format!("{name}/")) {
            return Err(DiskError::Exists.into());
        }
        Ok(Self::create_dir(self, name)?)
    }

    fn create(&self, path: &Path) -> io::Result<()> {
        Self::create(self, name_of(path)?)?;
        Ok(())
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        match Self::len(self, name_of(path)?) {
            Ok(len) => Ok(u64::try_from(len).ok()),
            Err(DiskError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read_at(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        Ok(Self::read_at(self, name_of(path)?, position(offset), into)?)
    }

    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        Ok(Self::write_at(self, name_of(path)?, position(offset), bytes)?)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        Ok(Self::sync(self, name_of(path)?)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(Self::rename(self, name_of(from)?, name_of(to)?)?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match Self::remove(self, name_of(path)?) {
            Ok(()) | Err(DiskError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        Ok(Self::sync_dir(self, name_of(path)?)?)
    }
}

impl From<DiskError> for io::Error {
    fn from(error: DiskError) -> Self {
        let kind = match error {
            DiskError::NotFound => io::ErrorKind::NotFound,
            DiskError::Exists => io::ErrorKind::AlreadyExists,
            DiskError::NoSpace => io::ErrorKind::StorageFull,
            DiskError::PowerLost | DiskError::Io => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

fn name_of(path: &Path) -> io::Result<&str> {
    path.to_str().ok_or_else(|| io::ErrorKind::InvalidFilename.into())
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
