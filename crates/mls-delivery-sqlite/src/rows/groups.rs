//! Groups, epochs, readers and reports.

use mls_crypto::SignaturePublicKey;
use mls_delivery::{
    DeviceId, GroupId,
    request::Mode,
    rows::{EpochEnd, EpochRow, GroupRow, GroupRows, ReaderRow, RowError},
};
use rusqlite::{Error, Row, params};

use super::{SqliteRows, get_device, get_digest, get_group, get_maybe_seq, get_number, get_seq, int, place, unknown};

impl GroupRows for SqliteRows<'_> {
    async fn group(&mut self, group: &GroupId) -> Result<Option<GroupRow>, RowError> {
        let sql = "SELECT epoch, attempt, mode, head, first, bytes, join_token FROM groups WHERE gid = ?1";
        self.one(sql, params![group.as_slice()], |row| {
            Ok(GroupRow {
                epoch: get_number(row, 0)?,
                attempt: row.get(1)?,
                mode: mode(row.get(2)?)?,
                head: get_seq(row, 3)?,
                first: get_seq(row, 4)?,
                bytes: get_number(row, 5)?,
                join_token: row.get::<_, Option<[u8; 32]>>(6)?.map(mls_delivery::Digest::new),
            })
        })
    }

    async fn put_group(&mut self, group: &GroupId, row: &GroupRow) -> Result<(), RowError> {
        let GroupRow { epoch, attempt, mode, head, first, bytes, join_token } = row;
        let mode: i64 = match mode {
            Mode::Validating => 2,
            _ => 1,
        };
        let (gid, token) = (group.as_slice(), join_token.as_ref().map(mls_delivery::Digest::as_slice));
        self.execute(
            "INSERT OR REPLACE INTO groups VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![gid, int(*epoch), attempt, mode, place(*head), place(*first), int(*bytes), token],
        )
    }

    async fn groups_after(&mut self, after: Option<&GroupId>, limit: u32) -> Result<Vec<GroupId>, RowError> {
        let after = after.map(GroupId::as_slice);
        let sql = "SELECT gid FROM groups WHERE ?1 IS NULL OR gid > ?1 ORDER BY gid LIMIT ?2";
        self.all(sql, params![after, limit], |row| get_group(row, 0))
    }

    async fn epoch(&mut self, group: &GroupId, epoch: u64) -> Result<Option<EpochRow>, RowError> {
        let sql = "SELECT epoch, write_key, began, end_seq, end_attempt, end_digest, end_at FROM epochs \
                   WHERE gid = ?1 AND epoch = ?2";
        Ok(self.one(sql, params![group.as_slice(), int(epoch)], epoch_row)?.map(|(_, row)| row))
    }

    async fn put_epoch(&mut self, group: &GroupId, epoch: u64, row: &EpochRow) -> Result<(), RowError> {
        let EpochRow { write_key, began, end } = row;
        let seq = end.map(|end| place(end.seq));
        let attempt = end.map(|end| end.attempt);
        let digest = end.as_ref().map(|end| end.digest.as_slice());
        let at = end.map(|end| int(end.at));
        self.execute(
            "INSERT OR REPLACE INTO epochs VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![group.as_slice(), int(epoch), write_key.as_slice(), place(*began), seq, attempt, digest, at],
        )
    }

    async fn delete_epochs(&mut self, group: &GroupId, from: u64, to: u64) -> Result<(), RowError> {
        let sql = "DELETE FROM epochs WHERE gid = ?1 AND epoch >= ?2 AND epoch < ?3";
        self.execute(sql, params![group.as_slice(), int(from), int(to)])
    }

    async fn oldest_epoch(&mut self, group: &GroupId) -> Result<Option<(u64, EpochRow)>, RowError> {
        let sql = "SELECT epoch, write_key, began, end_seq, end_attempt, end_digest, end_at FROM epochs \
                   WHERE gid = ?1 ORDER BY epoch LIMIT 1";
        self.one(sql, params![group.as_slice()], epoch_row)
    }

    async fn reader(&mut self, group: &GroupId, device: &DeviceId) -> Result<Option<ReaderRow>, RowError> {
        let sql = "SELECT since, until, acknowledged FROM readers WHERE gid = ?1 AND device = ?2";
        self.one(sql, params![group.as_slice(), device.as_slice()], |row| reader_row(row, 0))
    }

    async fn put_reader(&mut self, group: &GroupId, device: &DeviceId, row: &ReaderRow) -> Result<(), RowError> {
        let ReaderRow { since, until, acknowledged } = row;
        self.execute(
            "INSERT OR REPLACE INTO readers VALUES(?1, ?2, ?3, ?4, ?5)",
            params![group.as_slice(), device.as_slice(), place(*since), until.map(place), place(*acknowledged)],
        )
    }

    async fn delete_reader(&mut self, group: &GroupId, device: &DeviceId) -> Result<(), RowError> {
        let sql = "DELETE FROM readers WHERE gid = ?1 AND device = ?2";
        self.execute(sql, params![group.as_slice(), device.as_slice()])
    }

    async fn readers(&mut self, group: &GroupId) -> Result<Vec<(DeviceId, ReaderRow)>, RowError> {
        let sql = "SELECT device, since, until, acknowledged FROM readers WHERE gid = ?1 ORDER BY device";
        self.all(sql, params![group.as_slice()], |row| Ok((get_device(row, 0)?, reader_row(row, 1)?)))
    }

    async fn reading(
        &mut self,
        device: &DeviceId,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<(GroupId, ReaderRow)>, RowError> {
        let sql = "SELECT gid, since, until, acknowledged FROM readers WHERE device = ?1 \
                   ORDER BY gid LIMIT ?2 OFFSET ?3";
        let params = params![device.as_slice(), limit, skip];
        self.all(sql, params, |row| Ok((get_group(row, 0)?, reader_row(row, 1)?)))
    }

    async fn put_report(
        &mut self,
        group: &GroupId,
        (epoch, attempt): (u64, u32),
        device: &DeviceId,
    ) -> Result<(), RowError> {
        let params = params![group.as_slice(), int(epoch), attempt, device.as_slice()];
        self.execute("INSERT OR IGNORE INTO reports VALUES(?1, ?2, ?3, ?4)", params)
    }

    async fn reports(&mut self, group: &GroupId, (epoch, attempt): (u64, u32)) -> Result<u64, RowError> {
        let sql = "SELECT count(*) FROM reports WHERE gid = ?1 AND epoch = ?2 AND attempt = ?3";
        let params = params![group.as_slice(), int(epoch), attempt];
        Ok(self.one(sql, params, |row| get_number(row, 0))?.unwrap_or_default())
    }
}

fn mode(number: i64) -> Result<Mode, Error> {
    match number {
        1 => Ok(Mode::Private),
        2 => Ok(Mode::Validating),
        other => Err(unknown(2, other)),
    }
}

pub(super) fn epoch_row(row: &Row<'_>) -> Result<(u64, EpochRow), Error> {
    let end = match get_maybe_seq(row, 3)? {
        Some(seq) => Some(EpochEnd { seq, attempt: row.get(4)?, digest: get_digest(row, 5)?, at: get_number(row, 6)? }),
        None => None,
    };
    let write_key = SignaturePublicKey::new(row.get(1)?);
    Ok((get_number(row, 0)?, EpochRow { write_key, began: get_seq(row, 2)?, end }))
}

fn reader_row(row: &Row<'_>, at: usize) -> Result<ReaderRow, Error> {
    let next = at.saturating_add(1);
    Ok(ReaderRow {
        since: get_seq(row, at)?,
        until: get_maybe_seq(row, next)?,
        acknowledged: get_seq(row, next.saturating_add(1))?,
    })
}
