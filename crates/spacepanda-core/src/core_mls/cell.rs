//! The shared heart of all handles of one group: its state, and who may touch it when.
//!
//! In: steps worked out on a borrowed group. Out: steps that are durable and adopted.
//! Always: `serial` is held by whoever changes the group, so that steps follow each other; `live` is locked for writing
//! only for the moment of adopting, so that messages open while a commit is worked out or written. No lock is shared
//! between groups.

mod messages;

pub(crate) use messages::Messages;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Instant,
};

use mls_crypto::{Hash, Secret, SuiteCrypto};
use mls_engine::{
    group::{Event, Group, PublicState, Step},
    math::LeafIndex,
    policy::Env,
};

use super::{
    chronicle::{Chronicle, Evidence},
    client::Inner,
    duplicates::Duplicates,
    echo::Echoes,
    error::{MlsError, MlsResult},
    inbox::Inbox,
    outbox::Outbox,
    passing::{Beside, Passing},
    records::{self, ECHO, ROW, key},
    standing::{Current, Standing},
    store::{Revision, Section, Space, StoreError, Write},
    terms::Terms,
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
    /// By itself, so that a step can ask while it is worked out.
    terms: RwLock<Arc<Terms>>,
}

/// The group, as readers see it.
#[derive(Debug)]
struct Live {
    /// `None` once the group was deleted.
    group: Option<Group>,
    standing: Standing,
    public: Arc<PublicState>,
    own: LeafIndex,
    times: Times,
    chronicle: Chronicle,
}

/// What only the one who changes the group needs.
#[derive(Debug)]
pub(crate) struct Serial {
    revision: Revision,
    /// Whether the store may hold something else than memory: read it again first.
    stale: bool,
    /// Notes that are not stored yet.
    pub(crate) notes: Notes,
    pub(crate) inbox: Inbox,
    pub(crate) outbox: Outbox,
    /// Of the application's rows, if it is known.
    rows: Option<Revision>,
}

/// What passed by.
#[derive(Debug)]
pub(crate) struct Recall {
    pub(crate) echoes: Echoes,
    pub(crate) duplicates: Duplicates,
    /// The number of the next own message.
    pub(crate) order: u64,
}

/// What the client keeps alongside a group.
pub(crate) struct Alongside {
    pub(crate) standing: Standing,
    pub(crate) times: Times,
    pub(crate) chronicle: Chronicle,
    pub(crate) terms: Arc<Terms>,
    pub(crate) passing: Passing,
}

impl Alongside {
    /// As stored.
    pub(crate) fn load(client: &Inner, group: &Group) -> MlsResult<Self> {
        let (store, space) = (client.store.as_ref(), Space::Group(group.group_id().to_vec()));
        let (standing, mut notes) = Standing::load(store, &space, group, client.mark_of(group.group_id()))?;
        let times = Times::load(store, &space)?;
        let mut passing = Passing::load(&client.config, store, &space, group.epoch())?;
        passing.notes.append(&mut notes);
        let suite = client.crypto.suite(group.cipher_suite())?;
        let chronicle = Chronicle::load(store, &space, suite.as_ref(), group)?;
        let terms = Arc::new(Terms::new(client, group.public().context()));
        Ok(Self { standing, times, chronicle, terms, passing })
    }
}

