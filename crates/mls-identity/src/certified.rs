//! The policy of users who certify their devices.

use core::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use mls_engine::message::CredentialType;

use crate::{
    IdentityError,
    certificate::DeviceCertificate,
    claim::{ClaimRole, IdentityClaim, IdentityPolicy},
    crypto::IdentityCrypto,
    reason,
    revocation::{RevocationList, Revocations},
};

/// Believes keys that the user's master key has certified, and has not revoked.
///
/// Whose master key is whose is asked of another policy, with the master key in place of the signature key: pins that the
/// application gave, or trust on first use. One comparison of master keys then covers all devices of a user, those to come
/// too. A sender from outside has no leaf to show a certificate in, and is refused unless another policy is there for it.
pub struct CertifiedDevices {
    crypto: IdentityCrypto,
    masters: Arc<dyn IdentityPolicy>,
    outsiders: Option<Arc<dyn IdentityPolicy>>,
    revocations: RwLock<Revocations>,
}

impl CertifiedDevices {
    /// Believes the master keys that `masters` believes.
    pub fn new(crypto: IdentityCrypto, masters: Arc<dyn IdentityPolicy>) -> Self {
        Self { crypto, masters, outsiders: None, revocations: RwLock::default() }
    }

    /// Asks `outsiders` for the keys of senders from outside the group.
    #[must_use]
    pub fn with_external_senders(mut self, outsiders: Arc<dyn IdentityPolicy>) -> Self {
        self.outsiders = Some(outsiders);
        self
    }

    /// Takes a list of revoked devices, as its bytes came: from the user, a directory, another device. It counts for the
    /// devices that its master key has certified, so anybody may hand it in. What is to be remembered after a restart is in
    /// [`CertifiedDevices::revocation_lists`].
    ///
    /// # Errors
    /// [`IdentityError::Malformed`], [`IdentityError::BadSignature`]; [`IdentityError::Stale`] if it is not newer than the
    /// one of the same key that is here.
    pub fn revoke(&self, list: &[u8]) -> Result<(), IdentityError> {
        self.revocations.write().unwrap_or_else(PoisonError::into_inner).take(&self.crypto, list)
    }

    /// What [`CertifiedDevices::revoke`] would take: nothing changes, so that it can be made durable first.
    ///
    /// # Errors
    /// As there.
    pub fn check_revocation(&self, list: &[u8]) -> Result<RevocationList, IdentityError> {
        self.revocations.read().unwrap_or_else(PoisonError::into_inner).check(&self.crypto, list)
    }

    /// The newest list of each master key, encoded.
    pub fn revocation_lists(&self) -> Vec<Vec<u8>> {
        self.revocations.read().unwrap_or_else(PoisonError::into_inner).lists()
    }

    fn certificate(&self, claim: &IdentityClaim<'_>) -> Result<DeviceCertificate, u16> {
        DeviceCertificate::shown(&self.crypto, claim)?.ok_or(reason::NO_CERTIFICATE)
    }
}

impl IdentityPolicy for CertifiedDevices {
    fn validate(&self, claim: &IdentityClaim<'_>) -> Result<(), u16> {
        if claim.role == ClaimRole::ExternalSender {
            return self.outsiders.as_ref().ok_or(reason::NO_CERTIFICATE)?.validate(claim);
        }
        let certificate = self.certificate(claim)?;
        if self.revocations.read().unwrap_or_else(PoisonError::into_inner).covers(&certificate) {
            return Err(reason::REVOKED);
        }
        if claim.role == ClaimRole::Joiner && !certificate.validity().contains(claim.now) {
            return Err(reason::EXPIRED);
        }
        self.masters.validate(&claim.with_key(certificate.master_key().as_slice()))
    }

    /// The same device of the same user, by a certificate that is the same or newer.
    fn validate_successor(&self, old: &IdentityClaim<'_>, new: &IdentityClaim<'_>) -> Result<(), u16> {
        if old.identity != new.identity {
            return Err(reason::OTHER_IDENTITY);
        }
        let (was, is) = (self.certificate(old)?, self.certificate(new)?);
        let is_newer = was == is || was.serial() < is.serial();
        if was.device() == is.device() && is_newer { Ok(()) } else { Err(reason::NO_SUCCESSOR) }
    }

    fn credential_types(&self) -> Vec<CredentialType> {
        vec![CredentialType::BASIC]
    }

    fn settle(&self) -> Result<(), u16> {
        self.masters.settle()?;
        self.outsiders.as_ref().map_or(Ok(()), |outsiders| outsiders.settle())
    }
}

impl fmt::Debug for CertifiedDevices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertifiedDevices").field("masters", &self.masters).finish_non_exhaustive()
    }
}
