//! Proposals from outside: new members, and external senders.
//!
//! In: a GroupInfo. Out: a proposal.
//! Always: an external sender has the index of its entry in the group's list.

use std::fmt;

use interop::{Answer, Change, Failure, Outside, Published};
use openmls::prelude::{
    ExternalProposal, ExternalSender, GroupContext, JoinProposal, Member, MlsMessageOut, OpenMlsProvider,
    ProposalStore, PublicGroup, SenderExtensionIndex,
};
use openmls_rust_crypto::OpenMlsRustCrypto;
use tls_codec::Serialize;

use super::{
    client::{Client, Keys, OpenMlsJoiner, encoded, group_info, key_package, ratchet_tree, suite_of},
    member::leaf_of,
    propose::context_extensions,
};
use crate::{wallet::Wallet, wire::extension_list};

impl OpenMlsJoiner {
    pub(super) fn propose_self(wallet: &Wallet<Keys>, info: &[u8], identity: &[u8]) -> Answer<(Self, Published)> {
        let info = group_info(info)?;
        let client = Client::new(wallet, suite_of(info.ciphersuite().into())?, identity)?;
        let bundle = client.key_package()?;
        let proposal = JoinProposal::new::<<OpenMlsRustCrypto as OpenMlsProvider>::StorageProvider>(
            bundle.key_package().clone(),
            info.group_id().clone(),
            info.epoch(),
            client.signer(),
        )
        .map_err(Failure::refused)?;
        let published = client.published(&proposal, &bundle)?;
        Ok((Self { client }, published))
    }
}

/// An external sender with OpenMLS.
pub struct OpenMlsSigner {
    keys: Keys,
    entry: ExternalSender,
}

impl OpenMlsSigner {
    /// A sender, and its encoded entry.
    pub(super) fn new(suite: u16, identity: &[u8]) -> Answer<(Self, Vec<u8>)> {
        let keys = Keys::generate(suite_of(suite)?)?;
        let credential = keys.credential(identity);
        let entry = ExternalSender::new(credential.signature_key, credential.credential);
        let encoded = entry.tls_serialize_detached().map_err(Failure::refused)?;
        Ok((Self { keys, entry }, encoded))
    }

    pub(super) fn propose(&self, group: Outside<'_>, change: Change) -> Answer<Vec<u8>> {
        let info = group_info(group.group_info)?;
        let (context, signer) = (info.group_context(), self.keys.signer());
        let index = self.index(context)?;
        let (id, epoch) = (context.group_id().clone(), context.epoch());
        let proposal: MlsMessageOut = match change {
            Change::Add(package) => {
                let package = key_package(&package)?;
                ExternalProposal::new_add::<OpenMlsRustCrypto>(package, id, epoch, signer, index)
                    .map_err(Failure::refused)?
            }
            Change::Remove(identity) => {
                let leaf = leaf_of(members(group)?, &identity)?.index;
                ExternalProposal::new_remove::<OpenMlsRustCrypto>(leaf, id, epoch, signer, index)
                    .map_err(Failure::refused)?
            }
            Change::Extensions(list) => {
                let list = context_extensions(&extension_list(&list)?)?;
                ExternalProposal::new_group_context_extensions::<OpenMlsRustCrypto>(list, id, epoch, signer, index)
                    .map_err(Failure::refused)?
            }
            Change::ExternalPsk(_) | Change::ResumptionPsk(_) => {
                return Err(Failure::Unsupported("a PSK of an external sender"));
            }
            Change::ReInit { .. } => return Err(Failure::Unsupported("ReInit")),
            Change::Update | Change::ExternalSender(_) => {
                return Err(Failure::Malformed("not for an external sender"));
            }
        };
        encoded(&proposal)
    }

    fn index(&self, context: &GroupContext) -> Answer<SenderExtensionIndex> {
        let mut senders = context.extensions().external_senders().into_iter().flatten();
        let position = senders.position(|sender| *sender == self.entry);
        let index = position.and_then(|position| u32::try_from(position).ok());
        index.map(SenderExtensionIndex::new).ok_or(Failure::Malformed("not one of the group's external senders"))
    }
}

impl fmt::Debug for OpenMlsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenMlsSigner(..)")
    }
}

/// The members of a group, as its GroupInfo and tree show them, both checked.
pub(super) fn members(group: Outside<'_>) -> Answer<Vec<Member>> {
    let info = group_info(group.group_info)?;
    let inside = info.extensions().ratchet_tree().map(|extension| extension.ratchet_tree().clone());
    let tree = match inside {
        Some(tree) => tree,
        None => ratchet_tree(group.ratchet_tree)?.ok_or(Failure::Malformed("no ratchet_tree"))?,
    };
    let scratch = OpenMlsRustCrypto::default();
    let (group, _) = PublicGroup::from_external(scratch.crypto(), scratch.storage(), tree, info, ProposalStore::new())
        .map_err(Failure::refused)?;
    Ok(group.members().collect())
}
