//! The store as the engine reads groups from it.
//!
//! Always: a store that fails is told apart from a record that is not there.

use std::cell::RefCell;

use mls_crypto::Secret;
use mls_engine::group::{RecordClass, RecordKey, RecordSource};

use crate::core_mls::{
    error::{MlsError, MlsResult},
    records::{class_number, store_key},
    store::{Space, StateStore},
};

/// The records of one group.
pub(crate) struct StoredRecords<'a> {
    store: &'a dyn StateStore,
    space: &'a Space,
    failure: RefCell<Option<MlsError>>,
}

impl<'a> StoredRecords<'a> {
    pub(crate) fn new(store: &'a dyn StateStore, space: &'a Space) -> Self {
        Self { store, space, failure: RefCell::new(None) }
    }

    /// The first failure of the store since the beginning.
    pub(crate) fn failure(&self) -> Option<MlsError> {
        self.failure.borrow_mut().take()
    }

    fn note<T>(&self, result: MlsResult<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.failure.borrow_mut().get_or_insert(error);
                None
            }
        }
    }

    fn read(&self, key: &RecordKey) -> MlsResult<Option<Secret>> {
        Ok(self.store.get(self.space, &store_key(key)?)?)
    }

    fn read_all(&self, class: RecordClass, epoch: Option<u64>) -> MlsResult<Vec<(RecordKey, Vec<u8>)>> {
        let rows = self.store.scan(self.space, class_number(class)?, epoch)?;
        let record = |(key, value): (crate::core_mls::store::Key, Secret)| {
            (RecordKey { class, epoch: key.epoch, id: key.id }, value.as_slice().to_vec())
        };
        Ok(rows.into_iter().map(record).collect())
    }
}

impl RecordSource for StoredRecords<'_> {
    fn get(&self, key: &RecordKey) -> Option<Vec<u8>> {
        self.note(self.read(key)).flatten().map(|value| value.as_slice().to_vec())
    }

    fn scan(&self, class: RecordClass, epoch: Option<u64>) -> Vec<(RecordKey, Vec<u8>)> {
        self.note(self.read_all(class, epoch)).unwrap_or_default()
    }
}
