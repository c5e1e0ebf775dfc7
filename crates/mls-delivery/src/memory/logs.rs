//! Logs in memory.

use mls_crypto::Opaque;

use super::{MemoryRows, page};
use crate::{
    Digest, GroupId, Seq, Timestamp,
    limits::length,
    reply::EntryKind,
    rows::{InfoRow, LogRow, LogRows, PageLimits, RowError},
};

impl LogRows for MemoryRows {
    async fn append(&mut self, group: &GroupId, row: &LogRow) -> Result<(), RowError> {
        let group = self.of(group)?;
        let rival = |other: &LogRow| {
            other.kind == EntryKind::Commit && (other.epoch, other.attempt) == (row.epoch, row.attempt)
        };
        let taken = group.places.contains_key(&row.digest) || group.log.contains_key(&row.seq);
        if taken || (row.kind == EntryKind::Commit && group.log.values().rev().any(rival)) {
            return Err(RowError::Damaged);
        }
        group.places.insert(row.digest, row.seq);
        group.log.insert(row.seq, row.clone());
        Ok(())
    }

    async fn find(&mut self, group: &GroupId, digest: &Digest) -> Result<Option<LogRow>, RowError> {
        let Some(group) = self.groups.get(group) else { return Ok(None) };
        let row = group.places.get(digest).and_then(|seq| group.log.get(seq));
        Ok(row.map(|row| LogRow { message: Opaque::default(), ..row.clone() }))
    }

    async fn log(
        &mut self,
        group: &GroupId,
        (after, until): (Seq, Seq),
        limits: PageLimits,
    ) -> Result<Vec<LogRow>, RowError> {
        if after >= until {
            return Ok(Vec::new());
        }
        let rows = self.of(group)?.log.range(after.next()..=until).map(|(_, row)| row);
        let rows = page(rows, |row| length(row.message.as_slice()), limits);
        Ok(rows.into_iter().cloned().collect())
    }

    async fn log_entry(&mut self, group: &GroupId, seq: Seq) -> Result<Option<(Timestamp, u64)>, RowError> {
        Ok(self.of(group)?.log.get(&seq).map(|row| (row.received, length(row.message.as_slice()))))
    }

    async fn empty_log(&mut self, group: &GroupId, from: Seq, to: Seq) -> Result<u64, RowError> {
        let mut freed: u64 = 0;
        for (_, row) in self.of(group)?.log.range_mut(from..to) {
            freed = freed.saturating_add(length(row.message.as_slice()));
            row.message = Opaque::default();
        }
        Ok(freed)
    }

    async fn forget_log(&mut self, group: &GroupId, before: Seq, epoch: u64) -> Result<(), RowError> {
        let group = self.of(group)?;
        group.log.retain(|seq, row| *seq >= before || row.epoch >= epoch);
        let log = &group.log;
        group.places.retain(|_, seq| log.contains_key(seq));
        Ok(())
    }

    async fn info(&mut self, group: &GroupId, seq: Seq) -> Result<Option<InfoRow>, RowError> {
        Ok(self.groups.get(group).and_then(|group| group.infos.get(&seq).cloned()))
    }

    async fn newest_info(&mut self, group: &GroupId) -> Result<Option<InfoRow>, RowError> {
        Ok(self.groups.get(group).and_then(|group| group.infos.values().next_back().cloned()))
    }

    async fn put_info(&mut self, group: &GroupId, row: &InfoRow) -> Result<(), RowError> {
        self.of(group)?.infos.insert(row.seq, row.clone());
        Ok(())
    }

    async fn delete_infos(&mut self, group: &GroupId, before: Seq, with_invites: bool) -> Result<(), RowError> {
        self.of(group)?.infos.retain(|seq, row| *seq >= before || (row.invites && !with_invites));
        Ok(())
    }

    async fn delete_infos_from(&mut self, group: &GroupId, from: Seq) -> Result<(), RowError> {
        self.of(group)?.infos.retain(|seq, _| *seq < from);
        Ok(())
    }

    async fn proposals(&mut self, group: &GroupId, after: Seq) -> Result<Vec<Opaque>, RowError> {
        let rows = self.of(group)?.log.range(after.next()..).map(|(_, row)| row);
        Ok(rows.filter(|row| row.kind == EntryKind::Proposal).map(|row| row.message.clone()).collect())
    }
}
