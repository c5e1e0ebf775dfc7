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
                Change::DeleteEpoch(class, epoch) => {
                    self.rows.retain(|key, _| key.class != *class || key.epoch != *epoch);
                }
                other => panic!("unknown change {other:?}"),
            }
        }
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
        let matches = |key: &&RecordKey| key.class == class && epoch.is_none_or(|epoch| key.epoch == epoch);
        self.rows.keys().filter(matches).map(|key| (key.clone(), self.rows[key].clone())).collect()
    }
}
