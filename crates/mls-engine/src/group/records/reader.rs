//! Reading application messages from records, without opening the group (RFC 9420, Sections 6.3, 9 and 15).
//!
//! In: a store of one group's records, and a PrivateMessage. Out: what it says and by whom, as the group would say.
//! Always: it reads the header, the epoch, the sender's secrets and the rows from the tree's root to the sender's leaf,
//! each held to the hash that names it; so what is read grows with the height of the tree, not with its members. There
//! is no tree to look at, hence no half of one; and nothing changes.

use core::fmt;
use std::sync::Arc;

use mls_crypto::{Secret, SuiteCrypto};

use super::{
    super::{
        Opened, Status,
        application::SenderKeys,
        propose::check_len,
        transition::{RecordClass, RecordKey},
    },
    RecordSource,
    forms::{
        Header, PastForm, StateForm, decode_keys, decode_ratchet, decode_skipped, ratchet_id, read_form, secret,
        skipped_id,
    },
    load::Nodes,
    secret_node,
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

/// A stored group, opened for reading application messages alone.
pub struct Reader<'a> {
    suite: Arc<dyn SuiteCrypto>,
    source: &'a dyn RecordSource,
    state: StateForm,
    own: LeafIndex,
    status: Status,
}

/// The epoch a message is read in.
struct ReadingEpoch {
    state: StateForm,
    leaves: LeafCount,
    sender_data_secret: SenderDataSecret,
    is_past: bool,
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { suite: _, source: _, state, own, status } = self;
        f.debug_struct("Reader").field("state", state).field("own", own).field("status", status).finish_non_exhaustive()
    }
}

impl<'a> Reader<'a> {
    /// Opens a group for reading: reads its header, no more. The records must not change while it is in use.
    ///
    /// # Errors
    /// [`OperationError::InvalidRecord`]; [`OperationError::Rule`] if the suite is not supported.
    pub fn open(env: &Env<'_>, source: &'a dyn RecordSource) -> Result<Self, OperationError> {
        let header = source.get(&RecordKey::new(RecordClass::Header, 0, &[])).ok_or(OperationError::InvalidRecord)?;
        let (state, own, status, _) = Header::decode(&header)?.into_parts();
        let suite = env.crypto.suite(state.context.cipher_suite)?;
        Ok(Self { suite, source, state, own, status })
    }

    /// Opens an application message of the current or a past epoch, an encoded MLSMessage. `None` if it is a message of
    /// another kind, which only the whole group can judge. [`Opened::spent`] may be given to
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
        let epoch = self.epoch(&private)?;
        let suite = self.suite.as_ref();
        let sender_data = open_sender_data(suite, &epoch.sender_data_secret, &private)?;
        let sender = sender_data.leaf_index;
        // PM-03
        let leaf = self.leaf(&epoch, sender)?.ok_or(ProcessError::UnknownMember(sender))?;
        // FRM-20: a past epoch has no keys of ours, so that a message of ours is a replay there.
        if sender == self.own && !epoch.is_past {
            return Err(ProcessError::OwnMessage.into());
        }
        let id = MessageKeyId::new(sender, RatchetKind::Application, sender_data.generation);
        let secret_tree = self.secret_tree(&epoch, id)?;
        let encoded_context = encode(&epoch.state.context)?;
        let keys = SenderKeys { secret_tree: &secret_tree, leaf: &leaf, encoded_context: &encoded_context };
        let (authenticated, spent) = keys.open(env, suite, &sender_data, private)?;
        Ok(Some(keys.opened(env, authenticated, spent)?))
    }

    /// FRM-03, COM-24.
    fn check_group(&self, message: &PrivateMessage) -> Result<(), ProcessError> {
        if self.status == Status::Removed {
            return Err(ProcessError::NotAMember);
        }
        if message.group_id == self.state.context.group_id { Ok(()) } else { Err(ProcessError::WrongGroup) }
    }

    /// FRM-04 to FRM-06.
    fn epoch(&self, message: &PrivateMessage) -> Result<ReadingEpoch, OperationError> {
        let (got, current) = (message.epoch, self.state.context.epoch);
        if got > current {
            return Err(ProcessError::FutureEpoch { got, current }.into());
        }
        let is_past = got < current;
        let class = if is_past { RecordClass::PastEpoch } else { RecordClass::Epoch };
        let (state, sender_data_secret) = match (self.source.get(&RecordKey::new(class, got, &[])), is_past) {
            (Some(record), true) => {
                let form: PastForm = read_form(&record)?;
                (form.state, SenderDataSecret::from_secret(secret(form.sender_data_secret)))
            }
            (Some(record), false) => {
                let keys = decode_keys(&record, SecretTree::empty(LeafCount::ONE))?;
                (self.state.clone(), keys.sender_data_secret)
            }
            (None, true) => return Err(ProcessError::StaleEpoch { got, current }.into()),
            (None, false) => return Err(OperationError::InvalidRecord),
        };
        let leaves = LeafCount::of_depth(state.depth).ok_or(OperationError::InvalidRecord)?;
        Ok(ReadingEpoch { state, leaves, sender_data_secret, is_past })
    }

    /// X-AUTH-13: the sender's leaf node in that epoch.
    fn leaf(&self, epoch: &ReadingEpoch, sender: LeafIndex) -> Result<Option<LeafNode>, OperationError> {
        let tree = (epoch.state.depth, epoch.state.context.tree_hash);
        RatchetTree::leaf_from_rows(self.suite.as_ref(), tree, sender, &Nodes(self.source))
    }

    /// The part of the epoch's secret tree that one message key comes from: the secrets of the nodes above the sender's
    /// leaf, its ratchets, and the key itself if it was skipped.
    fn secret_tree(&self, epoch: &ReadingEpoch, id: MessageKeyId) -> Result<SecretTree, OperationError> {
        let number = epoch.state.context.epoch;
        let mut records = Vec::new();
        let above = std::iter::successors(id.leaf.node(), |node| node.parent(epoch.leaves));
        for node in above {
            if let Some(value) = self.source.get(&secret_node(number, node)) {
                records.push(SecretTreeChange::PutNode { node, secret: Secret::new(value) });
            }
        }
        for kind in [RatchetKind::Handshake, RatchetKind::Application] {
            let key = RecordKey::new(RecordClass::Ratchet, number, &ratchet_id(id.leaf, kind));
            if let Some(value) = self.source.get(&key) {
                let (generation, secret) = decode_ratchet(&value).ok_or(OperationError::InvalidRecord)?;
                records.push(SecretTreeChange::PutRatchet { leaf: id.leaf, kind, generation, secret });
            }
        }
        if let Some(value) = self.source.get(&RecordKey::new(RecordClass::Skipped, number, &skipped_id(id))) {
            let (created, message_key) = decode_skipped(&value).ok_or(OperationError::InvalidRecord)?;
            records.push(SecretTreeChange::PutSkipped { id, created, message_key });
        }
        SecretTree::from_records(self.suite.as_ref(), epoch.leaves, records)
    }
}
