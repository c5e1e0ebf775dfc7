//! Groups and those who read them: making one known, pages of its log, cursors, leaving, and its GroupInfo.
//!
//! Always: a cursor only moves forward, and only when its device says that it has processed what came before.

use super::{
    Done, Rules,
    check::CheckedInfo,
    judge::Judged,
    pass,
    right::Standing,
    shares::{self, Share},
};
use crate::{
    DeviceId, GroupId, Rejection, Seq, Timestamp, UserId,
    access::Shown,
    hub::Topic,
    reply::{Cursor, GroupInfo, Groups, LogEntry, LogPage, Reply},
    request::{AcknowledgeLog, CreateGroup, FetchLog, LeaveGroup, ListGroups, Mode},
    rows::{EpochRow, GroupRow, InfoRow, LogRow, PageLimits, ReaderRow, Rows},
};

pub(super) async fn create<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    ((caller, user), create, judged): ((DeviceId, &UserId), CreateGroup, Option<Judged>),
    now: Timestamp,
) -> Result<Done, Rejection> {
    let CreateGroup { group_id, epoch, mode, start } = create;
    if rows.group(&group_id).await?.is_some() {
        return made_before(rows, caller, (&group_id, epoch), &start.write_key).await;
    }
    if mode == Mode::Validating && judged.is_none() {
        return Err(Rejection::NotObservable);
    }
    shares::take(rules, rows, &[(Share::UserGroups, user.as_slice())], now).await?;
    let row = GroupRow {
        epoch,
        attempt: 0,
        mode,
        head: Seq::ZERO,
        first: Seq::ZERO.next(),
        bytes: 0,
        join_token: start.join_token,
    };
    rows.put_group(&group_id, &row).await?;
    let begun = EpochRow { write_key: start.write_key, began: Seq::ZERO, end: None };
    rows.put_epoch(&group_id, epoch, &begun).await?;
    if start.group_info.is_some() || start.ratchet_tree.is_some() {
        let (group_info, ratchet_tree) = (start.group_info, start.ratchet_tree);
        let info = InfoRow { seq: Seq::ZERO, epoch, group_info, ratchet_tree, invites: false };
        rows.put_info(&group_id, &info).await?;
    }
    let reader = ReaderRow { since: Seq::ZERO, until: None, acknowledged: Seq::ZERO };
    rows.put_reader(&group_id, &caller, &reader).await?;
    Ok(Done::reply(Reply::Done))
}

/// A retry of the founder, whose reply got lost, is answered as the first time.
async fn made_before<R: Rows>(
    rows: &mut R,
    caller: DeviceId,
    (group_id, epoch): (&GroupId, u64),
    write_key: &mls_crypto::SignaturePublicKey,
) -> Result<Done, Rejection> {
    let reader = rows.reader(group_id, &caller).await?;
    let founder = reader.is_some_and(|reader| reader.since == Seq::ZERO);
    let same = rows.epoch(group_id, epoch).await?.is_some_and(|row| row.write_key == *write_key);
    if founder && same { Ok(Done::reply(Reply::Done)) } else { Err(Rejection::GroupExists) }
}

/// What one device sees of a log.
#[derive(Clone, Copy, Debug)]
struct View {
    reader: ReaderRow,
    first: Seq,
    head: Seq,
}

impl View {
    async fn load<R: Rows>(rows: &mut R, group_id: &GroupId, device: &DeviceId) -> Result<Self, Rejection> {
        let reader = rows.reader(group_id, device).await?.ok_or(Rejection::Forbidden)?;
        let group = rows.group(group_id).await?.ok_or(Rejection::Forbidden)?;
        Ok(Self::of(&group, reader))
    }

    fn of(group: &GroupRow, reader: ReaderRow) -> Self {
        let head = reader.until.map_or(group.head, |until| until.min(group.head));
        Self { reader, first: group.first, head }
    }

    /// Where a page begins: after this place.
    fn start(&self, after: Option<Seq>) -> Result<Seq, Rejection> {
        let after = after.unwrap_or(self.reader.acknowledged).max(self.reader.since);
        if after < self.head && after.next() < self.first {
            return Err(Rejection::Gap { first: self.first });
        }
        Ok(after)
    }
}

