//! Many message keys at once (RFC 9420, Sections 9.1, 9.2 and 15.3).
//!
//! In: generations of one sender, or uses of keys of many. Out: keys, or what all the uses together change.
//! Always: as if the messages had come one by one, in order of their generations; a ratchet is walked once however many
//! keys it gives, and a record is written once.

use std::collections::BTreeSet;

use mls_crypto::SuiteCrypto;

use super::{SecretTree, replay, skipped_at_once, walk::check_reach_from};
use crate::{
    error::ProcessError,
    limits::Limits,
    math::{LeafIndex, NodeIndex},
    schedule::{
        MessageKey, MessageKeyId, RatchetKind, SecretTreeChange, Spent,
        ratchet::{Leap, Ratchet},
        spent::Step,
    },
};

/// A ratchet that is walked along; the tree's own stays where it is.
#[derive(Debug, Default)]
pub struct Walk {
    at: Option<Stop>,
}

/// Where a walk is: the last key, and the ratchet in front of it and behind it.
#[derive(Debug)]
struct Stop {
    id: MessageKeyId,
    before: Option<Ratchet>,
    behind: Ratchet,
}

impl Walk {
    /// [`SecretTree::peek`] for messages taken in order of sender, kind and generation: as if those before it had been
    /// recorded. The same key can be asked for again.
    ///
    /// # Errors
    /// As [`SecretTree::peek`].
    pub fn peek(
        &mut self,
        suite: &dyn SuiteCrypto,
        tree: &SecretTree,
        id: MessageKeyId,
        limits: &Limits,
    ) -> Result<(MessageKey, Spent), ProcessError> {
        let same_way = |stop: &&Stop| (stop.id.leaf, stop.id.kind) == (id.leaf, id.kind);
        let stop = self.at.as_ref().filter(same_way);
        let ratchet = stop.and_then(|stop| if stop.id == id { stop.before.as_ref() } else { Some(&stop.behind) });
        let (Some(ratchet), false) = (ratchet, tree.skipped.contains(id)) else {
            let (message_key, spent) = tree.peek(suite, id, limits)?;
            self.stop_at(id, None, &spent);
            return Ok((message_key, spent));
        };
        check_reach_from(ratchet.generation, id, limits)?;
        let (before, from) = (ratchet.duplicate(), ratchet.generation);
        let Leap { skipped, message_key, head } = before.leap(suite, id.generation, skipped_at_once(limits))?;
        let spent = Spent { id, start: None, step: Step::Received { from, skipped, head } };
        self.stop_at(id, Some(before), &spent);
        Ok((message_key, spent))
    }

    fn stop_at(&mut self, id: MessageKeyId, before: Option<Ratchet>, spent: &Spent) {
        if let Step::Received { head, .. } = &spent.step {
            self.at = Some(Stop { id, before, behind: head.duplicate() });
        }
    }
}

/// Names a record of the tree.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Record {
    Node(NodeIndex),
    Ratchet(LeafIndex, RatchetKind),
    Skipped(MessageKeyId),
}

impl Record {
    const fn of(change: &SecretTreeChange) -> Self {
        match change {
            SecretTreeChange::PutNode { node, .. } | SecretTreeChange::DeleteNode { node } => Self::Node(*node),
            SecretTreeChange::PutRatchet { leaf, kind, .. } | SecretTreeChange::DeleteRatchet { leaf, kind } => {
                Self::Ratchet(*leaf, *kind)
            }
            SecretTreeChange::PutSkipped { id, .. } | SecretTreeChange::DeleteSkipped { id } => Self::Skipped(*id),
        }
    }
}

impl SecretTree {
    /// What has to be durable before all of these, messages received, count: [`SecretTree::plan`] for each after those
    /// before it. A record that changes more than once is written as it is in the end.
    ///
    /// # Errors
    /// [`ProcessError::ReplayDetected`] if a generation was used meanwhile, or is among them twice.
    pub fn plan_all<'a>(
        &self,
        suite: &dyn SuiteCrypto,
        spent: impl IntoIterator<Item = &'a Spent>,
        limits: &Limits,
        now: u64,
    ) -> Result<Vec<SecretTreeChange>, ProcessError> {
        // A second owner of every secret, for as long as this takes; those are wiped at the end.
        let mut next = Self::empty(self.leaves);
        self.dump().into_iter().for_each(|record| next.apply(record));
        let mut touched = BTreeSet::new();
        for spent in spent {
            for change in next.plan(suite, spent, limits, now)? {
                touched.insert(Record::of(&change));
                next.apply(change);
            }
        }
        Ok(touched.into_iter().filter_map(|record| self.difference(&next, record)).collect())
    }

    /// How one record of `next` differs from what is here; `None` if neither has it.
    fn difference(&self, next: &Self, record: Record) -> Option<SecretTreeChange> {
        match record {
            Record::Node(node) => match next.nodes.get(&node) {
                Some(secret) => Some(SecretTreeChange::PutNode { node, secret: secret.duplicate() }),
                None => self.nodes.contains_key(&node).then_some(SecretTreeChange::DeleteNode { node }),
            },
            Record::Ratchet(leaf, kind) => match next.ratchets.get(&(leaf, kind)) {
                Some(ratchet) => Some(SecretTreeChange::put_ratchet(leaf, kind, ratchet)),
                None => {
                    let had = self.ratchets.contains_key(&(leaf, kind));
                    had.then_some(SecretTreeChange::DeleteRatchet { leaf, kind })
                }
            },
            Record::Skipped(id) => match next.skipped.entry(id) {
                Some((created, message_key)) => {
                    let message_key = message_key.duplicate();
                    Some(SecretTreeChange::PutSkipped { id, created, message_key })
                }
                None => self.skipped.contains(id).then_some(SecretTreeChange::DeleteSkipped { id }),
            },
        }
    }

    /// Where a sender's ratchet stands after a message of this generation, `head` being where it stood after those before
    /// it; `None` stands for the tree's own. For messages of one sender, in order of generation.
    ///
    /// # Errors
    /// As [`SecretTree::peek`], which derives as well.
    pub fn reach(&self, head: Option<u32>, id: MessageKeyId, limits: &Limits) -> Result<u32, ProcessError> {
        let stands = || self.ratchets.get(&(id.leaf, id.kind)).map_or(0, |ratchet| ratchet.generation);
        let head = head.unwrap_or_else(stands);
        if self.skipped.contains(id) {
            return Ok(head);
        }
        check_reach_from(head, id, limits)?;
        Ok(id.generation.saturating_add(1))
    }

    /// Whether a received generation can still be recorded.
    ///
    /// # Errors
    /// [`ProcessError::ReplayDetected`] if it was used, or its key is gone.
    pub fn check_unused(&self, id: MessageKeyId) -> Result<(), ProcessError> {
        let position = self.ratchets.get(&(id.leaf, id.kind)).map_or(0, |ratchet| ratchet.generation);
        if self.skipped.contains(id) || id.generation >= position { Ok(()) } else { Err(replay(id)) }
    }
}
