//! Moving on (RFC 9420, Sections 9.2, 12.4.2 and 14): the only place where a group changes.
//!
//! In: a step whose changes are durable. Out: what the application should hear.
//! Always: a step of a state the group has left is refused and changes nothing; what ends is consumed and wiped.

use mls_crypto::{Secret, SignaturePrivateKey};

use super::{
    Group, SpentMessage, Status,
    epoch::Candidate,
    past::{PastEpoch, Retired},
    transition::{Effect, Event, Step},
};
use crate::{
    error::{OperationError, ProcessError},
    policy::Env,
    schedule::Spent,
};

impl Group {
    /// Adopts a step. Call it only after [`Step::changes`] are durable.
    ///
    /// # Errors
    /// [`ProcessError::Superseded`] if the group has moved since the step was made;
    /// [`ProcessError::ReplayDetected`] for the loser of a race on one message key. Nothing has changed then.
    pub fn adopt(&mut self, env: &Env<'_>, step: Step) -> Result<Vec<Event>, OperationError> {
        let Step { revision, changes: _, effect } = step;
        let effect = match effect {
            Effect::Spend { epoch, spent } => {
                self.spend(env, epoch, spent)?;
                return Ok(Vec::new());
            }
            Effect::SpendAll(spent) => {
                self.spend_all(env, spent)?;
                return Ok(Vec::new());
            }
            other => other,
        };
        if revision != self.revision {
            return Err(ProcessError::Superseded.into());
        }
        let events = self.adopt_effect(env, effect)?;
        self.revision = self.revision.wrapping_add(1);
        Ok(events)
    }

    fn adopt_effect(&mut self, env: &Env<'_>, effect: Effect) -> Result<Vec<Event>, OperationError> {
        match effect {
            Effect::Spend { epoch, spent } => self.spend(env, epoch, spent)?,
            Effect::SpendAll(spent) => self.spend_all(env, spent)?,
            Effect::Cache { proposal, own_update, spent } => {
                self.spend_own(env, spent)?;
                if let Some(own_update) = own_update {
                    self.own_updates.insert(proposal.reference, own_update);
                }
                self.proposals.insert(*proposal);
            }
            Effect::Hold { id, candidate, spent } => {
                self.spend_own(env, spent)?;
                self.pending.insert(id, candidate);
            }
            Effect::Accept(id, retired) => {
                // COM-28
                let candidate = self.pending.remove(&id).ok_or(OperationError::NoSuchPendingCommit)?;
                return self.advance(env, *candidate, &retired);
            }
            Effect::Discard(id) => {
                self.pending.remove(&id);
            }
            Effect::Advance(candidate, retired) => return self.advance(env, *candidate, &retired),
            Effect::RemoveSelf => return Ok(self.remove_self()),
            Effect::Expire { epochs, now } => self.forget(env, &epochs, now),
        }
        Ok(Vec::new())
    }

    /// DEL-05: the key is used up. A sender's first message changes nodes of the secret tree, which steps that end the
    /// epoch have planned with.
    fn spend(&mut self, env: &Env<'_>, epoch: u64, spent: Spent) -> Result<(), ProcessError> {
        let current = self.epoch();
        let starts = spent.starts_ratchets();
        let tree = match self.past.get_mut(&epoch) {
            Some(past) => &mut past.secret_tree,
            None if epoch == current => &mut self.keys.secret_tree,
            None => return Err(ProcessError::StaleEpoch { got: epoch, current }),
        };
        tree.record(self.suite.as_ref(), spent, env.limits, env.now)?;
        if starts && epoch == current {
            self.revision = self.revision.wrapping_add(1);
        }
        Ok(())
    }

    /// All of them, or none if one was used meanwhile.
    fn spend_all(&mut self, env: &Env<'_>, all: Vec<SpentMessage>) -> Result<(), ProcessError> {
        for SpentMessage { epoch, spent } in &all {
            self.receiving_tree(*epoch)?.check_unused(spent.id())?;
        }
        all.into_iter().try_for_each(|SpentMessage { epoch, spent }| self.spend(env, epoch, spent))
    }

    fn spend_own(&mut self, env: &Env<'_>, spent: Option<Spent>) -> Result<(), ProcessError> {
        match spent {
            Some(spent) => self.spend(env, self.epoch(), spent),
            None => Ok(()),
        }
    }

    /// Section 9.2, DEL-08 to DEL-16: the candidate becomes the epoch; what the old one held is narrowed or wiped.
    fn advance(
        &mut self,
        env: &Env<'_>,
        candidate: Candidate,
        retired: &Retired,
    ) -> Result<Vec<Event>, OperationError> {
        let Candidate { public, keys, private, own_update, signature_key, reinit, mut events, welcome: _ } = candidate;
        let ended_epoch = self.epoch();
        let own = self.own_index();
        let old_public = std::mem::replace(&mut self.public, public);
        let old_keys = std::mem::replace(&mut self.keys, keys);
        self.private.adopt(private, old_public.tree(), self.public.tree());
        let own_update = own_update.and_then(|reference| self.own_updates.remove(&reference));
        if let Some(key) = signature_key.or(own_update.and_then(|update| update.signature_key)) {
            self.signature_key = key;
        }
        self.drop_past(&retired.epochs);
        self.resumption_psks.insert(ended_epoch, old_keys.resumption_psk);
        self.resumption_psks.retain(|epoch, _| !retired.psks.contains(epoch));
        if retired.keep_current
            && let Ok(secret_tree) = old_keys.secret_tree.into_receive_only(self.suite.as_ref(), own)
        {
            let sender_data_secret = old_keys.sender_data_secret;
            let past = PastEpoch { public: old_public, sender_data_secret, secret_tree, ended: env.now };
            self.past.insert(ended_epoch, past);
        }
        // EPO-07, DEL-09, DEL-10
        self.proposals = super::proposals::ProposalCache::default();
        self.own_updates.clear();
        self.pending.clear();
        if let Some(reinit) = reinit {
            events.push(Event::ReInitialized(reinit.clone()));
            self.status = Status::ReInitialized(reinit);
        }
        events.push(Event::EpochAdvanced(self.epoch()));
        Ok(events)
    }

    /// COM-24, DEL-13: nothing secret is left; the public state stays for those who look at it.
    fn remove_self(&mut self) -> Vec<Event> {
        self.past.clear();
        self.proposals = super::proposals::ProposalCache::default();
        self.own_updates.clear();
        self.pending.clear();
        self.resumption_psks.clear();
        self.keys = super::epoch::EpochKeys::empty(self.public.tree().leaf_count());
        self.private.wipe();
        self.signature_key = SignaturePrivateKey::new(Secret::new(Vec::new()));
        self.status = Status::Removed;
        vec![Event::SelfRemoved]
    }

    fn forget(&mut self, env: &Env<'_>, epochs: &[u64], now: u64) {
        self.drop_past(epochs);
        for past in self.past.values_mut() {
            past.secret_tree.expire(now, env.limits);
        }
        self.keys.secret_tree.expire(now, env.limits);
    }
}
