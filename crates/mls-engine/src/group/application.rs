//! Application messages, and private messages in general (RFC 9420, Sections 6.3, 9 and 15).
//!
//! In: plaintext to send, or a PrivateMessage. Out: a message, or what it says and by whom.
//! Always: opening changes nothing, so messages open in parallel; a key counts as used only after AEAD *and* signature
//! succeeded (X-AUTH-03), when [`Group::record`] says so.

use super::{
    Group, MessageOptions, Processed, PublicState, Status,
    propose::check_len,
    transition::{Effect, Step},
};
use crate::{
    codec::encode,
    error::{OperationError, ProcessError},
    framing::{Authenticated, PrivateKeys, SenderData, Unverified, open_content, open_sender_data, seal, sign},
    math::LeafIndex,
    message::{
        Content, ContentType, FramedContent, GroupContext, LeafNode, MlsMessage, PrivateMessage, Sender, WireFormat,
    },
    policy::Env,
    schedule::{MessageKeyId, RatchetKind, SecretTree, SenderDataSecret, Spent},
};
use mls_crypto::{Opaque, SignaturePrivateKey, SuiteCrypto};

/// A message of ours.
#[derive(Debug)]
pub struct Sealed {
    /// The message, an encoded MLSMessage; to be sent once the step is durable.
    pub message: Vec<u8>,
    /// The generation it uses.
    pub generation: u32,
    /// What uses it up.
    pub step: Step,
}

/// X-API-04: a message somebody sent, with who sent it.
#[derive(Debug)]
pub struct Opened {
    /// What was said.
    pub plaintext: Vec<u8>,
    /// X-API-03: what was authenticated beside it.
    pub authenticated_data: Vec<u8>,
    /// Who said it: a leaf of that epoch.
    pub sender: LeafIndex,
    /// X-AUTH-13: the sender's leaf node as it was in that epoch.
    pub sender_leaf: LeafNode,
    /// In which epoch.
    pub epoch: u64,
    /// X-AUTH-02: with which generation; the signature does not cover it.
    pub generation: u32,
    /// What uses the key up; give it to [`Group::record`].
    pub spent: SpentMessage,
}

/// A message key that was used, not yet recorded.
#[derive(Debug)]
#[must_use = "a key that is not recorded can be used again"]
pub struct SpentMessage {
    pub(super) epoch: u64,
    pub(super) spent: Spent,
}

/// What application data of ours is encrypted with.
pub(super) struct SendingKeys<'a> {
    pub(super) suite: &'a dyn SuiteCrypto,
    pub(super) signature_key: &'a SignaturePrivateKey,
    pub(super) context: &'a GroupContext,
    /// The same, encoded.
    pub(super) encoded_context: &'a [u8],
    /// Our leaf, and our leaf node.
    pub(super) own: (LeafIndex, &'a LeafNode),
    pub(super) sender_data_secret: &'a SenderDataSecret,
    pub(super) secret_tree: &'a SecretTree,
}

impl SendingKeys<'_> {
    /// Signs and encrypts application data (Sections 6.1 and 6.3). The step is one of the group's `revision`.
    pub(super) fn seal(
        &self,
        env: &Env<'_>,
        (plaintext, options): (&[u8], &MessageOptions),
        revision: u64,
    ) -> Result<Sealed, OperationError> {
        let limit = env.limits.max_application_data;
        if plaintext.len() > limit {
            return Err(OperationError::PayloadTooLarge { len: plaintext.len(), limit });
        }
        let Self { suite, own: (own, leaf), secret_tree, sender_data_secret, .. } = *self;
        env.policy.authorize_message(self.context, leaf).map_err(ProcessError::from)?;
        let content = FramedContent {
            group_id: self.context.group_id.clone(),
            epoch: self.context.epoch,
            sender: Sender::Member(own),
            authenticated_data: Opaque::from(options.authenticated_data.as_slice()),
            content: Content::Application(Opaque::from(plaintext)),
        };
        let content = sign(suite, self.signature_key, WireFormat::PRIVATE_MESSAGE, content, self.encoded_context)?;
        let (generation, message_key, spent) = secret_tree.next(suite, own, RatchetKind::Application, env.limits)?;
        let keys = PrivateKeys { sender_data_secret, message_key, generation, padding: options.padding };
        let message = MlsMessage::PrivateMessage(Box::new(seal(suite, keys, content, env.random)?));
        let epoch = self.context.epoch;
        let changes = super::records::secret_tree_changes(epoch, secret_tree.plan(suite, &spent, env.limits, env.now)?);
        let message = encode(&message)?;
        // X-DOS-02: what receivers refuse for its length does not leave; the associated data counts as well.
        check_len(&message, env.limits.max_message)?;
        Ok(Sealed { message, generation, step: Step { revision, changes, effect: Effect::Spend { epoch, spent } } })
    }
}

