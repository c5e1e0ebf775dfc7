//! What passes by a group and outlives the client: own messages that may come back, deliveries that were handled,
//! messages that came too early, and what is to be sent.
//!
//! In: what a step leaves beside the group. Out: records for the batch of that step, and afterwards the same in memory.
//! Always: everything is bounded; a record is written with the step it belongs to, and one that falls out of its bounds is
//! deleted with the next batch.

use mls_crypto::{Hash, Opaque, Secret};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{
    audit::Draft,
    cell::{Recall, Serial},
    config::MlsConfig,
    duplicates::Duplicates,
    echo::{Echoes, Sent},
    envelope::{MessageType, MlsEnvelope},
    error::{MlsError, MlsResult},
    inbox::Inbox,
    outbox::{Outbox, Outgoing},
    records::{DUPLICATE, EARLY, ECHO, OUTGOING, RELEASED, key},
    standing::Standing,
    store::{Key, Space, StateStore},
    times::Notes,
};

/// What a step leaves beside the group.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    /// A message that was handled: from now on it is a duplicate.
    pub(crate) handled: Option<Hash>,
    /// The same of messages that were opened together.
    pub(crate) handled_together: Vec<Hash>,
    /// A message of ours, to be opened once.
    pub(crate) echo: Option<(Hash, u32, Sent)>,
    /// A message of ours that was opened.
    pub(crate) opened: Option<(Hash, u32, u64)>,
    /// Something to be sent.
    pub(crate) outgoing: Option<Outgoing>,
    /// A commit of ours that was accepted, with its Welcome.
    pub(crate) accepted: Option<(Hash, Vec<u8>)>,
    /// What need not be sent any more.
    pub(crate) sent: Vec<Hash>,
    /// A message that came too early, and its epoch.
    pub(crate) early: Option<(Hash, u64, MlsEnvelope)>,
    /// Rows of the application.
    pub(crate) rows: Vec<ApplicationRow>,
    /// Where the state stands from now on.
    pub(crate) standing: Option<Standing>,
    /// What goes into the log of who did what.
    pub(crate) audit: Option<Draft>,
    /// Further records of the group; `None` deletes.
    pub(crate) more: Vec<(Key, Option<Secret>)>,
}

/// A row of the application's own, written in the batch of the step it belongs to.
#[derive(Clone, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by applications; a row is a name and a value")]
pub struct ApplicationRow {
    /// Its name, at most 1,024 bytes; a row of that name is replaced.
    pub key: Vec<u8>,
    /// What it holds; `None` deletes the row.
    pub value: Option<Vec<u8>>,
}

impl core::fmt::Debug for ApplicationRow {
    /// Tells the length only.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ApplicationRow").field("len", &self.value.as_ref().map(Vec::len)).finish_non_exhaustive()
    }
}

/// A message of ours, as stored.
#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct EchoForm {
    order: u64,
    epoch: u64,
    generation: u32,
    plaintext: Option<Opaque>,
    authenticated_data: Opaque,
}

/// Everything of one group, as stored.
pub(crate) struct Passing {
    pub(crate) recall: Recall,
    pub(crate) inbox: Inbox,
    pub(crate) outbox: Outbox,
    /// What was beyond its bounds.
    pub(crate) notes: Notes,
}

impl Passing {
    /// Of a group that begins.
    pub(crate) fn new(config: &MlsConfig) -> Self {
        let echo_messages = if config.own_echo { config.own_echo_messages } else { 0 };
        Self {
            recall: Recall {
                echoes: Echoes::new(echo_messages, config.own_echo_bytes),
                duplicates: Duplicates::new(config.replay_cache_size),
                order: 0,
            },
            inbox: Inbox::new(config),
            outbox: Outbox::new(config),
            notes: Notes::default(),
        }
    }

    /// As stored.
    pub(crate) fn load(config: &MlsConfig, store: &dyn StateStore, space: &Space, epoch: u64) -> MlsResult<Self> {
        let mut passing = Self::new(config);
        passing.load_echoes(store, space)?;
        if config.strict_epoch_check {
            // CAP-24: a crash may have come between the end of their epoch and this.
            for gone in passing.recall.echoes.forget_before(epoch) {
                passing.notes.delete(key(ECHO, gone.as_slice()));
            }
        }
        let blocks = store.scan(space, DUPLICATE, None)?;
        passing.recall.duplicates.load(blocks.iter().map(|(_, block)| block.as_slice()));
        for (_, record) in ordered(store.scan(space, EARLY, None)?)? {
            let (of, envelope) = numbered(record.as_slice())?;
            // Those that are due wait as the others do; those beyond the bounds are handed in again.
            passing.inbox.push(of, epoch.min(of), &MlsEnvelope::from_bytes(envelope)?).ok();
        }
        for (key, record) in ordered(store.scan(space, OUTGOING, None)?)? {
            let id = hash(&key)?;
            let (_, envelope) = numbered(record.as_slice())?;
            let gone = passing.outbox.insert(id, envelope.len(), MlsEnvelope::from_bytes(envelope)?.message_type());
            gone.into_iter().for_each(|id| forget_outgoing(&mut passing.notes, &id));
        }
        Ok(passing)
    }

