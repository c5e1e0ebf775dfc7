//! What a spent generation changes, worked out against the tree as it is now (RFC 9420, Sections 9.2 and 15.3).
//!
//! In: a [`Spent`], perhaps of an earlier state. Out: changes, the same for the store and for memory.
//! Always: changes of different generations compose in any order; the second use of one is a replay. Nothing is derived
//! again unless the tree went back since, which only reloading can do.

use mls_crypto::SuiteCrypto;

use super::SecretTree;
use crate::{
    error::ProcessError,
    limits::Limits,
    math::NodeIndex,
    schedule::{
        MessageKey, MessageKeyId, SecretTreeChange, Spent,
        ratchet::Ratchet,
        spent::{Start, Step},
    },
};

impl SecretTree {
    /// Changes of a generation we sent with: the end of a block, if one is begun.
    pub(super) fn plan_sent(
        &self,
        suite: &dyn SuiteCrypto,
        spent: &Spent,
        reserved: Option<&Ratchet>,
    ) -> Result<Vec<SecretTreeChange>, ProcessError> {
        let MessageKeyId { leaf, kind, generation } = spent.id;
        // PM-09 (Section 9.1): exactly the generation that comes next.
        if generation != self.position(leaf, kind) {
            return Err(super::replay(spent.id));
        }
        // X-STATE-01: inside a block nothing needs to be stored.
        let Some(reserved) = reserved else { return Ok(Vec::new()) };
        let mut changes = self.started(suite, spent.id, spent.start.as_ref())?;
        changes.push(SecretTreeChange::put_ratchet(leaf, kind, reserved));
        Ok(changes)
    }

    /// Changes of a generation we received.
    pub(super) fn plan_received(
        &self,
        suite: &dyn SuiteCrypto,
        spent: &Spent,
        limits: &Limits,
        now: u64,
    ) -> Result<Vec<SecretTreeChange>, ProcessError> {
        let MessageKeyId { leaf, kind, generation } = spent.id;
        if self.skipped.contains(spent.id) {
            // DEL-05 (Section 9.2): the key ends with the message.
            return Ok(vec![SecretTreeChange::DeleteSkipped { id: spent.id }]);
        }
        let position = self.ratchets.get(&(leaf, kind)).map_or(0, |ratchet| ratchet.generation);
        // PM-10 (Section 9.1): used meanwhile, or evicted.
        if generation < position {
            return Err(super::replay(spent.id));
        }
        match &spent.step {
            Step::Received { from, skipped, head } if *from <= position => {
                let mut changes = self.started(suite, spent.id, spent.start.as_ref())?;
                // DEL-03 (Section 9.2): replaces the secret that the key came from.
                changes.push(SecretTreeChange::put_ratchet(leaf, kind, head));
                let first = skipped.partition_point(|(generation, _)| *generation < position);
                changes.extend(self.keep_skipped(spent.id, skipped.get(first..).unwrap_or_default(), limits, now));
                Ok(changes)
            }
            Step::Skipped | Step::Received { .. } | Step::Sent { .. } => {
                // The tree stands before the state this was worked out from.
                let (_, fresh) = self.peek(suite, spent.id, limits)?;
                self.plan_received(suite, &fresh, limits, now)
            }
        }
    }

    /// Changes that start a sender's ratchets, all but the one that `id` names; none if they are started.
    pub(super) fn started(
        &self,
        suite: &dyn SuiteCrypto,
        id: MessageKeyId,
        start: Option<&Start>,
    ) -> Result<Vec<SecretTreeChange>, ProcessError> {
        if self.ratchets.contains_key(&(id.leaf, id.kind)) {
            return Ok(Vec::new());
        }
        let top = self.nearest_held(id.leaf).ok_or(super::replay(id))?;
        let fresh;
        let start = match start.filter(|start| start.reaches(top)) {
            Some(start) => start,
            None => {
                (fresh, _) = self.start(suite, id.leaf, id.kind)?.ok_or(super::replay(id))?;
                &fresh
            }
        };
        // DEL-02 (Section 9.2): the node goes, what was derived beside the way stays.
        let mut changes = vec![SecretTreeChange::DeleteNode { node: top }];
        changes.extend(
            start
                .below(top)
                .map(|(node, secret)| SecretTreeChange::PutNode { node: *node, secret: secret.duplicate() }),
        );
        changes.push(SecretTreeChange::put_ratchet(id.leaf, id.kind.other(), &start.other));
        Ok(changes)
    }

    /// Keeps keys passed over on the way to `id`, the newest, and evicts older ones for them.
    fn keep_skipped(
        &self,
        id: MessageKeyId,
        passed: &[(u32, MessageKey)],
        limits: &Limits,
        now: u64,
    ) -> Vec<SecretTreeChange> {
        if passed.is_empty() {
            return Vec::new();
        }
        let excess = passed.len().saturating_sub(super::skipped_at_once(limits));
        let kept = passed.get(excess..).unwrap_or_default();
        let evicted = self.skipped.make_room(id.leaf, kept.len(), limits);
        let evicted = evicted.into_iter().map(|id| SecretTreeChange::DeleteSkipped { id });
        evicted
            .chain(kept.iter().map(|(generation, message_key)| SecretTreeChange::PutSkipped {
                id: MessageKeyId::new(id.leaf, id.kind, *generation),
                created: now,
                message_key: message_key.duplicate(),
            }))
            .collect()
    }
}

impl Start {
    /// Secrets beside the way from `top` to the leaf. Siblings are held from the top, one per level.
    fn below(&self, top: NodeIndex) -> impl Iterator<Item = &(NodeIndex, mls_crypto::Secret)> {
        self.siblings.iter().filter(move |(node, _)| node.level() < top.level())
    }

    /// Whether it begins at `top` or above.
    fn reaches(&self, top: NodeIndex) -> bool {
        self.siblings.first().map_or(0, |(node, _)| node.level().saturating_add(1)) >= top.level()
    }
}

#[cfg(test)]
mod tests;
