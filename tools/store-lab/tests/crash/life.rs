//! A store from its making to its last batch, in parts.

use mls_store::{Key, Mark, Space, StoreError};
use store_lab::{BoxError, Disk, History, Lost, Scenario};

use crate::{
    model::{Act, Change, Content, State, apply, delete},
    place::{Device, Lock, Place, one_slot_counts},
};

/// A store, and what is done with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) lock: Lock,
    pub(crate) part: Part,
    pub(crate) device: Device,
}

/// What is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// It is made, and used for the first time.
    Birth,
    /// Batches of every kind.
    Batches,
    /// Deleting, and forgetting what was deleted.
    Shredding,
    /// It is closed and opened between batches.
    Reopening,
    /// Two programs use it in turn.
    Two,
    /// Batches that are larger than the cache, until the log is emptied by itself.
    Large,
}

impl Scenario for Life {
    type State = State;

    fn prepare(&self, disk: &Disk) -> Result<State, BoxError> {
        // From the first moment, what a disk promises holds.
        let vfs = self.device.mount(disk)?;
        if self.part == Part::Birth {
            return Ok(State::default());
        }
        let place = self.lock.open(disk, &vfs, Mark::default())?;
        let act = batch(&[
            (Space::Client, (0..5).map(|n| put(0, 0, n, 0, 40)).collect()),
            (a(), vec![put(1, 7, 0, 0, 3_000)]),
        ]);
        perform(&place, &act)?;
        let content = Content::of(&place.store)?;
        place.store.close()?;
        Ok(State { content, mark: Mark::default() })
    }

    fn run(&self, disk: &Disk, history: &mut History<State>) -> Result<(), BoxError> {
        let vfs = self.device.mount(disk)?;
        let mut places: Vec<Option<Place>> = Vec::new();
        let mut mark = Mark::default();
        let reopening = self.part == Part::Reopening;
        places.resize_with(if self.part == Part::Two { 2 } else { 1 }, || None);
        for (number, act) in self.acts().iter().enumerate() {
            let turn = number % places.len();
            if reopening && let Some(place) = places[turn].take() {
                // What it cannot do now is done when it is opened.
                let _closed = place.store.close();
            }
            if places[turn].is_none() {
                places[turn] = self.lock.open(disk, &vfs, mark).ok();
            }
            if let Some(place) = &places[turn] {
                step(place, act, history, &mut mark)?;
            }
        }
        Ok(())
    }

    fn check(&self, disk: &Disk, allowed: &[&State]) -> Result<(), BoxError> {
        let copy = disk.reboot(Lost::Nothing);
        let vfs = self.device.mount(disk)?;
        let mark = allowed.first().map_or(Mark::default(), |state| state.mark);
        let place = self.lock.open(disk, &vfs, mark).map_err(|error| format!("does not open: {error:?}"))?;
        let content = Content::of(&place.store).map_err(|error| format!("cannot be read: {error:?}"))?;
        if !allowed.iter().any(|state| state.content == content) {
            let expected: Vec<_> = allowed.iter().map(|state| state.content.records()).collect();
            return Err(format!("{} records, which is none of the states of {expected:?}", content.records()).into());
        }
        one_slot_counts(disk, place.store.mark()?)?;
        place.store.close()?;
        self.goes_on(&copy, &content)
    }
}

impl Life {
    /// Under a raw key, on a disk as SQLite assumes it.
    pub(crate) const fn of(part: Part) -> Self {
        Self { lock: Lock::RawKey, part, device: Device::Powersafe }
    }

    /// On a copy, not opened yet: the next batch is done as if nothing had happened, and is durable.
    fn goes_on(self, disk: &Disk, content: &Content) -> Result<(), BoxError> {
        let act = batch(&[(Space::Client, vec![put(2, 9, 9, 9, 50)])]);
        let place = self.lock.open(disk, &self.device.mount(disk)?, Mark::default())?;
        perform(&place, &act)?;
        let rebooted = disk.reboot(Lost::Everything);
        drop(place);
        let place = self.lock.open(&rebooted, &self.device.mount(&rebooted)?, Mark::default())?;
        let found = Content::of(&place.store)?;
        if found == content.after(&act) { Ok(()) } else { Err("the next batch is lost".into()) }
    }

    fn acts(self) -> Vec<Act> {
        match self.part {
            Part::Birth => births(),
            Part::Batches => batches(),
            Part::Shredding => shreddings(),
            Part::Reopening => [&batches()[..3], &shreddings()[..3]].concat(),
            Part::Two => [&batches()[..4], &shreddings()[..4]].concat(),
            Part::Large => large(),
        }
    }
}

