//! Directories that go away, and short words.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use mls_store::{
    KdfParams, Key, OpenOptions, Revision, Secret, Section, Space, SqliteStore, StateStore, StoreError, Unlock, Write,
};

/// A directory that is removed with the value.
#[derive(Debug)]
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mls-store-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst));
        let dir = std::env::temp_dir().join(name);
        let _gone = fs::remove_dir_all(&dir);
        Self(dir)
    }

    /// A directory with these files.
    pub(crate) fn with(files: &Files) -> Self {
        let dir = Self::new();
        fs::create_dir_all(&dir.0).unwrap();
        files.iter().for_each(|(name, bytes)| fs::write(dir.0.join(name), bytes).unwrap());
        dir
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Every file with its bytes.
    pub(crate) fn files(&self) -> Files {
        let entries = fs::read_dir(&self.0).unwrap();
        let read = |entry: fs::DirEntry| Some((entry.file_name().into_string().unwrap(), fs::read(entry.path()).ok()?));
        entries.filter_map(|entry| read(entry.unwrap())).collect()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// Files of a directory, by name.
pub(crate) type Files = std::collections::BTreeMap<String, Vec<u8>>;

pub(crate) const RAW: [u8; 32] = [7; 32];

pub(crate) fn raw() -> Unlock {
    Unlock::raw_key(Secret::copy_from(&RAW)).unwrap()
}

/// The cheapest passphrase there is.
pub(crate) fn passphrase(text: &str) -> Unlock {
    Unlock::passphrase(text.to_owned()).kdf(KdfParams::new(19 * 1_024, 2, 1).unwrap())
}

/// Forgets only when told, so that tests decide.
pub(crate) fn options() -> OpenOptions {
    OpenOptions::new(raw()).shred_after(u32::MAX, Duration::from_secs(1 << 30))
}

pub(crate) fn open(dir: &Dir) -> SqliteStore {
    options().open(dir.path()).unwrap()
}

pub(crate) fn key(class: u8, epoch: u64, id: &[u8]) -> Key {
    Key { class, epoch, id: id.to_vec() }
}

pub(crate) fn group(id: &[u8]) -> Space {
    Space::Group(id.to_vec())
}

pub(crate) fn revision(store: &dyn StateStore, space: &Space) -> Revision {
    let spaces = store.spaces(None).unwrap();
    spaces.into_iter().find(|(known, _)| known == space).map_or(Revision::NONE, |(_, revision)| revision)
}

/// A batch of one section, from the revision that is there.
pub(crate) fn apply(store: &dyn StateStore, space: &Space, writes: Vec<Write<'_>>) -> Result<Revision, StoreError> {
    store.apply(&[Section { space: space.clone(), expected: revision(store, space), writes }])
}

pub(crate) fn put(store: &dyn StateStore, space: &Space, key: &Key, value: &[u8]) {
    apply(store, space, vec![Write::Put(key.clone(), &Secret::copy_from(value))]).unwrap();
}

pub(crate) fn get(store: &dyn StateStore, space: &Space, key: &Key) -> Option<Vec<u8>> {
    store.get(space, key).unwrap().map(|value| value.as_slice().to_vec())
}
