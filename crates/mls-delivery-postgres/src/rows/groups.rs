//! Groups, epochs, readers and reports.

use mls_crypto::SignaturePublicKey;
use mls_delivery::{
    DeviceId, Digest, GroupId,
    request::Mode,
    rows::{EpochEnd, EpochRow, GroupRow, GroupRows, ReaderRow, RowError},
};
use tokio_postgres::Row;

use super::{PostgresRows, get, get_device, get_digest, get_group, get_maybe_seq, get_number, get_seq, int, place};

impl GroupRows for PostgresRows<'_, '_> {
    async fn group(&mut self, group: &GroupId) -> Result<Option<GroupRow>, RowError> {
        let sql = "SELECT epoch, attempt, mode, head, first, bytes, join_token FROM groups WHERE gid = $1";
        self.one(sql, &[&group.as_slice()], group_row).await
    }

    async fn put_group(&mut self, group: &GroupId, row: &GroupRow) -> Result<(), RowError> {
        let GroupRow { epoch, attempt, mode, head, first, bytes, join_token } = row;
        let mode: i64 = match mode {
            Mode::Validating => 2,
            _ => 1,
        };
        let (gid, token) = (group.as_slice(), join_token.as_ref().map(Digest::as_slice));
        let (epoch, attempt) = (int(*epoch), i64::from(*attempt));
        let (head, first, bytes) = (place(*head), place(*first), int(*bytes));
        self.execute(
            "INSERT INTO groups VALUES($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (gid) DO UPDATE SET epoch = $2, \
             attempt = $3, mode = $4, head = $5, first = $6, bytes = $7, join_token = $8",
            &[&gid, &epoch, &attempt, &mode, &head, &first, &bytes, &token],
        )
        .await
    }

    async fn groups_after(&mut self, after: Option<&GroupId>, limit: u32) -> Result<Vec<GroupId>, RowError> {
        let (after, limit) = (after.map(GroupId::as_slice), i64::from(limit));
        let sql = "SELECT gid FROM groups WHERE $1::BYTEA IS NULL OR gid > $1 ORDER BY gid LIMIT $2";
        self.all(sql, &[&after, &limit], |row| get_group(row, 0)).await
    }

    async fn epoch(&mut self, group: &GroupId, epoch: u64) -> Result<Option<EpochRow>, RowError> {
        let sql = "SELECT epoch, write_key, began, end_seq, end_attempt, end_digest, end_at FROM epochs \
                   WHERE gid = $1 AND epoch = $2";
        let found = self.one(sql, &[&group.as_slice(), &int(epoch)], epoch_row).await?;
        Ok(found.map(|(_, row)| row))
    }

    async fn put_epoch(&mut self, group: &GroupId, epoch: u64, row: &EpochRow) -> Result<(), RowError> {
        let EpochRow { write_key, began, end } = row;
        let seq = end.map(|end| place(end.seq));
        let attempt = end.map(|end| i64::from(end.attempt));
        let digest = end.as_ref().map(|end| end.digest.as_slice());
        let at = end.map(|end| int(end.at));
        let (gid, epoch, key, began) = (group.as_slice(), int(epoch), write_key.as_slice(), place(*began));
        self.execute(
            "INSERT INTO epochs VALUES($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (gid, epoch) DO UPDATE SET \
             write_key = $3, began = $4, end_seq = $5, end_attempt = $6, end_digest = $7, end_at = $8",
            &[&gid, &epoch, &key, &began, &seq, &attempt, &digest, &at],
        )
        .await
    }

    async fn delete_epochs(&mut self, group: &GroupId, from: u64, to: u64) -> Result<(), RowError> {
        let sql = "DELETE FROM epochs WHERE gid = $1 AND epoch >= $2 AND epoch < $3";
        self.execute(sql, &[&group.as_slice(), &int(from), &int(to)]).await
    }

    async fn oldest_epoch(&mut self, group: &GroupId) -> Result<Option<(u64, EpochRow)>, RowError> {
        let sql = "SELECT epoch, write_key, began, end_seq, end_attempt, end_digest, end_at FROM epochs \
                   WHERE gid = $1 ORDER BY epoch LIMIT 1";
        self.one(sql, &[&group.as_slice()], epoch_row).await
    }

