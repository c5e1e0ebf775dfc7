//! What unlocks a store.
//!
//! In: a passphrase, a key, or a key source. Out: nothing; the store asks.
//! Always: secrets are wiped with it.

use core::fmt;
use std::sync::Arc;

use mls_crypto::Secret;

use crate::{
    KdfParams, KeySource, StoreError,
    kdf::MIN_PASSPHRASE,
    place::StoreId,
    seal::{self, KEY_LEN},
};

/// What unlocks a store: something to derive a root key from, and where the keys of periods are.
pub struct Unlock {
    pub(crate) root: Root,
    pub(crate) params: KdfParams,
    /// Characters that a new passphrase needs.
    pub(crate) least: usize,
    /// `None`: the slots beside the database.
    pub(crate) source: Option<Arc<dyn KeySource>>,
}

/// Where the root key comes from.
pub(crate) enum Root {
    Passphrase(Secret),
    Raw(Secret),
    /// There is none: the key source protects the keys of periods by itself.
    Source,
}

impl Unlock {
    /// A passphrase. To make a store it needs 12 characters; they are used as they are, in UTF-8.
    ///
    /// ```
    /// # use mls_store::Unlock;
    /// let unlock = Unlock::passphrase("correct horse battery".to_owned());
    /// assert_eq!(format!("{unlock:?}"), "Unlock { root: Passphrase(..), source: None }");
    /// ```
    pub fn passphrase(passphrase: String) -> Self {
        Self::new(Root::Passphrase(Secret::new(passphrase.into_bytes())), None)
    }

    /// A key of 32 random bytes.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`] if it has another length.
    ///
    /// ```
    /// # use mls_store::{Secret, StoreError, Unlock};
    /// assert!(Unlock::raw_key(Secret::copy_from(&[7; 32])).is_ok());
    /// assert_eq!(Unlock::raw_key(Secret::copy_from(b"short")).unwrap_err(), StoreError::WrongKey);
    /// ```
    pub fn raw_key(key: Secret) -> Result<Self, StoreError> {
        if key.len() != KEY_LEN {
            return Err(StoreError::WrongKey);
        }
        Ok(Self::new(Root::Raw(key), None))
    }

    /// A keystore that protects its keys by itself; nothing else is needed.
    pub fn key_source(source: Arc<dyn KeySource>) -> Self {
        Self::new(Root::Source, Some(source))
    }

    /// Keeps the keys of periods in a keystore, sealed with the root key: both are needed to open the store.
    #[must_use]
    pub fn and_key_source(self, source: Arc<dyn KeySource>) -> Self {
        Self { source: Some(source), ..self }
    }

    /// How much work a passphrase shall cost, if the store is made now.
    #[must_use]
    pub fn kdf(self, params: KdfParams) -> Self {
        Self { params, ..self }
    }

    /// How many characters a new passphrase needs, instead of 12: for an application that has a rule of its own, as one that
    /// makes passphrases by dice. One needs a character at least.
    ///
    /// ```
    /// # use mls_store::Unlock;
    /// let unlock = Unlock::passphrase("4711 0815".to_owned()).passphrase_of_at_least(8);
    /// assert_eq!(format!("{unlock:?}"), "Unlock { root: Passphrase(..), source: None }");
    /// ```
    #[must_use]
    pub fn passphrase_of_at_least(self, characters: usize) -> Self {
        Self { least: characters, ..self }
    }

    fn new(root: Root, source: Option<Arc<dyn KeySource>>) -> Self {
        Self { root, params: KdfParams::DEFAULT, least: MIN_PASSPHRASE, source }
    }
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { root, params: _, least: _, source } = self;
        f.debug_struct("Unlock").field("root", root).field("source", source).finish()
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Passphrase(..)",
            Self::Raw(_) => "Raw(..)",
            Self::Source => "Source",
        })
    }
}

/// The keys of periods, as the store sees them.
pub(crate) struct Keyring {
    source: Arc<dyn KeySource>,
    store: StoreId,
    /// What seals them: new ones with the first. There are two while what unlocks the store changes; there is none if the
    /// source protects them.
    pub(crate) wraps: Vec<Secret>,
}

impl Keyring {
    pub(crate) fn new(source: Arc<dyn KeySource>, store: StoreId, wraps: Vec<Secret>) -> Self {
        Self { source, store, wraps }
    }

    /// The key of a period. A source that was past it already says that the store is an old copy.
    pub(crate) fn load(&self, period: u64) -> Result<Secret, StoreError> {
        let counter = self.source.counter()?;
        if counter > period {
            return Err(StoreError::RolledBack { found: period, expected: counter });
        }
        let entry = self.source.load(period)?.ok_or(StoreError::KeyLost { period })?;
        let key = if self.wraps.is_empty() {
            Some(entry)
        } else {
            let place = self.store.period(period);
            self.wraps.iter().find_map(|wrap| seal::open(wrap, &place, entry.as_slice()))
        };
        key.filter(|key| key.len() == KEY_LEN).ok_or(StoreError::KeyLost { period })
    }

    /// Whether there is something for this period, readable or not.
    pub(crate) fn has(&self, period: u64) -> Result<bool, StoreError> {
        Ok(self.source.load(period)?.is_some())
    }

    /// Keeps the key of the next period.
    pub(crate) fn store(&self, period: u64, key: &Secret) -> Result<(), StoreError> {
        match self.wraps.first() {
            Some(wrap) => {
                let entry = seal::seal(wrap, &self.store.period(period), key.as_slice())?;
                self.source.store(period, &Secret::new(entry))
            }
            None => self.source.store(period, key),
        }
    }

    pub(crate) fn retain(&self, period: u64) -> Result<(), StoreError> {
        self.source.retain(period)
    }

    pub(crate) fn destroy(&self) -> Result<(), StoreError> {
        self.source.destroy()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, store, wraps: _ } = self;
        f.debug_struct("Keyring").field("source", source).field("store", store).finish_non_exhaustive()
    }
}
