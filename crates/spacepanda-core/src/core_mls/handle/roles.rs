//! Roles: who is what in a group, and changing that.
//!
//! In: a user and a role, or a whole policy. Out: a proposal, to be committed.
//! Always: the policy is in the group's context, the same for all members of an epoch; whoever it does not allow something
//! is refused by every member, whatever its client does.

use mls_engine::{group::ProposalKind, message::Extensions};
use mls_roles::{Denied, GroupPolicy, Rank, Right, Role};

use super::MlsHandle;
use crate::core_mls::{envelope::MlsEnvelope, error::MlsResult};

impl MlsHandle {
    /// The group's policy, if it has one; without, every member may do everything.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, roles::GroupPolicy};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let policy = GroupPolicy::new(b"alice");
    /// let group = alice.create_group_with_policy(None, &policy)?;
    /// assert_eq!(group.policy()?, Some(policy));
    /// assert_eq!(alice.create_group(None)?.policy()?, None);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::UnknownGroup`] after the group was deleted.
    pub fn policy(&self) -> MlsResult<Option<GroupPolicy>> {
        self.look(|group| Ok(GroupPolicy::of(&group.public().context().extensions)?))
    }

    /// Whether our role has this right; in a group without a policy every member has every right. Whether it reaches far
    /// enough, to somebody of a higher role for one, the verb for it tells.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, roles::{GroupPolicy, Right}};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group_with_policy(None, &GroupPolicy::new(b"alice"))?;
    /// assert!(group.may(Right::Add)?);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::policy`].
    pub fn may(&self, right: Right) -> MlsResult<bool> {
        let Some(policy) = self.policy()? else { return Ok(true) };
        let role = policy.role(self.client().identity());
        Ok(policy.rights(Rank::Member(role)).has(right))
    }

    /// Proposes that a user has this role from now on, a member or one to come. With the commit it has.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, roles::{GroupPolicy, Role}};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group_with_policy(None, &GroupPolicy::new(b"alice"))?;
    /// group.propose_role(b"bob", Role::Moderator)?;
    /// group.commit()?;
    /// assert_eq!(group.policy()?.unwrap().role(b"bob"), Role::Moderator);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Denied`] if our role does not reach that far, if it would leave the group without an
    /// owner, or if the group has no policy: [`MlsHandle::propose_policy`] gives it one.
    pub fn propose_role(&self, user: &[u8], role: Role) -> MlsResult<MlsEnvelope> {
        let extensions = self.with_policy(|policy| {
            let mut policy = policy.ok_or(Denied::Policy)?;
            policy.set_role(user, role);
            Ok(policy)
        })?;
        self.propose(ProposalKind::GroupContextExtensions(extensions))
    }

    /// Proposes another policy. With the commit it holds for everybody.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, roles::GroupPolicy};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let mut policy = GroupPolicy::new(b"alice");
    /// policy.max_members = 10;
    /// group.propose_policy(&policy)?;
    /// group.commit()?;
    /// assert_eq!(group.policy()?, Some(policy));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Denied`] if we may not change what it changes, or if no group could live under it;
    /// [`crate::core_mls::MlsError::Rejected`] if a member's client does not know policies.
    pub fn propose_policy(&self, policy: &GroupPolicy) -> MlsResult<MlsEnvelope> {
        let extensions = self.with_policy(|_| Ok(policy.clone()))?;
        self.propose(ProposalKind::GroupContextExtensions(extensions))
    }

    /// The context's extensions with another policy.
    pub(super) fn with_policy(
        &self,
        change: impl FnOnce(Option<GroupPolicy>) -> Result<GroupPolicy, Denied>,
    ) -> MlsResult<Extensions> {
        self.look(|group| {
            let mut extensions = group.public().context().extensions.clone();
            change(GroupPolicy::of(&extensions)?)?.put(&mut extensions)?;
            Ok(extensions)
        })
    }
}
