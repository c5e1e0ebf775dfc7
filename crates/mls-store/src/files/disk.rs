//! The files of the operating system.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::Path,
};

use super::{Files, Lock, open};

/// The operating system's own files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        match open::create_dir(path) {
            // Some systems have other words for it, above all for their own directories.
            Err(_) if path.is_dir() => Err(io::ErrorKind::AlreadyExists.into()),
            made => made,
        }
    }

    fn create(&self, path: &Path) -> io::Result<()> {
        open::create(path).map(|_| ())
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read_at(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let file = File::open(path)?;
        let mut done = 0_usize;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(u64::try_from(done).unwrap_or(u64::MAX));
            match open::read_at(&file, at, rest) {
                Ok(0) => break,
                Ok(read) => done = done.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        open::write_at(&for_writing(path)?, offset, bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        for_writing(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        open::sync_dir(if path.as_os_str().is_empty() { Path::new(".") } else { path })
    }

    fn try_lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let file = match open::create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => for_writing(path),
            made => made,
        }?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn for_writing(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}
