//! Reading application messages from records, without opening the group (RFC 9420, Sections 6.3, 9 and 15).
//!
//! In: a store of one group's records, and a PrivateMessage. Out: what it says and by whom, as the group would say.
//! Always: it reads the header, the epoch, the sender's secrets and the rows from the tree's root to the sender's leaf,
//! each held to the hash that names it; so what is read grows with the height of the tree, not with its members. There
//! is no tree to look at, hence no half of one; and nothing changes.

use core::fmt;
use std::{collections::BTreeSet, sync::Arc};

use mls_crypto::{Secret, SignaturePrivateKey, SuiteCrypto};

use super::{
    super::{
        Opened, SpentMessage, Status,
        application::SenderKeys,
        propose::check_len,
        transition::{Effect, RecordClass, RecordKey, Step},
    },
    RecordSource,
    forms::{
        Header, PastForm, StateForm, decode_keys, decode_ratchet, ratchet_id, read_form, read_id, secret, skipped_id,
        skipped_record,
    },
    load::Nodes,
    secret_node, secret_tree_changes,
};
use crate::{
    codec::{decode_exact, encode},
    error::{OperationError, ProcessError},
    framing::open_sender_data,
    math::{LeafCount, LeafIndex},
    message::{ContentType, LeafNode, MlsMessage, PrivateMessage},
    policy::Env,
    schedule::{MessageKeyId, RatchetKind, SecretTree, SecretTreeChange, SenderDataSecret},
    tree::RatchetTree,
};

/// What the first record of a group says.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) suite: Arc<dyn SuiteCrypto>,
    pub(super) state: StateForm,
    pub(super) leaves: LeafCount,
    pub(super) own: LeafIndex,
    pub(super) status: Status,
}

/// A stored group, opened for reading application messages alone.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(super) stored: Arc<Stored>,
    pub(super) source: Records<'a>,
}

/// The records that are read from.
pub(super) struct Records<'a>(pub(super) &'a dyn RecordSource);

/// The epoch a message is read in.
struct ReadingEpoch {
    state: StateForm,
    leaves: LeafCount,
    sender_data_secret: SenderDataSecret,
    is_past: bool,
}

impl fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}

impl Stored {
    /// Reads the first record: what it says, and our signature key.
    pub(super) fn read(
        env: &Env<'_>,
        source: &dyn RecordSource,
    ) -> Result<(Self, SignaturePrivateKey), OperationError> {
        let header = source.get(&RecordKey::new(RecordClass::Header, 0, &[])).ok_or(OperationError::InvalidRecord)?;
        let (state, own, status, signature_key) = Header::decode(&header)?.into_parts();
        let suite = env.crypto.suite(state.context.cipher_suite)?;
        let leaves = state.leaves()?;
        Ok((Self { suite, state, leaves, own, status }, signature_key))
    }
}

impl<'a> Reader<'a> {
    /// Opens a group for reading: reads its header, no more. The records must not change while it is in use.
    ///
    /// # Errors
    /// [`OperationError::InvalidRecord`]; [`OperationError::Rule`] if the suite is not supported.
    pub fn open(env: &Env<'_>, source: &'a dyn RecordSource) -> Result<Self, OperationError> {
        let (stored, _) = Stored::read(env, source)?;
        Ok(Self { stored: Arc::new(stored), source: Records(source) })
    }

