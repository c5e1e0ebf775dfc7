//! The secret tree: from one secret per epoch to one key per message (RFC 9420, Sections 9, 9.1, 9.2 and 15.3).
//!
//! In: the encryption secret, then leaves and generations. Out: message keys, and [`Spent`] values that say what their
//! use changes.
//! Always: [`SecretTree::peek`] and [`SecretTree::next`] change nothing, so messages open in parallel;
//! [`SecretTree::plan`] says what must be durable first, [`SecretTree::record`] does it, and after that the generation
//! is gone. Only what was used takes space: the tree starts as its root.
//!
//! ```text
//!   peek, next ── MessageKey, Spent ──┬── plan ──── changes ── (made durable)
//!                                     └── record ── the tree without that generation
//! ```
//!
//! X-STATE-01: our own ratchets are stored at the end of a block of generations, and the block itself lives in memory
//! only. So most sends store nothing, a tree loaded after a crash continues behind every generation that may have been
//! used, and storage never holds the secret of a key that was.

mod catch_up;
mod records;
mod settle;
mod walk;

use std::collections::BTreeMap;

pub use catch_up::Walk;

use mls_crypto::{Secret, SuiteCrypto};

use super::{
    EncryptionSecret, MessageKey, MessageKeyId, RatchetKind, SecretTreeChange, Spent,
    ratchet::{Leap, Ratchet},
    skipped::SkippedKeys,
    spent::Step,
};
use crate::{
    error::{OperationError, ProcessError},
    limits::Limits,
    math::{LeafCount, LeafIndex, NodeIndex},
};

/// The message keys of one epoch.
#[derive(Debug)]
pub struct SecretTree {
    leaves: LeafCount,
    /// Secrets of nodes that have not been used; no node here is above another, or above a started ratchet.
    nodes: BTreeMap<NodeIndex, Secret>,
    /// Ratchets of leaves that have been used, both of a leaf or none; for our own leaf, the end of the block.
    ratchets: BTreeMap<(LeafIndex, RatchetKind), Ratchet>,
    /// What is left of a block reserved for sending; never stored.
    blocks: BTreeMap<(LeafIndex, RatchetKind), Ratchet>,
    skipped: SkippedKeys,
}

impl SecretTree {
    /// The tree of an epoch with this many leaves. Holds the root alone, whatever the size.
    pub fn new(encryption_secret: EncryptionSecret, leaves: LeafCount) -> Self {
        let mut tree = Self::empty(leaves);
        tree.nodes.insert(leaves.root(), encryption_secret.into_root());
        tree
    }

    pub(crate) fn empty(leaves: LeafCount) -> Self {
        let (nodes, ratchets, blocks) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { leaves, nodes, ratchets, blocks, skipped: SkippedKeys::default() }
    }

    /// Number of leaves.
    pub fn leaves(&self) -> LeafCount {
        self.leaves
    }

    /// The first generation of one of our own ratchets that no stored state has given out: a state that is behind it is
    /// an old copy. 0 in an epoch in which we have not sent.
    pub fn reserved(&self, own: LeafIndex, kind: RatchetKind) -> u32 {
        self.ratchets.get(&(own, kind)).map_or(0, |ratchet| ratchet.generation)
    }

    /// The key of a received message. Nothing changes; record the [`Spent`] once the message is authentic.
    ///
    /// Costs `O(log N)` derivations for the first message of a sender, then three, and three more per generation
    /// passed over (one beyond the cap on skipped keys).
    ///
    /// # Errors
    /// [`ProcessError::UnknownMember`] outside the tree; [`ProcessError::ReplayDetected`] if the generation was used or
    /// its key is gone; [`ProcessError::GenerationTooFar`], before anything is derived.
    pub fn peek(
        &self,
        suite: &dyn SuiteCrypto,
        id: MessageKeyId,
        limits: &Limits,
    ) -> Result<(MessageKey, Spent), ProcessError> {
        let MessageKeyId { leaf, kind, generation } = id;
        // PM-03 (Section 6.3.2): before any derivation.
        if !self.leaves.contains(leaf) {
            return Err(ProcessError::UnknownMember(leaf));
        }
        if let Some(message_key) = self.skipped.get(id) {
            return Ok((message_key.duplicate(), Spent { id, start: None, step: Step::Skipped }));
        }
        self.check_reach(id, limits)?;
        let (start, ratchet) = self.ratchet(suite, leaf, kind)?.ok_or(replay(id))?;
        let from = ratchet.generation;
        let Leap { skipped, message_key, head } = ratchet.leap(suite, generation, skipped_at_once(limits))?;
        Ok((message_key, Spent { id, start, step: Step::Received { from, skipped, head } }))
    }