impl GroupCell {
    /// A group whose records are in the store, at `revision`.
    pub(crate) fn new(client: &Inner, group: Group, revision: Revision) -> MlsResult<Self> {
        let alongside = Alongside::load(client, &group)?;
        let (id, suite) = (group.group_id().to_vec(), client.crypto.suite(group.cipher_suite())?);
        let terms = RwLock::new(Arc::clone(&alongside.terms));
        let (live, Passing { recall, inbox, outbox, notes }) = Live::new(group, alongside);
        Ok(Self {
            id,
            suite,
            live: RwLock::new(live),
            serial: Mutex::new(Serial { revision, stale: false, notes, inbox, outbox, rows: None }),
            recall: Mutex::new(recall),
            terms,
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

    /// The epochs, and what others say about theirs.
    pub(crate) fn chronicle(&self) -> Chronicle {
        self.read().chronicle.clone()
    }

    /// What others said, once it is durable.
    pub(crate) fn set_evidence(&self, evidence: Evidence) {
        self.live_mut().chronicle.evidence = evidence;
    }

    pub(crate) fn suite(&self) -> &dyn SuiteCrypto {
        self.suite.as_ref()
    }

    /// When things happened.
    pub(crate) fn times(&self) -> Times {
        self.read().times.clone()
    }

    /// What we do in this epoch.
    pub(crate) fn terms(&self) -> Arc<Terms> {
        Arc::clone(&self.terms.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_terms(&self, terms: Arc<Terms>) {
        *self.terms.write().unwrap_or_else(PoisonError::into_inner) = terms;
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

    fn live_mut(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the group. `look` must not come back to this cell.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Group) -> MlsResult<T>) -> MlsResult<T> {
        look(self.read().current()?.group)
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
        mut plan: impl FnMut(&Current<'_>, &Env<'_>) -> MlsResult<(T, Step, Beside)>,
    ) -> MlsResult<(T, Vec<Event>)> {
        self.persist(client, || self.attempt(client, serial, &mut plan))
    }

    /// Reads what is stored as one state: again, if another process changes it meanwhile.
    pub(crate) fn read_stored<T>(
        &self,
        client: &Inner,
        serial: &mut Serial,
        read: impl Fn() -> MlsResult<T>,
    ) -> MlsResult<T> {
        self.persist(client, || {
            self.refresh(client, serial)?;
            let value = read()?;
            let expected = serial.revision.get();
            if self.has_moved(client, serial)? {
                return Err(StoreError::Conflict { expected, actual: 0 }.into());
            }
            Ok(value)
        })
    }

    /// Carries out an operation when it is this process's turn (X-STATE-03), so that nobody is overtaken for ever. Tries again
    /// what another process overtook all the same: the revision in the transaction decides, not the turn.
    fn persist<T>(&self, client: &Inner, mut attempt: impl FnMut() -> MlsResult<T>) -> MlsResult<T> {
        let begun = Instant::now();
        let _turn = client.store.lease(&self.space(), client.config.store_patience)?;
        loop {
            match attempt() {
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
        plan: &mut impl FnMut(&Current<'_>, &Env<'_>) -> MlsResult<(T, Step, Beside)>,
    ) -> MlsResult<(T, Vec<Event>)> {
        self.refresh(client, serial)?;
        let terms = self.terms();
        let env = terms.env(client);
        let planned = self.read().current().and_then(|current| plan(&current, &env));
        // It may have failed only because another process has moved the group.
        if planned.is_err() && self.has_moved(client, serial)? {
            serial.stale = true;
            return Err(StoreError::Conflict { expected: serial.revision.get(), actual: 0 }.into());
        }
        let (value, step, beside) = planned?;
        client.policy.settle()?;
        self.write(client, serial, records::writes(step.changes())?, beside)?;
        // If adopting fails, the store is ahead of memory.
        serial.stale = true;
        let events = self.adopt((client, &env), step, &mut serial.notes)?;
        serial.stale = false;
        client.watch.adopted(&self.id, self.public().tree().member_count(), &events);
        if client.config.strict_epoch_check && events.iter().any(|event| matches!(event, Event::EpochAdvanced(_))) {
            // CAP-24: nobody else reads those of a past epoch any more.
            let gone = self.recall().echoes.forget_before(self.public().context().epoch);
            gone.iter().for_each(|id| serial.notes.delete(key(ECHO, id.as_slice())));
            if !gone.is_empty() {
                // What fails now is done with the next batch.
                let _ = self.write(client, serial, Vec::new(), Beside::default());
            }
        }
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

    /// Whether it may send.
    pub(crate) fn may_send(&self) -> MlsResult<bool> {
        Ok(self.read().current()?.sender().is_ok())
    }

    /// From now on the state may be an old one, durably.
    pub(crate) fn distrust(&self, client: &Inner) -> MlsResult<()> {
        let mut serial = self.serial();
        self.refresh(client, &mut serial)?;
        if !self.may_send()? {
            return Ok(());
        }
        let standing = self.look(|group| Ok(Standing::unknown(group)))?;
        self.note(client, &mut serial, || Beside { standing: Some(standing.clone()), ..Beside::default() })
    }

    /// Makes durable what loading found out.
    pub(crate) fn settle(&self, client: &Inner) -> MlsResult<()> {
        let mut serial = self.serial();
        if serial.notes.is_empty() { Ok(()) } else { self.note(client, &mut serial, Beside::default) }
    }

    /// Makes durable what is beside the group, without a step.
    pub(crate) fn note(&self, client: &Inner, serial: &mut Serial, beside: impl Fn() -> Beside) -> MlsResult<()> {
        self.persist(client, || {
            self.refresh(client, serial)?;
            self.write(client, serial, Vec::new(), beside())
        })
    }

    /// One batch: changes of the group, what is beside it, and the application's rows.
    fn write(&self, client: &Inner, serial: &mut Serial, changes: Vec<Write<'_>>, beside: Beside) -> MlsResult<()> {
        let notes = beside.notes(serial, &self.recall())?;
        // Whatever the store answers but success, it may have written or may have been written to by others.
        serial.stale = true;
        let earlier = std::mem::take(&mut serial.notes);
        let mut writes: Vec<Write<'_>> = changes.into_iter().chain(earlier.writes()).collect();
        writes.extend(notes.writes());
        let logged =
            beside.audit.as_ref().map(|draft| self.chronicle().audit.append(self.suite(), draft)).transpose()?;
        let timely = beside.audit.as_ref().map(|draft| self.times().after_commit(draft.at(), draft.renews(self.own())));
        writes.extend(timely.iter().flat_map(Notes::writes));
        let ending = logged.as_ref().and_then(|_| self.chronicle().ending());
        writes.extend(ending.iter().map(|(key, record)| Write::Put(key.clone(), record)));
        let records = logged.iter().flat_map(|(_, records)| records);
        writes.extend(records.map(|(key, record)| Write::Put(key.clone(), record)));
        let mut batch = vec![Section { space: self.space(), expected: serial.revision, writes }];
        let rows: Vec<_> =
            beside.rows.iter().map(|row| (&row.key, row.value.as_deref().map(Secret::copy_from))).collect();
        if !rows.is_empty() {
            let space = self.rows_space();
            let expected = serial.rows.map_or_else(|| client.revision_of(&space), Ok)?;
            let writes = rows.iter().map(|(id, value)| row_write(id, value.as_ref())).collect();
            batch.push(Section { space, expected, writes });
        }
        serial.rows = None;
        serial.revision = client.store.apply(&batch)?;
        if let Some((head, _)) = logged {
            self.live_mut().chronicle.audit = head;
        }
        if let Some(standing) = &beside.standing {
            self.live_mut().standing = standing.clone();
        }
        if !rows.is_empty() {
            serial.rows = Some(serial.revision);
        }
        serial.stale = false;
        let mut late = Notes::default();
        beside.remember(serial, &mut self.recall(), &mut late)?;
        serial.notes.append(&mut late);
        Ok(())
    }

    /// Where the application's rows of this group are.
    pub(crate) fn rows_space(&self) -> Space {
        Space::Application(self.id.clone())
    }

    fn adopt(&self, (client, env): (&Inner, &Env<'_>), step: Step, notes: &mut Notes) -> MlsResult<Vec<Event>> {
        let mut live = self.live_mut();
        let Live { group, standing, public, own, times, chronicle } = &mut *live;
        let group = group.as_mut().ok_or(MlsError::UnknownGroup)?;
        let events = group.adopt(env, step)?;
        if matches!(standing, Standing::Old(_)) && standing.may_send(group.epoch()) {
            *standing = Standing::Newest;
            standing.note(notes)?;
        }
        *public = Arc::clone(group.public());
        if events.iter().any(|event| matches!(event, Event::EpochAdvanced(_))) {
            chronicle.note(self.suite.as_ref(), group, notes);
            self.set_terms(Arc::new(Terms::new(client, public.context())));
        }
        times.note(&events, *own, env.now, notes);
        Ok(events)
    }

    /// The store was written to beside the group: reads all of it again.
    pub(crate) fn reread(&self, client: &Inner, serial: &mut Serial) -> MlsResult<()> {
        serial.stale = true;
        self.refresh(client, serial)
    }

    /// Reads the group from the store again.
    fn reload(&self, client: &Inner, serial: &mut Serial) -> MlsResult<()> {
        let (group, revision) = match client.load_group(&self.id) {
            // Another process deleted it.
            Err(MlsError::UnknownGroup) => {
                self.live_mut().group = None;
                return Err(MlsError::UnknownGroup);
            }
            loaded => loaded?,
        };
        let alongside = Alongside::load(client, &group)?;
        self.replace(serial, (group, revision), alongside);
        Ok(())
    }

    /// Puts another state of the same group in place: as stored, or after joining again.
    pub(crate) fn replace(&self, serial: &mut Serial, (group, revision): (Group, Revision), alongside: Alongside) {
        self.set_terms(Arc::clone(&alongside.terms));
        let (live, Passing { recall, inbox, outbox, notes }) = Live::new(group, alongside);
        *self.live_mut() = live;
        *serial = Serial { revision, stale: false, notes, inbox, outbox, rows: None };
        *self.recall() = recall;
    }

    /// Deletes the group for good: its records, and its secrets in memory.
    pub(crate) fn delete(&self, client: &Inner) -> MlsResult<()> {
        let mut serial = self.serial();
        self.refresh(client, &mut serial)?;
        // The rows first: if the store fails between the two, the group is there to be deleted again.
        let rows = self.rows_space();
        match client.revision_of(&rows)? {
            Revision::NONE => {}
            revision => client.store.delete(&rows, revision)?,
        }
        client.store.delete(&self.space(), serial.revision)?;
        self.live_mut().group = None;
        Ok(())
    }
}

impl Live {
    fn new(group: Group, alongside: Alongside) -> (Self, Passing) {
        let Alongside { standing, times, chronicle, terms: _, passing } = alongside;
        let (public, own) = (Arc::clone(group.public()), group.own_index());
        (Self { public, own, group: Some(group), standing, times, chronicle }, passing)
    }

    fn current(&self) -> MlsResult<Current<'_>> {
        let group = self.group.as_ref().ok_or(MlsError::UnknownGroup)?;
        Ok(Current { group, standing: &self.standing })
    }
}

fn row_write<'a>(id: &[u8], value: Option<&'a Secret>) -> Write<'a> {
    match value {
        Some(value) => Write::Put(key(ROW, id), value),
        None => Write::Delete(key(ROW, id)),
    }
}

/// Every change of what is locked is complete before anything can panic, so a poisoned lock holds good state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