    fn load_echoes(&mut self, store: &dyn StateStore, space: &Space) -> MlsResult<()> {
        let mut echoes = Vec::new();
        for (key, record) in store.scan(space, ECHO, None)? {
            let form = EchoForm::tls_deserialize_exact_bytes(record.as_slice()).map_err(|_| MlsError::InvalidRecord)?;
            echoes.push((hash(&key)?, form));
        }
        echoes.sort_by_key(|(_, form)| form.order);
        for (id, mut form) in echoes {
            self.recall.order = form.order.saturating_add(1);
            let authenticated_data = form.authenticated_data.as_slice().to_vec();
            let sent = form.plaintext.take().map(|plaintext| Sent {
                plaintext: Secret::new(plaintext.into()),
                authenticated_data,
                epoch: form.epoch,
            });
            for gone in self.recall.echoes.put(id, form.generation, sent) {
                self.notes.delete(key(ECHO, gone.as_slice()));
            }
        }
        Ok(())
    }
}

impl Beside {
    /// Of a message of ours: to be sent, and to be recognised when it comes back.
    pub(crate) fn sent(echo: (Hash, u32, Sent), outgoing: Outgoing, own_echo: bool) -> Self {
        let handled = (!own_echo).then_some(echo.0);
        Self { handled, echo: own_echo.then_some(echo), outgoing: Some(outgoing), ..Self::default() }
    }

    /// The records of this, for the batch.
    pub(crate) fn notes(&self, serial: &Serial, recall: &Recall) -> MlsResult<Notes> {
        let mut notes = Notes::default();
        if let Some(block) = self.handled.as_ref().and_then(|id| recall.duplicates.block_with(id)) {
            notes.put(key(DUPLICATE, &block.0.to_be_bytes()), Secret::new(block.1));
        }
        for (number, block) in recall.duplicates.blocks_with(&self.handled_together) {
            notes.put(key(DUPLICATE, &number.to_be_bytes()), Secret::new(block));
        }
        if let Some((id, generation, sent)) = &self.echo
            && recall.echoes.takes(sent)
        {
            let form = EchoForm {
                order: recall.order,
                epoch: sent.epoch,
                generation: *generation,
                plaintext: Some(sent.plaintext.as_slice().into()),
                authenticated_data: sent.authenticated_data.as_slice().into(),
            };
            notes.put(key(ECHO, id.as_slice()), form.encode()?);
        }
        if let Some((id, generation, epoch)) = self.opened {
            let (order, authenticated_data) = (recall.order, Opaque::new(Vec::new()));
            let form = EchoForm { order, epoch, generation, plaintext: None, authenticated_data };
            notes.put(key(ECHO, id.as_slice()), form.encode()?);
        }
        if let Some(outgoing) = &self.outgoing
            && serial.outbox.takes(outgoing)?
        {
            let bytes = outgoing.envelope.to_bytes()?;
            notes.put(key(OUTGOING, outgoing.id.as_slice()), record([serial.outbox.next(), outgoing.epoch], &bytes));
        }
        if let Some((id, welcome)) = &self.accepted
            && serial.outbox.contains(id)
        {
            notes.put(key(RELEASED, id.as_slice()), Secret::copy_from(welcome));
        }
        self.sent.iter().for_each(|id| forget_outgoing(&mut notes, id));
        if let Some(standing) = &self.standing {
            standing.note(&mut notes)?;
        }
        for (key, record) in &self.more {
            match record {
                Some(record) => notes.put(key.clone(), record.duplicate()),
                None => notes.delete(key.clone()),
            }
        }
        if let Some((id, epoch, envelope)) = &self.early {
            notes.put(key(EARLY, id.as_slice()), record([serial.inbox.next(), *epoch], &envelope.to_bytes()?));
        }
        Ok(notes)
    }

