//! Which of several commits for one epoch is the group's (RFC 9420, Section 14).
//!
//! In: commits, ours and others', in whatever order they come. Out: a group that has followed the one that counts.
//! Always: every member that has the same commits is in the same epoch with the same secrets, whatever their order was and
//! wherever its process ended in between.
//!
//! Where a delivery service takes the first commit of each epoch and refuses the others, order is settled:
//! [`Order::FirstWins`]. Where nothing settles it, as between peers, [`Order::Deterministic`] does: of the valid commits of
//! an epoch the one with the lowest hash counts. No clock and no sender has a say; but who makes a commit can make many, and
//! choose the lowest. A rival that comes late, and is lower, takes the group back to the epoch before, and from there on.
//!
//! That costs forward secrecy: the state before each of the last `window` epochs is kept, with every secret in it, sealed as
//! all in the store. Whoever takes the device reads the messages of those epochs. What was said in an epoch that did not
//! count is for the application to say again.
//!
//! ```
//! # use std::sync::Arc;
//! # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
//! use mls_sequencer::{Order, Sequencer};
//! # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
//! # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
//! # let group = alice.create_group(Some("tea"))?;
//! # group.propose_add(&bob.generate_key_package()?, b"bob")?;
//! # let joined = bob.join_group(&group.commit()?.1[0])?;
//! // Both commit at once, and hear of the other's commit later.
//! let (alices, bobs) = (group.stage_rotation()?, joined.stage_rotation()?);
//! let here = Sequencer::new(group.clone(), Order::Deterministic { window: 4 });
//! let there = Sequencer::new(joined.clone(), Order::Deterministic { window: 4 });
//! here.take(&alices.commit)?;
//! there.take(&bobs.commit)?;
//! here.take(&bobs.commit)?;
//! there.take(&alices.commit)?;
//! assert_eq!(group.epoch_authenticator()?, joined.epoch_authenticator()?);
//! # Ok::<(), MlsError>(())
//! ```

mod known;

use spacepanda_core::core_mls::{Health, MessageType, MlsEnvelope, MlsError, MlsHandle, MlsResult};

use known::{Known, Rows};

/// What settles which commit counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Order {
    /// The delivery side: whatever comes first is the group's.
    FirstWins,
    /// The commits themselves: the lowest hash among those that come within this many epochs.
    Deterministic {
        /// Epochs that may be taken back. Each keeps the state before it.
        window: u64,
    },
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// The group has followed it, and is in this epoch.
    Followed {
        /// The epoch.
        epoch: u64,
    },
    /// The group went back for it, or for others that are known: it is in this epoch now, by another way.
    WentBack {
        /// The epoch.
        epoch: u64,
    },
    /// It does not count, as far as is known now.
    Lost,
    /// It is of an epoch that is not reached yet, and kept until then.
    Early,
    /// It is of an epoch that cannot be taken back any more. If others have followed it, [`MlsHandle::heal`].
    TooLate,
}

/// A group whose commits are put in order. What it knows is in the group's application rows that begin with `seq`, so that it
/// survives restarts.
#[derive(Clone, Debug)]
pub struct Sequencer {
    group: MlsHandle,
    order: Order,
}

impl Sequencer {
    /// For a group. Every member has to have the same order.
    pub const fn new(group: MlsHandle, order: Order) -> Self {
        Self { group, order }
    }

    /// Takes a commit: another member's, or one of ours that waits. It may be given again.
    ///
    /// # Errors
    /// [`MlsError::WrongMessageType`], [`MlsError::GroupMismatch`]; [`MlsError::Store`], after which it may be given again.
    /// With [`Order::FirstWins`], as [`MlsHandle::receive_commit`].
    pub fn take(&self, commit: &MlsEnvelope) -> MlsResult<Verdict> {
        if commit.message_type() != MessageType::Commit {
            return Err(MlsError::WrongMessageType { expected: MessageType::Commit, actual: commit.message_type() });
        }
        if commit.group_id() != self.group.group_id() {
            return Err(MlsError::GroupMismatch);
        }
        let epoch = commit.epoch()?.ok_or(MlsError::EnvelopeMismatch("epoch"))?;
        match self.order {
            Order::FirstWins => self.take_first(commit, epoch),
            Order::Deterministic { window } => self.take_any(commit, epoch, window),
        }
    }

