//! Groups, epochs and readers in memory.

use std::{collections::BTreeMap, ops::Bound};

use super::{Group, MemoryRows};
use crate::{
    DeviceId, GroupId,
    rows::{EpochRow, GroupRow, GroupRows, ReaderRow, RowError},
};

impl MemoryRows {
    pub(super) fn of(&mut self, group: &GroupId) -> Result<&mut Group, RowError> {
        self.groups.get_mut(group).ok_or(RowError::Damaged)
    }
}

impl GroupRows for MemoryRows {
    async fn group(&mut self, group: &GroupId) -> Result<Option<GroupRow>, RowError> {
        Ok(self.groups.get(group).map(|group| group.row.clone()))
    }

    async fn put_group(&mut self, group: &GroupId, row: &GroupRow) -> Result<(), RowError> {
        if let Some(group) = self.groups.get_mut(group) {
            group.row = row.clone();
            return Ok(());
        }
        let new = Group {
            row: row.clone(),
            epochs: BTreeMap::new(),
            readers: BTreeMap::new(),
            reports: std::collections::BTreeSet::new(),
            log: BTreeMap::new(),
            places: BTreeMap::new(),
            infos: BTreeMap::new(),
            passes: BTreeMap::new(),
        };
        self.groups.insert(group.clone(), new);
        Ok(())
    }

    async fn groups_after(&mut self, after: Option<&GroupId>, limit: u32) -> Result<Vec<GroupId>, RowError> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.groups.range((from, Bound::Unbounded)).take(limit).map(|(id, _)| id.clone()).collect())
    }

    async fn epoch(&mut self, group: &GroupId, epoch: u64) -> Result<Option<EpochRow>, RowError> {
        Ok(self.groups.get(group).and_then(|group| group.epochs.get(&epoch).cloned()))
    }

    async fn put_epoch(&mut self, group: &GroupId, epoch: u64, row: &EpochRow) -> Result<(), RowError> {
        self.of(group)?.epochs.insert(epoch, row.clone());
        Ok(())
    }

    async fn delete_epochs(&mut self, group: &GroupId, from: u64, to: u64) -> Result<(), RowError> {
        self.of(group)?.epochs.retain(|epoch, _| !(from..to).contains(epoch));
        Ok(())
    }

    async fn oldest_epoch(&mut self, group: &GroupId) -> Result<Option<(u64, EpochRow)>, RowError> {
        Ok(self.of(group)?.epochs.first_key_value().map(|(epoch, row)| (*epoch, row.clone())))
    }

    async fn reader(&mut self, group: &GroupId, device: &DeviceId) -> Result<Option<ReaderRow>, RowError> {
        Ok(self.groups.get(group).and_then(|group| group.readers.get(device).copied()))
    }

    async fn put_reader(&mut self, group: &GroupId, device: &DeviceId, row: &ReaderRow) -> Result<(), RowError> {
        self.of(group)?.readers.insert(*device, *row);
        self.reading.insert((*device, group.clone()));
        Ok(())
    }

    async fn delete_reader(&mut self, group: &GroupId, device: &DeviceId) -> Result<(), RowError> {
        self.of(group)?.readers.remove(device);
        self.reading.remove(&(*device, group.clone()));
        Ok(())
    }

    async fn readers(&mut self, group: &GroupId) -> Result<Vec<(DeviceId, ReaderRow)>, RowError> {
        Ok(self.of(group)?.readers.iter().map(|(device, row)| (*device, *row)).collect())
    }

    async fn reading(
        &mut self,
        device: &DeviceId,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<(GroupId, ReaderRow)>, RowError> {
        let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
        let from = (*device, GroupId::new(Vec::new()));
        let mine = self.reading.range(from..).take_while(|(other, _)| other == device);
        let groups = mine.skip(number(skip)).take(number(limit)).map(|(_, group)| group);
        let row = |group: &GroupId| self.groups.get(group)?.readers.get(device).copied();
        Ok(groups.filter_map(|group| Some((group.clone(), row(group)?))).collect())
    }

    async fn put_report(
        &mut self,
        group: &GroupId,
        (epoch, attempt): (u64, u32),
        device: &DeviceId,
    ) -> Result<(), RowError> {
        self.of(group)?.reports.insert((epoch, attempt, *device));
        Ok(())
    }

    async fn reports(&mut self, group: &GroupId, end: (u64, u32)) -> Result<u64, RowError> {
        let count = self.of(group)?.reports.iter().filter(|(epoch, attempt, _)| (*epoch, *attempt) == end).count();
        u64::try_from(count).map_err(|_| RowError::Damaged)
    }
}
