//! Past epochs (RFC 9420, Section 15.3): what is needed to open late messages and say who sent them, and no more.
//!
//! In: an epoch that ends. Out: a value that can receive, but neither send nor derive.
//! Always: EPO-03: bounded by count and by age; the public state is shared with the epochs around it.

use std::sync::Arc;

use super::{
    Group, PublicState, Status,
    records::secret_tree_changes,
    transition::{Change, Effect, RecordClass, RecordKey, Step},
};
use crate::{
    error::{OperationError, ProcessError},
    policy::{Env, Timestamp},
    schedule::{SecretTree, SenderDataSecret},
    tree::RatchetTree,
};

/// The receiving half of an epoch that has ended.
#[derive(Debug)]
pub(crate) struct PastEpoch {
    pub(crate) public: Arc<PublicState>,
    pub(crate) sender_data_secret: SenderDataSecret,
    pub(crate) secret_tree: SecretTree,
    /// When the next epoch began.
    pub(crate) ended: Timestamp,
}

/// What ends when an epoch does.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Retired {
    /// Past epochs that are not readable any more.
    pub(crate) epochs: Vec<u64>,
    /// Whether the epoch that ends stays readable.
    pub(crate) keep_current: bool,
    /// Epochs whose resumption PSK goes (KS-08, DEL-15).
    pub(crate) psks: Vec<u64>,
}

impl Group {
    /// EPO-03, KS-08: what the limits say about the moment the current epoch ends.
    pub(super) fn retire(&self, env: &Env<'_>) -> Retired {
        let keep_current = env.limits.max_past_epochs > 0;
        let room = env.limits.max_past_epochs.saturating_sub(1);
        let surplus = self.past.len().saturating_sub(room);
        let is_old = |past: &PastEpoch| env.now.saturating_sub(past.ended) > env.limits.max_past_epoch_age;
        let epochs = self
            .past
            .iter()
            .enumerate()
            .filter(|(position, (_, past))| *position < surplus || is_old(past))
            .map(|(_, (epoch, _))| *epoch)
            .collect();
        let psks = self.resumption_psks.len().saturating_add(1).saturating_sub(env.limits.max_resumption_psks);
        let psks = self.resumption_psks.keys().copied().chain([self.epoch()]).take(psks).collect();
        Retired { epochs, keep_current, psks }
    }

    /// EPO-03, DEL-06: what has become too old: past epochs, and skipped keys of all epochs. `None` if nothing has.
    pub fn expire(&self, env: &Env<'_>) -> Option<Step> {
        let is_old = |past: &PastEpoch| env.now.saturating_sub(past.ended) > env.limits.max_past_epoch_age;
        let epochs: Vec<_> = self.past.iter().filter(|(_, past)| is_old(past)).map(|(epoch, _)| *epoch).collect();
        let mut changes = self.past_epoch_deletes(&epochs, &[self.public.tree()]);
        let kept = self.past.iter().filter(|(epoch, _)| !epochs.contains(epoch));
        for (epoch, past) in kept {
            changes.extend(secret_tree_changes(*epoch, past.secret_tree.expired(env.now, env.limits)));
        }
        let expired = self.keys.secret_tree.expired(env.now, env.limits);
        changes.extend(secret_tree_changes(self.epoch(), expired));
        let step = Step { revision: self.revision, changes, effect: Effect::Expire { epochs, now: env.now } };
        (!step.changes.is_empty()).then_some(step)
    }

    /// What makes of the records of this group those of its past: its present epoch stays readable as past ones do, and
    /// nothing of it can send. For a member that joins again and keeps what it could read (Section 12.4.3.2).
    ///
    /// # Errors
    /// [`OperationError`] if we are no member any more, or a record cannot be encoded.
    pub fn ending(&self, env: &Env<'_>) -> Result<Vec<Change>, OperationError> {
        self.check_member()?;
        let retired = self.retire(env);
        let mut changes = self.end_of_epoch(&retired, env.now)?;
        let living = if retired.keep_current { vec![self.public.tree()] } else { Vec::new() };
        changes.extend(self.past_epoch_deletes(&retired.epochs, &living));
        Ok(changes)
    }

    /// Deletes of past epochs: their secrets, and nodes that neither an epoch which stays nor one of `living` has. A tree
    /// can come back to what it was: a member is added without a path, then removed.
    pub(super) fn past_epoch_deletes(&self, epochs: &[u64], living: &[&RatchetTree]) -> Vec<Change> {
        let mut changes = Vec::new();
        let staying = self.past.iter().filter(|(epoch, _)| !epochs.contains(epoch));
        let kept: Vec<_> = staying.map(|(_, past)| past.public.tree()).chain(living.iter().copied()).collect();
        for (epoch, past) in self.past.iter().filter(|(epoch, _)| epochs.contains(epoch)) {
            let gone = past.public.tree().hashes_not_in(&kept);
            changes.extend(
                gone.into_iter().map(|hash| Change::Delete(RecordKey::new(RecordClass::Node, 0, hash.as_slice()))),
            );
            changes.extend(
                [RecordClass::SecretNode, RecordClass::Ratchet, RecordClass::Skipped, RecordClass::PastEpoch]
                    .map(|class| Change::DeleteEpoch(class, *epoch)),
            );
        }
        changes
    }

    fn check_member(&self) -> Result<(), ProcessError> {
        if self.status == Status::Removed { Err(ProcessError::NotAMember) } else { Ok(()) }
    }

    pub(super) fn drop_past(&mut self, epochs: &[u64]) {
        self.past.retain(|epoch, _| !epochs.contains(epoch));
    }
}
