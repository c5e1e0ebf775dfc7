//! Mailboxes.

use mls_delivery::{
    DeviceId, GroupId, Seq, Timestamp,
    reply::MailKind,
    rows::{MailRow, MailRows, MailboxRow, PageLimits, RowError},
};
use tokio_postgres::Row;

use super::{PostgresRows, get, get_bytes, get_device, get_group, get_maybe_seq, get_number, get_seq, int, place};

impl MailRows for PostgresRows<'_, '_> {
    async fn mailbox(&mut self, device: &DeviceId) -> Result<MailboxRow, RowError> {
        let sql = "SELECT head, acknowledged, entries, direct, bytes FROM mailboxes WHERE device = $1";
        let read = |row: &Row| {
            Ok(MailboxRow {
                head: get_seq(row, 0)?,
                acknowledged: get_seq(row, 1)?,
                entries: get_number(row, 2)?,
                direct: get_number(row, 3)?,
                bytes: get_number(row, 4)?,
            })
        };
        Ok(self.one(sql, &[&device.as_slice()], read).await?.unwrap_or_default())
    }

    async fn put_mailbox(&mut self, device: &DeviceId, row: &MailboxRow) -> Result<(), RowError> {
        let MailboxRow { head, acknowledged, entries, direct, bytes } = row;
        let (head, acknowledged) = (place(*head), place(*acknowledged));
        let (entries, direct, bytes) = (int(*entries), int(*direct), int(*bytes));
        self.execute(
            "INSERT INTO mailboxes VALUES($1, $2, $3, $4, $5, $6) ON CONFLICT (device) DO UPDATE SET head = $2, \
             acknowledged = $3, entries = $4, direct = $5, bytes = $6",
            &[&device.as_slice(), &head, &acknowledged, &entries, &direct, &bytes],
        )
        .await
    }

    async fn put_mail(&mut self, device: &DeviceId, row: &MailRow) -> Result<(), RowError> {
        let MailRow { seq, kind, received, invited, message } = row;
        let gid = invited.as_ref().map(|(group, _)| GroupId::as_slice(group));
        let commit = invited.as_ref().map(|(_, seq)| place(*seq));
        let kind: i64 = match kind {
            MailKind::Welcome => 1,
            _ => 2,
        };
        let sql = "INSERT INTO mail VALUES($1, $2, $3, $4, $5, $6, $7)";
        let (seq, received, message) = (place(*seq), int(*received), message.as_slice());
        self.execute(sql, &[&device.as_slice(), &seq, &kind, &received, &gid, &commit, &message]).await
    }

    async fn mail(&mut self, device: &DeviceId, after: Seq, limits: PageLimits) -> Result<Vec<MailRow>, RowError> {
        let sql = "SELECT seq, kind, received, gid, commit_seq, message FROM (SELECT *, \
                   sum(length(message)) OVER (ORDER BY seq) AS total, row_number() OVER (ORDER BY seq) AS nth FROM \
                   (SELECT * FROM mail WHERE device = $1 AND seq > $2 ORDER BY seq LIMIT $3) AS page) AS counted \
                   WHERE total <= $4 OR nth = 1 ORDER BY seq";
        let (entries, bytes) = (i64::from(limits.entries), int(limits.bytes));
        self.all(sql, &[&device.as_slice(), &place(after), &entries, &bytes], mail_row).await
    }

    async fn delete_mail(&mut self, device: &DeviceId, until: Seq) -> Result<(u64, u64, u64), RowError> {
        let (device, until) = (device.as_slice(), place(until));
        let sql = "SELECT count(*), count(*) FILTER (WHERE kind = 2), coalesce(sum(length(message)), 0)::BIGINT \
                   FROM mail WHERE device = $1 AND seq <= $2";
        let read = |row: &Row| Ok((get_number(row, 0)?, get_number(row, 1)?, get_number(row, 2)?));
        let counts = self.one(sql, &[&device, &until], read).await?;
        self.execute("DELETE FROM mail WHERE device = $1 AND seq <= $2", &[&device, &until]).await?;
        Ok(counts.unwrap_or_default())
    }

    async fn old_mail(&mut self, before: Timestamp, limit: u32) -> Result<Vec<(DeviceId, Seq)>, RowError> {
        let sql = "SELECT device, max(seq) FROM mail WHERE received < $1 GROUP BY device LIMIT $2";
        let read = |row: &Row| Ok((get_device(row, 0)?, get_seq(row, 1)?));
        self.all(sql, &[&int(before), &i64::from(limit)], read).await
    }
}

fn mail_row(row: &Row) -> Result<MailRow, RowError> {
    let kind = match get::<i64>(row, 1)? {
        1 => MailKind::Welcome,
        2 => MailKind::Direct,
        _ => return Err(RowError::Damaged),
    };
    let invited = match get_maybe_seq(row, 4)? {
        Some(commit) => Some((get_group(row, 3)?, commit)),
        None => None,
    };
    Ok(MailRow { seq: get_seq(row, 0)?, kind, received: get_number(row, 2)?, invited, message: get_bytes(row, 5)? })
}
