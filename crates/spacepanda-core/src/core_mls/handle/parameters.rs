//! Parameters: what the members of a group are set to, all of them.
//!
//! In: settings that are to hold for everybody. Out: a proposal, to be committed.
//! Always: they stand in the group's policy, and whoever may not configure the group is refused by every member; a client
//! that is set stricter stays so.

use mls_engine::group::ProposalKind;
use mls_roles::{Denied, GroupParameters};

use super::MlsHandle;
use crate::core_mls::{envelope::MlsEnvelope, error::MlsResult};

impl MlsHandle {
    /// What we do in this group: what its members have agreed on, or what our client is set to where that is stricter.
    /// [`MlsHandle::policy`] has what was agreed.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// use spacepanda_core::core_mls::roles::{GroupParameters, GroupPolicy};
    ///
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let mut policy = GroupPolicy::new(b"alice");
    /// policy.parameters = Some(GroupParameters { max_past_epochs: 1, ..GroupParameters::default() });
    /// let group = alice.create_group_with_policy(None, &policy)?;
    /// assert_eq!(group.parameters().max_past_epochs, 1);
    /// // Nothing was agreed here.
    /// assert_eq!(alice.create_group(None)?.parameters().max_past_epochs, 3);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn parameters(&self) -> GroupParameters {
        self.cell.glance(self.inner());
        self.cell.terms().parameters
    }

    /// Proposes settings that hold for all members from the commit on; `None` leaves them to each again.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # use spacepanda_core::core_mls::roles::{GroupParameters, GroupPolicy};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group_with_policy(None, &GroupPolicy::new(b"alice"))?;
    /// let hourly = GroupParameters { rotation_interval: 3_600, ..GroupParameters::default() };
    /// group.propose_parameters(Some(hourly))?;
    /// group.commit()?;
    /// assert_eq!(group.parameters().rotation_interval, 3_600);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Denied`] if our role may not configure the group, if they are out of their bounds, or if
    /// the group has no policy: [`MlsHandle::propose_policy`] gives it one.
    pub fn propose_parameters(&self, parameters: Option<GroupParameters>) -> MlsResult<MlsEnvelope> {
        let extensions = self.with_policy(|policy| {
            let mut policy = policy.ok_or(Denied::Policy)?;
            policy.parameters = parameters;
            Ok(policy)
        })?;
        self.propose(ProposalKind::GroupContextExtensions(extensions))
    }
}
