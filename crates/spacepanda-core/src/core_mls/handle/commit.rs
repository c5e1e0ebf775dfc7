//! Committing (RFC 9420, Sections 12.4.1 and 14).
//!
//! Two ways: staged, for several writers: the epoch moves when the delivery service has accepted the commit; and
//! immediate, for a single writer: the epoch moves at once (CON-09).
//!
//! Always: every commit renews our own keys; a Welcome is handed out only with an accepted commit (COM-22).

use std::time::Instant;

use mls_engine::{
    group::{CommitId, CommitOptions, Group},
    message::Proposal,
};

use super::MlsHandle;
use crate::core_mls::{
    audit::{Draft, Next},
    cell::Serial,
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    outbox::Outgoing,
    passing::Beside,
    standing::Standing,
    types::{CommitOutcome, PendingCommit},
};

impl MlsHandle {
    /// Commits what is pending and moves to the next epoch at once: for groups with one writer, or a transport that
    /// cannot refuse. Returns the commit for all members, and one Welcome for each member it adds, in the order in which
    /// they were proposed.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// assert_eq!(group.commit(), Err(MlsError::NoProposalsPending));
    /// group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// let (commit, welcomes) = group.commit()?;
    /// assert_eq!((group.epoch(), group.member_count(), welcomes.len()), (1, 2, 1));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NoProposalsPending`] (CAP-15): [`MlsHandle::rotate`] commits nothing but new keys.
    /// [`MlsError::Rejected`] for a set of proposals that others would refuse; [`MlsError::Store`].
    pub fn commit(&self) -> MlsResult<(MlsEnvelope, Vec<MlsEnvelope>)> {
        let mut serial = self.cell.serial();
        let (pending, outcome) = self.stage_and_apply(&mut serial, check_something_pending)?;
        Ok((pending.commit, outcome.welcomes()?))
    }

    /// Renews our keys in the group, at once, with a commit that does nothing else (CAP-13).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let commit = group.rotate()?;
    /// assert_eq!(group.epoch(), 1);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::CommitRequired`] while proposals wait: they would be lost with the epoch, and [`MlsHandle::commit`]
    /// renews our keys as well. [`MlsError::Store`].
    #[doc(alias = "self_update")]
    pub fn rotate(&self) -> MlsResult<MlsEnvelope> {
        let mut serial = self.cell.serial();
        let (pending, _) = self.stage_and_apply(&mut serial, check_nothing_pending)?;
        Ok(pending.commit)
    }

    /// Works out a commit of what is pending, and keeps it beside the current epoch: the group does not move. Submit it,
    /// then [`MlsHandle::apply_pending_commit`] or, if another commit won, [`MlsHandle::clear_pending_commit`].
    /// Following another's commit clears it as well.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// let pending = group.stage_commit()?;
    /// assert_eq!(group.epoch(), 0);
    /// // ... the delivery service accepts `pending.commit` ...
    /// let outcome = group.apply_pending_commit(&pending.id)?;
    /// assert_eq!((outcome.epoch, group.epoch()), (1, 1));
    /// bob.join_group(&outcome.welcomes()?[0])?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::commit`]; [`MlsError::Refused`] if too many wait already.
    pub fn stage_commit(&self) -> MlsResult<PendingCommit> {
        self.stage_in(&mut self.cell.serial(), check_something_pending)
    }

    /// [`MlsHandle::rotate`] in the staged way.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let pending = group.stage_rotation()?;
    /// group.apply_pending_commit(&pending.id)?;
    /// assert_eq!(group.epoch(), 1);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::rotate`].
    pub fn stage_rotation(&self) -> MlsResult<PendingCommit> {
        self.stage_in(&mut self.cell.serial(), check_nothing_pending)
    }

    /// The group accepted a commit of ours: move to its epoch.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(None)?;
    /// let pending = group.stage_rotation()?;
    /// assert_eq!(group.apply_pending_commit(&pending.id)?.epoch, 1);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NoSuchPendingCommit`], [`MlsError::Store`].
    pub fn apply_pending_commit(&self, id: &CommitId) -> MlsResult<CommitOutcome> {
        let mut outcome = self.apply_in(&mut self.cell.serial(), id)?;
        outcome.released = self.process_buffered();
        Ok(outcome)
    }

    /// The group did not accept a commit of ours, or we changed our mind. The proposals it took up stay pending.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(None)?;
    /// let pending = group.stage_rotation()?;
    /// group.clear_pending_commit(&pending.id)?;
    /// assert!(group.pending_commits()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NoSuchPendingCommit`], [`MlsError::Store`].
    pub fn clear_pending_commit(&self, id: &CommitId) -> MlsResult<()> {
        self.discard_in(&mut self.cell.serial(), id)
    }

