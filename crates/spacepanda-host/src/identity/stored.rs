//! An identity that remembers: people by their master keys, or by the keys of devices that nobody certified.
//!
//! In: a store. Out: a policy.
//! Always: one key of a name is believed, the first or one that people have compared: a master key, with all devices it certifies
//! and has not revoked, or a device's own. Who is known by a master key is not believed without a certificate of it.

use std::sync::Arc;

use mls_identity::{CertifiedDevices, DeviceCertificate, IdentityClaim, IdentityCrypto, IdentityPolicy};
use spacepanda_core::core_mls::{
    MlsResult, StoredTrustOnFirstUse,
    policy::StoredRevocations,
    store::{StateStore, StoreError},
};

use super::Identity;

/// Believes the first key of each name, master key or device's, in a store: it outlives the process.
#[derive(Debug)]
pub struct StoredIdentity {
    own: Vec<u8>,
    believed: Arc<Believed>,
    revocations: StoredRevocations,
}

/// Asks those who know.
#[derive(Debug)]
struct Believed {
    crypto: IdentityCrypto,
    seen: Arc<StoredTrustOnFirstUse>,
    devices: Arc<CertifiedDevices>,
}

impl StoredIdentity {
    /// With what was seen, and what was revoked, before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(own: &[u8], store: Arc<dyn StateStore>, crypto: IdentityCrypto) -> Result<Self, StoreError> {
        let seen = Arc::new(StoredTrustOnFirstUse::open(store.clone())?);
        let devices = Arc::new(CertifiedDevices::new(crypto.clone(), seen.clone()));
        let revocations = StoredRevocations::open(store, devices.clone())?;
        Ok(Self { own: own.to_vec(), believed: Arc::new(Believed { crypto, seen, devices }), revocations })
    }

    /// Takes somebody's list of revoked devices: it is durable, and counts from now on.
    ///
    /// # Errors
    /// As [`StoredRevocations::revoke`].
    pub fn revoke(&self, list: &[u8]) -> MlsResult<()> {
        self.revocations.revoke(list)
    }
}

impl Identity for StoredIdentity {
    fn own(&self) -> Vec<u8> {
        self.own.clone()
    }

    fn policy(&self) -> Arc<dyn IdentityPolicy> {
        self.believed.clone()
    }

    fn confirm(&self, name: &[u8], signature_key: &[u8]) -> Result<(), StoreError> {
        self.believed.seen.pin(name, signature_key)
    }
}

impl Believed {
    /// Who is to be asked about somebody: a certificate that is shown has to be good, whatever else is known.
    fn who_knows(&self, claim: &IdentityClaim<'_>) -> Result<&dyn IdentityPolicy, u16> {
        match DeviceCertificate::shown(&self.crypto, claim)? {
            Some(_) => Ok(self.devices.as_ref()),
            None => Ok(self.seen.as_ref()),
        }
    }
}

impl IdentityPolicy for Believed {
    fn validate(&self, claim: &IdentityClaim<'_>) -> Result<(), u16> {
        self.who_knows(claim)?.validate(claim)
    }

    /// A device that had a certificate needs one.
    fn validate_successor(&self, old: &IdentityClaim<'_>, new: &IdentityClaim<'_>) -> Result<(), u16> {
        match DeviceCertificate::shown(&self.crypto, old)? {
            Some(_) => self.devices.validate_successor(old, new),
            None => self.seen.validate_successor(old, new),
        }
    }

    fn settle(&self) -> Result<(), u16> {
        self.devices.settle()
    }
}
