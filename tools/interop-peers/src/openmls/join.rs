//! Joining: by Welcome, and by external commit.
//!
//! In: an invitation, or a GroupInfo. Out: a member.
//! Always: an external commit replaces the leaf that has one's signature key, and no other.

use interop::{Answer, ExternalJoinParams, Failure, Invitation, Outside};
use openmls::{
    prelude::{LeafNodeParameters, MlsGroup, MlsMessageBodyIn, OpenMlsProvider, PreSharedKeyProposal, StagedWelcome},
    schedule::{Psk, psk::ExternalPsk},
};

use super::{
    client::{
        Client, Keys, OpenMlsJoiner, capabilities, decoded, encoded, group_info, join_config, ratchet_tree, suite_of,
    },
    member::{OpenMlsMember, leaf_of},
    outside::members,
};
use crate::wallet::Wallet;

impl OpenMlsMember {
    pub(super) fn join(joiner: &OpenMlsJoiner, invitation: Invitation<'_>, encrypted: bool) -> Answer<Self> {
        let client = joiner.client.clone();
        let MlsMessageBodyIn::Welcome(welcome) = decoded(invitation.welcome)? else {
            return Err(Failure::Malformed("a Welcome"));
        };
        let tree = ratchet_tree(invitation.ratchet_tree)?;
        let group = StagedWelcome::new_from_welcome(client.provider(), &join_config(encrypted), welcome, tree)
            .map_err(Failure::refused)?
            .into_group(client.provider())
            .map_err(Failure::refused)?;
        Ok(Self::new(client, group))
    }

    pub(super) fn join_external(wallet: &Wallet<Keys>, params: &ExternalJoinParams<'_>) -> Answer<(Self, Vec<u8>)> {
        let info = group_info(params.group_info)?;
        let client = Client::new(wallet, suite_of(info.ciphersuite().into())?, params.identity)?;
        if params.remove_prior {
            check_replaceable(&client, params)?;
        }
        let mut psks = Vec::new();
        for psk in params.psks {
            client.store_psk(psk)?;
            let id = client.psk_id(Psk::External(ExternalPsk::new(psk.psk_id.clone())))?;
            psks.push(PreSharedKeyProposal::new(id));
        }
        let mut builder = MlsGroup::external_commit_builder().with_config(join_config(params.encrypt_handshake));
        if let Some(tree) = ratchet_tree(params.ratchet_tree)? {
            builder = builder.with_ratchet_tree(tree);
        }
        let provider = client.provider();
        let (group, bundle) = builder
            .build_group(provider, info, client.credential.clone())
            .map_err(Failure::refused)?
            .leaf_node_parameters(LeafNodeParameters::builder().with_capabilities(capabilities()).build())
            .add_psk_proposals(psks)
            .load_psks(provider.storage())
            .map_err(Failure::refused)?
            .build(provider.rand(), provider.crypto(), client.signer(), |_| true)
            .map_err(Failure::refused)?
            .finalize(provider)
            .map_err(Failure::refused)?;
        let commit = encoded(bundle.commit())?;
        Ok((Self::new(client, group), commit))
    }
}

/// OpenMLS finds the leaf to replace by its signature key and cannot be told another.
fn check_replaceable(client: &Client, params: &ExternalJoinParams<'_>) -> Answer<()> {
    let group = Outside { group_info: params.group_info, ratchet_tree: params.ratchet_tree };
    let prior = leaf_of(members(group)?, params.identity)?;
    if prior.signature_key == client.credential.signature_key.as_slice() {
        return Ok(());
    }
    Err(Failure::Unsupported("removing a leaf that has another signature key"))
}
