//! Changes that travel inside the commit that makes them (RFC 9420, Section 12.4: proposals by value).
//!
//! In: what is to change. Out: one staged commit.
//! Always: nothing has to be delivered before the commit; a change that receivers would refuse stages nothing.

use mls_engine::{
    group::{CommitOptions, Group, ProposalKind},
    math::LeafIndex,
};
use mls_roles::{Denied, GroupPolicy, Role};

use super::MlsHandle;
use crate::core_mls::{
    GROUP_NAME, envelope::MlsEnvelope, error::MlsResult, outbox::Outgoing, passing::Beside, types::PendingCommit,
};

/// A change of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GroupChange {
    /// Adds the client of this key package, an encoded MLSMessage. Whose it is has been looked at.
    Add(Vec<u8>),
    /// Removes the member at this leaf.
    Remove(u32),
    /// Gives the group this name.
    Rename(String),
    /// Makes a user this, a member or one to come; see [`MlsHandle::propose_role`].
    Role {
        /// The user.
        user: Vec<u8>,
        /// Its role from now on.
        role: Role,
    },
    /// Gives the group this policy; see [`MlsHandle::propose_policy`].
    Policy(GroupPolicy),
}

impl MlsHandle {
    /// Stages a commit that makes these changes, together with the proposals that wait. With neither it renews our keys. As
    /// after [`MlsHandle::stage_commit`], the epoch moves with [`MlsHandle::apply_pending_commit`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, GroupChange, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(Some("tea"))?;
    /// let changes = [GroupChange::Add(bob.generate_key_package()?), GroupChange::Rename("coffee".to_owned())];
    /// let pending = group.stage_changes(&changes)?;
    /// group.apply_pending_commit(&pending.id)?;
    /// assert_eq!((group.member_count(), group.group_name().as_deref()), (2, Some("coffee")));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::stage_commit`], but for having nothing to commit; those of [`MlsHandle::propose_add`],
    /// [`MlsHandle::propose_remove`], [`MlsHandle::propose_role`] and [`MlsHandle::propose_policy`].
    pub fn stage_changes(&self, changes: &[GroupChange]) -> MlsResult<PendingCommit> {
        let mut serial = self.cell.serial();
        let tree_in_welcome = self.inner().config.tree_in_welcome;
        let ((id, commit, welcome), _) = self.change_in(&mut serial, |group, env| {
            let by_value = proposals(group.group, changes)?;
            let message = group.commit_options(self.handshake_options());
            let options = CommitOptions { by_value, message, tree_in_welcome, ..CommitOptions::default() };
            let pending = group.commit(env, options)?;
            let (id, commit) = (pending.commit_id, MlsEnvelope::wrap_commit(pending.commit)?);
            let outgoing = Some(Outgoing { id, epoch: group.epoch(), envelope: commit.clone() });
            Ok(((id, commit, pending.welcome), pending.step, Beside { outgoing, ..Beside::default() }))
        })?;
        let welcome = welcome.map(|welcome| MlsEnvelope::wrap_welcome(&self.cell.id, welcome)).transpose()?;
        Ok(PendingCommit { id, commit, welcome })
    }
}

/// Adds and removals one by one; of changes of the context one proposal, since a commit takes no more than one (RFC 9420,
/// Section 12.2).
fn proposals(group: &Group, changes: &[GroupChange]) -> MlsResult<Vec<ProposalKind>> {
    let (mut by_value, mut context) = (Vec::new(), None);
    for change in changes {
        let mut extensions = || context.take().unwrap_or_else(|| group.public().context().extensions.clone());
        match change {
            GroupChange::Add(key_package) => by_value.push(ProposalKind::Add(key_package.clone())),
            GroupChange::Remove(leaf) => by_value.push(ProposalKind::Remove(LeafIndex::new(*leaf))),
            GroupChange::Rename(name) => {
                let mut extensions = extensions();
                extensions.set(GROUP_NAME, name.as_bytes().to_vec());
                context = Some(extensions);
            }
            GroupChange::Role { user, role } => {
                let mut extensions = extensions();
                let mut policy = GroupPolicy::of(&extensions)?.ok_or(Denied::Policy)?;
                policy.set_role(user, *role);
                policy.put(&mut extensions)?;
                context = Some(extensions);
            }
            GroupChange::Policy(policy) => {
                let mut extensions = extensions();
                policy.put(&mut extensions)?;
                context = Some(extensions);
            }
        }
    }
    by_value.extend(context.map(ProposalKind::GroupContextExtensions));
    Ok(by_value)
}
