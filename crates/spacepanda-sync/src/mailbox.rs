//! The mailbox of our device: invitations, and those who ask to be let in.

use mls_delivery::{
    ask,
    reply::{InvitedTo, MailEntry, MailKind},
    request::{AcknowledgeMailbox, FetchMailbox},
};
use spacepanda_core::core_mls::{MlsEnvelope, MlsError};

use crate::{
    Account, News, Report, SyncResult,
    rows::{Rows, put_made},
};

impl Account {
    /// Handles all mail; says which groups it was about. Mail is acknowledged after what it did is durable.
    ///
    /// # Errors
    /// [`crate::SyncError`]: what was not acknowledged comes again.
    pub async fn empty_mailbox(&self) -> SyncResult<Vec<Report>> {
        let mut reports = Vec::new();
        loop {
            let fetch = FetchMailbox { after: None, limit: PAGE };
            let page = ask(self.service().as_ref(), self.device(), fetch).await?;
            let Some(last) = page.entries.last().map(|entry| entry.seq) else { break };
            for entry in &page.entries {
                reports.extend(self.open_mail(entry)?);
            }
            ask(self.service().as_ref(), self.device(), AcknowledgeMailbox { seq: last }).await?;
        }
        if !reports.is_empty() {
            self.publish_key_packages().await?;
        }
        Ok(reports)
    }

    fn open_mail(&self, entry: &MailEntry) -> SyncResult<Option<Report>> {
        match (entry.kind, &entry.invited) {
            (MailKind::Welcome, Some(invited)) => self.join(entry, invited),
            (MailKind::Direct, _) => self.let_in(entry),
            _ => Ok(None),
        }
    }

    fn join(&self, entry: &MailEntry, invited: &InvitedTo) -> SyncResult<Option<Report>> {
        let group_id = invited.group_id.as_slice();
        let welcome = MlsEnvelope::wrap_welcome(group_id, entry.message.as_slice().to_vec())?;
        let tree = entry.ratchet_tree.as_ref().map(|tree| tree.as_slice());
        let group = match self.client().join_group_with_tree(&welcome, tree) {
            Ok(group) => group,
            Err(MlsError::Store(error)) => return Err(error.into()),
            // It came before, or it is not to be used: either way it need not come again.
            Err(_) => return Ok(None),
        };
        Rows(&group).write(vec![put_made()])?;
        Ok(Some(Report { group_id: group_id.to_vec(), news: vec![News::Joined], end: Ok(()) }))
    }
}

/// Entries asked for at once.
const PAGE: u16 = 64;
