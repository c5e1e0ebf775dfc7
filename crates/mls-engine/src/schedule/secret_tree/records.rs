//! The tree as stored records, and what a past epoch keeps (RFC 9420, Section 9.2).
//!
//! In: records from storage. Out: a tree whose dump is the same records.
//! Always: X-STATE-05: a tree that no sequence of messages leads to is refused.

use mls_crypto::{CryptoError, Secret, SuiteCrypto};

use super::SecretTree;
use crate::{
    error::OperationError,
    limits::Limits,
    math::{LeafCount, LeafIndex, NodeIndex},
    schedule::{MessageKeyId, RatchetKind, SecretTreeChange, ratchet::Ratchet},
};

impl SecretTree {
    /// The tree of these records, puts only: those of [`SecretTree::dump`], changed by every [`SecretTree::plan`] since.
    /// Our own ratchets go on behind the block that was reserved last (X-STATE-01).
    ///
    /// # Errors
    /// [`OperationError::InvalidRecord`] for a delete, an index out of range, a secret of the wrong length, a node above
    /// another or above a ratchet, a single ratchet of a leaf, or a skipped key its ratchet has not passed.
    pub fn from_records(
        suite: &dyn SuiteCrypto,
        leaves: LeafCount,
        records: impl IntoIterator<Item = SecretTreeChange>,
    ) -> Result<Self, OperationError> {
        let mut tree = Self::empty(leaves);
        for record in records {
            if !is_valid(suite, leaves, &record) {
                return Err(OperationError::InvalidRecord);
            }
            tree.apply(record);
        }
        if tree.is_consistent() { Ok(tree) } else { Err(OperationError::InvalidRecord) }
    }

    /// Every record of the tree, as puts. What is left of a block in memory is not among them.
    pub fn dump(&self) -> Vec<SecretTreeChange> {
        let nodes = self.nodes.iter();
        let nodes = nodes.map(|(node, secret)| SecretTreeChange::PutNode { node: *node, secret: secret.duplicate() });
        let ratchets = self.ratchets.iter();
        let ratchets = ratchets.map(|((leaf, kind), ratchet)| SecretTreeChange::put_ratchet(*leaf, *kind, ratchet));
        let skipped = self.skipped.iter().map(|(id, created, message_key)| SecretTreeChange::PutSkipped {
            id,
            created,
            message_key: message_key.duplicate(),
        });
        nodes.chain(ratchets).chain(skipped).collect()
    }

    /// DEL-06 (Section 15.3): the deletes of skipped keys older than the limit. `now` is in seconds.
    pub fn expired(&self, now: u64, limits: &Limits) -> Vec<SecretTreeChange> {
        self.skipped.expired(now, limits).into_iter().map(|id| SecretTreeChange::DeleteSkipped { id }).collect()
    }

    /// Does what [`SecretTree::expired`] says, and wipes the keys.
    pub fn expire(&mut self, now: u64, limits: &Limits) {
        self.expired(now, limits).into_iter().for_each(|change| self.apply(change));
    }

    /// What has to change for a past epoch to keep everything but our own leaf.
    ///
    /// Our ratchets, blocks and skipped keys go, and everybody's skipped keys of handshakes. If our leaf was never used, the way down to it is derived, the
    /// node secrets beside it are kept, and the held node above and the leaf's own secret go; so afterwards no
    /// secret of ours can be derived from what is left, and every other member's still can.
    ///
    /// # Errors
    /// [`CryptoError`] of the provider.
    pub fn receive_only_changes(
        &self,
        suite: &dyn SuiteCrypto,
        own: LeafIndex,
    ) -> Result<Vec<SecretTreeChange>, CryptoError> {
        let kinds = [RatchetKind::Handshake, RatchetKind::Application];
        let mut changes = Vec::new();
        if let Some(top) = self.nearest_held(own)
            && let Some((start, _)) = self.start(suite, own, RatchetKind::Application)?
        {
            changes.push(SecretTreeChange::DeleteNode { node: top });
            let siblings = start.siblings.into_iter();
            changes.extend(siblings.map(|(node, secret)| SecretTreeChange::PutNode { node, secret }));
        }
        let started = kinds.into_iter().filter(|kind| self.ratchets.contains_key(&(own, *kind)));
        changes.extend(started.map(|kind| SecretTreeChange::DeleteRatchet { leaf: own, kind }));
        let own_keys = self.skipped.of_sender(own).map(|(_, id)| id).filter(|id| id.kind != RatchetKind::Handshake);
        changes.extend(own_keys.chain(self.skipped.handshakes()).map(|id| SecretTreeChange::DeleteSkipped { id }));
        Ok(changes)
    }

