//! Proposals by reference: one's own, and those of others.
//!
//! In: a change, or a proposal that was sent. Out: a proposal to send, or the reference of one that is now in the store.
//! Always: a proposal is given to OpenMLS once.

use interop::{Answer, Change, Failure};
use openmls::{
    ciphersuite::hash_ref::ProposalRef,
    prelude::{
        Extensions, GroupContext, GroupEpoch, LeafNodeParameters, MlsMessageOut, OpenMlsProvider,
        ProcessedMessageContent,
    },
    schedule::{
        PreSharedKeyId, Psk,
        psk::{ExternalPsk, ResumptionPsk, ResumptionPskUsage},
    },
};
use tls_codec::{Deserialize, Serialize};

use super::{
    client::{encoded, key_package, protocol_message},
    member::OpenMlsMember,
};
use crate::wire::{extension_list, with_external_sender};

impl OpenMlsMember {
    pub(super) fn propose(&mut self, change: Change) -> Answer<Vec<u8>> {
        let (message, reference) = self.framed(change)?;
        let message = encoded(&message)?;
        self.known.insert(message.clone(), reference);
        Ok(message)
    }

    fn framed(&mut self, change: Change) -> Answer<(MlsMessageOut, ProposalRef)> {
        let provider = self.client.provider();
        let signer = self.client.signer();
        match change {
            Change::Add(package) => {
                self.group.propose_add_member(provider, signer, &key_package(&package)?).map_err(Failure::refused)
            }
            Change::Remove(identity) => {
                let leaf = self.leaf_of(&identity)?;
                self.group.propose_remove_member(provider, signer, leaf).map_err(Failure::refused)
            }
            Change::Update => {
                let leaf = LeafNodeParameters::default();
                self.group.propose_self_update(provider, signer, leaf).map_err(Failure::refused)
            }
            Change::ExternalPsk(id) => {
                let id = self.external_psk(id)?;
                self.group.propose_pre_shared_key(provider, signer, id).map_err(Failure::refused)
            }
            Change::ResumptionPsk(epoch) => {
                let id = self.resumption_psk(epoch)?;
                self.group.propose_pre_shared_key(provider, signer, id).map_err(Failure::refused)
            }
            Change::Extensions(list) => {
                let list = context_extensions(&extension_list(&list)?)?;
                self.group.propose_group_context_extensions(provider, list, signer).map_err(Failure::refused)
            }
            Change::ExternalSender(sender) => {
                let list = self.with_external_sender(&sender)?;
                self.group.propose_group_context_extensions(provider, list, signer).map_err(Failure::refused)
            }
            Change::ReInit { .. } => Err(Failure::Unsupported("ReInit")),
        }
    }

    /// The reference of a proposal that was sent, by oneself or by others.
    pub(super) fn learn(&mut self, message: &[u8]) -> Answer<ProposalRef> {
        if let Some(reference) = self.known.get(message) {
            return Ok(reference.clone());
        }
        let provider = self.client.provider();
        let processed = self.group.process_message(provider, protocol_message(message)?).map_err(Failure::refused)?;
        let (ProcessedMessageContent::ProposalMessage(proposal)
        | ProcessedMessageContent::ExternalJoinProposalMessage(proposal)) = processed.into_content()
        else {
            return Err(Failure::Malformed("a proposal"));
        };
        let reference = proposal.proposal_reference_ref().clone();
        self.group.store_pending_proposal(provider.storage(), *proposal).map_err(Failure::refused)?;
        self.known.insert(message.to_vec(), reference.clone());
        Ok(reference)
    }

    pub(super) fn external_psk(&self, id: Vec<u8>) -> Answer<PreSharedKeyId> {
        self.client.psk_id(Psk::External(ExternalPsk::new(id)))
    }

    pub(super) fn resumption_psk(&self, epoch: u64) -> Answer<PreSharedKeyId> {
        let (group, epoch) = (self.group.group_id().clone(), GroupEpoch::from(epoch));
        self.client.psk_id(Psk::Resumption(ResumptionPsk::new(ResumptionPskUsage::Application, group, epoch)))
    }

    /// The group's extensions with one more external sender.
    pub(super) fn with_external_sender(&self, sender: &[u8]) -> Answer<Extensions<GroupContext>> {
        let list = self.group.extensions().tls_serialize_detached().map_err(Failure::refused)?;
        context_extensions(&with_external_sender(&list, sender)?)
    }
}

pub(super) fn context_extensions(list: &[u8]) -> Answer<Extensions<GroupContext>> {
    Extensions::tls_deserialize_exact(list).map_err(Failure::refused)
}
