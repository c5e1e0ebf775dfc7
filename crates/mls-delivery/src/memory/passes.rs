//! Passes in memory.

use super::MemoryRows;
use crate::{
    Digest, GroupId, Timestamp,
    rows::{PassRow, PassRows, RowError},
};

impl PassRows for MemoryRows {
    async fn pass(&mut self, group: &GroupId, token: &Digest) -> Result<Option<PassRow>, RowError> {
        Ok(self.groups.get(group).and_then(|group| group.passes.get(token).cloned()))
    }

    async fn put_pass(&mut self, group: &GroupId, token: &Digest, row: &PassRow) -> Result<(), RowError> {
        self.of(group)?.passes.insert(*token, row.clone());
        Ok(())
    }

    async fn delete_pass(&mut self, group: &GroupId, token: &Digest) -> Result<(), RowError> {
        self.of(group)?.passes.remove(token);
        Ok(())
    }

    async fn passes(&mut self, group: &GroupId) -> Result<Vec<(Digest, PassRow)>, RowError> {
        Ok(self.of(group)?.passes.iter().map(|(token, row)| (*token, row.clone())).collect())
    }

    async fn expire_passes(&mut self, group: &GroupId, now: Timestamp) -> Result<(), RowError> {
        self.of(group)?.passes.retain(|_, row| row.expires > now);
        Ok(())
    }
}