/// The keys and members of one epoch, current or past.
struct Reading<'a> {
    state: &'a PublicState,
    sender_data_secret: &'a SenderDataSecret,
    secret_tree: &'a SecretTree,
}

/// A private message of which it is known who says to have sent it.
pub(super) struct Letter<'a> {
    pub(super) keys: SenderKeys<'a>,
    pub(super) sender_data: SenderData,
    pub(super) message: PrivateMessage,
}

/// What a private message of one sender, in one epoch, is opened with.
pub(super) struct SenderKeys<'a> {
    pub(super) secret_tree: &'a SecretTree,
    /// The sender's leaf node.
    pub(super) leaf: &'a LeafNode,
    /// The epoch's `GroupContext`.
    pub(super) context: &'a GroupContext,
    /// The same, encoded.
    pub(super) encoded_context: &'a [u8],
}

impl SenderKeys<'_> {
    /// Opens the message and verifies its signature (Sections 6.3.1 and 6.1).
    pub(super) fn open(
        &self,
        env: &Env<'_>,
        suite: &dyn SuiteCrypto,
        sender_data: &SenderData,
        message: PrivateMessage,
    ) -> Result<(Authenticated, Spent), ProcessError> {
        let (leaf, generation) = (sender_data.leaf_index, sender_data.generation);
        let id = MessageKeyId { leaf, kind: RatchetKind::from(message.content_type), generation };
        let (message_key, spent) = self.secret_tree.peek(suite, id, env.limits)?;
        let unverified = Unverified::new(open_content(suite, &message_key, sender_data, message)?)?;
        // FRM-09: the sender of a private message is a member, this one.
        Ok((unverified.authenticate(suite, &self.leaf.signature_key, self.encoded_context)?, spent))
    }

    /// What application data says, and by whom.
    pub(super) fn opened(
        &self,
        env: &Env<'_>,
        authenticated: Authenticated,
        spent: Spent,
    ) -> Result<Opened, ProcessError> {
        let content = authenticated.into_content().content;
        let (Content::Application(data), Sender::Member(sender)) = (content.content, content.sender) else {
            return Err(ProcessError::SenderNotAllowed);
        };
        // ADV-12: the same for whoever sent it.
        check_len(data.as_slice(), env.limits.max_application_data)?;
        env.policy.authorize_message(self.context, self.leaf)?;
        Ok(Opened {
            plaintext: data.into(),
            authenticated_data: content.authenticated_data.into(),
            sender,
            sender_leaf: self.leaf.clone(),
            epoch: content.epoch,
            generation: spent.generation(),
            spent: SpentMessage { epoch: content.epoch, spent },
        })
    }
}

impl Group {
    /// Encrypts application data (Section 15).
    ///
    /// # Errors
    /// [`OperationError::CommitRequired`] while proposals wait (PM-19); [`OperationError::PayloadTooLarge`];
    /// [`OperationError::GenerationsExhausted`]; [`OperationError::Rule`] if we are no active member, or if the message
    /// with its associated data is over the limit.
    pub fn send(&self, env: &Env<'_>, plaintext: &[u8], options: &MessageOptions) -> Result<Sealed, OperationError> {
        // PM-20, COM-23, COM-24
        self.check_active()?;
        if !self.proposals.is_empty() {
            return Err(OperationError::CommitRequired);
        }
        let keys = SendingKeys {
            suite: self.suite.as_ref(),
            signature_key: &self.signature_key,
            context: self.public.context(),
            encoded_context: self.public.encoded_context(),
            own: (self.own_index(), self.own_leaf().ok_or(ProcessError::NotAMember)?),
            sender_data_secret: &self.keys.sender_data_secret,
            secret_tree: &self.keys.secret_tree,
        };
        keys.seal(env, (plaintext, options), self.revision)
    }