pub(super) async fn fetch<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    caller: DeviceId,
    fetch: &FetchLog,
) -> Result<Done, Rejection> {
    let view = View::load(rows, &fetch.group_id, &caller).await?;
    let after = view.start(fetch.after)?;
    let limits = rules.page(fetch.limit);
    let found = rows.log(&fetch.group_id, (after, view.head), limits).await?;
    let entries = found.into_iter().map(entry).collect();
    Ok(Done::reply(Reply::LogPage(LogPage { entries, head: view.head })))
}

fn entry(row: LogRow) -> LogEntry {
    let LogRow { seq, kind, epoch, attempt, digest, received, message } = row;
    LogEntry { seq, kind, epoch, attempt, digest, received, message }
}

impl Rules {
    /// What a page may hold, if it is asked for so many entries.
    pub(super) fn page(&self, wanted: u16) -> PageLimits {
        let entries = u64::from(wanted.max(1)).min(self.limits.max_page_entries);
        PageLimits { entries: u32::try_from(entries).unwrap_or(u32::MAX), bytes: self.limits.max_page_bytes }
    }
}

pub(super) async fn acknowledge<R: Rows>(
    rows: &mut R,
    caller: DeviceId,
    seen: &AcknowledgeLog,
) -> Result<Done, Rejection> {
    let View { reader, head, .. } = View::load(rows, &seen.group_id, &caller).await?;
    if seen.seq > head {
        return Err(Rejection::BeyondHead { head });
    }
    if seen.seq > reader.acknowledged {
        let reader = ReaderRow { acknowledged: seen.seq, ..reader };
        rows.put_reader(&seen.group_id, &caller, &reader).await?;
    }
    Ok(Done::reply(Reply::Done))
}

pub(super) async fn list<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    caller: DeviceId,
    list: ListGroups,
) -> Result<Done, Rejection> {
    let limit = rules.page(u16::MAX).entries;
    let found = rows.reading(&caller, list.skip, limit.saturating_add(1)).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = u8::from(found.len() > limit);
    let mut cursors = Vec::new();
    for (group_id, reader) in found.into_iter().take(limit) {
        let group = rows.group(&group_id).await?.ok_or(Rejection::Damaged)?;
        let View { head, .. } = View::of(&group, reader);
        cursors.push(Cursor { group_id, acknowledged: reader.acknowledged, head });
    }
    Ok(Done::reply(Reply::Groups(Groups { cursors, more })))
}

pub(super) async fn leave<R: Rows>(rows: &mut R, caller: DeviceId, leave: &LeaveGroup) -> Result<Done, Rejection> {
    rows.reader(&leave.group_id, &caller).await?.ok_or(Rejection::Forbidden)?;
    rows.delete_reader(&leave.group_id, &caller).await?;
    Ok(Done::reply(Reply::Done).touching([Topic::Log(leave.group_id.clone())]))
}

/// For members, and for those who know how to join; to others there is none.
pub(super) async fn info<R: Rows>(
    rows: &mut R,
    caller: DeviceId,
    fetch: CheckedInfo,
    now: Timestamp,
) -> Result<Done, Rejection> {
    let CheckedInfo { group_id, shown } = fetch;
    let group = rows.group(&group_id).await?.ok_or(Rejection::Forbidden)?;
    let at = match &shown {
        Shown::Member { epoch, .. } => *epoch,
        Shown::Join(_) => group.epoch,
    };
    let mut standing = Standing::load(rows, (&group_id, at), &caller).await?;
    standing.passed = pass::is_good(rows, (&group_id, &shown), &caller, now).await?;
    standing.admit(&shown, at)?;
    let info = rows.newest_info(&group_id).await?.filter(|info| info.epoch == group.epoch);
    let (group_info, ratchet_tree) = match info {
        Some(InfoRow { group_info: Some(group_info), ratchet_tree, .. }) => (group_info, ratchet_tree),
        _ => return Err(Rejection::NoGroupInfo),
    };
    Ok(Done::reply(Reply::GroupInfo(GroupInfo { seq: group.head, group_info, ratchet_tree })))
}
