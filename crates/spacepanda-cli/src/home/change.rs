//! Another passphrase for a home, or its first one.
//!
//! Always: a home that was stopped half-way opens with what it opened with before, and the change can be made again.

use std::{fs, io, path::Path};

use spacepanda_core::core_mls::{
    Secret,
    store::{
        OpenOptions, StoreError, Unlock,
        files::{Disk, Files},
    },
};

use super::{Home, HomeError};

impl Home {
    /// Gives all stores this passphrase; what opened them before opens nothing any more.
    pub(crate) fn change_passphrase(self, new: &Secret) -> Result<(), HomeError> {
        let unlock = || Unlock::passphrase(String::from_utf8_lossy(new.as_slice()).into_owned());
        for place in self.places().map_err(HomeError::Folder)? {
            match self.store(&place) {
                Ok(store) => store.change_unlock(unlock())?,
                // An earlier change was stopped after this one.
                Err(HomeError::Store(StoreError::WrongKey | StoreError::WrongKind)) => {
                    drop(OpenOptions::new(unlock()).open(&self.dir.join(&place))?);
                }
                Err(error) => return Err(error),
            }
        }
        let key = self.dir.join("key");
        if key.exists() {
            Disk.remove(&key).and_then(|()| Disk.sync_dir(&self.dir)).map_err(HomeError::Key)?;
        }
        Ok(())
    }

    /// Every place where a store is.
    fn places(&self) -> io::Result<Vec<String>> {
        let mut places = Vec::new();
        if self.dir.join("me").exists() {
            places.push("me".to_owned());
        }
        for group in names(&self.dir.join("demo"))? {
            for member in names(&self.dir.join("demo").join(&group))? {
                places.push(format!("demo/{group}/{member}"));
            }
        }
        Ok(places)
    }
}

/// Folders in a folder; none if it is not there.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let folders = fs::read_dir(dir)?.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    Ok(folders.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}
