//! Whose keys to believe, for people who have more than one device.

use std::sync::Arc;

use spacepanda_core::core_mls::{
    IdentityPolicy, PinState, StoredTrustOnFirstUse,
    policy::{IdentityClaim, reason},
    store::{StateStore, StoreError},
};

/// Believes every key that an identity is shown with, and remembers each: a person's second device is one more key. Whether it is
/// theirs is what the service asks for a voucher for, and what people see: [`DeviceTrust::pins`] has all keys of all identities,
/// so that an application can show who has more than before.
///
/// All members answer alike, so that no group falls apart over a new device; the price is that an impostor's device is shown and
/// not kept out.
#[derive(Debug)]
pub struct DeviceTrust(StoredTrustOnFirstUse);

impl DeviceTrust {
    /// With what was seen before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(store: Arc<dyn StateStore>) -> Result<Self, StoreError> {
        Ok(Self(StoredTrustOnFirstUse::open(store)?))
    }

    /// Every identity with every key it was seen with, in order.
    pub fn pins(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.0.pins()
    }

    /// What is known of an identity with a key.
    pub fn state(&self, identity: &[u8], signature_key: &[u8]) -> PinState {
        self.0.state(identity, signature_key)
    }

    /// Notes that people have compared a key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn verify(&self, identity: &[u8], signature_key: &[u8]) -> Result<(), StoreError> {
        self.0.verify(identity, signature_key)
    }
}

impl IdentityPolicy for DeviceTrust {
    fn validate(&self, claim: &IdentityClaim<'_>) -> Result<(), u16> {
        match self.0.validate(claim) {
            Err(reason::UNKNOWN_KEY) => {
                self.0.pin(claim.identity, claim.signature_key).map_err(|_| reason::NOT_REMEMBERED)
            }
            other => other,
        }
    }

    fn settle(&self) -> Result<(), u16> {
        self.0.settle()
    }
}