    /// The next generation of our own ratchet and its key. Nothing changes: [`SecretTree::plan`], make the changes
    /// durable, [`SecretTree::record`], and only then let the ciphertext out (PM-09).
    ///
    /// # Errors
    /// [`OperationError::GenerationsExhausted`] at `max_derivations - 1`; [`OperationError::NoGenerationReserved`] in a
    /// tree that only receives; [`ProcessError::UnknownMember`] outside the tree.
    pub fn next(
        &self,
        suite: &dyn SuiteCrypto,
        own: LeafIndex,
        kind: RatchetKind,
        limits: &Limits,
    ) -> Result<(u32, MessageKey, Spent), OperationError> {
        if !self.leaves.contains(own) {
            return Err(ProcessError::UnknownMember(own).into());
        }
        // PM-13 (Section 9.1): no wrap, and never more than a receiver accepts.
        if self.position(own, kind) >= limits.max_derivations.saturating_sub(1) {
            return Err(OperationError::GenerationsExhausted);
        }
        let (message_key, start, head, reserved) = if let Some(block) = self.blocks.get(&(own, kind)) {
            (block.message_key(suite)?, None, block.step(suite)?, None)
        } else {
            let (start, ratchet) = self.ratchet(suite, own, kind)?.ok_or(OperationError::NoGenerationReserved)?;
            let head = ratchet.step(suite)?;
            let end = ratchet.generation.saturating_add(limits.generation_block).min(limits.max_derivations);
            let reserved = head.duplicate().forward(suite, end)?;
            (ratchet.message_key(suite)?, start, head, Some(reserved))
        };
        let generation = self.position(own, kind);
        let id = MessageKeyId::new(own, kind, generation);
        Ok((generation, message_key, Spent { id, start, step: Step::Sent { head, reserved } }))
    }

    /// What has to be durable before `spent` counts: nothing for most sends, one ratchet for a message in order.
    /// `now` is in seconds and dates skipped keys.
    ///
    /// Spent values of one state may be recorded in any order. Going by generation for each sender keeps the fewest
    /// skipped keys, and loses none to the caps.
    ///
    /// # Errors
    /// [`ProcessError::ReplayDetected`] if the generation was used meanwhile.
    pub fn plan(
        &self,
        suite: &dyn SuiteCrypto,
        spent: &Spent,
        limits: &Limits,
        now: u64,
    ) -> Result<Vec<SecretTreeChange>, ProcessError> {
        match &spent.step {
            Step::Sent { head: _, reserved } => self.plan_sent(suite, spent, reserved.as_ref()),
            Step::Skipped | Step::Received { .. } => self.plan_received(suite, spent, limits, now),
        }
    }

    /// Does what [`SecretTree::plan`] says, and wipes what was used.
    ///
    /// # Errors
    /// As [`SecretTree::plan`]; the tree is as before.
    pub fn record(
        &mut self,
        suite: &dyn SuiteCrypto,
        spent: Spent,
        limits: &Limits,
        now: u64,
    ) -> Result<(), ProcessError> {
        let changes = self.plan(suite, &spent, limits, now)?;
        changes.into_iter().for_each(|change| self.apply(change));
        if let Step::Sent { head, reserved: _ } = spent.step {
            self.keep_block(spent.id, head);
        }
        Ok(())
    }

    /// Keeps what sending goes on with after `spent`, in a tree that holds our own ratchet and nothing else; the changes
    /// of [`SecretTree::plan`] are durable. A generation we received leaves such a tree as it is.
    ///
    /// # Errors
    /// [`ProcessError::ReplayDetected`] if the generation was used meanwhile; the tree is as before.
    pub(crate) fn keep_sent(&mut self, spent: Spent) -> Result<(), ProcessError> {
        let Spent { id, start: _, step: Step::Sent { head, reserved } } = spent else { return Ok(()) };
        let key = (id.leaf, id.kind);
        // PM-09 (Section 9.1)
        if self.ratchets.contains_key(&key) && id.generation != self.position(id.leaf, id.kind) {
            return Err(replay(id));
        }
        if let Some(reserved) = reserved {
            self.ratchets.insert(key, reserved);
        }
        self.keep_block(id, head);
        Ok(())
    }
}

/// How many skipped keys one message may add.
fn skipped_at_once(limits: &Limits) -> usize {
    limits.max_skipped_keys_per_sender.min(limits.max_skipped_keys)
}

/// The generation was used, or its key is gone.
fn replay(id: MessageKeyId) -> ProcessError {
    ProcessError::ReplayDetected { leaf: id.leaf, generation: id.generation }
}

#[cfg(test)]
mod tests;