/// Does one thing, and compares the live store with what it has said.
fn step(place: &Place, act: &Act, history: &mut History<State>, mark: &mut Mark) -> Result<(), BoxError> {
    let Ok(before) = Content::of(&place.store) else { return Ok(()) };
    let after = before.after(act);
    history.attempt(State { content: after.clone(), mark: *mark });
    let done = perform(place, act);
    match done {
        Ok(()) => {
            history.acknowledge();
            if let Ok(now) = place.store.mark() {
                *mark = now;
                history.attempt(State { content: after.clone(), mark: now });
                history.acknowledge();
            }
        }
        Err(StoreError::Unsure) => {}
        Err(_) => history.refuse(),
    }
    let Ok(found) = Content::of(&place.store) else { return Ok(()) };
    let right = match done {
        Ok(()) => found == after,
        Err(StoreError::Unsure) => found == before || found == after,
        Err(_) => found == before,
    };
    if right { Ok(()) } else { Err(format!("after {done:?} the open store holds something else").into()) }
}

pub(crate) fn perform(place: &Place, act: &Act) -> Result<(), StoreError> {
    match act {
        Act::Apply(batch) => apply(&place.store, batch).map(|_| ()),
        Act::DeleteSpace(space) => delete(&place.store, space),
        Act::Shred => place.store.shred(),
        Act::Maintain => place.store.maintain(),
    }
}

fn births() -> Vec<Act> {
    vec![
        batch(&[(Space::Client, vec![put(0, 0, 0, 1, 100)])]),
        batch(&[(Space::Client, vec![put(0, 0, 0, 2, 100)]), (a(), vec![put(1, 1, 0, 2, 6_000)])]),
        Act::Shred,
    ]
}

pub(crate) fn batches() -> Vec<Act> {
    let delete = |class, epoch, id| Change::Delete(key(class, epoch, id));
    vec![
        batch(&[(a(), (0..4).map(|n| put(1, 1, n, 1, 300)).collect()), (b(), vec![put(0, 1, 0, 1, 20)])]),
        batch(&[(a(), vec![put(1, 1, 0, 2, 5_000), delete(1, 1, 1)]), (Space::Client, vec![put(0, 0, 1, 2, 10)])]),
        batch(&[(a(), vec![Change::DeleteEpoch(1, 1), put(1, 2, 0, 3, 700)]), (b(), vec![put(2, 3, 1, 3, 9_000)])]),
        batch(&[(b(), vec![Change::Clear, put(0, 0, 5, 4, 1)]), (application(), vec![put(0, 0, 0, 4, 80)])]),
        batch(&[(a(), Vec::new())]),
        batch(&[(Space::Client, (0..20).map(|n| put(2, 5, n, 5, 200)).collect())]),
        batch(&[(Space::Client, (0..20).map(|n| delete(2, 5, n)).collect()), (a(), vec![Change::Clear])]),
    ]
}

pub(crate) fn shreddings() -> Vec<Act> {
    vec![
        batch(&[(a(), vec![put(1, 7, 0, 1, 3_000), put(1, 8, 0, 1, 30)])]),
        Act::Shred,
        batch(&[(a(), vec![Change::DeleteEpoch(1, 7)]), (Space::Client, vec![put(0, 0, 2, 2, 60)])]),
        Act::Maintain,
        batch(&[(b(), vec![put(1, 1, 0, 3, 500)])]),
        Act::DeleteSpace(a()),
        batch(&[(a(), vec![put(1, 9, 0, 4, 40)])]),
        Act::Shred,
        // The fourth batch with something to forget does it by itself.
        batch(&[(b(), vec![put(1, 1, 0, 5, 501)])]),
        batch(&[(b(), vec![put(1, 1, 0, 6, 502)])]),
        batch(&[(b(), vec![put(1, 1, 0, 7, 503)])]),
        batch(&[(b(), vec![put(1, 1, 0, 8, 504)])]),
        Act::DeleteSpace(b()),
        Act::Maintain,
    ]
}

fn large() -> Vec<Act> {
    let many = |round| batch(&[(a(), (0..5).map(|n| put(1, 1, n, round, 450_000)).collect())]);
    vec![many(1), many(2), Act::Shred]
}

fn batch(sections: &[(Space, Vec<Change>)]) -> Act {
    Act::Apply(sections.to_vec())
}

/// Bytes that tell the record and the round apart.
fn put(class: u8, epoch: u64, id: u8, round: u8, len: usize) -> Change {
    let value = [class, id, round, 0x5A].into_iter().cycle().take(len).collect();
    Change::Put(key(class, epoch, id), value)
}

fn key(class: u8, epoch: u64, id: u8) -> Key {
    Key { class, epoch, id: vec![id; usize::from(id) + 1] }
}

fn a() -> Space {
    Space::Group(b"group a".to_vec())
}

fn b() -> Space {
    Space::Group(b"group b".to_vec())
}

fn application() -> Space {
    Space::Application(b"outbox".to_vec())
}
