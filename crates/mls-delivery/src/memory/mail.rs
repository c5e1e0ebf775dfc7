//! Mailboxes in memory.

use super::{MemoryRows, page};
use crate::{
    DeviceId, Seq, Timestamp,
    limits::length,
    reply::MailKind,
    rows::{MailRow, MailRows, MailboxRow, PageLimits, RowError},
};

impl MailRows for MemoryRows {
    async fn mailbox(&mut self, device: &DeviceId) -> Result<MailboxRow, RowError> {
        Ok(self.mailboxes.get(device).map(|mailbox| mailbox.row).unwrap_or_default())
    }

    async fn put_mailbox(&mut self, device: &DeviceId, row: &MailboxRow) -> Result<(), RowError> {
        self.mailboxes.entry(*device).or_default().row = *row;
        Ok(())
    }

    async fn put_mail(&mut self, device: &DeviceId, row: &MailRow) -> Result<(), RowError> {
        let before = self.mailboxes.entry(*device).or_default().mail.insert(row.seq, row.clone());
        if before.is_some() { Err(RowError::Damaged) } else { Ok(()) }
    }

    async fn mail(&mut self, device: &DeviceId, after: Seq, limits: PageLimits) -> Result<Vec<MailRow>, RowError> {
        let Some(mailbox) = self.mailboxes.get(device) else { return Ok(Vec::new()) };
        let rows = mailbox.mail.range(after.next()..).map(|(_, row)| row);
        let rows = page(rows, |row| length(row.message.as_slice()), limits);
        Ok(rows.into_iter().cloned().collect())
    }

    async fn delete_mail(&mut self, device: &DeviceId, until: Seq) -> Result<(u64, u64, u64), RowError> {
        let Some(mailbox) = self.mailboxes.get_mut(device) else { return Ok((0, 0, 0)) };
        let kept = mailbox.mail.split_off(&until.next());
        let gone = core::mem::replace(&mut mailbox.mail, kept);
        let mut counts: (u64, u64, u64) = (0, 0, 0);
        for row in gone.values() {
            counts.0 = counts.0.saturating_add(1);
            counts.1 = counts.1.saturating_add(u64::from(row.kind == MailKind::Direct));
            counts.2 = counts.2.saturating_add(length(row.message.as_slice()));
        }
        Ok(counts)
    }

    async fn old_mail(&mut self, before: Timestamp, limit: u32) -> Result<Vec<(DeviceId, Seq)>, RowError> {
        let last = |mail: &std::collections::BTreeMap<Seq, MailRow>| {
            mail.values().filter(|row| row.received < before).map(|row| row.seq).next_back()
        };
        let old = self.mailboxes.iter().filter_map(|(device, mailbox)| Some((*device, last(&mailbox.mail)?)));
        Ok(old.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }
}
