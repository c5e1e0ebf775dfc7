//! Key packages: what others need to add us while we are away (RFC 9420, Section 10).
//!
//! In: how many are left where they are published. Out: packages to publish; their private halves stay in the store until
//! they were used.
//! Always: a package is found by its reference, never "the first one"; its private half goes in the batch of the join that
//! used it (DEL-11), or after its lifetime; what went is remembered, so that a late Welcome gets a reason.

use mls_crypto::{CipherSuite, Hash, Secret};
use mls_engine::{
    group::{KeyPackageParams, KeyPackageSecrets},
    message::{Extensions, LeafNodeSource, Welcome},
};

use super::{Client, Inner};
use crate::core_mls::{
    error::{MlsError, MlsResult},
    records::{KEY_PACKAGE, LAST_RESORT_USED, SPENT_KEY_PACKAGE, decode_numbers, encode_numbers, key},
    store::{Key, Space},
    times::Notes,
};

/// Key packages that were used or ran out, remembered for late Welcomes, at most.
const MAX_REMEMBERED: usize = 4_096;
/// Unused key packages that are kept, at most, in multiples of the target: others may have claimed some of them.
const MAX_UNUSED: usize = 4;

/// The client's own key packages, at a glance.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeyPackagePool {
    /// Packages for one use that were made, were not used and can still be: published ones, and those that somebody claimed
    /// without a Welcome so far.
    pub unused: usize,
    /// Whether there is a package of last resort that was not used.
    pub last_resort: bool,
    /// When the first of these runs out, in seconds since 1970.
    pub next_expiry: Option<u64>,
    /// Whether [`Client::replenish_key_packages`] would make some.
    pub is_low: bool,
}

/// What to publish.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct NewKeyPackages {
    /// Packages for one use each, encoded as MLSMessage.
    pub key_packages: Vec<Vec<u8>>,
    /// A package of last resort in place of the one that is published, if any.
    pub last_resort: Option<Vec<u8>>,
    /// How many old ones were deleted.
    pub deleted: usize,
}

/// Why a key package is gone.
#[derive(Clone, Copy)]
enum Gone {
    Used,
    Expired,
}

/// A package of ours, as stored.
struct Stored {
    key: Key,
    not_after: u64,
    last_resort: bool,
    /// A package of last resort that was used, and when.
    used_at: Option<u64>,
}

impl Client {
    /// Makes a key package for one use: an encoded MLSMessage to hand to who invites us.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_ne!(bob.generate_key_package()?, bob.generate_key_package()?);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::CryptoError`] if randomness fails, [`MlsError::Store`].
    pub fn generate_key_package(&self) -> MlsResult<Vec<u8>> {
        self.inner.generate_one(false)
    }

    /// Makes a key package that may be used more than once, for when all others are taken. Replace it once it was used, as
    /// [`Client::replenish_key_packages`] does: whoever learns its keys later can read the Welcomes to all groups joined with
    /// it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// let last_resort = bob.generate_last_resort_key_package()?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Client::generate_key_package`].
    pub fn generate_last_resort_key_package(&self) -> MlsResult<Vec<u8>> {
        self.inner.generate_one(true)
    }

    /// Keeps enough key packages published. If there are [`crate::core_mls::MlsConfig::key_package_low_water`] or fewer, makes
    /// as many as are missing to [`crate::core_mls::MlsConfig::key_package_target`]; makes one of last resort if there is none,
    /// or it was used, or will run out within a quarter of its life; deletes those whose time is over for as long as
    /// [`crate::core_mls::MlsConfig::key_package_grace`] says. All in one batch. Call it when the client starts, after each
    /// join, and once a day, and publish what it returns; what was not published is never asked for and runs out.
    ///
    /// `published` is how many the delivery service still has, if it says so: some may have been claimed by people who never
    /// sent a Welcome. Without it those that were not used count.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// let new = bob.replenish_key_packages(None)?;
    /// assert_eq!((new.key_packages.len(), new.last_resort.is_some()), (100, true));
    /// // Enough for now.
    /// let new = bob.replenish_key_packages(None)?;
    /// assert_eq!((new.key_packages.len(), new.last_resort), (0, None));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::CryptoError`] if randomness fails, [`MlsError::Store`], [`MlsError::InvalidRecord`].
    pub fn replenish_key_packages(&self, published: Option<usize>) -> MlsResult<NewKeyPackages> {
        let inner = &self.inner;
        let (stored, now) = (inner.stored_key_packages()?, inner.clock.now());
        let mut notes = Notes::default();
        let deleted = inner.bury(&stored, now, &mut notes)?;
        let mut new = NewKeyPackages { deleted, ..NewKeyPackages::default() };
        let unused = stored.iter().filter(|package| package.is_unused(now) && !package.last_resort).count();
        for _ in 0..inner.missing(unused, published) {
            new.key_packages.push(inner.generate(false, &mut notes)?);
        }
        if inner.needs_last_resort(&stored, now) {
            new.last_resort = Some(inner.generate(true, &mut notes)?);
        }
        if !notes.is_empty() {
            inner.write(notes.writes())?;
        }
        Ok(new)
    }

