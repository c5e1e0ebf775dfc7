//! A store in memory, which is forgotten when it ends.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mls_crypto::Secret;
use mls_discovery::{DirectoryCrypto, GroupPublicInfo, Records, Trust};

use super::{DISCOVERY, GROUP, HostStore, HostStoreError, check};

/// Everything in memory.
#[derive(Debug)]
pub struct MemoryHostStore(Mutex<State>);

#[derive(Debug)]
struct State {
    groups: BTreeMap<Vec<u8>, Secret>,
    records: Records,
}

impl MemoryHostStore {
    /// Empty; of records it believes whom `trust` names.
    pub fn new(crypto: DirectoryCrypto, trust: Trust) -> Self {
        Self(Mutex::new(State { groups: BTreeMap::new(), records: Records::new(crypto, trust) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HostStore for MemoryHostStore {
    fn save_crdt(&self, kind: &str, id: &[u8], value: &[u8]) -> Result<bool, HostStoreError> {
        check(id, value)?;
        match kind {
            GROUP => {
                let before = self.state().groups.insert(id.to_vec(), Secret::copy_from(value));
                Ok(before.is_none_or(|before| before.as_slice() != value))
            }
            DISCOVERY => {
                let record = GroupPublicInfo::from_bytes(value)?;
                if record.group_id() != id {
                    return Err(HostStoreError::WrongId);
                }
                Ok(self.state().records.insert(record)?)
            }
            _ => Err(HostStoreError::UnknownKind),
        }
    }

    fn load_crdt(&self, kind: &str, id: &[u8]) -> Result<Option<Vec<u8>>, HostStoreError> {
        let state = self.state();
        match kind {
            GROUP => Ok(state.groups.get(id).map(|value| value.as_slice().to_vec())),
            DISCOVERY => Ok(state.records.get(id).map(GroupPublicInfo::to_bytes).transpose()?),
            _ => Err(HostStoreError::UnknownKind),
        }
    }

    fn delete(&self, kind: &str, id: &[u8]) -> Result<(), HostStoreError> {
        match kind {
            GROUP => {
                self.state().groups.remove(id);
                Ok(())
            }
            _ => Err(HostStoreError::UnknownKind),
        }
    }
}
