//! Sending proposals (RFC 9420, Section 12.1), and framing what we send (Section 6).
//!
//! In: what the application wants. Out: a proposal message, and the step that remembers it.
//! Always: a proposal is judged by the rules of its receivers before it leaves.

use super::{
    Group,
    commit::LeafChange,
    key_package::NewLeaf,
    proposals::{CachedProposal, OwnUpdate, Resolved},
    psk::fresh_id,
    rules::ProposalList,
    transition::{Change, Effect, RecordClass, RecordKey, Step},
};
use crate::{
    codec::{decode_exact, encode},
    error::{DecodeError, OperationError, ProcessError},
    framing::{Authenticated, Padding, PrivateKeys, protect, seal, sign},
    math::LeafIndex,
    message::{
        Add, AuthenticatedContent, Content, CustomProposal, Extensions, FramedContent, Grease, GroupContextExtensions,
        KeyPackage, LeafNodeSource, MlsMessage, PreSharedKey, Proposal, ProposalRef, PskKind, ReInit, Remove,
        ResumptionPskUsage, Sender, Update, WireFormat,
    },
    policy::{Env, Proposer},
    schedule::{RatchetKind, Spent},
    tree::LeafRules,
};
use mls_crypto::Opaque;

/// What to propose.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ProposalKind {
    /// Add the client of this key package, an encoded MLSMessage.
    Add(Vec<u8>),
    /// Remove a member.
    Remove(LeafIndex),
    /// Update our own leaf, to be committed by another member.
    Update(Box<LeafChange>),
    /// Mix in the external PSK with this id.
    ExternalPsk(Vec<u8>),
    /// Mix in the resumption PSK of an epoch of this or another group.
    ResumptionPsk {
        /// Which group.
        group_id: Vec<u8>,
        /// Which of its epochs.
        epoch: u64,
    },
    /// End the group and continue under these parameters.
    ReInit(ReInit),
    /// Replace the whole list of group context extensions.
    GroupContextExtensions(Extensions),
    /// A proposal of a registered type.
    Custom(CustomProposal),
}

/// How a handshake is framed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Framing {
    /// FRM-02: encrypted.
    #[default]
    Private,
    /// Readable for the delivery service.
    Public,
}

/// How a message is sent.
#[derive(Clone, Debug, Default)]
pub struct MessageOptions {
    /// Framing of handshakes; application data is always private.
    pub framing: Framing,
    /// How much to pad.
    pub padding: Padding,
    /// Bytes that are authenticated but not encrypted.
    pub authenticated_data: Vec<u8>,
}

/// A proposal of ours.
#[derive(Debug)]
pub struct Proposed {
    /// The message, an encoded MLSMessage; to be sent once the step is durable.
    pub message: Vec<u8>,
    /// Its reference.
    pub reference: ProposalRef,
    /// What remembers it.
    pub step: Step,
}

impl Group {
    /// Makes a proposal by reference.
    ///
    /// # Errors
    /// [`OperationError::Rule`] naming the rule that receivers would enforce; nothing has changed.
    pub fn propose(
        &self,
        env: &Env<'_>,
        kind: ProposalKind,
        options: MessageOptions,
    ) -> Result<Proposed, OperationError> {
        self.check_active()?;
        let (proposal, own_update) = self.make_proposal(env, kind)?;
        let content = self.framed(Content::Proposal(proposal), &options);
        let wire_format = options.framing.wire_format();
        let suite = self.suite.as_ref();
        let content = sign(suite, &self.signature_key, wire_format, content, self.public.encoded_context())?;
        let authenticated = Authenticated::own(content.clone());
        let reference = authenticated.proposal_ref(suite)?;
        let cached = CachedProposal { reference, content: authenticated };
        self.check_proposal(env, &cached, true)?;
        let (message, spent) = self.protect(env, content, options.padding)?;
        let step = self.cache_step(env, cached, own_update, spent)?;
        Ok(Proposed { message: encode(&message)?, reference, step })
    }

