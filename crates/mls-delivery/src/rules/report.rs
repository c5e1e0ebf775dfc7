//! The way out when a commit was taken that members cannot process.
//!
//! A service that sees no content cannot know that a commit is valid, and one taken in error would stop the group for
//! good. Members of the epoch that it ended say so; when most of its readers have, the commit is void, those built on it
//! are too, and the epoch is open again. The voiding has its place in the order, so all readers learn of it alike.
//! Who the commit itself removed has a say, or one member could remove all others and then stand unopposed.

use mls_crypto::Opaque;

use super::{
    Done, Rules,
    append::{Item, append},
    check::CheckedReport,
    right::Standing,
};
use crate::{
    DeviceId, GroupId, Rejection, Seq, Timestamp,
    hub::Topic,
    reply::{EntryKind, Reply, Reported},
    request::Mode,
    rows::{EpochEnd, EpochRow, GroupRow, ReaderRow, Rows},
};

pub(super) async fn report<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    caller: DeviceId,
    report: CheckedReport,
    now: Timestamp,
) -> Result<Done, Rejection> {
    let group_id = &report.group_id;
    let standing = Standing::load(rows, (group_id, report.epoch), &caller).await?;
    let end = decide(&report, &standing, rules.limits.max_report_age, now)?;
    let voters = voters(rows.readers(group_id).await?, &end);
    if !voters.contains(&caller) {
        return Err(Rejection::NothingToReport);
    }
    let place = (report.epoch, end.attempt);
    rows.put_report(group_id, place, &caller).await?;
    let reports = rows.reports(group_id, place).await?;
    let needed = majority(voters.len());
    if reports < needed {
        return Ok(Done::reply(Reply::Reported(Reported { reports, needed, voided: None })));
    }
    let Standing { group: Some(group), epoch: Some(epoch), .. } = standing else {
        return Err(Rejection::Forbidden);
    };
    let seq = void(rules, rows, group_id, (group, report.epoch, epoch, end), now).await?;
    let reply = Reply::Reported(Reported { reports, needed, voided: Some(seq) });
    Ok(Done::reply(reply).touching([Topic::Log(group_id.clone())]))
}

/// The end that is reported, if it is one, and recent.
fn decide(report: &CheckedReport, standing: &Standing, max_age: u64, now: Timestamp) -> Result<EpochEnd, Rejection> {
    // Who was removed may report the commit that did it: the key says that they were members.
    let open =
        Standing { reader: standing.reader.map(|reader| ReaderRow { until: None, ..reader }), ..standing.clone() };
    let (_, epoch) = open.admit(&report.shown, report.epoch)?;
    let end = epoch.end.filter(|end| end.seq == report.seq && end.digest == report.digest);
    let end = end.ok_or(Rejection::NothingToReport)?;
    if now.saturating_sub(end.at) > max_age { Err(Rejection::NothingToReport) } else { Ok(end) }
}

/// Who read the log when the commit came.
fn voters(readers: Vec<(DeviceId, ReaderRow)>, end: &EpochEnd) -> Vec<DeviceId> {
    let read = |reader: &ReaderRow| reader.since < end.seq && reader.until.is_none_or(|until| until >= end.seq);
    readers.into_iter().filter(|(_, reader)| read(reader)).map(|(device, _)| device).collect()
}

/// More than half.
fn majority(voters: usize) -> u64 {
    u64::try_from(voters / 2).unwrap_or(u64::MAX).saturating_add(1)
}

async fn void<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    group_id: &GroupId,
    (mut group, at, epoch, end): (GroupRow, u64, EpochRow, EpochEnd),
    now: Timestamp,
) -> Result<Seq, Rejection> {
    // A validated group without what is public about its epoch could not go on.
    if group.mode == Mode::Validating && rows.info(group_id, epoch.began).await?.is_none() {
        return Err(Rejection::NothingToReport);
    }
    rows.delete_epochs(group_id, at.saturating_add(1), group.epoch.saturating_add(1)).await?;
    rows.put_epoch(group_id, at, &EpochRow { end: None, ..epoch }).await?;
    rows.delete_infos_from(group_id, end.seq).await?;
    for (device, reader) in rows.readers(group_id).await? {
        if reader.since >= end.seq {
            rows.delete_reader(group_id, &device).await?;
        } else if reader.until.is_some_and(|until| until >= end.seq) {
            rows.put_reader(group_id, &device, &ReaderRow { until: None, ..reader }).await?;
        }
    }
    group.attempt = group.attempt.saturating_add(1);
    group.epoch = at;
    group.join_token = None;
    // A voiding has no message; its digest, which must not be the commit's in this log, is of its place.
    let digest = rules.crypto.labelled_digest("voided", &(end.digest, group.attempt))?;
    let item = Item { kind: EntryKind::Voided, epoch: at, digest, message: Opaque::default() };
    let seq = append(rows, (group_id, &mut group), item, &rules.limits, now).await?;
    rows.put_group(group_id, &group).await?;
    Ok(seq)
}
