//! Trust on first use that outlives the process.
//!
//! In: a store. Out: yes, or a reason.
//! Always: who was seen first, in whichever process, is who is believed; what was seen in a step is durable with or before it.

use core::fmt;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mls_crypto::Secret;

use super::{IdentityClaim, IdentityPolicy, reason};
use crate::core_mls::{
    records::ROW,
    store::{Key, Revision, Section, Space, StateStore, StoreError, Write},
};

/// Where pins are, beside the groups: an application keeps out of this space.
const SPACE: &[u8] = b"spacepanda identities";
const PIN: u8 = ROW;
/// How often another process may be faster in a row.
const ATTEMPTS: u32 = 100;

/// Believes the first key an identity is seen with, and from then on no other, also after a restart and in every process
/// that shares the store. Give it the store that the client has: then a backup holds it too.
///
/// Whoever is first is believed, an impostor too: compare keys by other means where that matters.
pub struct StoredTrustOnFirstUse {
    store: Arc<dyn StateStore>,
    pins: Mutex<Pins>,
}

/// Identity and key.
type Pin = (Vec<u8>, Vec<u8>);

/// What is known here.
#[derive(Default)]
struct Pins {
    revision: Revision,
    stored: BTreeSet<Pin>,
    /// Seen, and not stored yet.
    new: BTreeSet<Pin>,
}

impl StoredTrustOnFirstUse {
    /// As stored.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use spacepanda_core::core_mls::{Client, MlsError, StoredTrustOnFirstUse, policy::reason, store::MemoryStore};
    ///
    /// let store = Arc::new(MemoryStore::new());
    /// let open = || Ok::<_, MlsError>(Arc::new(StoredTrustOnFirstUse::open(store.clone())?));
    /// let alice = Client::builder(b"alice", open()?).store(store.clone()).open()?;
    /// let bob = Client::new(b"bob", open()?)?;
    /// let group = alice.create_group(None)?;
    /// group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// drop((group, alice));
    ///
    /// // Somebody else says to be Bob.
    /// let alice = Client::builder(b"alice", open()?).store(store.clone()).open()?;
    /// let group = alice.group(&alice.groups()?[0])?;
    /// let mallory = Client::new(b"bob", Arc::new(spacepanda_core::core_mls::TrustOnFirstUse::new()))?;
    /// let refused = group.propose_add(&mallory.generate_key_package()?, b"bob");
    /// assert_eq!(refused, Err(MlsError::Unauthorized { reason: reason::UNKNOWN_KEY }));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Damaged`] if a record is no pin.
    pub fn open(store: Arc<dyn StateStore>) -> Result<Self, StoreError> {
        let pins = Pins::read(store.as_ref())?;
        Ok(Self { store, pins: Mutex::new(pins) })
    }

    /// Lets `identity` use this key beside those it may use already: a second device, or a key that was compared.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{StoredTrustOnFirstUse, store::{MemoryStore, StoreError}};
    /// let policy = StoredTrustOnFirstUse::open(Arc::new(MemoryStore::new()))?;
    /// policy.pin(b"bob", &[7; 32])?;
    /// assert_eq!(policy.pins(), [(b"bob".to_vec(), vec![7; 32])]);
    /// # Ok::<(), StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn pin(&self, identity: &[u8], signature_key: &[u8]) -> Result<(), StoreError> {
        let mut pins = self.lock();
        pins.new.insert((identity.to_vec(), signature_key.to_vec()));
        self.write(&mut pins)
    }

    /// Takes a key back; groups it is in already keep it until somebody removes the member.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{StoredTrustOnFirstUse, store::{MemoryStore, StoreError}};
    /// # let policy = StoredTrustOnFirstUse::open(Arc::new(MemoryStore::new()))?;
    /// policy.pin(b"bob", &[7; 32])?;
    /// policy.unpin(b"bob", &[7; 32])?;
    /// assert!(policy.pins().is_empty());
    /// # Ok::<(), StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unpin(&self, identity: &[u8], signature_key: &[u8]) -> Result<(), StoreError> {
        let pin = (identity.to_vec(), signature_key.to_vec());
        let mut pins = self.lock();
        pins.new.remove(&pin);
        self.apply(&mut pins, |_| vec![Write::Delete(key(&pin))])?;
        pins.stored.remove(&pin);
        Ok(())
    }

    /// Every identity with every key it may use, in order.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{StoredTrustOnFirstUse, store::{MemoryStore, StoreError}};
    /// assert!(StoredTrustOnFirstUse::open(Arc::new(MemoryStore::new()))?.pins().is_empty());
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn pins(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let pins = self.lock();
        pins.stored.union(&pins.new).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Pins> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores what is new.
    fn write(&self, pins: &mut Pins) -> Result<(), StoreError> {
        if pins.new.is_empty() {
            return Ok(());
        }
        let nothing = Secret::zero(0);
        self.apply(pins, |pins| pins.new.iter().map(|pin| Write::Put(key(pin), &nothing)).collect())?;
        let mut new = core::mem::take(&mut pins.new);
        pins.stored.append(&mut new);
        Ok(())
    }

    /// One batch; again, if another process was faster, with what it has seen.
    fn apply<'a>(&self, pins: &mut Pins, writes: impl Fn(&Pins) -> Vec<Write<'a>>) -> Result<(), StoreError> {
        for _ in 0..ATTEMPTS {
            let section = Section { space: space(), expected: pins.revision, writes: writes(pins) };
            match self.store.apply(&[section]) {
                Ok(revision) => {
                    pins.revision = revision;
                    return Ok(());
                }
                Err(StoreError::Conflict { .. }) => {
                    let Pins { revision, stored, .. } = Pins::read(self.store.as_ref())?;
                    (pins.revision, pins.stored) = (revision, stored);
                    pins.yield_to_others();
                }
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::TimedOut)
    }
}