    /// Goes on where a process ended. [`Sequencer::take`] does so too.
    ///
    /// # Errors
    /// [`MlsError::Store`].
    pub fn resume(&self) -> MlsResult<()> {
        match self.order {
            Order::FirstWins => Ok(()),
            Order::Deterministic { window } => self.settle(window).map(drop),
        }
    }

    fn take_first(&self, commit: &MlsEnvelope, epoch: u64) -> MlsResult<Verdict> {
        let current = self.group.epoch();
        if epoch < current {
            return Ok(Verdict::Lost);
        }
        if epoch > current {
            return self.group.handle_incoming(commit).map(|_| Verdict::Early);
        }
        let outcome = self.group.receive_commit(commit)?;
        Ok(Verdict::Followed { epoch: outcome.epoch })
    }

    fn take_any(&self, commit: &MlsEnvelope, epoch: u64, window: u64) -> MlsResult<Verdict> {
        let rows = Rows(&self.group);
        let current = self.epoch()?;
        if epoch.saturating_add(window) < current {
            return Ok(Verdict::TooLate);
        }
        let name = self.group.name_of(commit);
        let known = rows.known(epoch)?;
        if epoch > current.saturating_add(window) || known.len() >= MAX_RIVALS {
            return Ok(Verdict::TooLate);
        }
        if !known.iter().any(|rival| rival.name == name) {
            rows.keep(epoch, &name, commit)?;
        }
        let went_back = self.settle(window)?;
        let now = self.epoch()?;
        Ok(match rows.followed(epoch)? {
            _ if epoch >= now => Verdict::Early,
            Some(followed) if followed == name && !went_back => Verdict::Followed { epoch: now },
            Some(followed) if followed == name => Verdict::WentBack { epoch: now },
            _ => Verdict::Lost,
        })
    }

    /// Until every epoch that can be taken back has followed the lowest valid commit that is known; whether it went back.
    fn settle(&self, window: u64) -> MlsResult<bool> {
        let rows = Rows(&self.group);
        let mut went_back = false;
        loop {
            let current = self.epoch()?;
            if let Some(epoch) = self.to_be_taken_back(current, window)? {
                // What did not fit on the way that is left may fit on the new one.
                rows.forget_refusals_after(epoch)?;
                match self.group.go_back(epoch) {
                    Ok(()) => went_back = true,
                    // Its state is gone: it stays as it is.
                    Err(MlsError::EpochMismatch { .. }) => return Ok(went_back),
                    Err(error) => return Err(error),
                }
                continue;
            }
            match rows.known(current)?.into_iter().find(|rival| !rival.refused) {
                Some(best) => self.follow(current, &best)?,
                None => break,
            }
        }
        let oldest = self.epoch()?.saturating_sub(window);
        self.group.forget_checkpoints(oldest)?;
        rows.forget_before(oldest)?;
        Ok(went_back)
    }

    /// The first epoch that has followed a commit, and knows a lower one.
    fn to_be_taken_back(&self, current: u64, window: u64) -> MlsResult<Option<u64>> {
        let rows = Rows(&self.group);
        for epoch in current.saturating_sub(window)..current {
            let Some(followed) = rows.followed(epoch)? else { continue };
            let lower = |rival: &Known| !rival.refused && rival.name.as_slice() < followed.as_slice();
            if rows.known(epoch)?.iter().any(lower) {
                return Ok(Some(epoch));
            }
        }
        Ok(None)
    }

    fn follow(&self, epoch: u64, rival: &Known) -> MlsResult<()> {
        let rows = Rows(&self.group);
        // Before the group moves: where it is, says what of this holds.
        self.group.keep_checkpoint()?;
        rows.begin(epoch, &rival.name)?;
        match self.group.receive_commit(&rival.commit) {
            Ok(_) => Ok(()),
            Err(MlsError::NotAMember) if self.removed()? => Ok(()),
            Err(MlsError::Store(error)) => Err(error.into()),
            Err(_) => rows.refuse(epoch, &rival.name),
        }
    }

    /// The epoch that the next commit is for. A group that we were removed from stays where it was.
    fn epoch(&self) -> MlsResult<u64> {
        let epoch = self.group.epoch();
        Ok(if self.removed()? { epoch.saturating_add(1) } else { epoch })
    }

    fn removed(&self) -> MlsResult<bool> {
        Ok(self.group.health()? == Health::Removed)
    }
}

/// Commits of one epoch that are kept, at most.
const MAX_RIVALS: usize = 64;
