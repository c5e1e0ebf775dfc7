//! A store of one group's records, in memory, that remembers nothing it was told to delete.

use std::collections::BTreeMap;

use mls_engine::group::{Change, RecordClass, RecordKey, RecordSource};

/// The records of one group.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Records {
    /// By key.
    pub rows: BTreeMap<RecordKey, Vec<u8>>,
}

impl Records {
    /// Does all changes, as one transaction would.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Put(key, value) => {
                    self.rows.insert(key.clone(), value.as_slice().to_vec());
                }
                Change::Delete(key) => {
                    self.rows.remove(key);
                }
                Change::DeleteEpoch(class, epoch) => self.delete_epoch(*class, *epoch),
                other => panic!("unknown change {other:?}"),
            }
        }
    }

    /// Keys are in order of class, epoch and id: what is deleted lies together, and nothing else is looked at.
    fn delete_epoch(&mut self, class: RecordClass, epoch: u64) {
        let from = RecordKey { class, epoch, id: Vec::new() };
        let gone: Vec<_> = self.range(&from).map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.rows.remove(&key);
        }
    }

    /// The records of one class and epoch.
    fn range(&self, from: &RecordKey) -> impl Iterator<Item = (&RecordKey, &Vec<u8>)> {
        let place = (from.class, from.epoch);
        self.rows.range(from.clone()..).take_while(move |(key, _)| (key.class, key.epoch) == place)
    }

    /// How many records of a class there are.
    pub fn count(&self, class: RecordClass) -> usize {
        self.rows.keys().filter(|key| key.class == class).count()
    }
}

impl RecordSource for Records {
    fn get(&self, key: &RecordKey) -> Option<Vec<u8>> {
        self.rows.get(key).cloned()
    }

    fn scan(&self, class: RecordClass, epoch: Option<u64>) -> Vec<(RecordKey, Vec<u8>)> {
        let owned = |(key, value): (&RecordKey, &Vec<u8>)| (key.clone(), value.clone());
        match epoch {
            Some(epoch) => self.range(&RecordKey { class, epoch, id: Vec::new() }).map(owned).collect(),
            None => self.rows.iter().filter(|(key, _)| key.class == class).map(owned).collect(),
        }
    }
}
