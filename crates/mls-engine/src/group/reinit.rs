//! Reinitialization (RFC 9420, Section 11.2): the same members under new parameters; and what all successions share.
//!
//! In: a group that a ReInit has ended, and fresh key packages of its members. Out: a group at epoch 0 and the commit
//! that adds them, bound to the old group by a resumption PSK.
//! Always: GRP-06, GRP-07: joiners refuse anything that is not what the ReInit said.

use mls_crypto::{Opaque, Secret, SignaturePrivateKey};

use super::{
    Change, CommitOptions, CreateParams, Created, Group, Pending, Status, join::succession_usage,
    propose::ProposalKind, psk::fresh_id,
};
use crate::{
    error::{OperationError, ProcessError},
    message::{
        Capabilities, Credential, Extensions, GroupContext, LeafNode, Lifetime, PreSharedKey, PreSharedKeyId, Proposal,
        PskKind, ResumptionPskUsage,
    },
    policy::{Env, Policy, Predecessor, PskSource},
    tree::RatchetTree,
};

/// A group that continues another, before its first commit is accepted.
#[derive(Debug)]
pub struct Successor {
    /// The group at epoch 0.
    pub group: Group,
    /// Its records, to be durable first.
    pub changes: Vec<Change>,
    /// The commit that adds the others; adopt its step, then accept it.
    pub pending: Pending,
}

/// Who we are in a group that continues another.
#[derive(Debug)]
pub struct SuccessorParams<'a> {
    /// Who we are.
    pub credential: Credential,
    /// Our signature key, of the new group's suite.
    pub signature_key: &'a SignaturePrivateKey,
    /// What we support.
    pub capabilities: Capabilities,
    /// Lifetime of our first leaf.
    pub lifetime: Lifetime,
    /// Extensions of our leaf.
    pub leaf_extensions: Extensions,
    /// Key packages of the other members, encoded MLSMessages.
    pub key_packages: Vec<Vec<u8>>,
    /// How to commit; its proposals are replaced.
    pub commit: CommitOptions,
}

impl Group {
    /// COM-27: creates the group that the ReInit of our last commit named, with the same members.
    ///
    /// # Errors
    /// [`OperationError::InvalidSuccession`] if no ReInit was committed; [`OperationError::Rule`] otherwise.
    pub fn create_reinit(&self, env: &Env<'_>, params: SuccessorParams<'_>) -> Result<Successor, OperationError> {
        let Status::ReInitialized(reinit) = &self.status else { return Err(OperationError::InvalidSuccession) };
        let create = CreateParams {
            group_id: reinit.group_id.as_slice().to_vec(),
            cipher_suite: reinit.cipher_suite,
            credential: params.credential,
            signature_key: params.signature_key,
            capabilities: params.capabilities,
            lifetime: params.lifetime,
            leaf_extensions: params.leaf_extensions,
            extensions: reinit.extensions.clone(),
        };
        self.create_successor(env, create, (params.key_packages, params.commit), ResumptionPskUsage::ReInit)
    }

    /// Creates a group whose first commit adds the others and mixes in our resumption PSK.
    pub(super) fn create_successor(
        &self,
        env: &Env<'_>,
        create: CreateParams<'_>,
        (key_packages, options): (Vec<Vec<u8>>, CommitOptions),
        usage: ResumptionPskUsage,
    ) -> Result<Successor, OperationError> {
        let with_parent = WithParent { parent: self, others: env.psks };
        let env = &Env { psks: &with_parent, ..*env };
        let Created { group, changes } = Self::create(env, create)?;
        let kind = PskKind::Resumption { usage, psk_group_id: Opaque::from(self.group_id()), psk_epoch: self.epoch() };
        let psk = fresh_id(env, group.suite.as_ref(), kind)?;
        let by_value = key_packages.into_iter().map(ProposalKind::Add).collect();
        let options = CommitOptions { by_value, ..options };
        let first = vec![Proposal::PreSharedKey(PreSharedKey { psk })];
        let pending = group.commit_first(env, options, first, Some(usage))?;
        Ok(Successor { group, changes, pending })
    }
}

/// The host's pre-shared keys, and those of the group that is continued.
struct WithParent<'a> {
    parent: &'a Group,
    others: &'a dyn PskSource,
}

impl PskSource for WithParent<'_> {
    fn external(&self, psk_id: &[u8]) -> Option<Secret> {
        self.others.external(psk_id)
    }

    fn resumption(&self, group_id: &[u8], epoch: u64) -> Option<Secret> {
        self.parent.own_resumption_psk(group_id, epoch).or_else(|| self.others.resumption(group_id, epoch))
    }

    fn predecessor(&self, group_id: &[u8]) -> Option<Predecessor> {
        self.others.predecessor(group_id)
    }
}

/// WEL-17 to WEL-20 (Section 12.4.3.1): a group that says it continues another is what was agreed.
pub(super) fn check_succession(
    env: &Env<'_>,
    psks: &[PreSharedKeyId],
    context: &GroupContext,
    tree: &RatchetTree,
) -> Result<(), ProcessError> {
    let Some((id, usage)) = psks.iter().find_map(|id| Some((id, succession_usage(id)?))) else { return Ok(()) };
    let PskKind::Resumption { psk_group_id, psk_epoch, .. } = &id.kind else { return Ok(()) };
    // WEL-17
    if context.epoch != 1 {
        return Err(ProcessError::InvalidSuccession);
    }
    // WEL-20
    let old = env.psks.predecessor(psk_group_id.as_slice()).ok_or(ProcessError::InvalidSuccession)?;
    let members: Vec<_> = tree.members().into_iter().map(|(_, leaf)| leaf).collect();
    let agreed = match usage {
        ResumptionPskUsage::ReInit => {
            let same_epoch = *psk_epoch == old.context.epoch;
            let old_members: Vec<_> = old.members.iter().collect();
            // WEL-18
            same_epoch && is_reinit(&old, context) && covers(env.policy, &old_members, &members)
        }
        ResumptionPskUsage::Branch => {
            let same = context.version == old.context.version && context.cipher_suite == old.context.cipher_suite;
            // WEL-19
            same && is_subset(env.policy, &members, &old.members)
        }
        ResumptionPskUsage::Application => true,
    };
    if agreed { Ok(()) } else { Err(ProcessError::InvalidSuccession) }
}

fn is_reinit(old: &Predecessor, context: &GroupContext) -> bool {
    old.reinit.as_ref().is_some_and(|reinit| {
        reinit.group_id == context.group_id
            && reinit.version == context.version
            && reinit.cipher_suite == context.cipher_suite
            && reinit.extensions == context.extensions
    })
}

/// Whether every old member has a successor among the new ones.
fn covers(policy: &dyn Policy, old: &[&LeafNode], new: &[&LeafNode]) -> bool {
    old.iter().all(|old| {
        new.iter().any(|new| new.credential == old.credential)
            || new.iter().any(|new| policy.validate_successor(old, new).is_ok())
    })
}

/// Whether every new member succeeds some old one.
fn is_subset(policy: &dyn Policy, new: &[&LeafNode], old: &[LeafNode]) -> bool {
    new.iter().all(|new| {
        old.iter().any(|old| new.credential == old.credential)
            || old.iter().any(|old| policy.validate_successor(old, new).is_ok())
    })
}
