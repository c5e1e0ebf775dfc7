//! What is due in a group by the clock: new keys, and our leaving until somebody has committed it.
//!
//! In: the time, as the client's clock says. Out: one thing to do, and when to ask again.
//! Always: keys are renewed once in each interval, at a moment that differs between members, and not while a commit of ours
//! waits; that we want to leave is durable, and is said again in every epoch until we are out.

use std::collections::BTreeSet;

use mls_crypto::Secret;
use mls_engine::{group::Group, message::Proposal, policy::Proposer};

use super::MlsHandle;
use crate::core_mls::{
    chronicle::spread_of,
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    passing::Beside,
    records::{LEAVING, key},
    types::PendingCommit,
};

/// What is due in a group, and when to ask again.
#[derive(Debug)]
#[non_exhaustive]
pub struct Tick {
    /// What to do now.
    pub duty: Duty,
    /// When to ask again at the latest, in seconds since 1970; sooner after every change of the group.
    pub next_at: u64,
}

/// Something that is due.
#[derive(Debug)]
#[non_exhaustive]
pub enum Duty {
    /// Nothing.
    Nothing,
    /// This commit was staged: submit it, then apply or clear it.
    Commit(PendingCommit),
    /// This proposal was made: deliver it.
    Propose(MlsEnvelope),
    /// We want to leave, and nobody else is in the group any more: [`crate::core_mls::Client::delete_group`] is all there is
    /// left to do.
    Delete,
}

/// Who has asked to leave, and who has not.
struct Departures {
    leaving: BTreeSet<u32>,
    staying: BTreeSet<u32>,
}

impl MlsHandle {
    /// Does what is due, and says when to ask again. Call it when [`Tick::next_at`] has come and after every change of the
    /// group: nothing here waits or starts a thread.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Duty, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let tick = group.tick()?;
    /// assert!(matches!(tick.duty, Duty::Nothing));
    /// assert_eq!(tick.next_at, group.next_rotation());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`]; [`MlsError::UnknownGroup`], [`MlsError::NotAMember`], [`MlsError::GroupReInitialized`]: nothing
    /// is due in it any more.
    pub fn tick(&self) -> MlsResult<Tick> {
        self.epoch_authenticator()?;
        let duty = if self.pending_commits()?.is_empty() { self.next_duty()? } else { Duty::Nothing };
        Ok(Tick { duty, next_at: self.next_rotation() })
    }

    /// When our keys are to be renewed, in seconds since 1970: an interval after they last were, and up to an eighth of it
    /// later, so that not all members commit at once.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let earliest = group.metadata().created_at + alice.config().rotation_interval;
    /// assert!(group.next_rotation() >= earliest);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn next_rotation(&self) -> u64 {
        let (interval, last) = (self.cell.terms().parameters.rotation_interval, self.cell.times().rotated_at);
        let parts = [self.client.signature_key(), &self.cell.id, &last.to_be_bytes()];
        let room = (interval / 8).saturating_add(1);
        let later = spread_of(self.cell.suite(), &parts).checked_rem(room).unwrap_or(0);
        last.saturating_add(interval).saturating_add(later)
    }

    /// We want to leave. Durable; [`MlsHandle::tick`] proposes it in every epoch until somebody has committed it. Until then
    /// we are a member, and may change our mind ([`MlsHandle::stay`]).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Duty, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// joined.leave()?;
    /// let Duty::Propose(proposal) = joined.tick()?.duty else { unreachable!() };
    /// group.receive_proposal(&proposal)?;
    /// let Duty::Commit(pending) = group.tick()?.duty else { unreachable!() };
    /// group.apply_pending_commit(&pending.id)?;
    /// assert_eq!(joined.receive_commit(&pending.commit).err(), Some(MlsError::NotAMember));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NotAMember`], [`MlsError::Store`].
    pub fn leave(&self) -> MlsResult<()> {
        self.epoch_authenticator()?;
        self.write_leaving(Some(Secret::new(vec![1])))
    }

    /// We do not want to leave after all. A proposal that is under way may still be committed in this epoch.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.leave()?;
    /// group.stay()?;
    /// assert!(!group.is_leaving()?);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`].
    pub fn stay(&self) -> MlsResult<()> {
        self.write_leaving(None)
    }

    /// Whether we want to leave.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(!alice.create_group(None)?.is_leaving()?);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`].
    pub fn is_leaving(&self) -> MlsResult<bool> {
        Ok(self.inner().store.get(&self.cell.space(), &key(LEAVING, &[]))?.is_some())
    }

    fn write_leaving(&self, record: Option<Secret>) -> MlsResult<()> {
        let mut serial = self.cell.serial();
        self.cell.note(self.inner(), &mut serial, || {
            let record = record.as_ref().map(Secret::duplicate);
            Beside { more: vec![(key(LEAVING, &[]), record)], ..Beside::default() }
        })
    }

    fn next_duty(&self) -> MlsResult<Duty> {
        let (own, departures) = (self.own_index(), self.look(|group| Ok(Departures::of(group)))?);
        if self.is_leaving()? {
            if self.member_count() == 1 {
                return Ok(Duty::Delete);
            }
            if !departures.leaving.contains(&own) {
                return self.propose_remove(own).map(Duty::Propose);
            }
        }
        if departures.committer() == Some(own) {
            return self.stage_or_wait(Self::stage_commit);
        }
        if self.inner().clock.now() < self.next_rotation() || departures.leaving.contains(&own) {
            return Ok(Duty::Nothing);
        }
        // What waits goes along: it would be lost with the epoch.
        if self.pending_proposals()?.is_empty() {
            self.stage_or_wait(Self::stage_rotation)
        } else {
            self.stage_or_wait(Self::stage_commit)
        }
    }

    /// What we may not commit is for others to commit.
    fn stage_or_wait(&self, stage: fn(&Self) -> MlsResult<PendingCommit>) -> MlsResult<Duty> {
        match stage(self) {
            Ok(pending) => Ok(Duty::Commit(pending)),
            Err(MlsError::Denied(_) | MlsError::NoProposalsPending | MlsError::CommitRequired) => Ok(Duty::Nothing),
            Err(error) => Err(error),
        }
    }
}

impl Departures {
    fn of(group: &Group) -> Self {
        let asked = group.pending_proposals().into_iter().filter_map(|pending| match pending.proposal {
            Proposal::Remove(remove) if pending.proposer == Proposer::Member(remove.removed) => {
                Some(remove.removed.get())
            }
            _ => None,
        });
        let leaving: BTreeSet<_> = asked.collect();
        let members = group.members().into_iter().map(|(leaf, _)| leaf.get());
        let staying = members.filter(|leaf| !leaving.contains(leaf)).collect();
        Self { leaving, staying }
    }

    /// Who commits that others leave: the first of those who stay. If nobody does, the first of all, who leaves last.
    fn committer(&self) -> Option<u32> {
        self.leaving.first().map(|first| *self.staying.first().unwrap_or(first))
    }
}
