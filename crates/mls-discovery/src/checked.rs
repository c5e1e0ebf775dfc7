//! A record that was checked, and may be merged.
//!
//! Always: only [`GroupPublicInfo::check`] makes one of bytes from elsewhere; what a store kept was checked before it was kept.

use crate::{DirectoryCrypto, DiscoveryError, GroupPublicInfo, Rank, Trust, crypto::HASH_LEN};

/// A record whose form, signatures and proof are good, with what they come to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checked {
    pub(crate) rank: Rank,
    pub(crate) content: [u8; HASH_LEN],
    pub(crate) record: GroupPublicInfo,
}

impl GroupPublicInfo {
    /// [`GroupPublicInfo::verify`], for merging.
    ///
    /// # Errors
    /// As there.
    pub fn check(self, crypto: &DirectoryCrypto, trust: &Trust) -> Result<Checked, DiscoveryError> {
        Ok(Checked { rank: self.verify(crypto, trust)?, content: self.content(crypto)?, record: self })
    }
}

impl Checked {
    /// The record.
    pub const fn record(&self) -> &GroupPublicInfo {
        &self.record
    }

    /// How much it counts.
    pub const fn rank(&self) -> Rank {
        self.rank
    }

    /// Names it: SHA-256 of what is in it, without its proof.
    pub const fn content(&self) -> &[u8] {
        &self.content
    }

    /// What a store kept of one that was checked under the trust of today: the bytes of its record, and its rank's.
    ///
    /// # Errors
    /// [`DiscoveryError::Damaged`] if they are not what was kept.
    pub fn restore(crypto: &DirectoryCrypto, record: &[u8], rank: &[u8]) -> Result<Self, DiscoveryError> {
        let record = GroupPublicInfo::from_bytes(record).map_err(|_| DiscoveryError::Damaged)?;
        let rank = Rank::from_bytes(rank).ok_or(DiscoveryError::Damaged)?;
        Ok(Self { rank, content: record.content(crypto)?, record })
    }
}
