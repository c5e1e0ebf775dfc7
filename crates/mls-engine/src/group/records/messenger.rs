//! Sending and reading application messages from records, without opening the group (RFC 9420, Sections 6.3, 9 and 15).
//!
//! In: a store of one group's records, and plaintext or a PrivateMessage. Out: what the group itself would give.
//! Always: what is read grows with the height of the tree, not with its members; what is sent uses the generations that
//! the group would use. Only the rest of a reserved block is kept in memory, as in the group; everything else is in the
//! records. What needs more than messages needs the group: [`super::super::Group::load`].

use std::sync::Arc;

use mls_crypto::{CipherSuite, SignaturePrivateKey};

use super::{
    super::{
        MessageOptions, Sealed, Status,
        application::SendingKeys,
        transition::{Effect, RecordClass, RecordKey, Step},
    },
    RecordSource,
    forms::decode_keys,
    reader::{Reader, Records, Stored},
};
use crate::{
    codec::encode,
    error::{OperationError, ProcessError},
    math::{LeafCount, LeafIndex},
    message::{GroupContext, LeafNode},
    policy::Env,
    schedule::{SecretTree, SenderDataSecret},
};

/// A stored group, opened for application messages alone.
#[derive(Debug)]
pub struct Messenger {
    stored: Arc<Stored>,
    encoded_context: Vec<u8>,
    signature_key: SignaturePrivateKey,
    /// `None` once we were removed.
    own_leaf: Option<LeafNode>,
    /// `None` once we were removed.
    sender_data_secret: Option<SenderDataSecret>,
    /// PM-19
    proposals_wait: bool,
    /// Our own ratchet, once we have sent.
    sending: Option<SecretTree>,
}

impl Messenger {
    /// Opens a group for application messages: reads its header, its epoch, our own leaf, and whether proposals wait.
    ///
    /// # Errors
    /// [`OperationError::InvalidRecord`]; [`OperationError::Rule`] if the suite is not supported.
    pub fn open(env: &Env<'_>, source: &dyn RecordSource) -> Result<Self, OperationError> {
        let (stored, signature_key) = Stored::read(env, source)?;
        let epoch = stored.state.context.epoch;
        let encoded_context = encode(&stored.state.context)?;
        let (mut own_leaf, mut sender_data_secret, mut proposals_wait) = (None, None, false);
        let reader = Reader { stored: Arc::new(stored), source: Records(source) };
        if reader.stored.status != Status::Removed {
            let record = source.get(&RecordKey::new(RecordClass::Epoch, epoch, &[]));
            let keys = decode_keys(&record.ok_or(OperationError::InvalidRecord)?, SecretTree::empty(LeafCount::ONE))?;
            sender_data_secret = Some(keys.sender_data_secret);
            proposals_wait = !source.scan(RecordClass::Proposal, Some(epoch)).is_empty();
            own_leaf = Some(read_own_leaf(&reader, &signature_key)?);
        }
        let stored = reader.stored;
        Ok(Self { stored, encoded_context, signature_key, own_leaf, sender_data_secret, proposals_wait, sending: None })
    }

    /// The group's id.
    pub fn group_id(&self) -> &[u8] {
        self.stored.state.context.group_id.as_slice()
    }

    /// The context of the current epoch.
    pub fn context(&self) -> &GroupContext {
        &self.stored.state.context
    }

    /// The current epoch.
    pub fn epoch(&self) -> u64 {
        self.stored.state.context.epoch
    }

    /// The group's cipher suite.
    pub fn cipher_suite(&self) -> CipherSuite {
        self.stored.state.context.cipher_suite
    }

    /// Our leaf. CRED-15: valid in this epoch only.
    pub fn own_index(&self) -> LeafIndex {
        self.stored.own
    }

    /// The reading half. `source` holds the records that this was opened from, with every step since.
    pub fn reader<'a>(&self, source: &'a dyn RecordSource) -> Reader<'a> {
        Reader { stored: Arc::clone(&self.stored), source: Records(source) }
    }

    /// Encrypts application data, as [`super::super::Group::send`]. `source` is as for [`Messenger::reader`].
    ///
    /// # Errors
    /// As [`super::super::Group::send`]; [`OperationError::InvalidRecord`].
    pub fn send(
        &self,
        env: &Env<'_>,
        source: &dyn RecordSource,
        plaintext: &[u8],
        options: &MessageOptions,
    ) -> Result<Sealed, OperationError> {
        // PM-20, COM-23, COM-24
        self.stored.status.check_active()?;
        if self.proposals_wait {
            return Err(OperationError::CommitRequired);
        }
        let (stored, suite) = (self.stored.as_ref(), self.stored.suite.as_ref());
        let from_records;
        let secret_tree = if let Some(sending) = &self.sending {
            sending
        } else {
            let secrets = self.reader(source).path_secrets(&stored.state, stored.own)?;
            from_records = SecretTree::from_records(suite, stored.leaves, secrets)?;
            &from_records
        };
        let keys = SendingKeys {
            suite,
            signature_key: &self.signature_key,
            context: &stored.state.context,
            encoded_context: &self.encoded_context,
            own: (stored.own, self.own_leaf.as_ref().ok_or(ProcessError::NotAMember)?),
            sender_data_secret: self.sender_data_secret.as_ref().ok_or(ProcessError::NotAMember)?,
            secret_tree,
        };
        keys.seal(env, (plaintext, options), 0)
    }

    /// Adopts a step of [`Messenger::send`] or [`Reader::record`]. Call it only after [`Step::changes`] are durable. Of
    /// steps that were worked out side by side, the store must let one through: they are not told apart here.
    ///
    /// # Errors
    /// [`ProcessError::ReplayDetected`] for a second message of one generation, [`ProcessError::StaleEpoch`] for one of
    /// another epoch, [`ProcessError::Superseded`] for a step of the group that is no message. Nothing has changed then.
    pub fn adopt(&mut self, step: Step) -> Result<(), ProcessError> {
        let Effect::Spend { epoch, spent } = step.effect else { return Err(ProcessError::Superseded) };
        if spent.leaf() != self.stored.own {
            return Ok(());
        }
        let (current, leaves) = (self.epoch(), self.stored.leaves);
        if epoch != current {
            return Err(ProcessError::StaleEpoch { got: epoch, current });
        }
        self.sending.get_or_insert_with(|| SecretTree::empty(leaves)).keep_sent(spent)
    }
}

/// Our leaf node. X-STATE-05: our private key is that of the public key in it.
fn read_own_leaf(reader: &Reader<'_>, signature_key: &SignaturePrivateKey) -> Result<LeafNode, OperationError> {
    let Stored { suite, state, own, leaves: _, status: _ } = reader.stored.as_ref();
    let leaf = reader.leaf(state, *own)?.ok_or(OperationError::InvalidRecord)?;
    let fits = suite.signature_public_key(signature_key).is_ok_and(|derived| derived == leaf.signature_key);
    if fits { Ok(leaf) } else { Err(OperationError::InvalidRecord) }
}
