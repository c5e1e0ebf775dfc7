//! Local notes of when things happened in a group. Hints for people: nothing of it is authenticated, and what was noted
//! after the last change may be lost in a crash.
//!
//! In: events. Out: times, and the records that keep them. Always: notes travel with the next batch, never alone.

use std::{collections::BTreeMap, sync::Arc};

use mls_crypto::Secret;
use mls_engine::{group::Event, math::LeafIndex};

use super::{
    error::MlsResult,
    records::{JOINED_AT, TIMES, decode_numbers, encode_numbers, key},
    store::{Key, Space, StateStore, Write},
};

/// Times of one group, in seconds since 1970.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Times {
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
    pub(crate) rotated_at: u64,
    /// Of members that came after us.
    joined_at: Arc<BTreeMap<u32, u64>>,
}

/// Records that are to be written with the next batch; `None` deletes.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<(Key, Option<Secret>)>);

impl Times {
    /// Of a group that begins now, for us.
    pub(crate) fn begin(now: u64) -> Self {
        Self { created_at: now, updated_at: now, rotated_at: now, joined_at: Arc::default() }
    }

    /// As stored.
    pub(crate) fn load(store: &dyn StateStore, space: &Space) -> MlsResult<Self> {
        let [created_at, updated_at, rotated_at] = match store.get(space, &key(TIMES, &[]))? {
            Some(record) => decode_numbers(&record)?,
            None => [0; 3],
        };
        let mut joined_at = BTreeMap::new();
        for (key, record) in store.scan(space, JOINED_AT, None)? {
            if let Ok(leaf) = key.id.as_slice().try_into() {
                let [at] = decode_numbers(&record)?;
                joined_at.insert(u32::from_be_bytes(leaf), at);
            }
        }
        Ok(Self { created_at, updated_at, rotated_at, joined_at: Arc::new(joined_at) })
    }

    /// When the member at `leaf` came; for those who were there before us, when we came.
    pub(crate) fn joined_at(&self, leaf: u32) -> u64 {
        self.joined_at.get(&leaf).copied().unwrap_or(self.created_at)
    }

    /// Takes note of what a commit did.
    pub(crate) fn note(&mut self, events: &[Event], own: LeafIndex, now: u64, notes: &mut Notes) {
        for event in events {
            match event {
                Event::Added(leaf) | Event::JoinedExternally(leaf) => {
                    Arc::make_mut(&mut self.joined_at).insert(leaf.get(), now);
                    notes.0.push((joined_key(*leaf), Some(encode_numbers(&[now]))));
                }
                Event::Removed(leaf) => {
                    Arc::make_mut(&mut self.joined_at).remove(&leaf.get());
                    notes.0.push((joined_key(*leaf), None));
                }
                Event::Updated(leaf) if *leaf == own => self.rotated_at = now,
                Event::EpochAdvanced(_) => self.updated_at = now,
                _ => {}
            }
        }
        if !events.is_empty() {
            notes.0.push(self.record());
        }
    }

    /// What a commit changes, for the batch that adopts it: so a restart does not forget that our keys are new.
    pub(crate) fn after_commit(&self, at: u64, renewed: bool) -> Notes {
        let rotated_at = if renewed { at } else { self.rotated_at };
        Notes(vec![Self { updated_at: at, rotated_at, ..self.clone() }.record()])
    }

    fn record(&self) -> (Key, Option<Secret>) {
        let Self { created_at, updated_at, rotated_at, joined_at: _ } = self;
        (key(TIMES, &[]), Some(encode_numbers(&[*created_at, *updated_at, *rotated_at])))
    }

    /// What a new group begins with.
    pub(crate) fn first_notes(&self) -> Notes {
        Notes(vec![self.record()])
    }
}

impl Notes {
    pub(crate) fn writes(&self) -> Vec<Write<'_>> {
        self.0
            .iter()
            .map(|(key, record)| match record {
                Some(record) => Write::Put(key.clone(), record),
                None => Write::Delete(key.clone()),
            })
            .collect()
    }

    pub(crate) fn put(&mut self, key: Key, record: Secret) {
        self.0.push((key, Some(record)));
    }

    pub(crate) fn delete(&mut self, key: Key) {
        self.0.push((key, None));
    }

    /// Leaves a record as it is after all.
    pub(crate) fn forget(&mut self, key: &Key) {
        self.0.retain(|(noted, _)| noted != key);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }
}

fn joined_key(leaf: LeafIndex) -> Key {
    key(JOINED_AT, &leaf.get().to_be_bytes())
}

#[cfg(test)]
mod tests;