impl Pins {
    fn read(store: &dyn StateStore) -> Result<Self, StoreError> {
        let revision = store.spaces(Some(&space()))?.first().map_or(Revision::NONE, |(_, revision)| *revision);
        let records = store.scan(&space(), PIN, None)?;
        let stored = records.iter().map(|(key, _)| pin(&key.id)).collect::<Result<_, _>>()?;
        Ok(Self { revision, stored, new: BTreeSet::new() })
    }

    /// Of an identity that another process has seen meanwhile, ours was not the first key.
    fn yield_to_others(&mut self) {
        let Self { stored, new, .. } = self;
        new.retain(|(identity, _)| keys(stored, identity).next().is_none());
    }
}

/// The keys of an identity.
fn keys<'a>(pins: &'a BTreeSet<Pin>, identity: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let first = (identity.to_vec(), Vec::new());
    pins.range(first..).take_while(move |(of, _)| of == identity).map(|(_, key)| key.as_slice())
}

fn space() -> Space {
    Space::Application(SPACE.to_vec())
}

/// `length u32 ‖ identity ‖ key`
fn key((identity, key): &Pin) -> Key {
    let len = u32::try_from(identity.len()).unwrap_or(u32::MAX);
    Key { class: PIN, epoch: 0, id: [&len.to_be_bytes(), &identity[..], &key[..]].concat() }
}

fn pin(id: &[u8]) -> Result<Pin, StoreError> {
    let (len, rest) = id.split_first_chunk::<4>().ok_or(StoreError::Damaged)?;
    let len = usize::try_from(u32::from_be_bytes(*len)).map_err(|_| StoreError::Damaged)?;
    let (identity, key) = rest.split_at_checked(len).ok_or(StoreError::Damaged)?;
    Ok((identity.to_vec(), key.to_vec()))
}

impl fmt::Debug for StoredTrustOnFirstUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredTrustOnFirstUse").field("pins", &self.lock().stored.len()).finish_non_exhaustive()
    }
}

impl IdentityPolicy for StoredTrustOnFirstUse {
    fn validate(&self, claim: &IdentityClaim<'_>) -> Result<(), u16> {
        let mut pins = self.lock();
        let known: BTreeSet<_> = keys(&pins.stored, claim.identity).chain(keys(&pins.new, claim.identity)).collect();
        if known.contains(claim.signature_key) {
            return Ok(());
        }
        if !known.is_empty() {
            return Err(reason::UNKNOWN_KEY);
        }
        pins.new.insert((claim.identity.to_vec(), claim.signature_key.to_vec()));
        Ok(())
    }

    fn settle(&self) -> Result<(), u16> {
        let mut pins = self.lock();
        let seen = pins.new.clone();
        self.write(&mut pins).map_err(|_| reason::NOT_REMEMBERED)?;
        // Another process was faster, with another key.
        if seen.is_subset(&pins.stored) { Ok(()) } else { Err(reason::UNKNOWN_KEY) }
    }
}
