//! Shards in memory.

use std::ops::Bound;

use super::MemoryRows;
use crate::{
    DeviceId, GroupId, Seq,
    rows::{EpochRow, InfoRow, PlaceRows, RowError},
    shard::{Place, ShardName},
};

impl PlaceRows for MemoryRows {
    async fn shard_names(&mut self) -> Result<Option<(ShardName, ShardName)>, RowError> {
        Ok(self.names)
    }

    async fn put_shard_names(&mut self, name: &ShardName, home: &ShardName) -> Result<(), RowError> {
        self.names = Some((*name, *home));
        Ok(())
    }

    async fn place(&mut self, group: &GroupId) -> Result<Option<Place>, RowError> {
        Ok(self.places.get(group).copied())
    }

    async fn put_place(&mut self, group: &GroupId, place: &Place) -> Result<(), RowError> {
        self.places.insert(group.clone(), *place);
        Ok(())
    }

    async fn delete_place(&mut self, group: &GroupId) -> Result<(), RowError> {
        self.places.remove(group);
        Ok(())
    }

    async fn epochs(&mut self, group: &GroupId) -> Result<Vec<(u64, EpochRow)>, RowError> {
        Ok(self.of(group)?.epochs.iter().map(|(epoch, row)| (*epoch, row.clone())).collect())
    }

    async fn all_reports(&mut self, group: &GroupId) -> Result<Vec<(u64, u32, DeviceId)>, RowError> {
        Ok(self.of(group)?.reports.iter().copied().collect())
    }

    async fn info_after(&mut self, group: &GroupId, after: Option<Seq>) -> Result<Option<InfoRow>, RowError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.of(group)?.infos.range((from, Bound::Unbounded)).next().map(|(_, row)| row.clone()))
    }

    async fn delete_group(&mut self, group: &GroupId) -> Result<(), RowError> {
        self.groups.remove(group);
        self.reading.retain(|(_, other)| other != group);
        Ok(())
    }

    async fn relayed(&mut self, from: &ShardName, device: &DeviceId) -> Result<Seq, RowError> {
        Ok(self.relayed.get(&(*from, *device)).copied().unwrap_or_default())
    }

    async fn put_relayed(&mut self, from: &ShardName, device: &DeviceId, seq: Seq) -> Result<(), RowError> {
        self.relayed.insert((*from, *device), seq);
        Ok(())
    }
}