    /// Builds a proposal of ours, and the private half of an Update.
    pub(super) fn make_proposal(
        &self,
        env: &Env<'_>,
        kind: ProposalKind,
    ) -> Result<(Proposal, Option<OwnUpdate>), OperationError> {
        let psk = |kind| -> Result<Proposal, ProcessError> {
            Ok(Proposal::PreSharedKey(PreSharedKey { psk: fresh_id(env, self.suite.as_ref(), kind)? }))
        };
        let proposal = match kind {
            ProposalKind::Add(message) => {
                Proposal::Add(Box::new(Add { key_package: decode_key_package(env, &message)? }))
            }
            ProposalKind::Remove(removed) => Proposal::Remove(Remove { removed }),
            ProposalKind::Update(change) => {
                let (update, own_update) = self.make_update(env, *change)?;
                return Ok((update, Some(own_update)));
            }
            ProposalKind::ExternalPsk(psk_id) => psk(PskKind::External(Opaque::new(psk_id)))?,
            ProposalKind::ResumptionPsk { group_id, epoch } => psk(PskKind::Resumption {
                usage: ResumptionPskUsage::Application,
                psk_group_id: Opaque::new(group_id),
                psk_epoch: epoch,
            })?,
            ProposalKind::ReInit(reinit) => {
                // PROP-13: we must be able to live in the group to come.
                env.crypto.suite(reinit.cipher_suite)?;
                Proposal::ReInit(reinit)
            }
            ProposalKind::GroupContextExtensions(extensions) => {
                Proposal::GroupContextExtensions(GroupContextExtensions { extensions })
            }
            ProposalKind::Custom(custom) => Proposal::Custom(custom),
        };
        Ok((proposal, None))
    }

    fn make_update(&self, env: &Env<'_>, change: LeafChange) -> Result<(Proposal, OwnUpdate), OperationError> {
        let own = self.own_leaf().ok_or(ProcessError::NotAMember)?;
        let grease = Grease::draw(env.random)?;
        let leaf = NewLeaf {
            credential: change.credential.unwrap_or_else(|| own.credential.clone()),
            capabilities: change.capabilities.unwrap_or_else(|| own.capabilities.clone()),
            extensions: change.extensions.unwrap_or_else(|| own.extensions.clone()),
            source: LeafNodeSource::Update,
            signature_key: change.signature_key.as_ref().map_or(&self.signature_key, |pair| pair.private()),
            grease,
        };
        let (leaf_node, leaf_key) = leaf.sign(env, self.suite.as_ref(), (self.group_id(), self.own_index()))?;
        let signature_key = change.signature_key.map(|pair| pair.into_private());
        Ok((Proposal::Update(Box::new(Update { leaf_node })), OwnUpdate { leaf_key, signature_key }))
    }

    /// PROP-01 to PROP-24 for one standalone proposal, and the application's own rules (FRM-19).
    pub(super) fn check_proposal(
        &self,
        env: &Env<'_>,
        cached: &CachedProposal,
        sending: bool,
    ) -> Result<(), ProcessError> {
        self.proposals.check_room(cached, env.limits)?;
        check_standalone(env, self.suite.as_ref(), &self.public, cached, sending)
    }

    /// The step that caches a proposal.
    pub(super) fn cache_step(
        &self,
        env: &Env<'_>,
        cached: CachedProposal,
        own_update: Option<OwnUpdate>,
        spent: Option<Spent>,
    ) -> Result<Step, OperationError> {
        let mut changes = self.plan_spent(env, spent.as_ref())?;
        // PUB-04: a proposal that comes again keeps its record, and its place in the order.
        if self.proposals.get(&cached.reference).is_none() {
            let key = RecordKey::new(RecordClass::Proposal, self.epoch(), cached.reference.as_slice());
            let sequence = self.proposals.next_sequence();
            changes.push(Change::Put(key, super::records::encode_proposal(sequence, &cached, own_update.as_ref())?));
        }
        let effect = Effect::Cache { proposal: Box::new(cached), own_update, spent };
        Ok(Step { revision: self.revision, changes, effect })
    }