    /// Our commits that wait to be applied or cleared; they survive a restart.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(None)?;
    /// let pending = group.stage_rotation()?;
    /// assert_eq!(group.pending_commits()?, [pending.id]);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::UnknownGroup`] after the group was deleted.
    pub fn pending_commits(&self) -> MlsResult<Vec<CommitId>> {
        self.look(|group| Ok(group.pending_commits()))
    }

    fn stage_in(&self, serial: &mut Serial, check: fn(&Group) -> MlsResult<()>) -> MlsResult<PendingCommit> {
        let options =
            CommitOptions { tree_in_welcome: self.inner().config.tree_in_welcome, ..CommitOptions::default() };
        let ((id, commit, welcome), _) = self.change_in(serial, |group, env| {
            check(group)?;
            let message = group.commit_options(self.handshake_options());
            let pending = group.commit(env, CommitOptions { message, ..options.clone() })?;
            let (id, commit) = (pending.commit_id, MlsEnvelope::wrap_commit(pending.commit)?);
            let outgoing = Some(Outgoing { id, epoch: group.epoch(), envelope: commit.clone() });
            Ok(((id, commit, pending.welcome), pending.step, Beside { outgoing, ..Beside::default() }))
        })?;
        let welcome = welcome.map(|welcome| MlsEnvelope::wrap_welcome(&self.cell.id, welcome)).transpose()?;
        Ok(PendingCommit { id, commit, welcome })
    }

    pub(super) fn apply_in(&self, serial: &mut Serial, id: &CommitId) -> MlsResult<CommitOutcome> {
        let (before, own) = (self.cell.public(), self.cell.own());
        let (welcome, events) = self.change_in(serial, |group, env| {
            let accepted = group.accept(env, id)?;
            // The commit's name is the hash of its bytes: when it comes back, it is known.
            let released = accepted.welcome.clone().unwrap_or_default();
            let standing = group.standing.ends_with(id).then_some(Standing::Newest);
            let (handled, accepted_now) = (Some(*id), Some((*id, released)));
            let (state, events) = (group.pending_state(id), group.pending_events(id)?);
            let audit = state.map(|state| {
                let next = Next { tree: state.tree(), extensions: &state.context().extensions };
                Draft::new(group.public(), next, own, events, env.now)
            });
            let beside = Beside { handled, accepted: accepted_now, standing, audit, ..Beside::default() };
            Ok((accepted.welcome, accepted.step, beside))
        })?;
        self.inner().watch.committed();
        let after = self.cell.public();
        let mut outcome = self.cell.outcome((&before, &after), own, &events);
        outcome.welcome = welcome.map(|welcome| MlsEnvelope::wrap_welcome(&self.cell.id, welcome)).transpose()?;
        Ok(outcome)
    }

    /// The immediate mode: what was staged either moves the group or leaves no trace.
    /// Between the two another process may move the group: then once more, in the epoch that is there now.
    fn stage_and_apply(
        &self,
        serial: &mut Serial,
        check: fn(&Group) -> MlsResult<()>,
    ) -> MlsResult<(PendingCommit, CommitOutcome)> {
        let begun = Instant::now();
        loop {
            let pending = self.stage_in(serial, check)?;
            match self.apply_or_discard(serial, &pending) {
                Ok(outcome) => return Ok((pending, outcome)),
                Err(MlsError::NoSuchPendingCommit) if begun.elapsed() < self.inner().config.store_patience => {}
                Err(MlsError::NoSuchPendingCommit) => return Err(MlsError::Superseded),
                Err(error) => return Err(error),
            }
        }
    }

    fn apply_or_discard(&self, serial: &mut Serial, pending: &PendingCommit) -> MlsResult<CommitOutcome> {
        self.apply_in(serial, &pending.id).inspect_err(|_| {
            // If the store fails here too, the commit stays listed in `pending_commits`.
            let _ = self.discard_in(serial, &pending.id);
        })
    }

    fn discard_in(&self, serial: &mut Serial, id: &CommitId) -> MlsResult<()> {
        let beside = || Beside { sent: vec![*id], ..Beside::default() };
        self.change_in(serial, |group, _| Ok(((), group.discard(id)?, beside()))).map(|_| ())
    }
}

/// CAP-15: something that we can commit; our own leaving is for others to commit.
fn check_something_pending(group: &Group) -> MlsResult<()> {
    let own = group.own_index();
    let is_own_removal = |proposal: &Proposal| matches!(proposal, Proposal::Remove(remove) if remove.removed == own);
    if group.pending_proposals().iter().any(|pending| !is_own_removal(pending.proposal)) {
        Ok(())
    } else {
        Err(MlsError::NoProposalsPending)
    }
}

fn check_nothing_pending(group: &Group) -> MlsResult<()> {
    if group.pending_proposals().is_empty() { Ok(()) } else { Err(MlsError::CommitRequired) }
}
