//! Whose keys to believe (RFC 9420, Section 5.3.1). MLS proves that a key speaks; only the application knows for whom.
//!
//! In: an identity and a signature key that the engine has matched. Out: yes, or a reason.
//! Always: every client is given a policy, none accepts by default, and "unknown" is a refusal.

use core::fmt;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{PoisonError, RwLock},
};

mod adapter;
mod revocations;
mod stored;

pub(crate) use adapter::{OwnKeys, PolicyAdapter, USERS};
pub use revocations::StoredRevocations;
pub use stored::{PinState, StoredTrustOnFirstUse, TrustEvent};

/// Why a key is refused, as numbers.
pub use mls_identity::reason;
pub use mls_identity::{
    CertifiedDevices, ClaimRole, DeviceCertificate, DeviceClaim, IdentityClaim, IdentityCrypto, IdentityError,
    IdentityPolicy, RevocationList, SafetyNumber, Validity, X509Identities,
};

/// Identities and the keys each may use, given by the application: from a directory, or compared by hand. Nobody else is
/// accepted.
#[derive(Default)]
pub struct PinnedIdentities {
    pins: RwLock<BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>>,
}

impl PinnedIdentities {
    /// Nobody.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use spacepanda_core::core_mls::{Client, MlsError, PinnedIdentities, policy::reason};
    ///
    /// let pins = Arc::new(PinnedIdentities::new());
    /// let alice = Client::new(b"alice", pins.clone())?;
    /// let bob = Client::new(b"bob", Arc::new(PinnedIdentities::new()))?;
    /// let (group, key_package) = (alice.create_group(None)?, bob.generate_key_package()?);
    /// let refused = group.propose_add(&key_package, b"bob");
    /// assert_eq!(refused, Err(MlsError::Unauthorized { reason: reason::UNKNOWN_IDENTITY }));
    /// pins.pin(b"bob", bob.signature_key());
    /// group.propose_add(&key_package, b"bob")?;
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `identity` use this signature public key, beside those it may use already.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::PinnedIdentities;
    /// let pins = PinnedIdentities::new();
    /// pins.pin(b"bob", &[7; 32]);
    /// assert_eq!(pins.pins(), [(b"bob".to_vec(), vec![7; 32])]);
    /// ```
    pub fn pin(&self, identity: &[u8], signature_key: &[u8]) {
        let mut pins = self.pins.write().unwrap_or_else(PoisonError::into_inner);
        pins.entry(identity.to_vec()).or_default().insert(signature_key.to_vec());
    }

    /// Takes a key back; groups it is in already keep it until somebody removes the member.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::PinnedIdentities;
    /// # let pins = PinnedIdentities::new();
    /// pins.pin(b"bob", &[7; 32]);
    /// pins.unpin(b"bob", &[7; 32]);
    /// assert!(pins.pins().is_empty());
    /// ```
    pub fn unpin(&self, identity: &[u8], signature_key: &[u8]) {
        let mut pins = self.pins.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = pins.get_mut(identity) {
            keys.remove(signature_key);
            if keys.is_empty() {
                pins.remove(identity);
            }
        }
    }

    /// Every identity with every key it may use, in order; to be stored by the application.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::PinnedIdentities;
    /// assert!(PinnedIdentities::new().pins().is_empty());
    /// ```
    pub fn pins(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let pins = self.pins.read().unwrap_or_else(PoisonError::into_inner);
        pins.iter().flat_map(|(identity, keys)| keys.iter().map(|key| (identity.clone(), key.clone()))).collect()
    }
}

impl fmt::Debug for PinnedIdentities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedIdentities").field("pins", &self.pins().len()).finish_non_exhaustive()
    }
}

impl IdentityPolicy for PinnedIdentities {
    fn validate(&self, claim: &IdentityClaim<'_>) -> Result<(), u16> {
        let pins = self.pins.read().unwrap_or_else(PoisonError::into_inner);
        let keys = pins.get(claim.identity).ok_or(reason::UNKNOWN_IDENTITY)?;
        if keys.contains(claim.signature_key) { Ok(()) } else { Err(reason::UNKNOWN_KEY) }
    }
}

/// Believes the first key an identity is seen with, and from then on no other.
///
/// Whoever is first is believed, an impostor too: compare keys by other means where that matters. What was seen is kept
/// in memory only; [`StoredTrustOnFirstUse`] remembers it.
#[derive(Debug, Default)]
pub struct TrustOnFirstUse {
    seen: PinnedIdentities,
}

impl TrustOnFirstUse {
    /// Has seen nobody.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use spacepanda_core::core_mls::{Client, TrustOnFirstUse};
    ///
    /// let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # Ok::<(), spacepanda_core::core_mls::MlsError>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `identity` use this key beside the first one: a second device, or a key from before a restart.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::TrustOnFirstUse;
    /// let policy = TrustOnFirstUse::new();
    /// policy.pin(b"bob", &[7; 32]);
    /// assert_eq!(policy.pins().len(), 1);
    /// ```
    pub fn pin(&self, identity: &[u8], signature_key: &[u8]) {
        self.seen.pin(identity, signature_key);
    }

    /// Forgets a key.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::TrustOnFirstUse;
    /// # let policy = TrustOnFirstUse::new();
    /// policy.pin(b"bob", &[7; 32]);
    /// policy.unpin(b"bob", &[7; 32]);
    /// assert!(policy.pins().is_empty());
    /// ```
    pub fn unpin(&self, identity: &[u8], signature_key: &[u8]) {
        self.seen.unpin(identity, signature_key);
    }

    /// Every identity with every key it may use, in order.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::TrustOnFirstUse;
    /// assert!(TrustOnFirstUse::new().pins().is_empty());
    /// ```
    pub fn pins(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.seen.pins()
    }
}

impl IdentityPolicy for TrustOnFirstUse {
    fn validate(&self, claim: &IdentityClaim<'_>) -> Result<(), u16> {
        let mut pins = self.seen.pins.write().unwrap_or_else(PoisonError::into_inner);
        match pins.get(claim.identity) {
            Some(keys) if keys.contains(claim.signature_key) => Ok(()),
            Some(_) => Err(reason::UNKNOWN_KEY),
            None => {
                pins.insert(claim.identity.to_vec(), BTreeSet::from([claim.signature_key.to_vec()]));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
