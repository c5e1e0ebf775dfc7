//! The shared heart of all handles of one group: its state, and who may touch it when.
//!
//! In: steps worked out on a borrowed group. Out: steps that are durable and adopted.
//! Always: `serial` is held by whoever changes the group, so that steps follow each other; `live` is locked for writing
//! only for the moment of adopting, so that messages open while a commit is worked out or written. No lock is shared
//! between groups.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Instant,
};

use mls_crypto::{Hash, SuiteCrypto};
use mls_engine::{
    group::{Event, Group, PublicState, Step},
    math::LeafIndex,
    policy::Env,
};

use super::{
    client::Inner,
    duplicates::Duplicates,
    echo::Echoes,
    error::{MlsError, MlsResult},
    inbox::Inbox,
    records,
    store::{Revision, Section, Space, StoreError},
    times::{Notes, Times},
    types::CommitOutcome,
};

/// One group of one client.
#[derive(Debug)]
pub(crate) struct GroupCell {
    pub(crate) id: Vec<u8>,
    suite: Arc<dyn SuiteCrypto>,
    live: RwLock<Live>,
    serial: Mutex<Serial>,
    recall: Mutex<Recall>,
}

/// The group, as readers see it.
#[derive(Debug)]
struct Live {
    /// `None` once the group was deleted.
    group: Option<Group>,
    public: Arc<PublicState>,
    own: LeafIndex,
    times: Times,
}

/// What only the one who changes the group needs.
#[derive(Debug)]
pub(crate) struct Serial {
    revision: Revision,
    /// Whether the store may hold something else than memory: read it again first.
    stale: bool,
    /// Notes that are not stored yet.
    notes: Notes,
    pub(crate) inbox: Inbox,
}

/// What passed by.
#[derive(Debug)]
pub(crate) struct Recall {
    pub(crate) echoes: Echoes,
    pub(crate) duplicates: Duplicates,
}

impl GroupCell {
    /// A group whose records are in the store, at `revision`.
    pub(crate) fn new(client: &Inner, group: Group, revision: Revision, times: Times) -> MlsResult<Self> {
        let config = &client.config;
        let echo_messages = if config.own_echo { config.own_echo_messages } else { 0 };
        Ok(Self {
            id: group.group_id().to_vec(),
            suite: client.crypto.suite(group.cipher_suite())?,
            live: RwLock::new(Live::new(group, times)),
            serial: Mutex::new(Serial { revision, stale: false, notes: Notes::default(), inbox: Inbox::new(config) }),
            recall: Mutex::new(Recall {
                echoes: Echoes::new(echo_messages, config.own_echo_bytes),
                duplicates: Duplicates::new(config.replay_cache_size),
            }),
        })
    }

    pub(crate) fn space(&self) -> Space {
        Space::Group(self.id.clone())
    }

    /// What names a message in the caches of this group.
    pub(crate) fn message_id(&self, message: &[u8]) -> Hash {
        self.suite.hash(&[message])
    }