    /// Does what [`SecretTree::receive_only_changes`] says, and wipes what goes.
    ///
    /// # Errors
    /// [`CryptoError`] of the provider; the tree is lost then, since it must not stay as it was.
    pub fn into_receive_only(mut self, suite: &dyn SuiteCrypto, own: LeafIndex) -> Result<Self, CryptoError> {
        self.receive_only_changes(suite, own)?.into_iter().for_each(|change| self.apply(change));
        Ok(self)
    }

    /// Does one change in memory. What is replaced or deleted is wiped.
    pub(super) fn apply(&mut self, change: SecretTreeChange) {
        match change {
            SecretTreeChange::PutNode { node, secret } => {
                self.nodes.insert(node, secret);
            }
            SecretTreeChange::DeleteNode { node } => {
                self.nodes.remove(&node);
            }
            SecretTreeChange::PutRatchet { leaf, kind, generation, secret } => {
                self.ratchets.insert((leaf, kind), Ratchet { generation, secret });
            }
            SecretTreeChange::DeleteRatchet { leaf, kind } => {
                self.ratchets.remove(&(leaf, kind));
                self.blocks.remove(&(leaf, kind));
            }
            SecretTreeChange::PutSkipped { id, created, message_key } => self.skipped.insert(id, created, message_key),
            SecretTreeChange::DeleteSkipped { id } => self.skipped.remove(id),
        }
    }

    /// Keeps what is left of the block that `id` came from.
    pub(super) fn keep_block(&mut self, id: MessageKeyId, head: Ratchet) {
        let key = (id.leaf, id.kind);
        let end = self.ratchets.get(&key).map_or(0, |ratchet| ratchet.generation);
        if head.generation < end {
            self.blocks.insert(key, head);
        } else {
            self.blocks.remove(&key);
        }
    }

    /// The generation we send with next.
    pub(super) fn position(&self, own: LeafIndex, kind: RatchetKind) -> u32 {
        let ratchet = self.blocks.get(&(own, kind)).or_else(|| self.ratchets.get(&(own, kind)));
        ratchet.map_or(0, |ratchet| ratchet.generation)
    }

    /// The rules between records.
    fn is_consistent(&self) -> bool {
        let free_above = |node: NodeIndex| {
            let mut above = node.parent(self.leaves);
            while let Some(parent) = above {
                if self.nodes.contains_key(&parent) {
                    return false;
                }
                above = parent.parent(self.leaves);
            }
            true
        };
        let nodes = self.nodes.keys().all(|node| free_above(*node));
        let ratchets = self.ratchets.keys().all(|(leaf, kind)| {
            self.ratchets.contains_key(&(*leaf, kind.other())) && self.nearest_held(*leaf).is_none()
        });
        let skipped = self.skipped.iter().all(|(id, ..)| {
            self.ratchets.get(&(id.leaf, id.kind)).is_some_and(|ratchet| id.generation < ratchet.generation)
        });
        nodes && ratchets && skipped
    }
}

/// The rules of one record.
fn is_valid(suite: &dyn SuiteCrypto, leaves: LeafCount, record: &SecretTreeChange) -> bool {
    let full = |secret: &Secret| secret.len() == suite.hash_len();
    match record {
        SecretTreeChange::PutNode { node, secret } => node.get() < leaves.nodes() && full(secret),
        SecretTreeChange::PutRatchet { leaf, secret, .. } => leaves.contains(*leaf) && full(secret),
        SecretTreeChange::PutSkipped { id, message_key, .. } => {
            leaves.contains(id.leaf)
                && message_key.key.len() == suite.aead_key_len()
                && message_key.nonce.len() == suite.aead_nonce_len()
        }
        SecretTreeChange::DeleteNode { .. }
        | SecretTreeChange::DeleteRatchet { .. }
        | SecretTreeChange::DeleteSkipped { .. } => false,
    }
}

#[cfg(test)]
mod tests;
