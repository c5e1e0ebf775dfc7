//! From outside a group: external commits (RFC 9420, Section 12.4.3.2) and proposals (Section 12.1.8).

use mls_crypto::Opaque;
use mls_engine::{
    codec::{decode_exact, encode},
    group::{self, ExternalProposals, Group, Observer},
    math::LeafIndex,
    message::{
        Add, Extensions, ExternalSender, GroupContext, GroupContextExtensions, KeyPackage, MlsMessage, Proposal,
        PskKind, Remove, ResumptionPskUsage,
    },
};

use super::{
    client::Client,
    member::Member,
    proposal::{extensions, leaf_of, reinit, with_external_sender},
};
use crate::stack::{Answer, Change, ExternalJoinParams, Failure, Outside};

/// An external sender.
#[derive(Debug)]
pub struct Signer {
    client: Client,
    sender: ExternalSender,
}

/// The context of a GroupInfo, an MLSMessage.
pub(super) fn context(group_info: &[u8]) -> Answer<GroupContext> {
    match decode_exact(group_info) {
        Ok(MlsMessage::GroupInfo(info)) => Ok(info.group_context),
        _ => Err(Failure::Malformed("group_info")),
    }
}

impl Member {
    /// Joins by external commit.
    pub(super) fn join_external(mut client: Client, params: &ExternalJoinParams<'_>) -> Answer<(Self, Vec<u8>)> {
        for psk in params.psks {
            client.host.add_psk(psk);
        }
        let outside = Outside { group_info: params.group_info, ratchet_tree: params.ratchet_tree };
        let remove = if params.remove_prior { Some(client.find(outside, &client.identity)?) } else { None };
        let join = group::ExternalJoinParams {
            credential: client.credential(),
            signature_key: &client.signature_key,
            capabilities: client.capabilities(),
            leaf_extensions: Extensions::new(),
            remove,
            psks: params.psks.iter().map(|psk| PskKind::External(Opaque::new(psk.psk_id.clone()))).collect(),
            authenticated_data: Vec::new(),
        };
        let joined = Group::join_external(&client.host.env(), params.group_info, params.ratchet_tree, join);
        let joined = joined.map_err(Failure::refused)?;
        Ok((Self::new(client, joined.group, params.encrypt_handshake), joined.commit))
    }
}

impl Client {
    /// The leaf of the member with this identity, in a group we are not in.
    fn find(&self, outside: Outside<'_>, identity: &[u8]) -> Answer<LeafIndex> {
        let observer = Observer::new(&self.host.env(), outside.group_info, outside.ratchet_tree);
        leaf_of(observer.map_err(Failure::refused)?.public().tree(), identity)
    }
}

impl Signer {
    /// An external sender, and its entry for the group's list.
    pub(super) fn new(client: Client) -> Answer<(Self, Vec<u8>)> {
        let suite = client.host.provider.suite(client.cipher_suite).map_err(Failure::refused)?;
        let signature_key = suite.signature_public_key(&client.signature_key).map_err(Failure::refused)?;
        let sender = ExternalSender { signature_key, credential: client.credential() };
        let entry = encode(&sender).map_err(Failure::refused)?;
        Ok((Self { client, sender }, entry))
    }

    /// A proposal, under the index of our key.
    pub(super) fn propose(&self, outside: Outside<'_>, change: Change) -> Answer<Vec<u8>> {
        let context = context(outside.group_info)?;
        let senders = context.extensions.external_senders().map_err(Failure::refused)?;
        let index = senders.iter().position(|sender| *sender == self.sender);
        let index = index.and_then(|index| u32::try_from(index).ok());
        let index = index.ok_or_else(|| Failure::refused("not one of the group's external senders"))?;
        let env = self.client.host.env();
        let proposals = ExternalProposals::new(&env, outside.group_info).map_err(Failure::refused)?;
        let proposal = self.proposal(&proposals, (&context, outside), change)?;
        proposals.propose(index, &self.client.signature_key, proposal).map_err(Failure::refused)
    }

    fn proposal(
        &self,
        proposals: &ExternalProposals<'_>,
        (context, outside): (&GroupContext, Outside<'_>),
        change: Change,
    ) -> Answer<Proposal> {
        let psk = |kind| proposals.psk(kind).map_err(Failure::refused);
        let replace = |extensions| Proposal::GroupContextExtensions(GroupContextExtensions { extensions });
        Ok(match change {
            Change::Add(message) => Proposal::Add(Box::new(Add { key_package: key_package(&message)? })),
            Change::Remove(identity) => Proposal::Remove(Remove { removed: self.client.find(outside, &identity)? }),
            Change::Update => return Err(Failure::Malformed("proposal_type: an external sender has no leaf")),
            Change::ExternalPsk(id) => psk(PskKind::External(Opaque::new(id)))?,
            Change::ResumptionPsk(epoch) => psk(PskKind::Resumption {
                usage: ResumptionPskUsage::Application,
                psk_group_id: context.group_id.clone(),
                psk_epoch: epoch,
            })?,
            Change::Extensions(list) => replace(extensions(&list)?),
            Change::ExternalSender(sender) => replace(with_external_sender(context, &sender)?),
            Change::ReInit { cipher_suite, group_id, extensions } => {
                Proposal::ReInit(reinit(cipher_suite, group_id, &extensions)?)
            }
        })
    }
}

fn key_package(message: &[u8]) -> Answer<KeyPackage> {
    match decode_exact(message) {
        Ok(MlsMessage::KeyPackage(package)) => Ok(*package),
        _ => Err(Failure::Malformed("key_package")),
    }
}
