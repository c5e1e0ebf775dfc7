//! Signature keys by identity.
//!
//! In: a suite and an identity. Out: its key, made at the first call.
//! Always: whoever comes back under an identity has the same key. OpenMLS finds the leaf that an external commit
//! replaces by it, and mls-rs joins a subgroup with the parent's.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use interop::Answer;

/// The keys of one stack's clients.
pub(crate) struct Wallet<K>(Mutex<HashMap<(u16, Vec<u8>), K>>);

impl<K: Clone> Wallet<K> {
    /// The key of `identity` for `suite`, made by `make` if there is none yet.
    pub(crate) fn key(&self, suite: u16, identity: &[u8], make: impl FnOnce() -> Answer<K>) -> Answer<K> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (suite, identity.to_vec());
        if let Some(key) = keys.get(&place) {
            return Ok(key.clone());
        }
        let key = make()?;
        keys.insert(place, key.clone());
        Ok(key)
    }
}

impl<K> Default for Wallet<K> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K> fmt::Debug for Wallet<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wallet(..)")
    }
}
