//! Lists of revoked devices that outlive the process.
//!
//! In: a store, and lists as they come. Out: a policy that knows those of before.
//! Always: a list is durable before it counts; what was revoked once stays revoked, in whichever process it was heard of.

use core::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use mls_crypto::Secret;

use super::{CertifiedDevices, IdentityError, RevocationList};
use crate::core_mls::{
    MlsError, MlsResult,
    records::ROW,
    store::{Key, Revision, Section, Space, StateStore, StoreError, Write},
};

/// Where lists are, beside the groups: an application keeps out of this space.
const SPACE: &[u8] = b"spacepanda revocations";
/// How often another process may be faster in a row.
const ATTEMPTS: u32 = 100;

/// Keeps the lists of revoked devices of a [`CertifiedDevices`] in a store. Give it the store that the client has: then a backup
/// holds them too.
pub struct StoredRevocations {
    store: Arc<dyn StateStore>,
    devices: Arc<CertifiedDevices>,
    /// As far as the store was read.
    revision: Mutex<Revision>,
}

impl StoredRevocations {
    /// Hands the lists that are stored to `devices`.
    ///
    /// ```
    /// # use std::{collections::BTreeSet, sync::Arc};
    /// # use spacepanda_core::core_mls::{AwsLc, MlsError, OsRandom, StoredTrustOnFirstUse, store::MemoryStore};
    /// use spacepanda_core::core_mls::policy::{CertifiedDevices, IdentityCrypto, RevocationList, StoredRevocations};
    ///
    /// let (store, crypto) = (Arc::new(MemoryStore::new()), IdentityCrypto::new(&AwsLc::default())?);
    /// let open = || {
    ///     let masters = Arc::new(StoredTrustOnFirstUse::open(store.clone())?);
    ///     let devices = Arc::new(CertifiedDevices::new(crypto.clone(), masters));
    ///     Ok::<_, MlsError>((StoredRevocations::open(store.clone(), devices.clone())?, devices))
    /// };
    /// let (master, _) = crypto.generate_master_key(&OsRandom)?;
    /// let list = RevocationList::issue(&crypto.master_signer(master)?, b"bob", 1, &BTreeSet::from([7]))?.to_bytes()?;
    /// let (stored, _) = open()?;
    /// stored.revoke(&list)?;
    ///
    /// // After a restart it is there again.
    /// let (_, devices) = open()?;
    /// assert_eq!(devices.revocation_lists(), [list]);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::Damaged`] if a record is no list.
    pub fn open(store: Arc<dyn StateStore>, devices: Arc<CertifiedDevices>) -> Result<Self, StoreError> {
        let revision = read(store.as_ref(), &devices)?;
        Ok(Self { store, devices, revision: revision.into() })
    }

    /// Makes a list durable, and then hands it to the policy: from now on the devices on it are refused.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{AwsLc, MlsError, TrustOnFirstUse, store::MemoryStore};
    /// # use spacepanda_core::core_mls::policy::{CertifiedDevices, IdentityCrypto, IdentityError, StoredRevocations};
    /// # let crypto = IdentityCrypto::new(&AwsLc::default())?;
    /// # let devices = Arc::new(CertifiedDevices::new(crypto, Arc::new(TrustOnFirstUse::new())));
    /// let stored = StoredRevocations::open(Arc::new(MemoryStore::new()), devices)?;
    /// assert_eq!(stored.revoke(b"no list"), Err(MlsError::Identity(IdentityError::Malformed)));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Identity`] as [`CertifiedDevices::revoke`], also if another process has stored a newer one meanwhile;
    /// [`MlsError::Store`]. The list counts nowhere then.
    pub fn revoke(&self, list: &[u8]) -> MlsResult<()> {
        let mut revision = self.revision.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..ATTEMPTS {
            let checked = self.devices.check_revocation(list)?;
            let record = Secret::copy_from(list);
            let writes = vec![Write::Put(key(&checked), &record)];
            match self.store.apply(&[Section { space: space(), expected: *revision, writes }]) {
                Ok(next) => {
                    *revision = next;
                    return Ok(self.devices.revoke(list)?);
                }
                Err(StoreError::Conflict { .. }) => *revision = read(self.store.as_ref(), &self.devices)?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(MlsError::Store(StoreError::TimedOut))
    }
}

/// Hands what is stored to the policy, which knows some of it.
fn read(store: &dyn StateStore, devices: &CertifiedDevices) -> Result<Revision, StoreError> {
    let revision = store.spaces(Some(&space()))?.first().map_or(Revision::NONE, |(_, revision)| *revision);
    for (_, list) in store.scan(&space(), ROW, None)? {
        match devices.revoke(list.as_slice()) {
            Ok(()) | Err(IdentityError::Stale) => {}
            Err(_) => return Err(StoreError::Damaged),
        }
    }
    Ok(revision)
}

fn space() -> Space {
    Space::Application(SPACE.to_vec())
}

/// `length u32 ‖ user ‖ master key`
fn key(list: &RevocationList) -> Key {
    let len = u32::try_from(list.user().len()).unwrap_or(u32::MAX);
    Key { class: ROW, epoch: 0, id: [&len.to_be_bytes(), list.user(), list.master_key()].concat() }
}

impl fmt::Debug for StoredRevocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRevocations").field("devices", &self.devices).finish_non_exhaustive()
    }
}
