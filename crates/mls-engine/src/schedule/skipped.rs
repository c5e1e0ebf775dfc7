//! Keys of messages that have not arrived yet (RFC 9420, Sections 9.2 and 15.3).
//!
//! In: keys that a ratchet passed over, with the time. Out: the key of a late message, and what has to go.
//! Always: bounded per sender and per tree (PM-12), the oldest go first; keys of application messages by age too
//! (DEL-06), those of handshakes by their epoch.

use std::collections::{BTreeMap, BTreeSet};

use super::{MessageKey, MessageKeyId, RatchetKind};
use crate::{limits::Limits, math::LeafIndex};

#[derive(Debug)]
struct SkippedKey {
    /// Seconds, on the caller's clock.
    created: u64,
    message_key: MessageKey,
}

#[derive(Debug, Default)]
pub(super) struct SkippedKeys {
    keys: BTreeMap<MessageKeyId, SkippedKey>,
    /// The same keys by age.
    ages: BTreeSet<(u64, MessageKeyId)>,
}

impl SkippedKeys {
    pub(super) fn get(&self, id: MessageKeyId) -> Option<&MessageKey> {
        self.keys.get(&id).map(|skipped| &skipped.message_key)
    }

    /// A key, and when it was passed over.
    pub(super) fn entry(&self, id: MessageKeyId) -> Option<(u64, &MessageKey)> {
        self.keys.get(&id).map(|skipped| (skipped.created, &skipped.message_key))
    }

    pub(super) fn contains(&self, id: MessageKeyId) -> bool {
        self.keys.contains_key(&id)
    }

    pub(super) fn insert(&mut self, id: MessageKeyId, created: u64, message_key: MessageKey) {
        self.remove(id);
        self.keys.insert(id, SkippedKey { created, message_key });
        self.ages.insert((created, id));
    }

    /// Wipes a key.
    pub(super) fn remove(&mut self, id: MessageKeyId) {
        if let Some(skipped) = self.keys.remove(&id) {
            self.ages.remove(&(skipped.created, id));
        }
    }

    /// All keys with the time they were passed over.
    pub(super) fn iter(&self) -> impl Iterator<Item = (MessageKeyId, u64, &MessageKey)> {
        self.keys.iter().map(|(id, skipped)| (*id, skipped.created, &skipped.message_key))
    }

    /// Keys of one sender, with their times.
    pub(super) fn of_sender(&self, leaf: LeafIndex) -> impl Iterator<Item = (u64, MessageKeyId)> + '_ {
        let first = MessageKeyId::new(leaf, RatchetKind::Handshake, 0);
        let last = MessageKeyId::new(leaf, RatchetKind::Application, u32::MAX);
        self.keys.range(first..=last).map(|(id, skipped)| (skipped.created, *id))
    }

    /// Keys of application messages older than the limit. A handshake's key stays: a commit that was made before a
    /// proposal and accepted long after it has to be read, or the group is lost.
    pub(super) fn expired(&self, now: u64, limits: &Limits) -> Vec<MessageKeyId> {
        let too_old = |created: u64| now.saturating_sub(created) > limits.max_skipped_key_age;
        let old = self.ages.iter().take_while(|(created, _)| too_old(*created)).map(|(_, id)| *id);
        old.filter(|id| id.kind != RatchetKind::Handshake).collect()
    }

    /// Keys of handshakes, which end with their epoch.
    pub(super) fn handshakes(&self) -> impl Iterator<Item = MessageKeyId> + '_ {
        self.keys.keys().copied().filter(|id| id.kind == RatchetKind::Handshake)
    }

    /// The keys that make room for `incoming` new ones of `leaf`: the sender's oldest, then the oldest of all.
    pub(super) fn make_room(&self, leaf: LeafIndex, incoming: usize, limits: &Limits) -> BTreeSet<MessageKeyId> {
        let mut of_sender: Vec<_> = self.of_sender(leaf).collect();
        of_sender.sort_unstable();
        // PM-12 (Section 15.3): per sender, then per tree.
        let over = of_sender.len().saturating_add(incoming).saturating_sub(limits.max_skipped_keys_per_sender);
        let mut evicted: BTreeSet<MessageKeyId> = of_sender.into_iter().take(over).map(|(_, id)| id).collect();
        let kept = self.keys.len().saturating_sub(evicted.len());
        let over = kept.saturating_add(incoming).saturating_sub(limits.max_skipped_keys);
        let oldest = self.ages.iter().map(|(_, id)| *id).filter(|id| !evicted.contains(id)).take(over);
        let oldest: Vec<MessageKeyId> = oldest.collect();
        evicted.extend(oldest);
        evicted
    }
}
