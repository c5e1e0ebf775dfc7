//! Whom a directory believes.
//!
//! Always: nobody who was not named.

use std::collections::{BTreeMap, BTreeSet};

/// Services whose witness counts, and publishers that are known by other means: a member tells who founded the group.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trust {
    services: BTreeSet<Vec<u8>>,
    publishers: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>,
}

impl Trust {
    /// In nobody.
    ///
    /// ```
    /// let trust = mls_discovery::Trust::nobody().in_service(&[7; 32]).in_publisher(b"group", &[8; 32]);
    /// assert_ne!(trust, mls_discovery::Trust::nobody());
    /// ```
    pub fn nobody() -> Self {
        Self::default()
    }

    /// And in this service, by its public key (Ed25519, 32 bytes).
    #[must_use]
    pub fn in_service(mut self, public_key: &[u8]) -> Self {
        self.services.insert(public_key.to_vec());
        self
    }

    /// And in this publisher of a group, by its public key (Ed25519, 32 bytes).
    #[must_use]
    pub fn in_publisher(mut self, group_id: &[u8], public_key: &[u8]) -> Self {
        self.publishers.entry(group_id.to_vec()).or_default().insert(public_key.to_vec());
        self
    }

    pub(crate) fn has_service(&self, public_key: &[u8]) -> bool {
        self.services.contains(public_key)
    }

    pub(crate) fn has_publisher(&self, group_id: &[u8], public_key: &[u8]) -> bool {
        self.publishers.get(group_id).is_some_and(|keys| keys.contains(public_key))
    }
}
