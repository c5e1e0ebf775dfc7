//! Folders that are gone with their owner, stores in them, and the bytes this process wrote.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use spacepanda_core::core_mls::{
    Client, MlsConfig, Secret, TrustOnFirstUse,
    store::{OpenOptions, Unlock},
};

/// A folder for stores and files.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    durable: bool,
}

impl Scratch {
    pub(super) fn new(durable: bool) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("mls-bench-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self { folder, durable }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A client with a store of its own.
    pub(super) fn client(&self, name: &str, config: &MlsConfig) -> Client {
        if !self.durable {
            return passing_client(name, config);
        }
        let unlock = Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap();
        let store = Arc::new(OpenOptions::new(unlock).open(&self.folder.join(name)).unwrap());
        builder(name, config).store(store).open().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing to be done about a folder that stays.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A client with its store in memory.
pub(super) fn passing_client(name: &str, config: &MlsConfig) -> Client {
    builder(name, config).open().unwrap()
}

fn builder(name: &str, config: &MlsConfig) -> spacepanda_core::core_mls::ClientBuilder {
    Client::builder(name.as_bytes(), Arc::new(TrustOnFirstUse::new())).config(config.clone())
}

/// Bytes that this process handed to the operating system to be written; 0 where it does not tell.
pub(super) fn written() -> u64 {
    let text = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("wchar:"));
    line.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or_default()
}