    /// Framed content of ours in this epoch.
    pub(super) fn framed(&self, content: Content, options: &MessageOptions) -> FramedContent {
        FramedContent {
            group_id: self.public.context().group_id.clone(),
            epoch: self.epoch(),
            sender: Sender::Member(self.own_index()),
            authenticated_data: Opaque::from(options.authenticated_data.as_slice()),
            content,
        }
    }

    /// Sections 6.2 and 6.3: a message of signed content, and the generation it used.
    pub(super) fn protect(
        &self,
        env: &Env<'_>,
        content: AuthenticatedContent,
        padding: Padding,
    ) -> Result<(MlsMessage, Option<Spent>), OperationError> {
        let suite = self.suite.as_ref();
        if content.wire_format == WireFormat::PUBLIC_MESSAGE {
            let context = self.public.encoded_context();
            let message = protect(suite, &self.keys.membership_key, content, context)?;
            return Ok((MlsMessage::PublicMessage(Box::new(message)), None));
        }
        let kind = RatchetKind::from(content.content.content.content_type());
        let tree = &self.keys.secret_tree;
        let (generation, message_key, spent) = tree.next(suite, self.own_index(), kind, env.limits)?;
        let sender_data_secret = &self.keys.sender_data_secret;
        let keys = PrivateKeys { sender_data_secret, message_key, generation, padding };
        let message = seal(suite, keys, content, env.random)?;
        Ok((MlsMessage::PrivateMessage(Box::new(message)), Some(spent)))
    }

    /// The changes of a used generation of this epoch.
    pub(super) fn plan_spent(&self, env: &Env<'_>, spent: Option<&Spent>) -> Result<Vec<Change>, ProcessError> {
        let Some(spent) = spent else { return Ok(Vec::new()) };
        let changes = self.keys.secret_tree.plan(self.suite.as_ref(), spent, env.limits, env.now)?;
        Ok(super::records::secret_tree_changes(self.epoch(), changes))
    }
}

impl Framing {
    pub(super) const fn wire_format(self) -> WireFormat {
        match self {
            Self::Private => WireFormat::PRIVATE_MESSAGE,
            Self::Public => WireFormat::PUBLIC_MESSAGE,
        }
    }
}

/// A key package out of its MLSMessage. X-DOS-02.
pub(super) fn decode_key_package(env: &Env<'_>, message: &[u8]) -> Result<KeyPackage, ProcessError> {
    check_len(message, env.limits.max_key_package)?;
    match decode_exact(message)? {
        MlsMessage::KeyPackage(package) => Ok(*package),
        _ => Err(DecodeError::UnsupportedWireFormat.into()),
    }
}

/// X-DOS-02: on length alone, before decoding.
pub(super) fn check_len(bytes: &[u8], limit: usize) -> Result<(), ProcessError> {
    if bytes.len() > limit { Err(DecodeError::OverLimit { len: bytes.len(), limit }.into()) } else { Ok(()) }
}

/// The rules for one proposal that stands alone, and the application's.
pub(super) fn check_standalone(
    env: &Env<'_>,
    suite: &dyn mls_crypto::SuiteCrypto,
    state: &super::PublicState,
    cached: &CachedProposal,
    sending: bool,
) -> Result<(), ProcessError> {
    let proposal = cached.proposal().ok_or(ProcessError::SenderNotAllowed)?;
    let item = Resolved { proposer: cached.proposer(), proposal, reference: Some(cached.reference) };
    let list = ProposalList { env, suite, state, proposals: &[item], succession: None };
    list.check_one(&item)?;
    match (proposal, item.proposer) {
        // PROP-03
        (Proposal::Add(add), _) => {
            LeafRules::new(env, suite, state.context())?.check_key_package(&add.key_package, sending)?;
        }
        // PROP-04
        (Proposal::Update(update), Proposer::Member(index)) => {
            let place = crate::tree::LeafPlace::Update(index, state.member(index)?);
            LeafRules::new(env, suite, state.context())?.check_leaf(update.leaf_node.clone(), place)?;
        }
        _ => {}
    }
    let claim = crate::policy::ProposalClaim {
        context: state.context(),
        roster: state.tree(),
        proposer: item.proposer,
        proposal,
    };
    Ok(env.policy.authorize_proposal(&claim)?)
}
