//! Trust on first use that outlives the process.
//!
//! In: a store. Out: yes, or a reason.
//! Always: who was seen first, in whichever process, is who is believed; what was seen in a step is durable with or before it.

use core::fmt;
use std::{
    collections::{BTreeSet, VecDeque},
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
/// The record of a key that people have compared; that of others is empty.
const VERIFIED: &[u8] = b"1";
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

/// What is known of an identity with a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PinState {
    /// The identity was never seen.
    Unknown,
    /// It was seen with this key, and nobody has compared it.
    Unverified,
    /// People have compared this key.
    Verified,
    /// The identity is known with other keys, and not with this one: a new device that nobody vouched for, or an impostor.
    Changed,
}

/// Something to tell the user.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum TrustEvent {
    /// An identity was seen for the first time, and is believed: compare safety numbers where it matters.
    FirstUse {
        /// Who.
        identity: Vec<u8>,
        /// With which key.
        key: Vec<u8>,
    },
    /// An identity was shown with another key than it is known with, and refused.
    KeyChanged {
        /// Who.
        identity: Vec<u8>,
        /// The key that was shown.
        key: Vec<u8>,
        /// Whether people had compared a key of this identity before.
        was_verified: bool,
    },
}

/// Events that wait to be taken, at most; of more the oldest are dropped.
const EVENTS_MAX: usize = 1_000;

/// What is known here.
#[derive(Default)]
struct Pins {
    revision: Revision,
    stored: BTreeSet<Pin>,
    /// Those of them that people have compared.
    verified: BTreeSet<Pin>,
    /// Seen, and not stored yet.
    new: BTreeSet<Pin>,
    events: VecDeque<TrustEvent>,
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
        let pin = (identity.to_vec(), signature_key.to_vec());
        let mut pins = self.lock();
        if pins.stored.contains(&pin) {
            return Ok(());
        }
        pins.new.insert(pin);
        self.write(&mut pins)
    }

    /// Notes that people have compared this key, by safety numbers or otherwise: it is believed from now on, and shown as
    /// verified. The other keys of the identity stay what they are.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{PinState, StoredTrustOnFirstUse, store::{MemoryStore, StoreError}};
    /// let policy = StoredTrustOnFirstUse::open(Arc::new(MemoryStore::new()))?;
    /// policy.pin(b"bob", &[7; 32])?;
    /// assert_eq!(policy.state(b"bob", &[7; 32]), PinState::Unverified);
    /// policy.verify(b"bob", &[7; 32])?;
    /// assert_eq!(policy.state(b"bob", &[7; 32]), PinState::Verified);
    /// # Ok::<(), StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn verify(&self, identity: &[u8], signature_key: &[u8]) -> Result<(), StoreError> {
        let pin = (identity.to_vec(), signature_key.to_vec());
        let mark = Secret::copy_from(VERIFIED);
        let mut pins = self.lock();
        self.apply(&mut pins, |_| vec![Write::Put(key(&pin), &mark)])?;
        pins.new.remove(&pin);
        pins.stored.insert(pin.clone());
        pins.verified.insert(pin);
        Ok(())
    }

    /// What is known of an identity with this key.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{PinState, StoredTrustOnFirstUse, store::{MemoryStore, StoreError}};
    /// let policy = StoredTrustOnFirstUse::open(Arc::new(MemoryStore::new()))?;
    /// assert_eq!(policy.state(b"bob", &[7; 32]), PinState::Unknown);
    /// policy.pin(b"bob", &[7; 32])?;
    /// assert_eq!(policy.state(b"bob", &[8; 32]), PinState::Changed);
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn state(&self, identity: &[u8], signature_key: &[u8]) -> PinState {
        let pin = (identity.to_vec(), signature_key.to_vec());
        let pins = self.lock();
        if pins.verified.contains(&pin) {
            PinState::Verified
        } else if pins.stored.contains(&pin) || pins.new.contains(&pin) {
            PinState::Unverified
        } else if pins.knows(identity) {
            PinState::Changed
        } else {
            PinState::Unknown
        }
    }

    /// What there is to tell the user since the last call: who was believed at first sight, and who came with another key.
    /// Events are not stored.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, StoredTrustOnFirstUse, TrustEvent, TrustOnFirstUse, store::MemoryStore};
    /// let policy = Arc::new(StoredTrustOnFirstUse::open(Arc::new(MemoryStore::new()))?);
    /// let alice = Client::new(b"alice", policy.clone())?;
    /// let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// alice.create_group(None)?.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// let seen = TrustEvent::FirstUse { identity: b"bob".to_vec(), key: bob.signature_key().to_vec() };
    /// assert_eq!(policy.take_events(), [seen]);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn take_events(&self) -> Vec<TrustEvent> {
        self.lock().events.drain(..).collect()
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
        pins.verified.remove(&pin);
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
                    let Pins { revision, stored, verified, .. } = Pins::read(self.store.as_ref())?;
                    (pins.revision, pins.stored, pins.verified) = (revision, stored, verified);
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
        let mut pins = Self { revision, ..Self::default() };
        for (key, record) in records {
            let pin = pin(&key.id)?;
            if record.as_slice() == VERIFIED {
                pins.verified.insert(pin.clone());
            }
            pins.stored.insert(pin);
        }
        Ok(pins)
    }

    fn knows(&self, identity: &[u8]) -> bool {
        keys(&self.stored, identity).chain(keys(&self.new, identity)).next().is_some()
    }

    /// Once for each pair that is seen in a row.
    fn tell(&mut self, event: TrustEvent) {
        if self.events.contains(&event) {
            return;
        }
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
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
        let pin = (claim.identity.to_vec(), claim.signature_key.to_vec());
        if pins.stored.contains(&pin) || pins.new.contains(&pin) {
            return Ok(());
        }
        let (identity, key) = pin.clone();
        if pins.knows(claim.identity) {
            let was_verified = keys(&pins.verified, claim.identity).next().is_some();
            pins.tell(TrustEvent::KeyChanged { identity, key, was_verified });
            return Err(reason::UNKNOWN_KEY);
        }
        pins.tell(TrustEvent::FirstUse { identity, key });
        pins.new.insert(pin);
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
