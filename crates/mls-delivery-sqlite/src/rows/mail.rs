//! Mailboxes.

use mls_delivery::{
    DeviceId, Seq, Timestamp,
    reply::MailKind,
    rows::{MailRow, MailRows, MailboxRow, PageLimits, RowError},
};
use rusqlite::{Error, Row, params};

use super::{
    SqliteRows, get_bytes, get_device, get_group, get_maybe_seq, get_number, get_seq, int, logs::length, place, unknown,
};

impl MailRows for SqliteRows<'_> {
    async fn mailbox(&mut self, device: &DeviceId) -> Result<MailboxRow, RowError> {
        let sql = "SELECT head, acknowledged, entries, direct, bytes FROM mailboxes WHERE device = ?1";
        let found = self.one(sql, params![device.as_slice()], |row| {
            Ok(MailboxRow {
                head: get_seq(row, 0)?,
                acknowledged: get_seq(row, 1)?,
                entries: get_number(row, 2)?,
                direct: get_number(row, 3)?,
                bytes: get_number(row, 4)?,
            })
        })?;
        Ok(found.unwrap_or_default())
    }

    async fn put_mailbox(&mut self, device: &DeviceId, row: &MailboxRow) -> Result<(), RowError> {
        let MailboxRow { head, acknowledged, entries, direct, bytes } = row;
        self.execute(
            "INSERT OR REPLACE INTO mailboxes VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            params![device.as_slice(), place(*head), place(*acknowledged), int(*entries), int(*direct), int(*bytes)],
        )
    }

    async fn put_mail(&mut self, device: &DeviceId, row: &MailRow) -> Result<(), RowError> {
        let MailRow { seq, kind, received, invited, message } = row;
        let gid = invited.as_ref().map(|(group, _)| group.as_slice());
        let commit = invited.as_ref().map(|(_, seq)| place(*seq));
        let kind: i64 = match kind {
            MailKind::Welcome => 1,
            _ => 2,
        };
        self.execute(
            "INSERT INTO mail VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![device.as_slice(), place(*seq), kind, int(*received), gid, commit, message.as_slice()],
        )
    }

    async fn mail(&mut self, device: &DeviceId, after: Seq, limits: PageLimits) -> Result<Vec<MailRow>, RowError> {
        let sql = "SELECT seq, kind, received, gid, commit_seq, message FROM mail \
                   WHERE device = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        let read = |row: &Row<'_>| {
            let row = mail_row(row)?;
            let bytes = length(&row.message);
            Ok((row, bytes))
        };
        self.page(sql, params![device.as_slice(), place(after), limits.entries], read, limits.bytes)
    }

    async fn delete_mail(&mut self, device: &DeviceId, until: Seq) -> Result<(u64, u64, u64), RowError> {
        let range = params![device.as_slice(), place(until)];
        let sql = "SELECT count(*), count(*) FILTER (WHERE kind = 2), coalesce(sum(length(message)), 0) FROM mail \
                   WHERE device = ?1 AND seq <= ?2";
        let counts = self
            .one(sql, range, |row| Ok((get_number(row, 0)?, get_number(row, 1)?, get_number(row, 2)?)))?
            .unwrap_or_default();
        self.execute("DELETE FROM mail WHERE device = ?1 AND seq <= ?2", range)?;
        Ok(counts)
    }

    async fn old_mail(&mut self, before: Timestamp, limit: u32) -> Result<Vec<(DeviceId, Seq)>, RowError> {
        let sql = "SELECT device, max(seq) FROM mail WHERE received < ?1 GROUP BY device LIMIT ?2";
        self.all(sql, params![int(before), limit], |row| Ok((get_device(row, 0)?, get_seq(row, 1)?)))
    }
}

fn mail_row(row: &Row<'_>) -> Result<MailRow, Error> {
    let kind = match row.get(1)? {
        1 => MailKind::Welcome,
        2 => MailKind::Direct,
        other => return Err(unknown(1, other)),
    };
    let invited = match get_maybe_seq(row, 4)? {
        Some(commit) => Some((get_group(row, 3)?, commit)),
        None => None,
    };
    Ok(MailRow { seq: get_seq(row, 0)?, kind, received: get_number(row, 2)?, invited, message: get_bytes(row, 5)? })
}