    /// Opens an application message of the current or a past epoch, an encoded MLSMessage. `None` if it is a message of
    /// another kind, which only the whole group can judge. [`Opened::spent`] may be given to [`Reader::record`], or to
    /// [`super::super::Group::record`] of the same records.
    ///
    /// # Errors
    /// As [`super::super::Group::process`]; [`OperationError::InvalidRecord`] if a record on the way is missing, does
    /// not decode, or is not what its hash says.
    pub fn read(&self, env: &Env<'_>, message: &[u8]) -> Result<Option<Opened>, OperationError> {
        check_len(message, env.limits.max_message)?;
        let private = match decode_exact(message)? {
            MlsMessage::PrivateMessage(private) if private.content_type == ContentType::Application => *private,
            _ => return Ok(None),
        };
        self.check_group(&private)?;
        let epoch = self.epoch(private.epoch)?;
        let suite = self.stored.suite.as_ref();
        let sender_data = open_sender_data(suite, &epoch.sender_data_secret, &private)?;
        let sender = sender_data.leaf_index;
        // PM-03
        let leaf = self.leaf(&epoch.state, sender)?.ok_or(ProcessError::UnknownMember(sender))?;
        // FRM-20: a past epoch has no keys of ours, so that a message of ours is a replay there.
        if sender == self.stored.own && !epoch.is_past {
            return Err(ProcessError::OwnMessage.into());
        }
        let id = MessageKeyId::new(sender, RatchetKind::Application, sender_data.generation);
        let mut secrets = self.path_secrets(&epoch.state, sender)?;
        secrets.extend(self.skipped(epoch.state.context.epoch, id)?);
        let secret_tree = SecretTree::from_records(suite, epoch.leaves, secrets)?;
        let encoded_context = encode(&epoch.state.context)?;
        let context = &epoch.state.context;
        let keys = SenderKeys { secret_tree: &secret_tree, leaf: &leaf, context, encoded_context: &encoded_context };
        let (authenticated, spent) = keys.open(env, suite, &sender_data, private)?;
        Ok(Some(keys.opened(env, authenticated, spent)?))
    }

    /// Works out what recording a used key changes, as [`super::super::Group::record`] does: with the sender's secrets,
    /// and those skipped keys that it may have to make room among.
    ///
    /// # Errors
    /// [`ProcessError::ReplayDetected`]; [`ProcessError::StaleEpoch`] if the epoch is gone by now;
    /// [`OperationError::InvalidRecord`].
    pub fn record(&self, env: &Env<'_>, spent: SpentMessage) -> Result<Step, OperationError> {
        let SpentMessage { epoch, spent } = spent;
        let current = self.stored.state.context.epoch;
        if self.stored.status == Status::Removed {
            return Err(ProcessError::StaleEpoch { got: epoch, current }.into());
        }
        let reading = self.epoch(epoch)?;
        let suite = self.stored.suite.as_ref();
        let skipped = self.all_skipped(epoch)?;
        let mut leaves = BTreeSet::from([spent.leaf()]);
        leaves.extend(skipped.iter().filter_map(|change| match change {
            SecretTreeChange::PutSkipped { id, .. } => Some(id.leaf),
            _ => None,
        }));
        let mut secrets = skipped;
        for leaf in leaves {
            secrets.extend(self.path_secrets(&reading.state, leaf)?);
        }
        let secret_tree = SecretTree::from_records(suite, reading.leaves, secrets)?;
        let changes = secret_tree_changes(epoch, secret_tree.plan(suite, &spent, env.limits, env.now)?);
        Ok(Step { revision: 0, changes, effect: Effect::Spend { epoch, spent } })
    }

    /// The group's id.
    pub fn group_id(&self) -> &[u8] {
        self.stored.state.context.group_id.as_slice()
    }

    /// The current epoch.
    pub fn current_epoch(&self) -> u64 {
        self.stored.state.context.epoch
    }

    /// As [`super::super::Group::reserved_generations`].
    ///
    /// # Errors
    /// [`OperationError::InvalidRecord`].
    pub fn reserved_generations(&self) -> Result<(u32, u32), OperationError> {
        let (epoch, own) = (self.current_epoch(), self.stored.own);
        let reserved = [RatchetKind::Handshake, RatchetKind::Application].map(|kind| self.ratchet(epoch, own, kind));
        let [handshake, application] = reserved;
        let generation = |ratchet: Option<(u32, Secret)>| ratchet.map_or(0, |(generation, _)| generation);
        Ok((generation(handshake?), generation(application?)))
    }

    /// FRM-03, COM-24.
    fn check_group(&self, message: &PrivateMessage) -> Result<(), ProcessError> {
        if self.stored.status == Status::Removed {
            return Err(ProcessError::NotAMember);
        }
        if message.group_id == self.stored.state.context.group_id { Ok(()) } else { Err(ProcessError::WrongGroup) }
    }

