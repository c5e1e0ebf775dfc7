//! The log of a group: fetched, processed, and then acknowledged.
//!
//! Always: a message is in the history with its place, in one batch with the use of its key; a place that was processed is not
//! processed again, whatever ended in between.

use mls_crypto::Opaque;
use mls_delivery::{
    GroupId, ask,
    reply::{EntryKind, LogEntry},
    request::{AcknowledgeLog, FetchLog, LeaveGroup, ReportInvalid},
};
use spacepanda_core::core_mls::{
    ApplicationRow, CommitOutcome, Incoming, MlsEnvelope, MlsError, MlsHandle, OutboxState, ReceivedMessage,
};

use crate::{
    Account, HistoryEntry, News, SyncError, SyncResult,
    queue::WishKind,
    rows::{Queued, Rows, delete_queued, delete_wish, put_cursor, put_history},
};

impl Account {
    /// Processes everything that is new.
    pub(crate) async fn catch_up(&self, group: &MlsHandle, news: &mut Vec<News>) -> SyncResult<()> {
        let group_id = GroupId::new(group.group_id());
        // What is sealed is sealed between two of these.
        let sent = Rows(group).queued()?;
        loop {
            let fetch = FetchLog { group_id: group_id.clone(), after: Rows(group).cursor()?, limit: PAGE };
            let page = ask(self.service().as_ref(), self.device(), fetch).await?;
            let Some(last) = page.entries.last().map(|entry| entry.seq) else { break };
            for entry in &page.entries {
                self.take(group, (entry, &sent), news).await?;
            }
            let seen = AcknowledgeLog { group_id: group_id.clone(), seq: last };
            ask(self.service().as_ref(), self.device(), seen).await?;
            if last >= page.head {
                break;
            }
        }
        tidy(group)
    }

    /// We are out: the service need not keep anything for us.
    pub(crate) async fn forget_log(&self, group: &MlsHandle) -> SyncResult<()> {
        let leave = LeaveGroup { group_id: GroupId::new(group.group_id()) };
        // The service may have forgotten us already.
        let _known = ask(self.service().as_ref(), self.device(), leave).await;
        Ok(())
    }

    async fn take(
        &self,
        group: &MlsHandle,
        (entry, sent): (&LogEntry, &[(u64, Queued)]),
        news: &mut Vec<News>,
    ) -> SyncResult<()> {
        if Rows(group).cursor()?.is_some_and(|cursor| entry.seq <= cursor) || !self.is_member(group) {
            return Ok(());
        }
        match entry.kind {
            EntryKind::Application => match sent.iter().find(|(_, queued)| queued.sealed.contains(&entry.digest)) {
                Some((number, queued)) => take_own(group, entry, (*number, queued), news),
                None => take_message(group, entry, news),
            },
            EntryKind::Proposal => take_proposal(group, entry),
            EntryKind::Commit => match self.take_commit(group, entry, news) {
                Err(SyncError::Fork(error)) => {
                    self.report_invalid(group, entry).await?;
                    Err(SyncError::Fork(error))
                }
                other => other,
            },
            // What was followed cannot be taken back; an unknown kind may be as grave.
            _ => Err(SyncError::Voided),
        }
    }

    fn take_commit(&self, group: &MlsHandle, entry: &LogEntry, news: &mut Vec<News>) -> SyncResult<()> {
        let rows = Rows(group);
        if entry.epoch < group.epoch() {
            return rows.write(vec![put_cursor(entry.seq)?]);
        }
        let (name, staged) = (group.group_name(), !group.pending_commits()?.is_empty());
        let envelope = MlsEnvelope::wrap_commit(entry.message.as_slice().to_vec())?;
        match group.handle_incoming(&envelope) {
            Ok(Incoming::EpochAdvanced(outcome)) => {
                let own = outcome.committer == group.own_index();
                tell(&outcome, news);
                if let Some(new) = group.group_name().filter(|new| name.as_ref() != Some(new)) {
                    news.push(News::Renamed(new));
                }
                news.extend((staged && !own).then_some(News::Rebased));
                let mut writes = vec![put_cursor(entry.seq)?];
                let done = rows.wishes()?.into_iter().filter(|(_, wish)| {
                    let by_this =
                        |commits: &Vec<Opaque>| commits.iter().any(|id| id.as_slice() == entry.digest.as_slice());
                    matches!(wish.kind, WishKind::Rotate | WishKind::Replace(_))
                        && wish.claimed.as_ref().is_some_and(by_this)
                });
                writes.extend(done.map(|(number, _)| delete_wish(number)));
                rows.write(writes)
            }
            Ok(Incoming::Removed { .. }) => {
                news.push(News::Left);
                // What was wanted of the group cannot be had any more.
                let mut writes = vec![put_cursor(entry.seq)?];
                writes.extend(rows.wishes()?.into_iter().map(|(number, _)| delete_wish(number)));
                writes.extend(rows.queued()?.into_iter().map(|(number, _)| delete_queued(number)));
                rows.write(writes)
            }
            Ok(_) => rows.write(vec![put_cursor(entry.seq)?]),
            Err(MlsError::Store(error)) => Err(error.into()),
            Err(error) => Err(SyncError::Fork(error)),
        }
    }

