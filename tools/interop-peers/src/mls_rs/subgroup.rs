//! Groups that come out of others: the one that continues a group, and branches.
//!
//! In: a group, key packages, Welcomes. Out: another group.
//! Always: a client signs in a branch with the parent's key, which its key package has too.

use std::fmt;

use interop::{Answer, Committed, Failure, Invitation, SubgroupParams, message::Extension};
use mls_rs::{Group, MlsMessage, group::ReinitClient};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;

use super::{
    Crypto,
    client::{Common, Config, MlsRsJoiner, Stores, decoded, encoded, extensions, ratchet_tree},
    member::MlsRsMember,
    rules::Order,
};
use crate::wire::extension_list;

/// A client of mls-rs between the end of a group and the group that continues it.
pub struct MlsRsSuccessor<C: Crypto = RustCryptoProvider> {
    /// Gone after the first attempt, which takes it.
    client: Option<ReinitClient<Config<C>>>,
    stores: Stores,
    identity: Vec<u8>,
}

impl<C: Crypto> MlsRsSuccessor<C> {
    /// What follows the member's group, and a key package for it.
    pub(super) fn of(common: &Common<C>, member: MlsRsMember<C>) -> Answer<(Self, Vec<u8>)> {
        let MlsRsMember { group, stores, identity, next_suite, .. } = member;
        let other = next_suite.filter(|suite| *suite != group.cipher_suite());
        let keys = other.map(|suite| common.keys(suite, &identity)).transpose()?;
        let signing_identity = keys.as_ref().map(|keys| keys.signing_identity(&identity));
        let client =
            group.get_reinit_client(keys.map(|keys| keys.secret()), signing_identity).map_err(Failure::refused)?;
        let package = encoded(&client.generate_key_package(None).map_err(Failure::refused)?)?;
        Ok((Self { client: Some(client), stores, identity }, package))
    }

    pub(super) fn found(&mut self, params: &SubgroupParams<'_>) -> Answer<(MlsRsMember<C>, Committed)> {
        let packages = key_packages(params)?;
        let client = self.take()?;
        let founded = self.stores.rules.during(order(params), || client.commit(packages, Default::default(), None));
        founded_group(founded.map_err(Failure::refused)?, self.stores.clone(), self.identity.clone(), params)
    }

    pub(super) fn join(&mut self, invitation: Invitation<'_>) -> Answer<MlsRsMember<C>> {
        let (welcome, tree) = (decoded(invitation.welcome)?, ratchet_tree(invitation.ratchet_tree)?);
        let (group, _) = self.take()?.join(&welcome, tree, None).map_err(Failure::refused)?;
        Ok(MlsRsMember::new(group, self.stores.clone(), self.identity.clone()))
    }

    fn take(&mut self) -> Answer<ReinitClient<Config<C>>> {
        self.client.take().ok_or(Failure::Malformed("the group was continued already"))
    }
}

impl<C: Crypto> fmt::Debug for MlsRsSuccessor<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MlsRsSuccessor(..)")
    }
}

impl<C: Crypto> MlsRsMember<C> {
    pub(super) fn branch(
        &mut self,
        (group_id, list): (&[u8], &[Extension]),
        params: &SubgroupParams<'_>,
    ) -> Answer<(Self, Committed)> {
        // `Group::branch` copies the parent's, and `Group::join_subgroup` insists on it.
        if extensions(&extension_list(list)?)? != *self.group.context().extensions() {
            return Err(Failure::Unsupported("a branch with other extensions than its parent"));
        }
        let packages = key_packages(params)?;
        let founded = self.stores.rules.during(order(params), || self.group.branch(group_id.to_vec(), packages, None));
        founded_group(founded.map_err(Failure::refused)?, self.stores.clone(), self.identity.clone(), params)
    }

    pub(super) fn join_branch(&mut self, joiner: &MlsRsJoiner<C>, invitation: Invitation<'_>) -> Answer<Self> {
        // mls-rs looks for the key package with the parent, where the joiner's is not.
        for (id, package) in joiner.client.stores.key_packages.key_packages() {
            self.stores.key_packages.insert(id, package);
        }
        let (welcome, tree) = (decoded(invitation.welcome)?, ratchet_tree(invitation.ratchet_tree)?);
        let (group, _) = self.group.join_subgroup(&welcome, tree, None).map_err(Failure::refused)?;
        Ok(Self::new(group, self.stores.clone(), self.identity.clone()))
    }
}

fn order(params: &SubgroupParams<'_>) -> Order {
    Order { chosen: None, force_path: params.force_path, external_tree: params.external_tree }
}

fn key_packages(params: &SubgroupParams<'_>) -> Answer<Vec<MlsMessage>> {
    params.key_packages.iter().map(|package| decoded(package)).collect()
}

/// mls-rs keeps the commit of a new group to itself.
fn founded_group<C: Crypto>(
    (group, welcomes): (Group<Config<C>>, Vec<MlsMessage>),
    stores: Stores,
    identity: Vec<u8>,
    params: &SubgroupParams<'_>,
) -> Answer<(MlsRsMember<C>, Committed)> {
    let member = MlsRsMember::new(group, stores, identity);
    let welcome = welcomes.first().map(encoded).transpose()?.unwrap_or_default();
    let ratchet_tree = if params.external_tree { member.ratchet_tree()? } else { Vec::new() };
    Ok((member, Committed { commit: Vec::new(), welcome, ratchet_tree }))
}
