//! The end of a store: it is there as before, or nothing of it can be read.

use std::{path::Path, sync::Arc};

use mls_store::{Key, Mark, Space, SqliteStore, StoreError};
use store_lab::{BoxError, Disk, History, Lost, Scenario};

use crate::{
    model::{Change, Content, apply},
    place::{FOLDER, Lock, mount},
};

/// A store that is wiped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wipe;

/// What may be there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Left {
    All(Content),
    /// A store that says that it was wiped in part.
    Remains,
    Nothing,
}

const LOCK: Lock = Lock::RawKey;

impl Scenario for Wipe {
    type State = Left;

    fn prepare(&self, disk: &Disk) -> Result<Left, BoxError> {
        let place = LOCK.open(disk, &mount(disk)?, Mark::default())?;
        for value in [vec![1; 5_000], vec![2; 100]] {
            let key = Key { class: 1, epoch: 1, id: b"id".to_vec() };
            apply(&place.store, &[(Space::Client, vec![Change::Put(key, value)])])?;
        }
        let content = Content::of(&place.store)?;
        place.store.close()?;
        Ok(Left::All(content))
    }

    fn run(&self, disk: &Disk, history: &mut History<Left>) -> Result<(), BoxError> {
        let Ok(place) = LOCK.open(disk, &mount(disk)?, Mark::default()) else { return Ok(()) };
        history.attempt(Left::Remains);
        history.attempt(Left::Nothing);
        match place.store.wipe() {
            Ok(()) => {
                history.acknowledge();
                nothing_is_left(disk)?;
            }
            Err(StoreError::TimedOut) => {
                history.refuse();
                history.refuse();
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn check(&self, disk: &Disk, allowed: &[&Left]) -> Result<(), BoxError> {
        let left = match LOCK.open(disk, &mount(disk)?, Mark::default()) {
            Ok(place) => match Content::of(&place.store)? {
                content if content == Content::default() => Left::Nothing,
                content => Left::All(content),
            },
            Err(StoreError::Wiped) => Left::Remains,
            Err(error) => return Err(format!("the store is {error:?}").into()),
        };
        if !allowed.contains(&&left) {
            return Err(format!("{left:?} is left").into());
        }
        if left == Left::Remains {
            SqliteStore::destroy(Path::new(FOLDER), Arc::new(disk.clone()))?;
            nothing_is_left(disk)?;
        }
        Ok(())
    }
}

/// Not even if the power is lost now.
fn nothing_is_left(disk: &Disk) -> Result<(), BoxError> {
    let left: Vec<_> = disk.reboot(Lost::Everything).image().into_keys().collect();
    if left.iter().any(|name| name.starts_with(FOLDER)) {
        return Err(format!("left behind: {left:?}").into());
    }
    Ok(())
}
