//! The shared heart of all handles of one group: its state, and who may touch it when.
//!
//! In: steps worked out on a borrowed group. Out: steps that are durable and adopted.
//! Always: `serial` is held by whoever changes the group, so that steps follow each other; `live` is locked for writing
//! only for the moment of adopting, so that messages open while a commit is worked out or written. No lock is shared
//! between groups.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

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
    store::{Revision, Section, Space},
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

    /// Looks at the group. `look` must not come back to this cell.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Group) -> MlsResult<T>) -> MlsResult<T> {
        let live = self.read();
        look(live.group.as_ref().ok_or(MlsError::UnknownGroup)?)
    }

    /// Works out a step, makes it durable, and adopts it; in this order, so that memory never runs ahead of the store.
    pub(crate) fn change<T>(
        &self,
        client: &Inner,
        serial: &mut Serial,
        plan: impl FnOnce(&Group, &Env<'_>) -> MlsResult<(T, Step)>,
    ) -> MlsResult<(T, Vec<Event>)> {
        if serial.stale {
            self.reload(client, serial)?;
        }
        let env = client.env();
        let (value, step) = self.look(|group| plan(group, &env))?;
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

    fn adopt(&self, env: &Env<'_>, step: Step, notes: &mut Notes) -> MlsResult<Vec<Event>> {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let Live { group, public, own, times } = &mut *live;
        let group = group.as_mut().ok_or(MlsError::UnknownGroup)?;
        let events = group.adopt(env, step)?;
        *public = Arc::clone(group.public());
        times.note(&events, *own, env.now, notes);
        Ok(events)
    }

    /// Reads the group from the store again.
    fn reload(&self, client: &Inner, serial: &mut Serial) -> MlsResult<()> {
        let (group, revision) = client.load_group(&self.id)?;
        let times = Times::load(client.store.as_ref(), &self.space())?;
        self.replace(serial, group, revision, times);
        Ok(())
    }

    /// Puts another state of the same group in place: as stored, or after joining again.
    pub(crate) fn replace(&self, serial: &mut Serial, group: Group, revision: Revision, times: Times) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Live::new(group, times);
        (serial.revision, serial.stale) = (revision, false);
        serial.notes.clear();
    }

    /// Deletes the group for good: its records, and its secrets in memory.
    pub(crate) fn delete(&self, client: &Inner) -> MlsResult<()> {
        let mut serial = self.serial();
        if serial.stale {
            self.reload(client, &mut serial)?;
        }
        client.store.delete(&self.space(), serial.revision)?;
        self.live.write().unwrap_or_else(PoisonError::into_inner).group = None;
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
