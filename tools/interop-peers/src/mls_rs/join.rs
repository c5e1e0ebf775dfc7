//! Joining: by Welcome, and by external commit.
//!
//! In: an invitation, or a GroupInfo. Out: a member.
//! Always: the leaf that an external commit replaces is found by its identity.

use interop::{Answer, ExternalJoinParams, Failure, Invitation, Outside};
use mls_rs::psk::ExternalPskId;

use super::{
    Crypto,
    client::{Common, MlsRsJoiner, NewClient, decoded, encoded, ratchet_tree, suite_of},
    member::MlsRsMember,
    outside::leaf_outside,
};

impl<C: Crypto> MlsRsMember<C> {
    pub(super) fn join(joiner: &MlsRsJoiner<C>, invitation: Invitation<'_>, encrypted: bool) -> Answer<Self> {
        let NewClient { client, stores, identity, .. } = &joiner.client;
        stores.rules.encrypt(encrypted);
        let (welcome, tree) = (decoded(invitation.welcome)?, ratchet_tree(invitation.ratchet_tree)?);
        let (group, _) = client.join_group(tree, &welcome, None).map_err(Failure::refused)?;
        Ok(Self::new(group, stores.clone(), identity.clone()))
    }

    pub(super) fn join_external(common: &Common<C>, params: &ExternalJoinParams<'_>) -> Answer<(Self, Vec<u8>)> {
        let info = decoded(params.group_info)?;
        let NewClient { client, mut stores, identity, .. } = NewClient::new(common, suite_of(&info)?, params.identity)?;
        stores.rules.encrypt(params.encrypt_handshake);
        let mut builder = client.external_commit_builder().map_err(Failure::refused)?;
        if let Some(tree) = ratchet_tree(params.ratchet_tree)? {
            builder = builder.with_tree_data(tree);
        }
        if params.remove_prior {
            let group = Outside { group_info: params.group_info, ratchet_tree: params.ratchet_tree };
            builder = builder.with_removal(leaf_outside(&common.provider, group, params.identity)?);
        }
        for psk in params.psks {
            stores.store_psk(psk);
            builder = builder.with_external_psk(ExternalPskId::new(psk.psk_id.clone()));
        }
        let (group, commit) = builder.build(info).map_err(Failure::refused)?;
        Ok((Self::new(group, stores, identity), encoded(&commit)?))
    }
}
