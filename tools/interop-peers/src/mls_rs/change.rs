//! Changes as mls-rs takes them: by reference, by value, and from outside.
//!
//! In: a change. Out: a proposal to send, or a builder that has one more.
//! Always: what a change names is looked up before anything is made.

use interop::{Answer, Change, Failure};
use mls_rs::{
    CipherSuite, ExtensionList, MlsMessage, ProtocolVersion,
    error::MlsError,
    external_client::{ExternalGroup, builder::MlsConfig},
    group::{CommitBuilder, ReceivedMessage},
    mls_rs_codec::MlsEncode,
    mls_rules::ProposalRef,
    psk::ExternalPskId,
};

use super::{
    Crypto,
    client::{Config, decoded, encoded, extensions},
    member::MlsRsMember,
};
use crate::wire::{extension_list, with_external_sender};

/// A change with leaves instead of identities and objects instead of bytes.
pub(super) enum Resolved {
    Add(Box<MlsMessage>),
    Remove(u32),
    Update,
    ExternalPsk(ExternalPskId),
    ResumptionPsk(u64),
    Extensions(ExtensionList),
    ReInit { group_id: Vec<u8>, suite: CipherSuite, extensions: ExtensionList },
}

impl Resolved {
    /// Looks up identities with `leaf_of`; `context` is the group's extensions.
    pub(super) fn new(
        change: Change,
        context: &ExtensionList,
        leaf_of: impl FnOnce(&[u8]) -> Answer<u32>,
    ) -> Answer<Self> {
        Ok(match change {
            Change::Add(package) => Self::Add(Box::new(decoded(&package)?)),
            Change::Remove(identity) => Self::Remove(leaf_of(&identity)?),
            Change::Update => Self::Update,
            Change::ExternalPsk(id) => Self::ExternalPsk(ExternalPskId::new(id)),
            Change::ResumptionPsk(epoch) => Self::ResumptionPsk(epoch),
            Change::Extensions(list) => Self::Extensions(extensions(&extension_list(&list)?)?),
            Change::ExternalSender(sender) => {
                let list = context.mls_encode_to_vec().map_err(Failure::refused)?;
                Self::Extensions(extensions(&with_external_sender(&list, &sender)?)?)
            }
            Change::ReInit { cipher_suite, group_id, extensions: list } => {
                Self::ReInit { group_id, suite: cipher_suite.into(), extensions: extensions(&extension_list(&list)?)? }
            }
        })
    }

    /// By value.
    pub(super) fn add_to<C: Crypto>(
        self,
        builder: CommitBuilder<'_, Config<C>>,
    ) -> Answer<CommitBuilder<'_, Config<C>>> {
        let added = match self {
            Self::Add(package) => builder.add_member(*package),
            Self::Remove(leaf) => builder.remove_member(leaf),
            Self::Update => return Err(Failure::Malformed("an Update by value")),
            Self::ExternalPsk(id) => builder.add_external_psk(id),
            Self::ResumptionPsk(epoch) => builder.add_resumption_psk(epoch),
            Self::Extensions(list) => builder.set_group_context_ext(list),
            Self::ReInit { group_id, suite, extensions } => {
                builder.reinit(Some(group_id), ProtocolVersion::MLS_10, suite, extensions)
            }
        };
        added.map_err(Failure::refused)
    }

    /// From outside.
    pub(super) fn propose_to(self, group: &mut ExternalGroup<impl MlsConfig>) -> Answer<MlsMessage> {
        let none = Vec::new();
        let proposed = match self {
            Self::Add(package) => group.propose_add(*package, none),
            Self::Remove(leaf) => group.propose_remove(leaf, none),
            Self::Update => return Err(Failure::Malformed("not for an external sender")),
            Self::ExternalPsk(id) => group.propose_external_psk(id, none),
            Self::ResumptionPsk(epoch) => group.propose_resumption_psk(epoch, none),
            Self::Extensions(list) => group.propose_group_context_extensions(list, none),
            Self::ReInit { group_id, suite, extensions } => {
                group.propose_reinit(Some(group_id), ProtocolVersion::MLS_10, suite, extensions, none)
            }
        };
        proposed.map_err(Failure::refused)
    }
}

impl<C: Crypto> MlsRsMember<C> {
    pub(super) fn propose(&mut self, change: Change) -> Answer<Vec<u8>> {
        let resolved = self.resolved(change)?;
        let message = encoded(&self.framed(resolved).map_err(Failure::refused)?)?;
        // One's own proposal comes back out of the cache, with its reference.
        self.learn(&message)?;
        Ok(message)
    }

    pub(super) fn resolved(&self, change: Change) -> Answer<Resolved> {
        Resolved::new(change, self.group.context().extensions(), |identity| self.leaf_of(identity))
    }

    fn framed(&mut self, resolved: Resolved) -> Result<MlsMessage, MlsError> {
        let (group, none) = (&mut self.group, Vec::new());
        match resolved {
            Resolved::Add(package) => group.propose_add(*package, none),
            Resolved::Remove(leaf) => group.propose_remove(leaf, none),
            Resolved::Update => group.propose_update(none),
            Resolved::ExternalPsk(id) => group.propose_external_psk(id, none),
            Resolved::ResumptionPsk(epoch) => group.propose_resumption_psk(epoch, none),
            Resolved::Extensions(list) => group.propose_group_context_extensions(list, none),
            Resolved::ReInit { group_id, suite, extensions } => {
                group.propose_reinit(Some(group_id), ProtocolVersion::MLS_10, suite, extensions, none)
            }
        }
    }

    /// The reference of a proposal that was sent, by oneself or by others.
    pub(super) fn learn(&mut self, message: &[u8]) -> Answer<ProposalRef> {
        if let Some(reference) = self.known.get(message) {
            return Ok(reference.clone());
        }
        match self.group.process_incoming_message(decoded(message)?).map_err(Failure::refused)? {
            ReceivedMessage::Proposal(proposal) => {
                self.known.insert(message.to_vec(), proposal.proposal_ref.clone());
                Ok(proposal.proposal_ref)
            }
            _ => Err(Failure::Malformed("a proposal")),
        }
    }
}
