//! Members whom the policy would not let in today (RFC 9420, Section 5.3.1).
//!
//! In: the policy as it is now. Out: who, and why; and proposals to remove them.
//! Always: nobody is removed by this alone, and nobody is kept from joining by somebody else's expired certificate.

use mls_engine::message::Proposal;
use mls_identity::{ClaimRole, IdentityClaim};

use super::MlsHandle;
use crate::core_mls::{
    Client,
    envelope::MlsEnvelope,
    error::MlsResult,
    types::{MemberInfo, Register},
};

/// A member, and why the policy would not let it in now.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DoubtfulMember {
    /// Who.
    pub member: MemberInfo,
    /// Why, as in [`crate::core_mls::policy::reason`].
    pub reason: u16,
}

/// A removal that the policy asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RemovalOutcome {
    /// In which group.
    pub group_id: Vec<u8>,
    /// Of whom.
    pub member: MemberInfo,
    /// The proposal, to be delivered and committed; or why we cannot make it: [`crate::core_mls::MlsError::Denied`] names the
    /// right that is missing.
    pub outcome: MlsResult<MlsEnvelope>,
}

impl MlsHandle {
    /// Other members whom the policy would not let in now: revoked, expired, known with other keys meanwhile. In the order of
    /// their leaves.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, PinnedIdentities, policy::reason};
    /// let pins = Arc::new(PinnedIdentities::new());
    /// let alice = Client::new(b"alice", pins.clone())?;
    /// let bob = Client::new(b"bob", Arc::new(PinnedIdentities::new()))?;
    /// pins.pin(b"bob", bob.signature_key());
    /// let group = alice.create_group(None)?;
    /// group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// group.commit()?;
    /// assert!(group.members_in_doubt()?.is_empty());
    /// pins.unpin(b"bob", bob.signature_key());
    /// assert_eq!(group.members_in_doubt()?[0].reason, reason::UNKNOWN_IDENTITY);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::UnknownGroup`] after the group was deleted;
    /// [`crate::core_mls::MlsError::Unauthorized`] if the policy cannot remember what it saw.
    pub fn members_in_doubt(&self) -> MlsResult<Vec<DoubtfulMember>> {
        let (inner, times) = (self.inner(), self.cell.times());
        let now = inner.clock.now();
        let found = self.look(|group| {
            let (own, state) = (group.own_index(), group.public());
            let register = Register::new(state, &times);
            let others = state.tree().members().into_iter().filter(|(index, _)| *index != own);
            Ok(others
                .filter_map(|(index, leaf)| {
                    let judged = IdentityClaim::of_leaf(leaf, ClaimRole::Joiner, now)
                        .and_then(|claim| inner.policy.judge(&claim));
                    let reason = judged.err()?;
                    Some(DoubtfulMember { member: MemberInfo::new(index, leaf, &register), reason })
                })
                .collect())
        })?;
        inner.policy.settle()?;
        Ok(found)
    }

    /// Whether a removal of this leaf waits for a commit.
    fn is_being_removed(&self, leaf: u32) -> MlsResult<bool> {
        let removes =
            |proposal: &Proposal| matches!(proposal, Proposal::Remove(remove) if remove.removed.get() == leaf);
        self.look(|group| Ok(group.pending_proposals().iter().any(|pending| removes(pending.proposal))))
    }
}

impl Client {
    /// Proposes, in every group, to remove the members whom the policy refuses now for one of these reasons: after a list of
    /// revoked devices came in, [`crate::core_mls::policy::reason::REVOKED`]. Whose removal waits already is left out, so it
    /// may be called again. Where we may not propose it, the outcome says which right is missing.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, PinnedIdentities, policy::reason};
    /// # let pins = Arc::new(PinnedIdentities::new());
    /// # let alice = Client::new(b"alice", pins.clone())?;
    /// # let bob = Client::new(b"bob", Arc::new(PinnedIdentities::new()))?;
    /// # pins.pin(b"bob", bob.signature_key());
    /// # let group = alice.create_group(None)?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # group.commit()?;
    /// pins.unpin(b"bob", bob.signature_key());
    /// let removals = alice.propose_removals(&[reason::UNKNOWN_IDENTITY, reason::REVOKED])?;
    /// assert!(removals[0].outcome.is_ok());
    /// group.commit()?;
    /// assert_eq!(group.member_count(), 1);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Store`], [`crate::core_mls::MlsError::InvalidRecord`] for a group that cannot be opened;
    /// as [`MlsHandle::members_in_doubt`].
    pub fn propose_removals(&self, reasons: &[u16]) -> MlsResult<Vec<RemovalOutcome>> {
        let mut removals = Vec::new();
        for group_id in self.groups()? {
            let group = self.group(&group_id)?;
            if group.epoch_authenticator().is_err() {
                // We are not in it any more.
                continue;
            }
            for DoubtfulMember { member, reason } in group.members_in_doubt()? {
                if reasons.contains(&reason) && !group.is_being_removed(member.leaf_index)? {
                    let outcome = group.propose_remove(member.leaf_index);
                    removals.push(RemovalOutcome { group_id: group_id.clone(), member, outcome });
                }
            }
        }
        Ok(removals)
    }
}
