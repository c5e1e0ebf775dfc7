//! Bringing groups into step: fetch, process, submit, until nothing is left to do.

use mls_delivery::Seq;
use spacepanda_core::core_mls::MlsHandle;

use crate::{Account, HistoryEntry, SyncError, SyncResult};

/// What happened in a group while it was brought into step.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum News {
    /// A message is new in the history, ours or another's.
    Message(HistoryEntry),
    /// We joined.
    Joined,
    /// A device of this user is in.
    Added(Vec<u8>),
    /// A device of this user is out.
    Removed(Vec<u8>),
    /// The group has another name.
    Renamed(String),
    /// We are out.
    Left,
    /// Somebody who knows an invite asked to be let in, and will be.
    Asked(Vec<u8>),
    /// Somebody asked to be let in, and the invite does not allow it.
    Refused(Vec<u8>),
    /// A commit of ours lost its race, and was made anew.
    Rebased,
    /// Something in the log cannot be read here.
    Unreadable(Seq),
}

/// What came of bringing one group into step.
#[derive(Debug)]
pub struct Report {
    /// Which group.
    pub group_id: Vec<u8>,
    /// What happened, in order.
    pub news: Vec<News>,
    /// How it ended; what happened before an error holds.
    pub end: SyncResult<()>,
}

impl Account {
    /// Joins what we were invited to, lets in who asks, and brings every group into step.
    ///
    /// # Errors
    /// [`SyncError`] if not even the mailbox can be read; errors of single groups are in their reports.
    pub async fn sync(&self) -> SyncResult<Vec<Report>> {
        let mut reports = self.empty_mailbox().await?;
        for id in self.client().groups()? {
            let Some(group) = self.group(&id)? else { continue };
            if !self.is_member(&group) {
                continue;
            }
            let Report { group_id, news, end } = self.sync_group(&group).await;
            match reports.iter_mut().find(|report| report.group_id == group_id) {
                Some(report) => {
                    report.news.extend(news);
                    report.end = end;
                }
                None => reports.push(Report { group_id, news, end }),
            }
        }
        Ok(reports)
    }

    /// Brings one group into step: at the end all that is in the log is processed, and all that was queued is in the log.
    pub async fn sync_group(&self, group: &MlsHandle) -> Report {
        let mut news = Vec::new();
        let end = self.step_until_done(group, &mut news).await;
        Report { group_id: group.group_id(), news, end }
    }

    async fn step_until_done(&self, group: &MlsHandle, news: &mut Vec<News>) -> SyncResult<()> {
        self.make_known(group).await?;
        for _ in 0..MAX_ROUNDS {
            self.catch_up(group, news).await?;
            if !self.is_member(group) {
                return self.forget_log(group).await;
            }
            if self.commit_step(group).await? || self.message_step(group).await? {
                continue;
            }
            if self.is_leaving(group)? && group.member_count() == 1 {
                // Nobody is there to let us go, and nobody who would have to know.
                self.forget_log(group).await?;
                self.client().delete_group(&group.group_id())?;
                news.push(News::Left);
            }
            return Ok(());
        }
        Err(SyncError::Busy)
    }
}

/// Rounds of fetching and submitting; a wish takes one, and one more for each race that is lost.
const MAX_ROUNDS: u32 = 200;
