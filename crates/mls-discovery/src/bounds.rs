//! How much a directory takes.
//!
//! Always: what a peer's word brings may fill three quarters of it, so that there is room for what one's own service vouches
//! for. Bounds are each directory's own: of what one has no room for, another may have it.

use crate::{Authority, DiscoveryError};

/// Caps of one directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by applications, with `..Bounds::default()`")]
pub struct Bounds {
    /// Groups.
    pub groups: u64,
    /// Bytes of all records.
    pub bytes: u64,
    /// Groups whose records one key has signed.
    pub groups_of_publisher: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { groups: 100_000, bytes: 1 << 30, groups_of_publisher: 256 }
    }
}

/// What a directory would hold after a change.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by stores")]
pub struct Usage {
    /// Groups.
    pub groups: u64,
    /// Bytes of all records.
    pub bytes: u64,
    /// Groups of the publisher of the record that came.
    pub groups_of_publisher: u64,
}

impl Bounds {
    /// Whether there is room. What does not grow always has.
    ///
    /// # Errors
    /// [`DiscoveryError::Full`].
    pub fn check(&self, before: &Usage, after: &Usage, authority: Authority) -> Result<(), DiscoveryError> {
        let share = |limit: u64| match authority {
            Authority::Peer => limit.saturating_sub(limit.div_ceil(4)),
            Authority::Own => limit,
        };
        let counts = [
            (before.groups, after.groups, share(self.groups)),
            (before.bytes, after.bytes, share(self.bytes)),
            (before.groups_of_publisher, after.groups_of_publisher, self.groups_of_publisher),
        ];
        match counts.into_iter().find(|(before, after, limit)| after > before && after > limit) {
            Some((_, _, limit)) => Err(DiscoveryError::Full(limit)),
            None => Ok(()),
        }
    }
}
