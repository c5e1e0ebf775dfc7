//! What a store holds, as plain values; and batches on it.

use std::collections::BTreeMap;

use mls_store::{Key, Mark, Revision, Secret, Section, Space, StateStore, StoreError, Write};

/// All that can be read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Content {
    spaces: BTreeMap<Space, BTreeMap<Key, Vec<u8>>>,
}

/// Content, and how far the store had come at least when it was so.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) content: Content,
    pub(crate) mark: Mark,
}

/// One change of the model and of the store.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Put(Key, Vec<u8>),
    Delete(Key),
    DeleteEpoch(u8, u64),
    Clear,
}

/// Something to do with a store.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A batch.
    Apply(Vec<(Space, Vec<Change>)>),
    DeleteSpace(Space),
    Shred,
    Maintain,
}

impl Content {
    /// Reads everything.
    pub(crate) fn of(store: &dyn StateStore) -> Result<Self, StoreError> {
        let mut spaces = BTreeMap::new();
        for (space, _) in store.spaces(None)? {
            let mut records = BTreeMap::new();
            for class in 0..CLASSES {
                let found = store.scan(&space, class, None)?;
                records.extend(found.into_iter().map(|(key, value)| (key, value.as_slice().to_vec())));
            }
            spaces.insert(space, records);
        }
        Ok(Self { spaces })
    }

    /// What it is after an act.
    pub(crate) fn after(&self, act: &Act) -> Self {
        let mut next = self.clone();
        match act {
            Act::Apply(batch) => {
                for (space, changes) in batch {
                    let records = next.spaces.entry(space.clone()).or_default();
                    changes.iter().for_each(|change| change.on(records));
                }
            }
            Act::DeleteSpace(space) => drop(next.spaces.remove(space)),
            Act::Shred | Act::Maintain => {}
        }
        next
    }

    pub(crate) fn records(&self) -> usize {
        self.spaces.values().map(BTreeMap::len).sum()
    }
}

impl Change {
    fn on(&self, records: &mut BTreeMap<Key, Vec<u8>>) {
        match self {
            Self::Put(key, value) => drop(records.insert(key.clone(), value.clone())),
            Self::Delete(key) => drop(records.remove(key)),
            Self::DeleteEpoch(class, epoch) => records.retain(|key, _| key.class != *class || key.epoch != *epoch),
            Self::Clear => records.clear(),
        }
    }
}

/// Applies a batch, whatever the revisions are.
pub(crate) fn apply(store: &dyn StateStore, batch: &[(Space, Vec<Change>)]) -> Result<Revision, StoreError> {
    let known: BTreeMap<Space, Revision> = store.spaces(None)?.into_iter().collect();
    let value = |change: &Change| match change {
        Change::Put(_, value) => Secret::copy_from(value),
        _ => Secret::copy_from(&[]),
    };
    let values: Vec<Vec<Secret>> = batch.iter().map(|(_, changes)| changes.iter().map(value).collect()).collect();
    let write = |(change, value): (&Change, _)| match change {
        Change::Put(key, _) => Write::Put(key.clone(), value),
        Change::Delete(key) => Write::Delete(key.clone()),
        Change::DeleteEpoch(class, epoch) => Write::DeleteEpoch { class: *class, epoch: *epoch },
        Change::Clear => Write::Clear,
    };
    let sections: Vec<Section<'_>> = batch
        .iter()
        .zip(&values)
        .map(|((space, changes), values)| Section {
            space: space.clone(),
            expected: known.get(space).copied().unwrap_or(Revision::NONE),
            writes: changes.iter().zip(values).map(write).collect(),
        })
        .collect();
    store.apply(&sections)
}

/// Deletes a space, whatever its revision is.
pub(crate) fn delete(store: &dyn StateStore, space: &Space) -> Result<(), StoreError> {
    let known = store.spaces(None)?.into_iter().find(|(known, _)| known == space);
    store.delete(space, known.map_or(Revision::NONE, |(_, revision)| revision))
}

/// Classes in use here.
const CLASSES: u8 = 3;
