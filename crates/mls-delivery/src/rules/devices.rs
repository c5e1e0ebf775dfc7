//! Who may be a device here, and whose.
//!
//! Always: the first device of a user takes the name; each further one needs the word of one that is there, so that nobody's
//! key packages come from somebody else.

use super::{Done, Rules};
use crate::{
    DeviceId, Digest, Enrolment, Limits, Rejection, Timestamp,
    auth::VoucherTbs,
    reply::Reply,
    request::Enrol,
    rows::{DeviceRow, Rows},
};

pub(super) async fn enrol<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    (caller, enrol): (DeviceId, Enrol),
    now: Timestamp,
) -> Result<Done, Rejection> {
    if let Some(device) = rows.device(&caller).await? {
        let same = device.user == enrol.user;
        return if same { Ok(Done::reply(Reply::Enrolled(caller))) } else { Err(Rejection::EnrolmentRefused) };
    }
    let invite = admit(rules, rows, &enrol, now).await?;
    vouched_for(rules, rows, caller, &enrol).await?;
    if let Some(token) = invite {
        let uses = rows.invite_uses(&token).await?;
        rows.put_invite_uses(&token, uses.saturating_add(1)).await?;
    }
    let Enrol { user, key, .. } = enrol;
    rows.put_device(&caller, &DeviceRow { user, key, enrolled: now }).await?;
    Ok(Done::reply(Reply::Enrolled(caller)))
}

/// What the operator says. Returns the invite to be counted.
async fn admit<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    enrol: &Enrol,
    now: Timestamp,
) -> Result<Option<Digest>, Rejection> {
    match &rules.enrolment {
        Enrolment::Open => Ok(None),
        Enrolment::Users(users) if users.contains(&enrol.user) => Ok(None),
        Enrolment::Invites(invites) => {
            let token = rules.crypto.digest(enrol.invite.as_slice());
            let invite = invites.iter().find(|invite| invite.token == token && invite.expires > now);
            let invite = invite.ok_or(Rejection::EnrolmentRefused)?;
            let left = rows.invite_uses(&token).await? < invite.uses;
            if left { Ok(Some(token)) } else { Err(Rejection::EnrolmentRefused) }
        }
        Enrolment::Users(_) | Enrolment::Closed => Err(Rejection::EnrolmentRefused),
    }
}

async fn vouched_for<R: Rows>(rules: &Rules, rows: &mut R, device: DeviceId, enrol: &Enrol) -> Result<(), Rejection> {
    let devices = rows.devices(&enrol.user).await?;
    if devices.is_empty() {
        return Ok(());
    }
    Limits::check_count(devices.len().saturating_add(1), rules.limits.max_devices)?;
    let voucher = enrol.voucher.as_ref().ok_or(Rejection::VoucherNeeded)?;
    let by = rows.device(&voucher.by).await?.filter(|by| by.user == enrol.user).ok_or(Rejection::VoucherNeeded)?;
    let tbs = VoucherTbs { user: &enrol.user, device };
    voucher.verify(&rules.crypto, &by.key, &tbs).map_err(|_| Rejection::VoucherNeeded)
}
