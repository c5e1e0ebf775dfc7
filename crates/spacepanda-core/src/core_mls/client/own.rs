//! The client's own signature key and certificate.
//!
//! In: what the store has, or was just put there. Out: the pair that is in force.
//! Always: whoever works with a pair holds all of it, of one moment; public keys stay readable for as long as the client lives,
//! private ones only while they are in force.

use core::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use mls_crypto::{Secret, SignaturePrivateKey};
use mls_engine::message::{Credential, Extensions};
use mls_identity::DeviceCertificate;

use super::{Client, Inner};
use crate::core_mls::{
    error::{MlsError, MlsResult},
    records::{CERTIFICATE, ROTATION, key},
    store::{Space, StateStore, Write},
};
/// A key, and what vouches for it.
#[derive(Debug)]
pub(crate) struct OwnKey {
    pub(crate) private: SignaturePrivateKey,
    pub(crate) public: Vec<u8>,
    pub(crate) certificate: Option<DeviceCertificate>,
}

/// The pair in force, and the public halves of all that were.
pub(crate) struct Own {
    current: RwLock<Arc<OwnKey>>,
    publics: Public,
}

/// One public key, and the one that came after it.
struct Public {
    key: Vec<u8>,
    next: OnceLock<Box<Self>>,
}

impl Own {
    pub(crate) fn new(key: OwnKey) -> Self {
        let publics = Public { key: key.public.clone(), next: OnceLock::new() };
        Self { current: RwLock::new(Arc::new(key)), publics }
    }

    /// The pair in force.
    pub(crate) fn current(&self) -> Arc<OwnKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The public key in force.
    pub(crate) fn public(&self) -> &[u8] {
        let mut last = &self.publics;
        while let Some(next) = last.next.get() {
            last = next;
        }
        &last.key
    }

    /// Puts another pair in force.
    pub(crate) fn replace(&self, key: OwnKey) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut last = &self.publics;
        while let Some(next) = last.next.get() {
            last = next;
        }
        if last.key != key.public {
            // Nobody else adds one: `current` is locked.
            let _ = last.next.set(Box::new(Public { key: key.public.clone(), next: OnceLock::new() }));
        }
        *current = Arc::new(key);
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own").finish_non_exhaustive()
    }
}

/// The certificate in a store.
pub(crate) fn stored_certificate(store: &dyn StateStore) -> MlsResult<Option<DeviceCertificate>> {
    let record = store.get(&Space::Client, &key(CERTIFICATE, &[]))?;
    let read = |record: Secret| DeviceCertificate::from_bytes(record.as_slice()).map_err(|_| MlsError::InvalidRecord);
    record.map(read).transpose()
}

/// The public key that a rotation is about to replace, in a store.
pub(crate) fn stored_old_key(store: &dyn StateStore) -> MlsResult<Option<Vec<u8>>> {
    Ok(store.get(&Space::Client, &key(ROTATION, &[]))?.map(|record| record.as_slice().to_vec()))
}

impl Client {
    /// Keeps the certificate of this device, as the user's master key has issued it for [`Client::signature_key`]. Key
    /// packages made from now on carry it, and so do groups created from now on; [`Client::rotate_identity`] brings a new one
    /// to the groups that are there.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use spacepanda_core::core_mls::{
    ///     AwsLc, Client, MlsError, OsRandom, TrustOnFirstUse,
    ///     policy::{CertifiedDevices, DeviceCertificate, DeviceClaim, IdentityCrypto, Validity},
    /// };
    ///
    /// let crypto = IdentityCrypto::new(&AwsLc::default())?;
    /// let policy = || Arc::new(CertifiedDevices::new(crypto.clone(), Arc::new(TrustOnFirstUse::new())));
    /// let (master, _) = crypto.generate_master_key(&OsRandom)?;
    /// let master = crypto.master_signer(master)?;
    /// let bob = Client::new(b"bob", policy())?;
    /// let claim = DeviceClaim {
    ///     user: b"bob",
    ///     device: b"phone",
    ///     signature_key: bob.signature_key(),
    ///     serial: 1,
    ///     validity: Validity { not_before: 0, not_after: u64::MAX },
    /// };
    /// bob.set_certificate(&DeviceCertificate::issue(&master, &claim)?)?;
    ///
    /// let alice = Client::new(b"alice", policy())?;
    /// alice.create_group(None)?.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::IdentityMismatch`] if it is for another user or key; [`MlsError::Identity`] if its master key has not
    /// signed it; [`MlsError::Store`].
    pub fn set_certificate(&self, certificate: &DeviceCertificate) -> MlsResult<()> {
        let inner = &self.inner;
        let own = inner.own.current();
        inner.check_certificate(certificate, &own.public)?;
        let record = Secret::new(certificate.to_bytes()?);
        inner.write(vec![Write::Put(key(CERTIFICATE, &[]), &record)])?;
        let private = own.private.duplicate();
        let key = OwnKey { private, public: own.public.clone(), certificate: Some(certificate.clone()) };
        inner.own.replace(key);
        Ok(())
    }

    /// The certificate of this device, if it has one.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.certificate(), None);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn certificate(&self) -> Option<DeviceCertificate> {
        self.inner.own.current().certificate.clone()
    }
}

impl Inner {
    /// Whether a certificate is for us with this key.
    pub(crate) fn check_certificate(&self, certificate: &DeviceCertificate, key: &[u8]) -> MlsResult<()> {
        if certificate.user() != self.identity || certificate.signature_key() != key {
            return Err(MlsError::IdentityMismatch);
        }
        Ok(certificate.verify(self.policy.crypto())?)
    }

    pub(crate) fn credential(&self) -> Credential {
        match &self.chain {
            Some(chain) => chain.clone(),
            None => Credential::basic(&self.identity),
        }
    }
}

impl OwnKey {
    /// What our leaves carry.
    pub(crate) fn leaf_extensions(&self) -> MlsResult<Extensions> {
        let mut extensions = Extensions::new();
        if let Some(certificate) = &self.certificate {
            certificate.put(&mut extensions)?;
        }
        Ok(extensions)
    }
}