    /// FRM-04 to FRM-06.
    fn epoch(&self, got: u64) -> Result<ReadingEpoch, OperationError> {
        let current = self.current_epoch();
        if got > current {
            return Err(ProcessError::FutureEpoch { got, current }.into());
        }
        let is_past = got < current;
        let class = if is_past { RecordClass::PastEpoch } else { RecordClass::Epoch };
        let (state, sender_data_secret) = match (self.source.0.get(&RecordKey::new(class, got, &[])), is_past) {
            (Some(record), true) => {
                let form: PastForm = read_form(&record)?;
                (form.state, SenderDataSecret::from_secret(secret(form.sender_data_secret)))
            }
            (Some(record), false) => {
                let keys = decode_keys(&record, SecretTree::empty(LeafCount::ONE))?;
                (self.stored.state.clone(), keys.sender_data_secret)
            }
            (None, true) => return Err(ProcessError::StaleEpoch { got, current }.into()),
            (None, false) => return Err(OperationError::InvalidRecord),
        };
        let leaves = state.leaves()?;
        Ok(ReadingEpoch { state, leaves, sender_data_secret, is_past })
    }

    /// X-AUTH-13: the leaf node of a member as it was in that epoch.
    pub(super) fn leaf(&self, state: &StateForm, index: LeafIndex) -> Result<Option<LeafNode>, OperationError> {
        let tree = (state.depth, state.context.tree_hash);
        RatchetTree::leaf_from_rows(self.stored.suite.as_ref(), tree, index, &Nodes(self.source.0))
    }

    /// The part of an epoch's secret tree that one member's keys come from: the secrets of the nodes above its leaf, and
    /// its ratchets.
    pub(super) fn path_secrets(
        &self,
        state: &StateForm,
        leaf: LeafIndex,
    ) -> Result<Vec<SecretTreeChange>, OperationError> {
        let (epoch, leaves) = (state.context.epoch, state.leaves()?);
        let mut records = Vec::new();
        let above = std::iter::successors(leaf.node(), |node| node.parent(leaves));
        for node in above {
            if let Some(value) = self.source.0.get(&secret_node(epoch, node)) {
                records.push(SecretTreeChange::PutNode { node, secret: Secret::new(value) });
            }
        }
        for kind in [RatchetKind::Handshake, RatchetKind::Application] {
            if let Some((generation, secret)) = self.ratchet(epoch, leaf, kind)? {
                records.push(SecretTreeChange::PutRatchet { leaf, kind, generation, secret });
            }
        }
        Ok(records)
    }

    fn ratchet(&self, epoch: u64, leaf: LeafIndex, kind: RatchetKind) -> Result<Option<(u32, Secret)>, OperationError> {
        let key = RecordKey::new(RecordClass::Ratchet, epoch, &ratchet_id(leaf, kind));
        let Some(value) = self.source.0.get(&key) else { return Ok(None) };
        decode_ratchet(&value).map(Some).ok_or(OperationError::InvalidRecord)
    }

    /// The key of a message that was passed over, if it was.
    fn skipped(&self, epoch: u64, id: MessageKeyId) -> Result<Option<SecretTreeChange>, OperationError> {
        let key = RecordKey::new(RecordClass::Skipped, epoch, &skipped_id(id));
        self.source.0.get(&key).map(|value| skipped_record(id, &value)).transpose()
    }

    /// All keys of an epoch's messages that were passed over; their number has a cap.
    fn all_skipped(&self, epoch: u64) -> Result<Vec<SecretTreeChange>, OperationError> {
        let records = self.source.0.scan(RecordClass::Skipped, Some(epoch));
        let skipped = records.iter().map(|(key, value)| {
            let (leaf, kind, generation) = read_id(&key.id).ok_or(OperationError::InvalidRecord)?;
            skipped_record(MessageKeyId { leaf, kind, generation }, value)
        });
        skipped.collect()
    }
}
