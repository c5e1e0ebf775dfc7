//! Every store keeps the contract.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use mls_store::{MemoryKeySource, MemoryStore, OpenOptions, Secret, Unlock};

/// Directories for stores, removed at the end.
struct Dirs(PathBuf, AtomicU32);

impl Dirs {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("mls-store-{name}-{}", std::process::id())), AtomicU32::new(0))
    }

    fn next(&self) -> PathBuf {
        self.0.join(self.1.fetch_add(1, Ordering::SeqCst).to_string())
    }
}

impl Drop for Dirs {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn raw() -> Unlock {
    Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap()
}

#[test]
fn memory_store_conforms() {
    store_conformance::store_conformance(&|| Box::new(MemoryStore::new()));
}

#[test]
fn sqlite_store_conforms() {
    let dirs = Dirs::new("conforms");
    store_conformance::store_conformance(&|| Box::new(OpenOptions::new(raw()).open(&dirs.next()).unwrap()));
}

#[test]
fn sqlite_store_that_forgets_at_once_conforms() {
    let dirs = Dirs::new("forgets");
    let options = || OpenOptions::new(raw()).shred_after(1, Duration::ZERO);
    store_conformance::store_conformance(&|| Box::new(options().open(&dirs.next()).unwrap()));
}

#[test]
fn sqlite_store_with_a_key_source_conforms() {
    let dirs = Dirs::new("source");
    let unlock = || Unlock::key_source(Arc::new(MemoryKeySource::new()));
    store_conformance::store_conformance(&|| Box::new(OpenOptions::new(unlock()).open(&dirs.next()).unwrap()));
}