    /// A private message of this or, for application data, a past epoch.
    pub(super) fn process_private(
        &self,
        env: &Env<'_>,
        message: PrivateMessage,
        bytes: &[u8],
    ) -> Result<Processed, ProcessError> {
        let Letter { keys, sender_data, message } = self.letter(env, message, bytes)?;
        if message.epoch == self.epoch()
            && let Some(own) = self.own_message(Sender::Member(sender_data.leaf_index), bytes)
        {
            return own;
        }
        let content_type = message.content_type;
        let (authenticated, spent) = keys.open(env, self.suite.as_ref(), &sender_data, message)?;
        if content_type != ContentType::Application {
            return self.process_handshake(env, authenticated, Some(spent));
        }
        Ok(Processed::Application(Box::new(keys.opened(env, authenticated, spent)?)))
    }

    /// Opens the sender data of a private message, and finds what its content is opened with.
    pub(super) fn letter(
        &self,
        env: &Env<'_>,
        message: PrivateMessage,
        bytes: &[u8],
    ) -> Result<Letter<'_>, ProcessError> {
        self.check_group(message.group_id.as_slice())?;
        if message.content_type != ContentType::Commit {
            check_len(bytes, env.limits.max_message)?;
        }
        let Reading { state, sender_data_secret, secret_tree } = self.reading(&message)?;
        let sender_data = open_sender_data(self.suite.as_ref(), sender_data_secret, &message)?;
        // PM-03
        let leaf = state.member(sender_data.leaf_index)?;
        let keys = SenderKeys { secret_tree, leaf, context: state.context(), encoded_context: state.encoded_context() };
        Ok(Letter { keys, sender_data, message })
    }

    /// FRM-04 to FRM-06: the epoch a private message is read in.
    fn reading(&self, message: &PrivateMessage) -> Result<Reading<'_>, ProcessError> {
        if message.epoch == self.epoch() {
            if message.content_type != ContentType::Application {
                self.check_active()?;
            }
            return Ok(Reading {
                state: &self.public,
                sender_data_secret: &self.keys.sender_data_secret,
                secret_tree: &self.keys.secret_tree,
            });
        }
        match self.past.get(&message.epoch) {
            Some(past) if message.content_type == ContentType::Application => Ok(Reading {
                state: &past.public,
                sender_data_secret: &past.sender_data_secret,
                secret_tree: &past.secret_tree,
            }),
            _ => {
                let (got, current) = (message.epoch, self.epoch());
                Err(if got > current {
                    ProcessError::FutureEpoch { got, current }
                } else {
                    ProcessError::StaleEpoch { got, current }
                })
            }
        }
    }

    /// Works out what recording a used key changes. Serial: of two uses of one generation, the second is a replay.
    ///
    /// # Errors
    /// [`ProcessError::ReplayDetected`]; [`ProcessError::StaleEpoch`] if the epoch is gone by now.
    pub fn record(&self, env: &Env<'_>, spent: SpentMessage) -> Result<Step, ProcessError> {
        let SpentMessage { epoch, spent } = spent;
        let tree = self.receiving_tree(epoch)?;
        let changes = tree.plan(self.suite.as_ref(), &spent, env.limits, env.now)?;
        let changes = super::records::secret_tree_changes(epoch, changes);
        Ok(Step { revision: self.revision, changes, effect: Effect::Spend { epoch, spent } })
    }

    /// The message keys of an epoch whose messages can be read.
    pub(super) fn receiving_tree(&self, epoch: u64) -> Result<&SecretTree, ProcessError> {
        let current = self.epoch();
        match self.past.get(&epoch) {
            Some(past) => Ok(&past.secret_tree),
            None if epoch == current && self.status != Status::Removed => Ok(&self.keys.secret_tree),
            None => Err(ProcessError::StaleEpoch { got: epoch, current }),
        }
    }
}
