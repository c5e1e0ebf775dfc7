//! Passes: members say beforehand who may join by external commit, and the service counts (RFC 9420, Section 12.4.3.2).
//!
//! Always: a pass that is over, used up, taken back or somebody else's is as good as none, and to whoever shows it the group
//! looks as if it were not there. What has joined counts, not what was tried.

use super::{Done, check::CheckedPass, right::Standing};
use crate::{
    DeviceId, GroupId, Limits, Rejection, Timestamp,
    access::Shown,
    reply::Reply,
    request::Pass,
    rows::{PassRow, RowError, Rows},
};

/// Passes of one group at a time.
const MAX_PASSES: u64 = 64;

pub(super) async fn set<R: Rows>(
    rows: &mut R,
    caller: DeviceId,
    set: CheckedPass,
    now: Timestamp,
) -> Result<Done, Rejection> {
    let CheckedPass { group_id, epoch, pass, shown } = set;
    let standing = Standing::load(rows, (&group_id, epoch), &caller).await?;
    let (group, _) = standing.admit(&shown, epoch)?;
    // Who was removed knows the key of an epoch that is over, and might let himself in again.
    if epoch != group.epoch {
        return Err(Rejection::EpochPast { current: group.epoch });
    }
    let Pass { token, expires, uses, user } = pass;
    if uses == 0 {
        rows.delete_pass(&group_id, &token).await?;
        return Ok(Done::reply(Reply::Done));
    }
    let known = rows.pass(&group_id, &token).await?;
    if known.is_none() {
        rows.expire_passes(&group_id, now).await?;
        Limits::check_count(rows.passes(&group_id).await?.len().saturating_add(1), MAX_PASSES)?;
    }
    let used = known.map_or(0, |known| known.used);
    rows.put_pass(&group_id, &token, &PassRow { expires, uses, used, user }).await?;
    Ok(Done::reply(Reply::Done))
}

/// Whether the caller shows a pass of the group that is good now, and for this caller.
pub(super) async fn is_good<R: Rows>(
    rows: &mut R,
    (group_id, shown): (&GroupId, &Shown),
    caller: &DeviceId,
    now: Timestamp,
) -> Result<bool, RowError> {
    let Shown::Join(token) = shown else { return Ok(false) };
    let Some(PassRow { expires, uses, used, user }) = rows.pass(group_id, token).await? else { return Ok(false) };
    if expires <= now || used >= uses {
        return Ok(false);
    }
    let Some(user) = user else { return Ok(true) };
    Ok(rows.device(caller).await?.is_some_and(|device| device.user == user))
}

/// One more has joined with it.
pub(super) async fn spend<R: Rows>(rows: &mut R, (group_id, shown): (&GroupId, &Shown)) -> Result<(), RowError> {
    let Shown::Join(token) = shown else { return Ok(()) };
    let Some(row) = rows.pass(group_id, token).await? else { return Ok(()) };
    let used = row.used.saturating_add(1);
    rows.put_pass(group_id, token, &PassRow { used, ..row }).await
}
