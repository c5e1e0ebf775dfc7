//! Key packages: what others need to add us while we are away (RFC 9420, Section 10).
//!
//! In: nothing. Out: a package to publish; its private half stays in the store until it was used.
//! Always: a package is found by its reference, never "the first one"; DEL-11: it goes in the same batch as the join.

use mls_engine::{
    group::{KeyPackageParams, KeyPackageSecrets},
    message::{Extensions, Welcome},
};

use super::{Client, Inner};
use crate::core_mls::{
    error::{MlsError, MlsResult},
    records::{KEY_PACKAGE, key},
    store::{Key, Space, Write},
};

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
        self.inner.generate(false)
    }

    /// Makes a key package that may be used more than once, for when all others are taken. Replace it once it was used:
    /// whoever learns its keys later can read the Welcomes to all groups joined with it.
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
        self.inner.generate(true)
    }

    /// How many key packages were made and not used yet.
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

    /// Deletes key packages whose lifetime is over; returns how many.
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
        let now = self.inner.clock.now();
        let mut expired = Vec::new();
        for (key, record) in self.inner.store.scan(&Space::Client, KEY_PACKAGE, None)? {
            if is_over(&KeyPackageSecrets::decode(record.as_slice())?, now) {
                expired.push(key);
            }
        }
        let count = expired.len();
        if count > 0 {
            self.inner.write(expired.into_iter().map(Write::Delete).collect())?;
        }
        Ok(count)
    }
}

impl Inner {
    fn generate(&self, last_resort: bool) -> MlsResult<Vec<u8>> {
        let params = KeyPackageParams {
            cipher_suite: self.config.cipher_suite,
            credential: self.credential(),
            signature_key: &self.signature_key,
            capabilities: self.capabilities(),
            lifetime: self.lifetime(),
            leaf_extensions: Extensions::new(),
            extensions: Extensions::new(),
            last_resort,
        };
        let secrets = KeyPackageSecrets::generate(&self.env(), params)?;
        let reference = secrets.reference(self.crypto.as_ref())?;
        // X-STATE: the private half is durable before the package leaves.
        let record = secrets.encode()?;
        self.write(vec![Write::Put(key(KEY_PACKAGE, reference.as_slice()), &record)])?;
        Ok(secrets.message()?)
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
        if found.is_empty() { Err(MlsError::NotForUs) } else { Ok(found) }
    }
}

fn is_over(secrets: &KeyPackageSecrets, now: u64) -> bool {
    match secrets.key_package().leaf_node.source {
        mls_engine::message::LeafNodeSource::KeyPackage(lifetime) => lifetime.not_after < now,
        _ => false,
    }
}