    /// What there is.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(bob.key_package_pool()?.is_low);
    /// bob.replenish_key_packages(None)?;
    /// assert!(!bob.key_package_pool()?.is_low);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`], [`MlsError::InvalidRecord`].
    pub fn key_package_pool(&self) -> MlsResult<KeyPackagePool> {
        let inner = &self.inner;
        let (stored, now) = (inner.stored_key_packages()?, inner.clock.now());
        let usable: Vec<_> = stored.iter().filter(|package| package.is_unused(now)).collect();
        let unused = usable.iter().filter(|package| !package.last_resort).count();
        Ok(KeyPackagePool {
            unused,
            last_resort: unused < usable.len(),
            next_expiry: usable.iter().map(|package| package.not_after).min(),
            is_low: inner.missing(unused, None) > 0 || inner.needs_last_resort(&stored, now),
        })
    }

    /// How many key packages were made and not used yet, of any kind and age.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// bob.generate_key_package()?;
    /// assert_eq!(bob.key_package_count()?, 1);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`].
    pub fn key_package_count(&self) -> MlsResult<usize> {
        Ok(self.inner.store.scan(&Space::Client, KEY_PACKAGE, None)?.len())
    }

    /// Deletes key packages whose lifetime and grace are over; returns how many. [`Client::replenish_key_packages`] does this
    /// too.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// bob.generate_key_package()?;
    /// assert_eq!(bob.delete_expired_key_packages()?, 0);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`], [`MlsError::InvalidRecord`].
    pub fn delete_expired_key_packages(&self) -> MlsResult<usize> {
        let mut notes = Notes::default();
        let deleted = self.inner.bury(&self.inner.stored_key_packages()?, self.inner.clock.now(), &mut notes)?;
        if !notes.is_empty() {
            self.inner.write(notes.writes())?;
        }
        Ok(deleted)
    }
}

impl Gone {
    /// As stored.
    const fn number(self) -> u64 {
        match self {
            Self::Used => 1,
            Self::Expired => 2,
        }
    }
}

impl Stored {
    /// Whether somebody may still claim and use it.
    fn is_unused(&self, now: u64) -> bool {
        self.not_after >= now && self.used_at.is_none()
    }
}

impl Inner {
    fn generate_one(&self, last_resort: bool) -> MlsResult<Vec<u8>> {
        let mut notes = Notes::default();
        let message = self.generate(last_resort, &mut notes)?;
        // X-STATE: the private half is durable before the package leaves.
        self.write(notes.writes())?;
        Ok(message)
    }

    /// Of another suite than configured, for one use.
    pub(super) fn generate_one_for(&self, cipher_suite: CipherSuite) -> MlsResult<Vec<u8>> {
        let mut notes = Notes::default();
        let message = self.generate_for(cipher_suite, false, &mut notes)?;
        self.write(notes.writes())?;
        Ok(message)
    }

    fn generate(&self, last_resort: bool, notes: &mut Notes) -> MlsResult<Vec<u8>> {
        self.generate_for(self.config.cipher_suite, last_resort, notes)
    }

    fn generate_for(&self, cipher_suite: CipherSuite, last_resort: bool, notes: &mut Notes) -> MlsResult<Vec<u8>> {
        let own = self.own.current();
        let params = KeyPackageParams {
            cipher_suite,
            credential: self.credential(),
            signature_key: &own.private,
            capabilities: self.capabilities(),
            lifetime: self.lifetime(),
            leaf_extensions: own.leaf_extensions()?,
            extensions: Extensions::new(),
            last_resort,
        };
        let secrets = KeyPackageSecrets::generate(&self.env(), params)?;
        let reference = secrets.reference(self.crypto.as_ref())?;
        notes.put(key(KEY_PACKAGE, reference.as_slice()), secrets.encode()?);
        Ok(secrets.message()?)
    }

    /// How many to make.
    fn missing(&self, unused: usize, published: Option<usize>) -> usize {
        let (target, available) = (self.config.key_package_target, published.unwrap_or(unused));
        let wanted = if available <= self.config.key_package_low_water { target.saturating_sub(available) } else { 0 };
        // Nobody can make us keep more than this by claiming them all.
        wanted.min(target.saturating_mul(MAX_UNUSED).saturating_sub(unused))
    }

    /// Whether the package of last resort is to be replaced.
    fn needs_last_resort(&self, stored: &[Stored], now: u64) -> bool {
        let soon = now.saturating_add(self.config.key_package_lifetime / 4);
        let is_good = |package: &&Stored| package.last_resort && package.used_at.is_none() && package.not_after > soon;
        self.config.key_package_target > 0 && stored.iter().find(is_good).is_none()
    }