    async fn reader(&mut self, group: &GroupId, device: &DeviceId) -> Result<Option<ReaderRow>, RowError> {
        let sql = "SELECT since, until, acknowledged FROM readers WHERE gid = $1 AND device = $2";
        self.one(sql, &[&group.as_slice(), &device.as_slice()], |row| reader_row(row, 0)).await
    }

    async fn put_reader(&mut self, group: &GroupId, device: &DeviceId, row: &ReaderRow) -> Result<(), RowError> {
        let ReaderRow { since, until, acknowledged } = row;
        let (since, until, acknowledged) = (place(*since), until.map(place), place(*acknowledged));
        self.execute(
            "INSERT INTO readers VALUES($1, $2, $3, $4, $5) ON CONFLICT (gid, device) DO UPDATE SET since = $3, \
             until = $4, acknowledged = $5",
            &[&group.as_slice(), &device.as_slice(), &since, &until, &acknowledged],
        )
        .await
    }

    async fn delete_reader(&mut self, group: &GroupId, device: &DeviceId) -> Result<(), RowError> {
        let sql = "DELETE FROM readers WHERE gid = $1 AND device = $2";
        self.execute(sql, &[&group.as_slice(), &device.as_slice()]).await
    }

    async fn readers(&mut self, group: &GroupId) -> Result<Vec<(DeviceId, ReaderRow)>, RowError> {
        let sql = "SELECT device, since, until, acknowledged FROM readers WHERE gid = $1 ORDER BY device";
        self.all(sql, &[&group.as_slice()], |row| Ok((get_device(row, 0)?, reader_row(row, 1)?))).await
    }

    async fn reading(
        &mut self,
        device: &DeviceId,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<(GroupId, ReaderRow)>, RowError> {
        let sql = "SELECT gid, since, until, acknowledged FROM readers WHERE device = $1 \
                   ORDER BY gid LIMIT $2 OFFSET $3";
        let (skip, limit) = (i64::from(skip), i64::from(limit));
        let read = |row: &Row| Ok((get_group(row, 0)?, reader_row(row, 1)?));
        self.all(sql, &[&device.as_slice(), &limit, &skip], read).await
    }

    async fn put_report(
        &mut self,
        group: &GroupId,
        (epoch, attempt): (u64, u32),
        device: &DeviceId,
    ) -> Result<(), RowError> {
        let sql = "INSERT INTO reports VALUES($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        self.execute(sql, &[&group.as_slice(), &int(epoch), &i64::from(attempt), &device.as_slice()]).await
    }

    async fn reports(&mut self, group: &GroupId, (epoch, attempt): (u64, u32)) -> Result<u64, RowError> {
        let sql = "SELECT count(*) FROM reports WHERE gid = $1 AND epoch = $2 AND attempt = $3";
        let params = (group.as_slice(), int(epoch), i64::from(attempt));
        let count = self.one(sql, &[&params.0, &params.1, &params.2], |row| get_number(row, 0)).await?;
        Ok(count.unwrap_or_default())
    }
}

fn group_row(row: &Row) -> Result<GroupRow, RowError> {
    let mode = match get::<i64>(row, 2)? {
        1 => Mode::Private,
        2 => Mode::Validating,
        _ => return Err(RowError::Damaged),
    };
    let join_token = match get::<Option<&[u8]>>(row, 6)? {
        Some(_) => Some(get_digest(row, 6)?),
        None => None,
    };
    Ok(GroupRow {
        epoch: get_number(row, 0)?,
        attempt: get_number(row, 1)?,
        mode,
        head: get_seq(row, 3)?,
        first: get_seq(row, 4)?,
        bytes: get_number(row, 5)?,
        join_token,
    })
}

pub(super) fn epoch_row(row: &Row) -> Result<(u64, EpochRow), RowError> {
    let end = match get_maybe_seq(row, 3)? {
        Some(seq) => {
            Some(EpochEnd { seq, attempt: get_number(row, 4)?, digest: get_digest(row, 5)?, at: get_number(row, 6)? })
        }
        None => None,
    };
    let write_key = SignaturePublicKey::new(get(row, 1)?);
    Ok((get_number(row, 0)?, EpochRow { write_key, began: get_seq(row, 2)?, end }))
}

fn reader_row(row: &Row, at: usize) -> Result<ReaderRow, RowError> {
    let next = at.saturating_add(1);
    Ok(ReaderRow {
        since: get_seq(row, at)?,
        until: get_maybe_seq(row, next)?,
        acknowledged: get_seq(row, next.saturating_add(1))?,
    })
}
