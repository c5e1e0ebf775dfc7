//! Another key: at every moment the store opens with the old or the new one, and once it is said to be done with the new
//! one only.

use mls_store::{Mark, Space, StoreError};
use store_lab::{BoxError, Disk, History, Lost, Scenario};

use crate::{
    model::{Change, Content, apply},
    place::{FOLDER, Lock, mount},
};

/// A store whose key is changed, and changed back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewKey;

/// What may be there.
#[derive(Clone, Debug)]
pub(crate) struct State {
    content: Content,
    lock: Lock,
    /// A key that is not to open anything any more, and its header.
    before: Option<(Lock, Vec<u8>)>,
}

const LOCKS: [Lock; 3] = [Lock::RawKey, Lock::OtherKey, Lock::RawKey];

impl Scenario for NewKey {
    type State = State;

    fn prepare(&self, disk: &Disk) -> Result<State, BoxError> {
        let place = LOCKS[0].open(disk, &mount(disk)?, Mark::default())?;
        apply(&place.store, &[(Space::Client, vec![put(1)]), (Space::Group(b"g".to_vec()), vec![put(2)])])?;
        let content = Content::of(&place.store)?;
        place.store.close()?;
        Ok(State { content, lock: LOCKS[0], before: None })
    }

    fn run(&self, disk: &Disk, history: &mut History<State>) -> Result<(), BoxError> {
        let vfs = mount(disk)?;
        let Ok(mut place) = LOCKS[0].open(disk, &vfs, Mark::default()) else { return Ok(()) };
        let Ok(mut content) = Content::of(&place.store) else { return Ok(()) };
        for (round, pair) in LOCKS.windows(2).enumerate() {
            let (old, new) = (pair[0], pair[1]);
            let before = Some((old, disk.image().get(&format!("{FOLDER}/header")).cloned().unwrap_or_default()));
            history.attempt(State { content: content.clone(), lock: new, before });
            match place.store.change_unlock(new.unlock()?) {
                Ok(()) => history.acknowledge(),
                Err(StoreError::Unsure) => {}
                Err(_) => {
                    history.refuse();
                    return Ok(());
                }
            }
            // Whatever came of it, the open store goes on.
            let change = put(10 + u8::try_from(round)?);
            let allowed: Vec<State> = history.allowed(u64::MAX).into_iter().cloned().collect();
            let batch = [(Space::Client, vec![change])];
            let after = content.after(&crate::model::Act::Apply(batch.to_vec()));
            allowed.iter().for_each(|state| history.attempt(State { content: after.clone(), ..state.clone() }));
            if apply(&place.store, &batch).is_err() || allowed.len() > 1 {
                return Ok(());
            }
            history.acknowledge();
            content = after;
            let Ok(()) = place.store.close() else { return Ok(()) };
            let Ok(next) = new.open(disk, &vfs, Mark::default()) else { return Ok(()) };
            place = next;
        }
        Ok(())
    }

    fn check(&self, disk: &Disk, allowed: &[&State]) -> Result<(), BoxError> {
        let mut found = None;
        for lock in [Lock::RawKey, Lock::OtherKey] {
            match lock.open(disk, &mount(disk)?, Mark::default()) {
                Ok(place) if found.is_none() => found = Some((lock, place)),
                Ok(_) => return Err("both keys open the store".into()),
                Err(StoreError::WrongKey) => {}
                Err(error) => return Err(format!("does not open with {lock:?}: {error:?}").into()),
            }
        }
        let (lock, place) = found.ok_or("no key opens the store")?;
        let content = Content::of(&place.store)?;
        let fits = |state: &&&State| state.lock == lock && state.content == content;
        let state =
            allowed.iter().find(fits).ok_or_else(|| format!("opens with {lock:?}, which is none of the states"))?;
        place.store.close()?;
        let Some((old, header)) = &state.before else { return Ok(()) };
        let copy = disk.reboot(Lost::Nothing);
        copy.set_len(&format!("{FOLDER}/header"), 0)?;
        copy.write_at(&format!("{FOLDER}/header"), 0, header)?;
        match old.open(&copy, &mount(&copy)?, Mark::default()) {
            Ok(_) => Err("the old key opens the store with its own header".into()),
            Err(_) => Ok(()),
        }
    }
}

fn put(round: u8) -> Change {
    Change::Put(mls_store::Key { class: 1, epoch: 0, id: vec![round] }, vec![round; 100])
}
