//! Logs, and what is public about epochs.

use mls_crypto::Opaque;
use mls_delivery::{
    Digest, GroupId, Seq, Timestamp,
    reply::EntryKind,
    rows::{InfoRow, LogRow, LogRows, PageLimits, RowError},
};
use rusqlite::{Error, Row, params};

use super::{SqliteRows, get_bytes, get_digest, get_maybe_bytes, get_number, get_seq, int, place, unknown};

impl LogRows for SqliteRows<'_> {
    async fn append(&mut self, group: &GroupId, row: &LogRow) -> Result<(), RowError> {
        let LogRow { seq, kind, epoch, attempt, digest, received, message } = row;
        self.execute(
            "INSERT INTO log VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                group.as_slice(),
                place(*seq),
                number(*kind),
                int(*epoch),
                attempt,
                digest.as_slice(),
                int(*received),
                message.as_slice()
            ],
        )
    }

    async fn find(&mut self, group: &GroupId, digest: &Digest) -> Result<Option<LogRow>, RowError> {
        let sql = "SELECT seq, kind, epoch, attempt, digest, received, x'' FROM log WHERE gid = ?1 AND digest = ?2";
        self.one(sql, params![group.as_slice(), digest.as_slice()], log_row)
    }

    async fn log(
        &mut self,
        group: &GroupId,
        (after, until): (Seq, Seq),
        limits: PageLimits,
    ) -> Result<Vec<LogRow>, RowError> {
        let sql = "SELECT seq, kind, epoch, attempt, digest, received, message FROM log \
                   WHERE gid = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT ?4";
        let params = params![group.as_slice(), place(after), place(until), limits.entries];
        let read = |row: &Row<'_>| {
            let row = log_row(row)?;
            let bytes = length(&row.message);
            Ok((row, bytes))
        };
        self.page(sql, params, read, limits.bytes)
    }

    async fn log_entry(&mut self, group: &GroupId, seq: Seq) -> Result<Option<(Timestamp, u64)>, RowError> {
        let sql = "SELECT received, length(message) FROM log WHERE gid = ?1 AND seq = ?2";
        self.one(sql, params![group.as_slice(), place(seq)], |row| Ok((get_number(row, 0)?, get_number(row, 1)?)))
    }

    async fn empty_log(&mut self, group: &GroupId, from: Seq, to: Seq) -> Result<u64, RowError> {
        let range = params![group.as_slice(), place(from), place(to)];
        let sql = "SELECT coalesce(sum(length(message)), 0) FROM log WHERE gid = ?1 AND seq >= ?2 AND seq < ?3";
        let freed = self.one(sql, range, |row| get_number(row, 0))?.unwrap_or_default();
        let sql = "UPDATE log SET message = x'' WHERE gid = ?1 AND seq >= ?2 AND seq < ?3";
        self.execute(sql, range)?;
        Ok(freed)
    }

    async fn forget_log(&mut self, group: &GroupId, before: Seq, epoch: u64) -> Result<(), RowError> {
        let sql = "DELETE FROM log WHERE gid = ?1 AND seq < ?2 AND epoch < ?3";
        self.execute(sql, params![group.as_slice(), place(before), int(epoch)])
    }

    async fn info(&mut self, group: &GroupId, seq: Seq) -> Result<Option<InfoRow>, RowError> {
        let sql = "SELECT seq, epoch, group_info, ratchet_tree, invites FROM infos WHERE gid = ?1 AND seq = ?2";
        self.one(sql, params![group.as_slice(), place(seq)], info_row)
    }

    async fn newest_info(&mut self, group: &GroupId) -> Result<Option<InfoRow>, RowError> {
        let sql = "SELECT seq, epoch, group_info, ratchet_tree, invites FROM infos WHERE gid = ?1 \
                   ORDER BY seq DESC LIMIT 1";
        self.one(sql, params![group.as_slice()], info_row)
    }

    async fn put_info(&mut self, group: &GroupId, row: &InfoRow) -> Result<(), RowError> {
        let InfoRow { seq, epoch, group_info, ratchet_tree, invites } = row;
        let bytes = |value: &Option<Opaque>| value.clone().map(Vec::from);
        let (info, tree) = (bytes(group_info), bytes(ratchet_tree));
        self.execute(
            "INSERT INTO infos VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            params![group.as_slice(), place(*seq), int(*epoch), info, tree, invites],
        )
    }

    async fn delete_infos(&mut self, group: &GroupId, before: Seq, with_invites: bool) -> Result<(), RowError> {
        let sql = "DELETE FROM infos WHERE gid = ?1 AND seq < ?2 AND (?3 OR invites = 0)";
        self.execute(sql, params![group.as_slice(), place(before), with_invites])
    }

    async fn delete_infos_from(&mut self, group: &GroupId, from: Seq) -> Result<(), RowError> {
        let sql = "DELETE FROM infos WHERE gid = ?1 AND seq >= ?2";
        self.execute(sql, params![group.as_slice(), place(from)])
    }

    async fn proposals(&mut self, group: &GroupId, after: Seq) -> Result<Vec<Opaque>, RowError> {
        let sql = "SELECT message FROM log WHERE gid = ?1 AND seq > ?2 AND kind = 2 ORDER BY seq";
        self.all(sql, params![group.as_slice(), place(after)], |row| get_bytes(row, 0))
    }
}

fn number(kind: EntryKind) -> i64 {
    match kind {
        EntryKind::Commit => 1,
        EntryKind::Proposal => 2,
        EntryKind::Application => 3,
        _ => 4,
    }
}

fn kind(number: i64) -> Result<EntryKind, Error> {
    match number {
        1 => Ok(EntryKind::Commit),
        2 => Ok(EntryKind::Proposal),
        3 => Ok(EntryKind::Application),
        4 => Ok(EntryKind::Voided),
        other => Err(unknown(1, other)),
    }
}

fn log_row(row: &Row<'_>) -> Result<LogRow, Error> {
    Ok(LogRow {
        seq: get_seq(row, 0)?,
        kind: kind(row.get(1)?)?,
        epoch: get_number(row, 2)?,
        attempt: row.get(3)?,
        digest: get_digest(row, 4)?,
        received: get_number(row, 5)?,
        message: get_bytes(row, 6)?,
    })
}

pub(super) fn info_row(row: &Row<'_>) -> Result<InfoRow, Error> {
    Ok(InfoRow {
        seq: get_seq(row, 0)?,
        epoch: get_number(row, 1)?,
        group_info: get_maybe_bytes(row, 2)?,
        ratchet_tree: get_maybe_bytes(row, 3)?,
        invites: row.get(4)?,
    })
}

pub(super) fn length(bytes: &Opaque) -> u64 {
    u64::try_from(bytes.as_slice().len()).unwrap_or(u64::MAX)
}