    /// The same in memory, once it is durable; `late` is for what falls out of its bounds.
    pub(crate) fn remember(self, serial: &mut Serial, recall: &mut Recall, late: &mut Notes) -> MlsResult<()> {
        if let Some(id) = self.handled {
            recall.duplicates.insert(id);
        }
        self.handled_together.into_iter().for_each(|id| recall.duplicates.insert(id));
        if let Some((id, generation, sent)) = self.echo {
            recall.order = recall.order.saturating_add(1);
            for gone in recall.echoes.put(id, generation, Some(sent)) {
                late.delete(key(ECHO, gone.as_slice()));
            }
        }
        if self.opened.is_some() {
            recall.order = recall.order.saturating_add(1);
        }
        if let Some(outgoing) = self.outgoing
            && serial.outbox.takes(&outgoing)?
        {
            let len = outgoing.envelope.to_bytes()?.len();
            for gone in serial.outbox.insert(outgoing.id, len, outgoing.envelope.message_type()) {
                forget_outgoing(late, &gone);
            }
        }
        self.sent.iter().for_each(|id| serial.outbox.remove(id));
        Ok(())
    }
}

/// Messages of ours that are not marked as sent and have not come back, in order: what was said, and what beside it.
pub(crate) fn unsent(store: &dyn StateStore, space: &Space) -> MlsResult<Vec<Secret>> {
    Ok(unsent_named(store, space)?.into_iter().map(|(_, record)| record).collect())
}

/// The same, with the name of each.
pub(crate) fn unsent_named(store: &dyn StateStore, space: &Space) -> MlsResult<Vec<(Hash, Secret)>> {
    let mut unsent = Vec::new();
    for (name, record) in ordered(store.scan(space, OUTGOING, None)?)? {
        let (_, envelope) = numbered(record.as_slice())?;
        let kind = MlsEnvelope::from_bytes_within(envelope, usize::MAX)?.message_type();
        let echo = store.get(space, &key(ECHO, &name.id))?;
        let (MessageType::Application, Some(echo)) = (kind, echo) else { continue };
        let form = EchoForm::tls_deserialize_exact_bytes(echo.as_slice()).map_err(|_| MlsError::InvalidRecord)?;
        if form.plaintext.is_some() {
            unsent.push((hash(&name)?, echo));
        }
    }
    Ok(unsent)
}

/// What was said, and what beside it, out of what [`unsent`] gave.
pub(crate) fn said(record: &Secret) -> MlsResult<(Secret, Vec<u8>)> {
    let mut form = EchoForm::tls_deserialize_exact_bytes(record.as_slice()).map_err(|_| MlsError::InvalidRecord)?;
    let plaintext = form.plaintext.take().ok_or(MlsError::InvalidRecord)?;
    Ok((Secret::new(plaintext.into()), form.authenticated_data.as_slice().to_vec()))
}

impl EchoForm {
    fn encode(&self) -> MlsResult<Secret> {
        self.tls_serialize_detached().map(Secret::new).map_err(|_| MlsError::InvalidRecord)
    }
}

impl Drop for EchoForm {
    fn drop(&mut self) {
        if let Some(plaintext) = self.plaintext.take() {
            drop(Secret::new(plaintext.into()));
        }
    }
}

/// Nothing is left of something that was to be sent.
pub(crate) fn forget_outgoing(notes: &mut Notes, id: &Hash) {
    notes.delete(key(OUTGOING, id.as_slice()));
    notes.delete(key(RELEASED, id.as_slice()));
}

/// Two numbers, and bytes.
fn record(numbers: [u64; 2], bytes: &[u8]) -> Secret {
    Secret::new(numbers.iter().flat_map(|number| number.to_be_bytes()).chain(bytes.iter().copied()).collect())
}

/// The second number, and the bytes.
pub(crate) fn numbered(record: &[u8]) -> MlsResult<(u64, &[u8])> {
    let (numbers, bytes) = record.split_at_checked(16).ok_or(MlsError::InvalidRecord)?;
    let (_, second) = numbers.split_at_checked(8).ok_or(MlsError::InvalidRecord)?;
    let second = second.try_into().map_err(|_| MlsError::InvalidRecord)?;
    Ok((u64::from_be_bytes(second), bytes))
}

/// Records by their first number.
pub(crate) fn ordered(mut records: Vec<(Key, Secret)>) -> MlsResult<Vec<(Key, Secret)>> {
    records.sort_by(|(_, a), (_, b)| a.as_slice().get(..8).cmp(&b.as_slice().get(..8)));
    Ok(records)
}

pub(crate) fn hash(key: &Key) -> MlsResult<Hash> {
    Hash::from_slice(&key.id).ok_or(MlsError::InvalidRecord)
}
