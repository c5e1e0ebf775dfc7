//! Turns of processes, by locks of the operating system, which end with the process that holds them.
//!
//! ```text
//! turn-00 … turn-3f    who is next     lease-00 … lease-3f    whose turn it is; all files empty
//! ```
//!
//! Always: who wants a lease first becomes the next one, waits so, and then lets another one be next. Whoever ends a turn
//! and wants another one finds the place of the next one taken, and so cannot overtake. Where files cannot be locked there
//! are no turns: they are for fairness only.

use std::{
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{SqliteStore, names::encode_space, pages::Tree};
use crate::{
    Lease, Leases, Space, StoreError,
    files::{Files, Lock},
    seal::{Id, row_id},
};

impl Leases for SqliteStore {
    fn lease(&self, space: &Space, patience: Duration) -> Result<Lease, StoreError> {
        let begun = Instant::now();
        // Nobody waits for a turn with the session locked.
        let (files, [turn, lease]) = {
            let session = self.session();
            (session.files.clone(), pair(&session.dir, session.turns.part(space)))
        };
        let wait = |path: &Path| lock(files.as_ref(), path, || begun.elapsed() < patience);
        let locked = wait(&turn).and_then(|next| {
            let locked = wait(&lease);
            drop(next);
            locked
        });
        match locked {
            Ok(locked) => Ok(Lease::until_dropped(locked)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(StoreError::TimedOut),
            Err(_) => Ok(Lease::unneeded()),
        }
    }
}

/// Which spaces take turns with each other.
pub(super) struct Turns(Id);

impl Turns {
    /// Of an open store. It cannot be told from the files which spaces there are.
    pub(super) fn new(tree: &Tree<'_>) -> Self {
        Self(row_id(&tree.lookup, b"turns", &[]))
    }

    /// Until the store is open.
    pub(super) const fn unknown() -> Self {
        Self(Id([0; 16]))
    }

    fn part(&self, space: &Space) -> u8 {
        row_id(&mls_crypto::Secret::copy_from(self.0.as_slice()), b"turn", &[&encode_space(space)]).part()
    }
}

/// Every file that may be there because of turns.
pub(super) fn every_file(dir: &Path) -> impl Iterator<Item = PathBuf> {
    (0..64).flat_map(|part| pair(dir, part))
}

fn pair(dir: &Path, part: u8) -> [PathBuf; 2] {
    [dir.join(format!("turn-{part:02x}")), dir.join(format!("lease-{part:02x}"))]
}

/// Locks a file, for as long as there is patience.
fn lock(files: &dyn Files, path: &Path, patient: impl Fn() -> bool) -> io::Result<Lock> {
    loop {
        match files.try_lock(path)? {
            Some(lock) => return Ok(lock),
            None if patient() => thread::sleep(PAUSE),
            None => return Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

/// The same for everybody, whoever waits for how long: who asked more often would be first.
const PAUSE: Duration = Duration::from_micros(300);
