//! Logs, and what is public about epochs.

use mls_crypto::Opaque;
use mls_delivery::{
    Digest, GroupId, Seq, Timestamp,
    reply::EntryKind,
    rows::{InfoRow, LogRow, LogRows, PageLimits, RowError},
};
use tokio_postgres::Row;

use super::{PostgresRows, get, get_bytes, get_digest, get_maybe_bytes, get_number, get_seq, int, place};

impl LogRows for PostgresRows<'_, '_> {
    async fn append(&mut self, group: &GroupId, row: &LogRow) -> Result<(), RowError> {
        let LogRow { seq, kind, epoch, attempt, digest, received, message } = row;
        let (seq, kind, epoch, attempt) = (place(*seq), number(*kind), int(*epoch), i64::from(*attempt));
        let (digest, received, message) = (digest.as_slice(), int(*received), message.as_slice());
        self.execute(
            "INSERT INTO log VALUES($1, $2, $3, $4, $5, $6, $7, $8)",
            &[&group.as_slice(), &seq, &kind, &epoch, &attempt, &digest, &received, &message],
        )
        .await
    }

    async fn find(&mut self, group: &GroupId, digest: &Digest) -> Result<Option<LogRow>, RowError> {
        let sql = "SELECT seq, kind, epoch, attempt, digest, received, ''::BYTEA FROM log \
                   WHERE gid = $1 AND digest = $2";
        self.one(sql, &[&group.as_slice(), &digest.as_slice()], log_row).await
    }

    async fn log(
        &mut self,
        group: &GroupId,
        (after, until): (Seq, Seq),
        limits: PageLimits,
    ) -> Result<Vec<LogRow>, RowError> {
        // What does not fit is not sent: lengths are added up there.
        let sql = "SELECT seq, kind, epoch, attempt, digest, received, message FROM (SELECT *, \
                   sum(length(message)) OVER (ORDER BY seq) AS total, row_number() OVER (ORDER BY seq) AS nth FROM \
                   (SELECT * FROM log WHERE gid = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4) AS page) \
                   AS counted WHERE total <= $5 OR nth = 1 ORDER BY seq";
        let (after, until) = (place(after), place(until));
        let (entries, bytes) = (i64::from(limits.entries), int(limits.bytes));
        self.all(sql, &[&group.as_slice(), &after, &until, &entries, &bytes], log_row).await
    }

    async fn log_entry(&mut self, group: &GroupId, seq: Seq) -> Result<Option<(Timestamp, u64)>, RowError> {
        let sql = "SELECT received, length(message)::BIGINT FROM log WHERE gid = $1 AND seq = $2";
        let read = |row: &Row| Ok((get_number(row, 0)?, get_number(row, 1)?));
        self.one(sql, &[&group.as_slice(), &place(seq)], read).await
    }

    async fn empty_log(&mut self, group: &GroupId, from: Seq, to: Seq) -> Result<u64, RowError> {
        let (gid, from, to) = (group.as_slice(), place(from), place(to));
        let sql = "SELECT coalesce(sum(length(message)), 0)::BIGINT FROM log \
                   WHERE gid = $1 AND seq >= $2 AND seq < $3";
        let freed = self.one(sql, &[&gid, &from, &to], |row| get_number(row, 0)).await?;
        let sql = "UPDATE log SET message = '' WHERE gid = $1 AND seq >= $2 AND seq < $3";
        self.execute(sql, &[&gid, &from, &to]).await?;
        Ok(freed.unwrap_or_default())
    }

    async fn forget_log(&mut self, group: &GroupId, before: Seq, epoch: u64) -> Result<(), RowError> {
        let sql = "DELETE FROM log WHERE gid = $1 AND seq < $2 AND epoch < $3";
        self.execute(sql, &[&group.as_slice(), &place(before), &int(epoch)]).await
    }

    async fn info(&mut self, group: &GroupId, seq: Seq) -> Result<Option<InfoRow>, RowError> {
        let sql = "SELECT seq, epoch, group_info, ratchet_tree, invites FROM infos WHERE gid = $1 AND seq = $2";
        self.one(sql, &[&group.as_slice(), &place(seq)], info_row).await
    }

    async fn newest_info(&mut self, group: &GroupId) -> Result<Option<InfoRow>, RowError> {
        let sql = "SELECT seq, epoch, group_info, ratchet_tree, invites FROM infos WHERE gid = $1 \
                   ORDER BY seq DESC LIMIT 1";
        self.one(sql, &[&group.as_slice()], info_row).await
    }

    async fn put_info(&mut self, group: &GroupId, row: &InfoRow) -> Result<(), RowError> {
        let InfoRow { seq, epoch, group_info, ratchet_tree, invites } = row;
        let (info, tree) = (group_info.as_ref().map(Opaque::as_slice), ratchet_tree.as_ref().map(Opaque::as_slice));
        let sql = "INSERT INTO infos VALUES($1, $2, $3, $4, $5, $6)";
        self.execute(sql, &[&group.as_slice(), &place(*seq), &int(*epoch), &info, &tree, invites]).await
    }

    async fn delete_infos(&mut self, group: &GroupId, before: Seq, with_invites: bool) -> Result<(), RowError> {
        let sql = "DELETE FROM infos WHERE gid = $1 AND seq < $2 AND ($3 OR NOT invites)";
        self.execute(sql, &[&group.as_slice(), &place(before), &with_invites]).await
    }

    async fn delete_infos_from(&mut self, group: &GroupId, from: Seq) -> Result<(), RowError> {
        let sql = "DELETE FROM infos WHERE gid = $1 AND seq >= $2";
        self.execute(sql, &[&group.as_slice(), &place(from)]).await
    }

    async fn proposals(&mut self, group: &GroupId, after: Seq) -> Result<Vec<Opaque>, RowError> {
        let sql = "SELECT message FROM log WHERE gid = $1 AND seq > $2 AND kind = 2 ORDER BY seq";
        self.all(sql, &[&group.as_slice(), &place(after)], |row| get_bytes(row, 0)).await
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

fn kind(number: i64) -> Result<EntryKind, RowError> {
    match number {
        1 => Ok(EntryKind::Commit),
        2 => Ok(EntryKind::Proposal),
        3 => Ok(EntryKind::Application),
        4 => Ok(EntryKind::Voided),
        _ => Err(RowError::Damaged),
    }
}

fn log_row(row: &Row) -> Result<LogRow, RowError> {
    Ok(LogRow {
        seq: get_seq(row, 0)?,
        kind: kind(get(row, 1)?)?,
        epoch: get_number(row, 2)?,
        attempt: get_number(row, 3)?,
        digest: get_digest(row, 4)?,
        received: get_number(row, 5)?,
        message: get_bytes(row, 6)?,
    })
}

pub(super) fn info_row(row: &Row) -> Result<InfoRow, RowError> {
    Ok(InfoRow {
        seq: get_seq(row, 0)?,
        epoch: get_number(row, 1)?,
        group_info: get_maybe_bytes(row, 2)?,
        ratchet_tree: get_maybe_bytes(row, 3)?,
        invites: get(row, 4)?,
    })
}