    /// RFC 9420, Section 16.4.1: the service cannot know by itself that members cannot follow.
    async fn report_invalid(&self, group: &MlsHandle, entry: &LogEntry) -> SyncResult<()> {
        let at = (GroupId::new(group.group_id()), entry.epoch);
        let report = ReportInvalid::by_member(self.crypto(), &self.write_key(group)?, at, entry.seq, entry.digest)?;
        // Told or not, this is where it ends for us.
        let _told = ask(self.service().as_ref(), self.device(), report).await;
        Ok(())
    }
}

/// A message of ours came back: nobody can open its own, and nobody has to.
fn take_own(
    group: &MlsHandle,
    entry: &LogEntry,
    (number, queued): (u64, &Queued),
    news: &mut Vec<News>,
) -> SyncResult<()> {
    let rows = Rows(group);
    let mut writes = vec![delete_queued(number), put_cursor(entry.seq)?];
    if !rows.knows(group.own_identity(), &queued.id)? {
        let said = history_entry(entry, group.own_identity(), queued.text.clone());
        writes.extend(put_history(&said, &queued.id)?);
        news.push(News::Message(said));
    }
    rows.write(writes)
}

fn take_message(group: &MlsHandle, entry: &LogEntry, news: &mut Vec<News>) -> SyncResult<()> {
    let rows = Rows(group);
    let envelope = MlsEnvelope::wrap_application(entry.message.as_slice().to_vec())?;
    let beside = |message: &ReceivedMessage| rows_of(&rows, entry, message).unwrap_or_default();
    match group.receive_message_with(&envelope, beside) {
        Ok(message) => {
            // Without a row it was said before.
            if rows.said(entry.seq)? {
                let text = message.plaintext.as_slice().into();
                news.push(News::Message(history_entry(entry, &message.sender, text)));
            }
            Ok(())
        }
        Err(MlsError::Store(error)) => Err(error.into()),
        // Processed before, or an older form of a message of ours.
        Err(MlsError::ReplayDetected { .. } | MlsError::OwnMessage) => rows.write(vec![put_cursor(entry.seq)?]),
        Err(_) => {
            news.push(News::Unreadable(entry.seq));
            rows.write(vec![put_cursor(entry.seq)?])
        }
    }
}

fn take_proposal(group: &MlsHandle, entry: &LogEntry) -> SyncResult<()> {
    let envelope = MlsEnvelope::wrap_proposal(entry.message.as_slice().to_vec())?;
    if let Err(MlsError::Store(error)) = group.handle_incoming(&envelope) {
        return Err(error.into());
    }
    // A proposal that breaks a rule is one that nobody may commit.
    Rows(group).write(vec![put_cursor(entry.seq)?])
}

/// What is written with a message: its history, unless it was said before, and the cursor.
fn rows_of(rows: &Rows<'_>, entry: &LogEntry, message: &ReceivedMessage) -> SyncResult<Vec<ApplicationRow>> {
    let mut writes = vec![put_cursor(entry.seq)?];
    let id = match message.authenticated_data.as_slice() {
        [] => entry.digest.as_slice(),
        id => id,
    };
    if id.len() <= MAX_ID && !rows.knows(&message.sender, id)? {
        let said = history_entry(entry, &message.sender, message.plaintext.as_slice().into());
        writes.extend(put_history(&said, id)?);
    }
    Ok(writes)
}

fn history_entry(entry: &LogEntry, sender: &[u8], text: Opaque) -> HistoryEntry {
    HistoryEntry { seq: entry.seq, epoch: entry.epoch, received: entry.received, sender: sender.into(), text }
}

fn tell(outcome: &CommitOutcome, news: &mut Vec<News>) {
    news.extend(outcome.added.iter().map(|member| News::Added(member.identity.clone())));
    news.extend(outcome.removed.iter().map(|member| News::Removed(member.identity.clone())));
}

/// What is to be sent is kept in rows of our own; only commits that wait are still needed.
fn tidy(group: &MlsHandle) -> SyncResult<()> {
    let done = group.outbox()?.into_iter().filter(|entry| entry.state != OutboxState::Pending);
    let done: Vec<_> = done.map(|entry| entry.id).collect();
    if done.is_empty() { Ok(()) } else { Ok(group.mark_sent(&done)?) }
}

/// Entries asked for at once.
const PAGE: u16 = 256;
/// Bytes of what a sender tells its messages apart by.
const MAX_ID: usize = 64;
