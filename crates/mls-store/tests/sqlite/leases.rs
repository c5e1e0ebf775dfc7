//! Turns of processes: over with the process, and nothing that the store depends on.

use std::{
    env,
    io::{BufRead, BufReader, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use mls_store::{Leases, StoreError, files::MemoryFiles};

use crate::support::{Dir, group, key, open, options, put};

/// For a process of its own: where its store is.
const HOLDER: &str = "MLS_STORE_HOLDER";

/// Not a test of its own: holds a lease until it is killed.
#[test]
fn holder() {
    let Some(dir) = env::var_os(HOLDER).map(PathBuf::from) else { return };
    let store = options().open(&dir).unwrap();
    let _lease = store.lease(&group(b"g"), Duration::ZERO).unwrap();
    writeln!(std::io::stdout(), "holding").unwrap();
    thread::sleep(Duration::from_secs(3_600));
}

#[test]
fn a_killed_process_gives_its_turn_back() {
    let dir = Dir::new();
    let store = open(&dir);
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["leases::holder", "--exact", "--nocapture"]).env(HOLDER, dir.path()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("holding")));
    let refused = store.lease(&group(b"g"), Duration::from_millis(10)).map(|_| ());
    // A lease keeps nobody from the store who does not ask for one.
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"value");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(refused, Err(StoreError::TimedOut));
    drop(store.lease(&group(b"g"), Duration::from_secs(60)).unwrap());
}

/// The files tell no group, and go with the store.
#[test]
fn what_is_locked_is_empty_and_wiped() {
    let dir = Dir::new();
    let store = open(&dir);
    let spaces: Vec<_> = (0..200_u8).map(|n| group(&[n])).collect();
    for space in &spaces {
        drop(store.lease(space, Duration::ZERO).unwrap());
    }
    let files = dir.files();
    let locked: Vec<_> = files.iter().filter(|(name, _)| name.contains('-') && !name.starts_with("store")).collect();
    assert!((80..=128).contains(&locked.len()), "{} files", locked.len());
    assert!(locked.iter().all(|(_, bytes)| bytes.is_empty()));
    store.wipe().unwrap();
    assert!(dir.files().is_empty(), "{:?}", dir.files().keys());
}

/// Turns are for fairness: where there are no locks, or the disk fails, everybody just goes on.
#[test]
fn without_locks_nobody_waits() {
    let dir = Dir::new();
    let store = open(&dir);
    std::fs::remove_dir_all(dir.path()).unwrap();
    let held = store.lease(&group(b"g"), Duration::ZERO).unwrap();
    drop(store.lease(&group(b"g"), Duration::ZERO).unwrap());
    drop(held);
    let files: Arc<dyn mls_store::files::Files> = Arc::new(MemoryFiles::new());
    assert!(files.try_lock(dir.path()).is_err());
}
