//! Key packages: published in batches, handed out once each (RFC 9420, Sections 10 and 16.8).

use super::{
    Done, Rules,
    shares::{self, Share},
};
use crate::{
    DeviceId, Limits, Rejection, Timestamp, UserId,
    reply::{Claimed, ClaimedDevice, Reply, Stock},
    request::ClaimKeyPackages,
    rows::{KeyPackageRow, RowError, Rows},
};

pub(super) async fn publish<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    caller: DeviceId,
    packages: Vec<KeyPackageRow>,
) -> Result<Done, Rejection> {
    let single = packages.iter().filter(|package| !package.last_resort).count();
    let (stored, _) = rows.count_key_packages(&caller).await?;
    let stored = usize::try_from(stored).unwrap_or(usize::MAX);
    if single > 0 {
        Limits::check_count(stored.saturating_add(single), rules.limits.max_key_packages)?;
    }
    for package in &packages {
        if package.last_resort {
            rows.delete_last_resort(&caller, package.cipher_suite).await?;
        }
        rows.put_key_package(&caller, package).await?;
    }
    let (single_use, last_resort) = rows.count_key_packages(&caller).await?;
    let single_use = u32::try_from(single_use).unwrap_or(u32::MAX);
    Ok(Done::reply(Reply::Stock(Stock { single_use, last_resort: u8::from(last_resort > 0) })))
}

/// One of each device. A device that has none is listed all the same: the others are not lost because of it.
pub(super) async fn claim<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    (user, claim): (&UserId, &ClaimKeyPackages),
    now: Timestamp,
) -> Result<Done, Rejection> {
    let known = rows.devices(&claim.user).await?;
    // A user without devices and one that does not exist are the same.
    if known.is_empty() {
        return Err(Rejection::Forbidden);
    }
    let used = [(Share::UserClaims, user.as_slice()), (Share::Claimed, claim.user.as_slice())];
    shares::take(rules, rows, &used, now).await?;
    let mut devices = Vec::new();
    for device in known {
        let found = take(rows, &device, claim, now).await?;
        let last_resort = u8::from(found.as_ref().is_some_and(|package| package.last_resort));
        let key_package = found.map(|package| package.key_package);
        devices.push(ClaimedDevice { device, key_package, last_resort });
    }
    Ok(Done::reply(Reply::Claimed(Claimed { devices })))
}

async fn take<R: Rows>(
    rows: &mut R,
    device: &DeviceId,
    claim: &ClaimKeyPackages,
    now: Timestamp,
) -> Result<Option<KeyPackageRow>, RowError> {
    match rows.take_key_package(device, claim.cipher_suite, now).await? {
        Some(package) => Ok(Some(package)),
        None => rows.last_resort(device, claim.cipher_suite, now).await,
    }
}
