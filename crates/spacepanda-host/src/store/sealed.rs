//! A store over the client's own, sealed at rest, and a directory of records: on SQLite both are durable.

use std::sync::Arc;

use mls_crypto::Secret;
use mls_discovery::{Directory, GroupPublicInfo};
use spacepanda_core::core_mls::store::{Key, Section, Space, StateStore, StoreError, Write};

use super::{DISCOVERY, GROUP, HostStore, HostStoreError, check};

/// What belongs to groups in a state store, in a space of the application; records in a directory.
#[derive(Clone, Debug)]
pub struct SealedHostStore {
    store: Arc<dyn StateStore>,
    directory: Arc<dyn Directory>,
}

impl SealedHostStore {
    /// Over these two.
    pub fn new(store: Arc<dyn StateStore>, directory: Arc<dyn Directory>) -> Self {
        Self { store, directory }
    }

    /// One change; if another process was faster, again.
    fn write(&self, key: &Key, value: Option<&Secret>) -> Result<(), HostStoreError> {
        let space = space();
        let mut tries = 0_u32;
        loop {
            let found = self.store.spaces(Some(&space))?.into_iter().next();
            let expected = found.map_or_else(Default::default, |(_, revision)| revision);
            let change = match value {
                Some(value) => Write::Put(key.clone(), value),
                None => Write::Delete(key.clone()),
            };
            match self.store.apply(&[Section { space: space.clone(), expected, writes: vec![change] }]) {
                Ok(_) => return Ok(()),
                Err(StoreError::Conflict { .. }) if tries < TRIES => tries = tries.saturating_add(1),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl HostStore for SealedHostStore {
    fn save_crdt(&self, kind: &str, id: &[u8], value: &[u8]) -> Result<bool, HostStoreError> {
        check(id, value)?;
        match kind {
            GROUP => {
                let (key, value) = (key(id), Secret::copy_from(value));
                let same = self.store.get(&space(), &key)?.is_some_and(|known| known.as_slice() == value.as_slice());
                if !same {
                    self.write(&key, Some(&value))?;
                }
                Ok(!same)
            }
            DISCOVERY => {
                let record = GroupPublicInfo::from_bytes(value)?;
                if record.group_id() != id {
                    return Err(HostStoreError::WrongId);
                }
                Ok(self.directory.publish(record)?)
            }
            _ => Err(HostStoreError::UnknownKind),
        }
    }

    fn load_crdt(&self, kind: &str, id: &[u8]) -> Result<Option<Vec<u8>>, HostStoreError> {
        match kind {
            GROUP => Ok(self.store.get(&space(), &key(id))?.map(|value| value.as_slice().to_vec())),
            DISCOVERY => Ok(self.directory.get(id)?.map(|record| record.to_bytes()).transpose()?),
            _ => Err(HostStoreError::UnknownKind),
        }
    }

    fn delete(&self, kind: &str, id: &[u8]) -> Result<(), HostStoreError> {
        match kind {
            GROUP => self.write(&key(id), None),
            _ => Err(HostStoreError::UnknownKind),
        }
    }
}

fn space() -> Space {
    Space::Application(b"spacepanda host".to_vec())
}

fn key(id: &[u8]) -> Key {
    Key { class: 1, epoch: 0, id: id.to_vec() }
}

const TRIES: u32 = 100;
