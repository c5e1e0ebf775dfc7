//! What a shard does for whoever spreads groups over several of them.
//!
//! Always: a group is served by one shard. It arrives only when the other's fence is this mover's and all of it was copied behind
//! it; a fence goes only when what has arrived so far is forgotten.

use super::{Done, Outcome, Rules, mailbox};
use crate::{
    DeviceId, Digest, GroupId, Rejection, Seq,
    hub::Topic,
    reply::MailKind,
    rows::{DeviceRow, MailRow, PageLimits, RowError, Rows},
    shard::{Cursor, Inner, InnerReply, Part, Place, PlaceState, ShardName, Step},
};

pub(super) async fn execute<R: Rows>(rules: &Rules, rows: &mut R, inner: Inner) -> Result<Done, Rejection> {
    let reply = match inner {
        Inner::Introduce(name, home) => introduce(rows, (name, home)).await?,
        Inner::Devices(devices) => known(rows, &devices).await?,
        Inner::Admit(devices) => admit(rows, &devices).await?,
        Inner::Find(group_id) => {
            let there = rows.group(&group_id).await?.is_some();
            InnerReply::Found(there, rows.place(&group_id).await?)
        }
        Inner::Groups(after) => InnerReply::Groups(rows.groups_after(after.as_ref(), GROUPS).await?),
        Inner::Full(devices) => full(rules, rows, &devices).await?,
        Inner::Mail(device) => {
            let mailbox = rows.mailbox(&device).await?;
            InnerReply::Mail(rows.mail(&device, mailbox.acknowledged, PAGE).await?)
        }
        Inner::PutMail(device, from, mail) => {
            let seq = put_mail(rules, rows, (device, from), mail).await?;
            return Ok(done(InnerReply::Relayed(seq)).touching([Topic::Mailbox(device)]));
        }
        Inner::DropMail(device, until) => {
            mailbox::empty(rows, &device, until).await?;
            InnerReply::Done
        }
        Inner::Tree(group_id, seq) => {
            InnerReply::Tree(rows.info(&group_id, seq).await?.and_then(|info| info.ratchet_tree))
        }
        Inner::Move(group_id, mover, step) => return take(rows, (group_id, mover), step).await,
    };
    Ok(done(reply))
}

fn done(reply: InnerReply) -> Done {
    Done { outcome: Outcome::Inner(reply), touched: Vec::new() }
}

async fn introduce<R: Rows>(rows: &mut R, (name, home): (ShardName, ShardName)) -> Result<InnerReply, RowError> {
    if let Some((name, home)) = rows.shard_names().await? {
        return Ok(InnerReply::Names(name, home));
    }
    rows.put_shard_names(&name, &home).await?;
    Ok(InnerReply::Names(name, home))
}

async fn known<R: Rows>(rows: &mut R, devices: &[DeviceId]) -> Result<InnerReply, RowError> {
    let mut found = Vec::new();
    for device in devices {
        if let Some(row) = rows.device(device).await? {
            found.push((*device, row));
        }
    }
    Ok(InnerReply::Devices(found))
}

/// A device's row never changes, so a copy of it is as good.
async fn admit<R: Rows>(rows: &mut R, devices: &[(DeviceId, DeviceRow)]) -> Result<InnerReply, RowError> {
    for (device, row) in devices {
        if rows.device(device).await?.is_none() {
            rows.put_device(device, row).await?;
        }
    }
    Ok(InnerReply::Done)
}

async fn full<R: Rows>(rules: &Rules, rows: &mut R, devices: &[(DeviceId, u64)]) -> Result<InnerReply, RowError> {
    let mut place: u64 = 0;
    for (device, bytes) in devices {
        if !mailbox::room_for(&rules.limits, &rows.mailbox(device).await?, *bytes, MailKind::Welcome) {
            return Ok(InnerReply::Full(Some(place)));
        }
        place = place.saturating_add(1);
    }
    Ok(InnerReply::Full(None))
}

/// What was put before is not put again; what has no room waits where it is.
async fn put_mail<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    (device, from): (DeviceId, ShardName),
    mail: Vec<MailRow>,
) -> Result<Seq, RowError> {
    let mut relayed = rows.relayed(&from, &device).await?;
    for row in mail {
        if row.seq <= relayed {
            continue;
        }
        let MailRow { seq, kind, received, invited, message } = row;
        if !mailbox::room(&rules.limits, &rows.mailbox(&device).await?, message.as_slice(), kind) {
            break;
        }
        mailbox::put_mail(rows, &device, mailbox::Mail { kind, invited, message }, received).await?;
        relayed = seq;
    }
    rows.put_relayed(&from, &device, relayed).await?;
    Ok(relayed)
}

