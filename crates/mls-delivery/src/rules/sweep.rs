//! Deleting what has had its time: messages that all have read, or that are too old; past epochs; old mail; key packages.

use super::{Rules, mailbox};
use crate::{
    GroupId, Seq, Timestamp,
    rows::{GroupRow, RowError, Rows},
};

pub(super) async fn sweep<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    after: Option<&GroupId>,
    now: Timestamp,
) -> Result<Option<GroupId>, RowError> {
    if after.is_none() {
        rows.expire_key_packages(now).await?;
        rows.forget_quotas(now.saturating_mul(1_000)).await?;
        let old = now.saturating_sub(rules.limits.max_entry_age);
        for (device, until) in rows.old_mail(old, MAILBOXES).await? {
            mailbox::empty(rows, &device, until).await?;
        }
    }
    let groups = rows.groups_after(after, GROUPS).await?;
    for group_id in &groups {
        if let Some(group) = rows.group(group_id).await? {
            sweep_group(rules, rows, (group_id, group), now).await?;
        }
    }
    Ok(groups.into_iter().next_back())
}

async fn sweep_group<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    (group_id, mut group): (&GroupId, GroupRow),
    now: Timestamp,
) -> Result<(), RowError> {
    // What is being copied stays as it is.
    if rows.place(group_id).await?.is_some() {
        return Ok(());
    }
    rows.expire_passes(group_id, now).await?;
    let mut all_read = group.head;
    for (device, reader) in rows.readers(group_id).await? {
        match reader.until {
            Some(until) if reader.acknowledged >= until => rows.delete_reader(group_id, &device).await?,
            _ => all_read = all_read.min(reader.acknowledged),
        }
    }
    let first = first_kept(rules, rows, (group_id, &group), all_read, now).await?;
    let oldest = drop_epochs(rules, rows, (group_id, &group), now).await?;
    if first > group.first {
        let freed = rows.empty_log(group_id, group.first, first).await?;
        group.bytes = group.bytes.saturating_sub(freed);
        group.first = first;
        rows.put_group(group_id, &group).await?;
        if let Some(newest) = rows.newest_info(group_id).await? {
            rows.delete_infos(group_id, newest.seq.min(first), true).await?;
        }
    }
    // Digests of epochs that take no messages any more are not needed: a retry is refused before it is looked for.
    rows.forget_log(group_id, group.first, oldest).await
}

/// The first entry that somebody has to read, and that is not too old. Looks at some only: the rest is for the next time.
async fn first_kept<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    (group_id, group): (&GroupId, &GroupRow),
    all_read: Seq,
    now: Timestamp,
) -> Result<Seq, RowError> {
    let mut first = group.first.max(all_read.next());
    for _ in 0..ENTRIES {
        let Some((received, _)) = rows.log_entry(group_id, first).await? else { break };
        if now.saturating_sub(received) <= rules.limits.max_entry_age {
            break;
        }
        first = first.next();
    }
    Ok(first.min(group.head.next()))
}

/// Deletes epochs that ended long ago, and returns the oldest that is left.
async fn drop_epochs<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    (group_id, group): (&GroupId, &GroupRow),
    now: Timestamp,
) -> Result<u64, RowError> {
    let limits = &rules.limits;
    let age = limits.max_past_epoch_age.max(limits.max_report_age);
    let mut oldest = group.epoch;
    for _ in 0..ENTRIES {
        let Some((epoch, row)) = rows.oldest_epoch(group_id).await? else { break };
        oldest = epoch;
        let passed = group.epoch.saturating_sub(epoch) > limits.max_past_epochs;
        let old = row.end.is_some_and(|end| now.saturating_sub(end.at) > age);
        if !(passed && old) {
            break;
        }
        rows.delete_epochs(group_id, epoch, epoch.saturating_add(1)).await?;
        oldest = epoch.saturating_add(1);
    }
    Ok(oldest)
}

/// How much one transaction of sweeping looks at.
const GROUPS: u32 = 64;
const MAILBOXES: u32 = 256;
const ENTRIES: u32 = 1_024;