    /// The lock of whoever changes the group.
    pub(crate) fn serial(&self) -> MutexGuard<'_, Serial> {
        lock(&self.serial)
    }

    pub(crate) fn recall(&self) -> MutexGuard<'_, Recall> {
        lock(&self.recall)
    }

    /// The public state.
    pub(crate) fn public(&self) -> Arc<PublicState> {
        Arc::clone(&self.read().public)
    }

    /// Our leaf.
    pub(crate) fn own(&self) -> LeafIndex {
        self.read().own
    }

    /// When things happened.
    pub(crate) fn times(&self) -> Times {
        self.read().times.clone()
    }

    /// What a commit did, in words for applications.
    pub(crate) fn outcome(
        &self,
        states: (&PublicState, &PublicState),
        committer: LeafIndex,
        events: &[Event],
    ) -> CommitOutcome {
        CommitOutcome::new(states, committer, events, &self.times())
    }

    fn read(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the group. `look` must not come back to this cell.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Group) -> MlsResult<T>) -> MlsResult<T> {
        let live = self.read();
        look(live.group.as_ref().ok_or(MlsError::UnknownGroup)?)
    }

    /// Works out a step, makes it durable, and adopts it; in this order, so that memory never runs ahead of the store.
    ///
    /// If another process changed the group meanwhile, the group is read again and the step worked out anew, for as long
    /// as the configuration says. The store refuses what was worked out from an older state, so nothing of it counts: what
    /// the other process reserved or spent is never used here.
    pub(crate) fn change<T>(
        &self,
        client: &Inner,
        serial: &mut Serial,
        mut plan: impl FnMut(&Group, &Env<'_>) -> MlsResult<(T, Step)>,
    ) -> MlsResult<(T, Vec<Event>)> {
        let begun = Instant::now();
        loop {
            match self.attempt(client, serial, &mut plan) {
                Err(MlsError::Store(StoreError::Conflict { .. })) if begun.elapsed() < client.config.store_patience => {
                }
                Err(MlsError::Store(StoreError::Conflict { .. })) => return Err(StoreError::TimedOut.into()),
                other => return other,
            }
        }
    }

    fn attempt<T>(
        &self,
        client: &Inner,
        serial: &mut Serial,
        plan: &mut impl FnMut(&Group, &Env<'_>) -> MlsResult<(T, Step)>,
    ) -> MlsResult<(T, Vec<Event>)> {
        if serial.stale {
            self.reload(client, serial)?;
        }
        let env = client.env();
        let planned = self.look(|group| plan(group, &env));
        // It may have failed only because another process has moved the group.
        if planned.is_err() && self.has_moved(client, serial)? {
            serial.stale = true;
            return Err(StoreError::Conflict { expected: serial.revision.get(), actual: 0 }.into());
        }
        let (value, step) = planned?;
        let mut writes = records::writes(step.changes())?;
        writes.extend(serial.notes.writes());
        let section = Section { space: self.space(), expected: serial.revision, writes };
        // Whatever the store answers but success, it may have written or may have been written to by others.
        serial.stale = true;
        serial.revision = client.store.apply(&[section])?;
        serial.notes.clear();
        let events = self.adopt(&env, step, &mut serial.notes)?;
        serial.stale = false;
        Ok((value, events))
    }

    /// Whether another process has changed the group since it was read.
    fn has_moved(&self, client: &Inner, serial: &Serial) -> MlsResult<bool> {
        Ok(client.revision_of(&self.space())? != serial.revision)
    }

    /// Reads the group again if another process has changed it.
    pub(crate) fn refresh(&self, client: &Inner, serial: &mut Serial) -> MlsResult<()> {
        if serial.stale || self.has_moved(client, serial)? {
            serial.stale = true;
            self.reload(client, serial)?;
        }
        Ok(())
    }

    /// The same for somebody who only looks. Whoever changes the group just now sees to it anyway; if the store cannot be
    /// asked, memory is as good as it gets.
    pub(crate) fn glance(&self, client: &Inner) {
        if let Ok(mut serial) = self.serial.try_lock() {
            let _as_good_as_it_gets = self.refresh(client, &mut serial);
        }
    }

    fn adopt(&self, env: &Env<'_>, step: Step, notes: &mut Notes) -> MlsResult<Vec<Event>> {
        let mut live = self.write();
        let Live { group, public, own, times } = &mut *live;
        let group = group.as_mut().ok_or(MlsError::UnknownGroup)?;
        let events = group.adopt(env, step)?;
        *public = Arc::clone(group.public());
        times.note(&events, *own, env.now, notes);
        Ok(events)
    }

    /// Reads the group from the store again.
    fn reload(&self, client: &Inner, serial: &mut Serial) -> MlsResult<()> {
        let (group, revision) = match client.load_group(&self.id) {
            // Another process deleted it.
            Err(MlsError::UnknownGroup) => {
                self.write().group = None;
                return Err(MlsError::UnknownGroup);
            }
            loaded => loaded?,
        };
        let times = Times::load(client.store.as_ref(), &self.space())?;
        self.replace(serial, group, revision, times);
        Ok(())
    }

    /// Puts another state of the same group in place: as stored, or after joining again.
    pub(crate) fn replace(&self, serial: &mut Serial, group: Group, revision: Revision, times: Times) {
        *self.write() = Live::new(group, times);
        (serial.revision, serial.stale) = (revision, false);
        serial.notes.clear();
    }

    /// Deletes the group for good: its records, and its secrets in memory.
    pub(crate) fn delete(&self, client: &Inner) -> MlsResult<()> {
        let mut serial = self.serial();
        self.refresh(client, &mut serial)?;
        client.store.delete(&self.space(), serial.revision)?;
        self.write().group = None;
        Ok(())
    }
}

impl Live {
    fn new(group: Group, times: Times) -> Self {
        Self { public: Arc::clone(group.public()), own: group.own_index(), group: Some(group), times }
    }
}

/// Every change of what is locked is complete before anything can panic, so a poisoned lock holds good state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
