//! A disk that cannot read, once: every read of every operation is tried.
//!
//! What must hold: the operation ends with an error of the medium, or as if nothing had happened; after an error the store
//! holds what it held before, the same call succeeds the next time, and so does opening.

use std::sync::Arc;

use mls_store::{Mark, StoreError};
use store_lab::{BoxError, Disk, Lost, Vfs};

use crate::{
    life::{batches, perform, shreddings},
    model::{Act, Content},
    place::{Lock, Place, mount},
};

const LOCK: Lock = Lock::RawKey;

fn open(disk: &Disk, vfs: &Arc<Vfs>) -> Result<Place, StoreError> {
    LOCK.open(disk, vfs, Mark::default())
}

/// The disk before each act, and the act.
fn history() -> Result<Vec<(Disk, Act)>, BoxError> {
    let disk = Disk::new(1);
    let mut history = Vec::new();
    for act in batches().into_iter().chain(shreddings()) {
        history.push((disk.reboot(Lost::Nothing), act.clone()));
        perform(&open(&disk, &mount(&disk)?)?, &act)?;
    }
    Ok(history)
}

/// Tries an operation with each of its reads failing; returns how many there were. An attempt is told which read is to fail,
/// and returns the disk, on which a fault is due if there was no such read.
fn each_read(attempt: &mut dyn FnMut(u64) -> Result<Disk, BoxError>) -> Result<u64, BoxError> {
    for n in 0.. {
        let disk = attempt(n).map_err(|error| format!("read {n}: {error}"))?;
        if disk.read_fault_is_due() {
            return Ok(n);
        }
    }
    Err("it never ends".into())
}

/// An error of the medium and of nothing else.
fn of_the_medium(error: StoreError) -> Result<(), BoxError> {
    match error {
        StoreError::Unavailable | StoreError::Unsure => Ok(()),
        other => Err(format!("{other:?} is no error of the medium").into()),
    }
}

fn is(place: &Place, allowed: &[&Content]) -> Result<(), BoxError> {
    let found = Content::of(&place.store)?;
    if allowed.contains(&&found) { Ok(()) } else { Err("the store holds something else".into()) }
}

/// On a store that is open, and whose pages another connection has changed since they were read.
fn act_with_failing_reads(start: &Disk, act: &Act) -> Result<u64, BoxError> {
    each_read(&mut |read| {
        let disk = start.reboot(Lost::Nothing);
        let vfs = mount(&disk)?;
        let place = open(&disk, &vfs)?;
        let before = Content::of(&place.store)?;
        open(&disk, &vfs)?.store.maintain()?;
        let after = before.after(act);
        disk.set_read_fault(Some(read));
        let done = perform(&place, act);
        let due = disk.read_fault_is_due();
        disk.set_read_fault(None);
        match done {
            Ok(()) => is(&place, &[&after])?,
            Err(error) => {
                of_the_medium(error)?;
                let allowed = [&before, if error == StoreError::Unsure { &after } else { &before }];
                is(&place, &allowed)?;
                if Content::of(&place.store)? == before {
                    perform(&place, act)?;
                }
                is(&place, &[&after])?;
            }
        }
        place.store.close()?;
        is(&open(&disk, &vfs)?, &[&after])?;
        disk.set_read_fault(due.then_some(0));
        Ok(disk)
    })
}

/// Opening, and reading everything.
fn read_with_failing_reads(start: &Disk) -> Result<u64, BoxError> {
    let first = start.reboot(Lost::Nothing);
    let expected = Content::of(&open(&first, &mount(&first)?)?.store)?;
    each_read(&mut |read| {
        let disk = start.reboot(Lost::Nothing);
        let vfs = mount(&disk)?;
        disk.set_read_fault(Some(read));
        let opened = open(&disk, &vfs);
        let found = opened.as_ref().map_err(|error| *error).and_then(|place| Content::of(&place.store));
        let due = disk.read_fault_is_due();
        disk.set_read_fault(None);
        match found {
            Ok(found) if found == expected => {}
            Ok(_) => return Err("the store holds something else".into()),
            Err(error) => of_the_medium(error)?,
        }
        if let Ok(place) = &opened {
            is(place, &[&expected])?;
        }
        drop(opened);
        is(&open(&disk, &vfs)?, &[&expected])?;
        disk.set_read_fault(due.then_some(0));
        Ok(disk)
    })
}

#[test]
fn every_read_of_every_operation_may_fail() {
    let mut reads = 0;
    for (number, (disk, act)) in history().unwrap().iter().enumerate() {
        let here = act_with_failing_reads(disk, act).unwrap_or_else(|error| panic!("act {number}: {error}"));
        assert!(here > 0, "act {number} reads nothing");
        reads += here;
    }
    println!("{reads} reads failed during acts");
}

#[test]
fn every_read_of_opening_may_fail() {
    let mut reads = 0;
    for (number, (disk, _)) in history().unwrap().iter().enumerate() {
        reads += read_with_failing_reads(disk).unwrap_or_else(|error| panic!("before act {number}: {error}"));
    }
    println!("{reads} reads failed during opening and reading");
    assert!(reads > 100);
}
