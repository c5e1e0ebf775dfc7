//! Whom a directory believes.
//!
//! Always: nobody who was not named.

use std::collections::{BTreeMap, BTreeSet};

use crate::Authority;

/// Services whose witness counts, and publishers that are known by other means: a member tells who founded the group.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Trust {
    services: BTreeMap<Vec<u8>, Authority>,
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
        self.services.insert(public_key.to_vec(), Authority::Own);
        self
    }

    /// And in this service as a peer: its word counts where none of one's own is. One that is trusted already stays what it is.
    #[must_use]
    pub fn in_peer(mut self, public_key: &[u8]) -> Self {
        self.services.entry(public_key.to_vec()).or_insert(Authority::Peer);
        self
    }

    /// And in this publisher of a group, by its public key (Ed25519, 32 bytes).
    #[must_use]
    pub fn in_publisher(mut self, group_id: &[u8], public_key: &[u8]) -> Self {
        self.publishers.entry(group_id.to_vec()).or_default().insert(public_key.to_vec());
        self
    }

    /// One string for one trust, so that a store finds that it has changed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let publishers = self.publishers.iter().flat_map(|(group, keys)| keys.iter().map(move |key| (2, group, key)));
        let services = self.services.iter().map(|(key, authority)| (u8::from(*authority == Authority::Own), key, key));
        let mut bytes = Vec::new();
        for (kind, one, other) in services.chain(publishers) {
            bytes.push(kind);
            for part in [one, other] {
                bytes.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                bytes.extend(part);
            }
        }
        bytes
    }

    pub(crate) fn service(&self, public_key: &[u8]) -> Option<Authority> {
        self.services.get(public_key).copied()
    }

    pub(crate) fn has_publisher(&self, group_id: &[u8], public_key: &[u8]) -> bool {
        self.publishers.get(group_id).is_some_and(|keys| keys.contains(public_key))
    }
}
