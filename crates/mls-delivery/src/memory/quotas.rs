//! Quotas in memory.

use super::MemoryRows;
use crate::{
    Digest,
    rows::{QuotaRows, RowError},
};

impl QuotaRows for MemoryRows {
    async fn full_again(&mut self, name: &Digest) -> Result<u64, RowError> {
        Ok(self.quotas.get(name).copied().unwrap_or_default())
    }

    async fn put_full_again(&mut self, name: &Digest, full_again: u64) -> Result<(), RowError> {
        self.quotas.insert(*name, full_again);
        Ok(())
    }

    async fn forget_quotas(&mut self, now_ms: u64) -> Result<(), RowError> {
        self.quotas.retain(|_, full_again| *full_again > now_ms);
        Ok(())
    }
}
