//! A stored group that gives and takes messages while it is not open.
//!
//! In: what to send, or an envelope. Out: what the open group would give, for what goes as it usually goes; otherwise the
//! question goes back, and the group is opened to answer it.
//! Always: what is read grows with the height of the tree, not with its members; every message is one batch at a revision
//! of the store, so that two who work on one group, here or in another process, never both succeed.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use mls_crypto::{Secret, SuiteCrypto};
use mls_engine::{
    error::OperationError,
    group::{MessageOptions, Messenger, Opened, Sealed, Step},
    policy::Env,
};

use super::{Recall, Serial, lock};
use crate::core_mls::{
    beacon,
    client::{Inner, StoredRecords},
    echo::Sent,
    envelope::{MessageType, MlsEnvelope},
    error::MlsResult,
    outbox::Outgoing,
    passing::{Beside, Passing},
    receipt::Receipt,
    records::{self, STANDING, key},
    store::{Section, Space, StoreError},
    terms::Terms,
    times::Notes,
    types::{Incoming, ReceivedMessage, identity},
};

/// An open group is quicker: so many messages of one epoch are worth opening it.
const WORTH_OPENING: u32 = 32;

/// One group of one client, as far as messages go.
pub(crate) struct Messages {
    space: Space,
    suite: Arc<dyn SuiteCrypto>,
    /// Of the epoch: a commit opens the group.
    terms: Terms,
    state: Mutex<State>,
}

struct State {
    messenger: Messenger,
    serial: Serial,
    recall: Recall,
    count: u32,
}

impl Messages {
    /// A stored group; `None` for one that only the whole group can speak for.
    pub(crate) fn open(client: &Inner, id: &[u8]) -> MlsResult<Option<Self>> {
        let space = Space::Group(id.to_vec());
        let store = client.store.as_ref();
        let (opened, revision) = client.read_stored(id, |env, records| {
            // An old copy has to be looked at closely before it may send.
            if store.get(&space, &key(STANDING, &[]))?.is_some() {
                return Ok(None);
            }
            let messenger = Messenger::open(env, records)?;
            let receipt = Receipt::of(&messenger.reader(records))?;
            if client.mark_of(id).is_some_and(|mark| !receipt.covers(mark)) {
                return Ok(None);
            }
            let passing = Passing::load(&client.config, store, &space, messenger.epoch())?;
            Ok(Some((messenger, passing)))
        })?;
        let Some((messenger, Passing { recall, inbox, outbox, notes })) = opened else { return Ok(None) };
        let serial = Serial { revision, stale: false, notes, inbox, outbox, rows: None };
        let suite = client.crypto.suite(messenger.cipher_suite())?;
        let terms = Terms::new(client, messenger.context());
        Ok(Some(Self { space, suite, terms, state: State { messenger, serial, recall, count: 0 }.into() }))
    }

    /// Encrypts a message and makes durable what it takes. `None` if the group has to be opened to say more.
    pub(crate) fn send(&self, client: &Inner, plaintext: &[u8]) -> MlsResult<Option<MlsEnvelope>> {
        let (begun, options) =
            (Instant::now(), MessageOptions { padding: self.terms.parameters.padding, ..MessageOptions::default() });
        let sealed = self.turn(client, |state, env, records| {
            let Ok(Sealed { message, generation, step }) = state.messenger.send(env, records, plaintext, &options)
            else {
                return Ok(None);
            };
            let (id, epoch) = (self.suite.hash(&[message.as_slice()]), state.messenger.epoch());
            let envelope = MlsEnvelope::wrap_application(message)?;
            let outgoing = Outgoing { id, epoch, envelope: envelope.clone() };
            let sent = Sent { plaintext: Secret::copy_from(plaintext), authenticated_data: Vec::new(), epoch };
            let beside = Beside::sent((id, generation, sent), outgoing, client.config.own_echo);
            Ok(Some((envelope, step, beside)))
        })?;
        Ok(sealed.inspect(|_| client.watch.sealed(self.space_id(), begun)))
    }

    /// Opens an application message and makes durable that it was opened. `None` if the group has to be opened to say more.
    pub(crate) fn receive(&self, client: &Inner, envelope: &MlsEnvelope) -> MlsResult<Option<Incoming>> {
        if envelope.message_type() != MessageType::Application {
            return Ok(None);
        }
        let payload = envelope.payload();
        let (begun, id) = (Instant::now(), self.suite.hash(&[payload]));
        let opened = self.turn(client, |state, env, records| {
            let reader = state.messenger.reader(records);
            let Ok(Some(opened)) = reader.read(env, payload) else { return Ok(None) };
            let Opened { plaintext, authenticated_data, sender, sender_leaf, epoch, generation, spent } = opened;
            // What it says has to be compared.
            if beacon::is_beacon(&authenticated_data) {
                return Ok(None);
            }
            let Ok(step) = reader.record(env, spent) else { return Ok(None) };
            let (sender_index, sender, own_echo) = (sender.get(), identity(&sender_leaf), false);
            let message =
                ReceivedMessage { plaintext, authenticated_data, sender, sender_index, epoch, generation, own_echo };
            let beside = Beside { handled: Some(id), ..Beside::default() };
            Ok(Some((Incoming::Delivered(message), step, beside)))
        })?;
        Ok(opened.inspect(|_| client.watch.opened(self.space_id(), begun)))
    }

    fn space_id(&self) -> &[u8] {
        match &self.space {
            Space::Group(id) | Space::Application(id) => id,
            Space::Client => &[],
        }
    }

    /// Works out a step when it is this process's turn, makes it durable, and adopts it.
    fn turn<T>(
        &self,
        client: &Inner,
        plan: impl FnOnce(&State, &Env<'_>, &StoredRecords<'_>) -> MlsResult<Option<(T, Step, Beside)>>,
    ) -> MlsResult<Option<T>> {
        let mut state = lock(&self.state);
        if state.serial.stale || state.count >= WORTH_OPENING {
            return Ok(None);
        }
        let _turn = client.store.lease(&self.space, client.config.store_patience)?;
        // From here on, whatever goes wrong may have left the store somewhere else.
        state.serial.stale = true;
        let records = StoredRecords::new(client.store.as_ref(), &self.space);
        let planned = plan(&state, &self.terms.env(client), &records)?;
        records.failure().map_or(Ok(()), Err)?;
        let Some((value, step, beside)) = planned else { return Ok(None) };
        let State { messenger, serial, recall, count } = &mut *state;
        let notes = beside.notes(serial, recall)?;
        let earlier = std::mem::take(&mut serial.notes);
        let mut writes = records::writes(step.changes())?;
        writes.extend(earlier.writes().into_iter().chain(notes.writes()));
        let batch = Section { space: self.space.clone(), expected: serial.revision, writes };
        match client.store.apply(&[batch]) {
            Ok(revision) => serial.revision = revision,
            // Another has moved the group, and nothing of this counts.
            Err(StoreError::Conflict { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        messenger.adopt(step).map_err(OperationError::from)?;
        let mut late = Notes::default();
        beside.remember(serial, recall, &mut late)?;
        serial.notes.append(&mut late);
        (serial.stale, *count) = (false, count.saturating_add(1));
        Ok(Some(value))
    }
}