/// One step of moving a group. Each looks at what the one before it has left.
async fn take<R: Rows>(rows: &mut R, (group_id, mover): (GroupId, Digest), step: Step) -> Result<Done, Rejection> {
    let place = rows.place(&group_id).await?;
    let there = rows.group(&group_id).await?.is_some();
    let mine = |state| place.is_some_and(|place| place.state == state && place.mover == mover);
    let put = |state, shard| Place { state, shard, mover };
    match step {
        Step::Fence(to) => {
            let free = place.is_none() && there;
            let taken_over = place.is_some_and(|place| place.state == PlaceState::Moving && place.shard == to);
            allow(free || taken_over)?;
            rows.put_place(&group_id, &put(PlaceState::Moving, to)).await?;
        }
        Step::Begin(from) => {
            // One that is served from here has arrived already.
            allow(!there || place.is_some())?;
            allow(place.is_none_or(|place| place.state != PlaceState::Moving))?;
            rows.delete_group(&group_id).await?;
            rows.put_place(&group_id, &put(PlaceState::Arriving, from)).await?;
        }
        Step::Export(cursor) => {
            allow(mine(PlaceState::Moving))?;
            return Ok(done(InnerReply::Part(export(rows, &group_id, cursor).await?)));
        }
        Step::Import(part) => {
            allow(mine(PlaceState::Arriving))?;
            import(rows, &group_id, *part).await?;
        }
        Step::Arrive => {
            allow(mine(PlaceState::Arriving))?;
            rows.delete_place(&group_id).await?;
            return Ok(done(InnerReply::Done).touching([Topic::Log(group_id)]));
        }
        Step::Leave(to) => {
            allow(place.is_some_and(|place| place.state == PlaceState::Moving && place.shard == to))?;
            rows.delete_group(&group_id).await?;
            rows.put_place(&group_id, &put(PlaceState::Moved, to)).await?;
        }
        Step::Abandon(from) => {
            allow(
                mine(PlaceState::Arriving) || (!there && place.is_none_or(|place| place.state == PlaceState::Moved)),
            )?;
            rows.delete_group(&group_id).await?;
            rows.put_place(&group_id, &put(PlaceState::Moved, from)).await?;
        }
        Step::Unfence => {
            allow(mine(PlaceState::Moving))?;
            rows.delete_place(&group_id).await?;
        }
    }
    Ok(done(InnerReply::Done))
}

/// A step that does not fit what is there: another mover was quicker.
fn allow(fits: bool) -> Result<(), Rejection> {
    if fits { Ok(()) } else { Err(Rejection::Unavailable) }
}

async fn export<R: Rows>(
    rows: &mut R,
    group_id: &GroupId,
    cursor: Cursor,
) -> Result<Option<(Box<Part>, Cursor)>, RowError> {
    let group = rows.group(group_id).await?.ok_or(RowError::Damaged)?;
    let after = match cursor {
        Cursor::Start => {
            let head = Part::Head {
                epochs: rows.epochs(group_id).await?,
                readers: rows.readers(group_id).await?,
                reports: rows.all_reports(group_id).await?,
                passes: rows.passes(group_id).await?,
                group,
            };
            return Ok(Some((Box::new(head), Cursor::Infos(None))));
        }
        Cursor::Infos(after) => {
            if let Some(info) = rows.info_after(group_id, after).await? {
                let next = Cursor::Infos(Some(info.seq));
                return Ok(Some((Box::new(Part::Info(info)), next)));
            }
            Seq::ZERO
        }
        Cursor::Log(after) => after,
    };
    let log = rows.log(group_id, (after, group.head), PAGE).await?;
    let last = log.last().map(|row| row.seq);
    Ok(last.map(|last| (Box::new(Part::Log(log)), Cursor::Log(last))))
}

async fn import<R: Rows>(rows: &mut R, group_id: &GroupId, part: Part) -> Result<(), RowError> {
    match part {
        Part::Head { group, epochs, readers, reports, passes } => {
            rows.put_group(group_id, &group).await?;
            for (epoch, row) in &epochs {
                rows.put_epoch(group_id, *epoch, row).await?;
            }
            for (device, row) in &readers {
                rows.put_reader(group_id, device, row).await?;
            }
            for (epoch, attempt, device) in &reports {
                rows.put_report(group_id, (*epoch, *attempt), device).await?;
            }
            for (token, row) in &passes {
                rows.put_pass(group_id, token, row).await?;
            }
        }
        Part::Info(info) => rows.put_info(group_id, &info).await?,
        Part::Log(log) => {
            for row in &log {
                rows.append(group_id, row).await?;
            }
        }
    }
    Ok(())
}

/// How much one step copies.
const PAGE: PageLimits = PageLimits { entries: 512, bytes: 4 << 20 };

/// How many ids one answer has.
const GROUPS: u32 = 256;
