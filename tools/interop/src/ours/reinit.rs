//! Groups that come out of others (RFC 9420, Sections 11.2 and 11.3).

use mls_crypto::CipherSuite;
use mls_engine::{
    group::{self, BranchParams, Group, KeyPackageSecrets, Pending, Status, SuccessorParams},
    message::Extensions,
};

use super::{
    client::{Client, lifetime},
    commit::commit_options,
    member::Member,
    proposal::extensions,
};
use crate::{
    message::Extension,
    stack::{Answer, Committed, Failure, Invitation, SubgroupParams},
};

/// A client whose group has ended, with its key package for the next.
#[derive(Debug)]
pub struct Successor {
    ended: Member,
    client: Client,
    keys: KeyPackageSecrets,
}

impl Successor {
    /// A client of the next group's suite, and its key package.
    pub(super) fn new(ended: Member) -> Answer<(Self, Vec<u8>)> {
        let Status::ReInitialized(reinit) = ended.group.status() else {
            return Err(Failure::refused("the commit held no ReInit"));
        };
        let mut client = ended.client.again().of_suite(reinit.cipher_suite)?;
        client.host.remember(&ended.group);
        let keys = client.key_package()?;
        let message = keys.message().map_err(Failure::refused)?;
        Ok((Self { ended, client, keys }, message))
    }

    /// Founds the next group.
    pub(super) fn welcome(&self, params: &SubgroupParams<'_>) -> Answer<(Member, Committed)> {
        let env = self.client.host.env();
        let founded = self.ended.group.create_reinit(&env, self.client.successor_params(params));
        found(self.client.again(), founded.map_err(Failure::refused)?, &self.ended, params)
    }

    /// Joins the next group.
    pub(super) fn join(&self, invitation: Invitation<'_>) -> Answer<Member> {
        let env = self.client.host.env();
        let joined = Group::join(&env, invitation.welcome, &[&self.keys], invitation.ratchet_tree);
        let group = joined.map_err(Failure::refused)?.group;
        Ok(Member::new(self.client.again(), group, self.ended.encrypt_handshake))
    }
}

impl Member {
    /// Founds a subgroup.
    pub(super) fn create_branch(
        &self,
        client: Client,
        (group_id, list): (&[u8], &[Extension]),
        params: &SubgroupParams<'_>,
    ) -> Answer<(Self, Committed)> {
        let branch = BranchParams {
            group_id: group_id.to_vec(),
            extensions: extensions(list)?,
            successor: client.successor_params(params),
        };
        let founded = self.group.create_branch(&client.host.env(), branch).map_err(Failure::refused)?;
        found(client, founded, self, params)
    }
}

impl Client {
    /// The same client with a key of another suite.
    fn of_suite(self, cipher_suite: CipherSuite) -> Answer<Self> {
        Self::new(self.host, cipher_suite, &self.identity)
    }

    fn successor_params(&self, params: &SubgroupParams<'_>) -> SuccessorParams<'_> {
        SuccessorParams {
            credential: self.credential(),
            signature_key: &self.signature_key,
            capabilities: self.capabilities(),
            lifetime: lifetime(),
            leaf_extensions: Extensions::new(),
            key_packages: params.key_packages.to_vec(),
            commit: commit_options(params.force_path, params.external_tree),
        }
    }
}

/// The founder's state after its first commit, and the Welcome.
fn found(
    client: Client,
    founded: group::Successor,
    old: &Member,
    params: &SubgroupParams<'_>,
) -> Answer<(Member, Committed)> {
    let group::Successor { group, changes: _, pending } = founded;
    let mut member = Member::new(client, group, old.encrypt_handshake);
    let Pending { commit_id, commit, step, .. } = pending;
    member.adopt(step)?;
    let accepted = member.group.accept(&member.client.host.env(), &commit_id).map_err(Failure::refused)?;
    member.adopt(accepted.step)?;
    let welcome = accepted.welcome.unwrap_or_default();
    let ratchet_tree =
        if params.external_tree { member.group.ratchet_tree().map_err(Failure::refused)? } else { Vec::new() };
    Ok((member, Committed { commit, welcome, ratchet_tree }))
}