    fn stored_key_packages(&self) -> MlsResult<Vec<Stored>> {
        let mut stored = Vec::new();
        for (key, record) in self.store.scan(&Space::Client, KEY_PACKAGE, None)? {
            let secrets = KeyPackageSecrets::decode(record.as_slice())?;
            let not_after = match secrets.key_package().leaf_node.source {
                LeafNodeSource::KeyPackage(lifetime) => lifetime.not_after,
                _ => u64::MAX,
            };
            let last_resort = secrets.is_last_resort();
            let used_at = match self.store.get(&Space::Client, &used_key(&key))? {
                Some(record) if last_resort => Some(decode_time(&record)?),
                _ => None,
            };
            stored.push(Stored { key, not_after, last_resort, used_at });
        }
        Ok(stored)
    }

    /// Notes that those whose time is over are deleted, and forgets the oldest that went before; returns how many.
    fn bury(&self, stored: &[Stored], now: u64, notes: &mut Notes) -> MlsResult<usize> {
        let grace = self.config.key_package_grace;
        let mut deleted = 0_usize;
        for package in stored {
            let (since, why) = match package.used_at {
                // Others may have used it at the same time.
                Some(used_at) => (used_at, Gone::Used),
                None => (package.not_after, Gone::Expired),
            };
            if since.saturating_add(grace) < now {
                deleted = deleted.saturating_add(1);
                self.note_gone(&package.key, why, notes);
                if package.used_at.is_some() {
                    notes.delete(used_key(&package.key));
                }
            }
        }
        let mut gone = Vec::new();
        for (key, record) in self.store.scan(&Space::Client, SPENT_KEY_PACKAGE, None)? {
            let [_, at] = decode_numbers(&record)?;
            gone.push((at, key));
        }
        gone.sort();
        let excess = gone.len().saturating_add(deleted).saturating_sub(MAX_REMEMBERED);
        gone.into_iter().take(excess).for_each(|(_, key)| notes.delete(key));
        Ok(deleted)
    }

    /// Notes that packages made with another signature key than this one are deleted.
    pub(super) fn bury_packages_of_others(&self, public: &[u8], notes: &mut Notes) -> MlsResult<()> {
        for (key, record) in self.store.scan(&Space::Client, KEY_PACKAGE, None)? {
            let secrets = KeyPackageSecrets::decode(record.as_slice())?;
            if secrets.key_package().leaf_node.signature_key.as_slice() != public {
                self.note_gone(&key, Gone::Expired, notes);
                notes.delete(used_key(&key));
            }
        }
        Ok(())
    }

    fn note_gone(&self, package: &Key, why: Gone, notes: &mut Notes) {
        notes.delete(package.clone());
        notes.put(key(SPENT_KEY_PACKAGE, &package.id), encode_numbers(&[why.number(), self.clock.now()]));
    }

    /// WEL-01: the key packages of ours that a Welcome names.
    pub(super) fn key_packages_for(&self, welcome: &Welcome) -> MlsResult<Vec<(Key, KeyPackageSecrets)>> {
        let mut found = Vec::new();
        for entry in &welcome.secrets {
            let key = key(KEY_PACKAGE, entry.new_member.as_slice());
            if let Some(record) = self.store.get(&Space::Client, &key)? {
                found.push((key, KeyPackageSecrets::decode(record.as_slice())?));
            }
        }
        if found.is_empty() { Err(self.why_not(welcome)?) } else { Ok(found) }
    }

    /// Why none of our key packages fits a Welcome.
    fn why_not(&self, welcome: &Welcome) -> MlsResult<MlsError> {
        for entry in &welcome.secrets {
            let record = self.store.get(&Space::Client, &key(SPENT_KEY_PACKAGE, entry.new_member.as_slice()))?;
            if let Some(record) = record {
                let [why, _] = decode_numbers(&record)?;
                return Ok(if why == Gone::Expired.number() {
                    MlsError::KeyPackageExpired
                } else {
                    MlsError::KeyPackageUsed
                });
            }
        }
        Ok(MlsError::NotForUs)
    }

    /// What is to be noted in the batch of the join that uses a package. Asked again whenever another process was faster: it
    /// may have used the package for another group.
    pub(super) fn spend(&self, package: &UsedKeyPackage) -> MlsResult<Notes> {
        let stored = key(KEY_PACKAGE, package.reference.as_slice());
        let mut notes = Notes::default();
        if self.store.get(&Space::Client, &stored)?.is_none() {
            return Err(MlsError::KeyPackageUsed);
        }
        if package.last_resort {
            notes.put(used_key(&stored), encode_numbers(&[self.clock.now()]));
        } else {
            self.note_gone(&stored, Gone::Used, &mut notes);
        }
        Ok(notes)
    }
}

/// A key package that a join uses.
pub(super) struct UsedKeyPackage {
    pub(super) reference: Hash,
    pub(super) last_resort: bool,
}

fn decode_time(record: &Secret) -> MlsResult<u64> {
    let [at] = decode_numbers(record)?;
    Ok(at)
}

fn used_key(package: &Key) -> Key {
    key(LAST_RESORT_USED, &package.id)
}
