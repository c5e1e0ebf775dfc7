//! Proposals by reference (RFC 9420, Section 12.1), in the harness's words and the engine's.

use mls_crypto::{CipherSuite, Opaque};
use mls_engine::{
    codec::{decode_exact, encode},
    group::{LeafChange, ProposalKind},
    math::LeafIndex,
    message::{ExtensionType, Extensions, ExternalSender, GroupContext, ProtocolVersion, ReInit},
    tree::RatchetTree,
};

use super::member::Member;
use crate::{
    message::Extension,
    stack::{Answer, Change, Failure},
};

impl Member {
    pub(super) fn propose(&mut self, change: Change) -> Answer<Vec<u8>> {
        let kind = self.proposal_kind(change)?;
        let options = self.handshake_options();
        let proposed = self.group.propose(&self.client.host.env(), kind, options).map_err(Failure::refused)?;
        self.adopt(proposed.step)?;
        self.known.insert(proposed.message.clone(), proposed.reference);
        Ok(proposed.message)
    }

    /// A change as the engine names it.
    pub(super) fn proposal_kind(&self, change: Change) -> Answer<ProposalKind> {
        let public = self.group.public();
        Ok(match change {
            Change::Add(key_package) => ProposalKind::Add(key_package),
            Change::Remove(identity) => ProposalKind::Remove(leaf_of(public.tree(), &identity)?),
            Change::Update => ProposalKind::Update(Box::<LeafChange>::default()),
            Change::ExternalPsk(id) => ProposalKind::ExternalPsk(id),
            Change::ResumptionPsk(epoch) => {
                ProposalKind::ResumptionPsk { group_id: self.group.group_id().to_vec(), epoch }
            }
            Change::Extensions(list) => ProposalKind::GroupContextExtensions(extensions(&list)?),
            Change::ExternalSender(sender) => {
                ProposalKind::GroupContextExtensions(with_external_sender(public.context(), &sender)?)
            }
            Change::ReInit { cipher_suite, group_id, extensions } => {
                ProposalKind::ReInit(reinit(cipher_suite, group_id, &extensions)?)
            }
        })
    }
}

/// The member with this identity.
pub(super) fn leaf_of(tree: &RatchetTree, identity: &[u8]) -> Answer<LeafIndex> {
    let members = tree.members();
    let found = members.iter().find(|(_, leaf)| leaf.credential.identity() == Some(identity));
    found.map(|(index, _)| *index).ok_or_else(|| Failure::refused("no member has this identity"))
}

pub(super) fn extensions(list: &[Extension]) -> Answer<Extensions> {
    let mut extensions = Extensions::new();
    for extension in list {
        let kind = u16::try_from(extension.extension_type).map_err(|_| Failure::Malformed("extension_type"))?;
        extensions.set(ExtensionType(kind), extension.extension_data.clone());
    }
    Ok(extensions)
}

pub(super) fn reinit(cipher_suite: u16, group_id: Vec<u8>, list: &[Extension]) -> Answer<ReInit> {
    Ok(ReInit {
        group_id: Opaque::new(group_id),
        version: ProtocolVersion::MLS10,
        cipher_suite: CipherSuite(cipher_suite),
        extensions: extensions(list)?,
    })
}

/// The context's extensions with one external sender more.
pub(super) fn with_external_sender(context: &GroupContext, sender: &[u8]) -> Answer<Extensions> {
    let sender: ExternalSender = decode_exact(sender).map_err(|_| Failure::Malformed("external_sender"))?;
    let mut senders = context.extensions.external_senders().map_err(Failure::refused)?;
    senders.push(sender);
    let mut extensions = context.extensions.clone();
    extensions.set(ExtensionType::EXTERNAL_SENDERS, encode(&senders).map_err(Failure::refused)?);
    Ok(extensions)
}
