//! Application data and proposals: in one order with the commits (RFC 9420, Section 14).

use super::{
    Done, Rules,
    append::{Item, append},
    check::CheckedMessage,
    judge::{Judged, check_judged},
    right::Standing,
};
use crate::{
    DeviceId, Limits, MessageKind, Rejection, Seq, Timestamp,
    hub::Topic,
    reply::{EntryKind, Placed, Reply},
    rows::{GroupRow, LogRow, Rows},
};

/// What is to be done with a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    /// It is in the log already.
    Again(Seq),
    /// It goes to the end.
    Next(EntryKind),
}

pub(super) async fn submit<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    (caller, message, judged): (DeviceId, CheckedMessage, Option<Judged>),
    now: Timestamp,
) -> Result<Done, Rejection> {
    let group_id = &message.header.group_id;
    let standing = Standing::load(rows, (group_id, message.header.epoch), &caller).await?;
    let seen = rows.find(group_id, &message.digest).await?;
    let verdict = decide(&rules.limits, &message, (&standing, seen.as_ref()), judged, now)?;
    let kind = match verdict {
        Verdict::Again(seq) => return Ok(Done::reply(Reply::Placed(Placed { seq }))),
        Verdict::Next(kind) => kind,
    };
    let mut group: GroupRow = standing.group.ok_or(Rejection::Forbidden)?;
    let item = Item { kind, epoch: message.header.epoch, digest: message.digest, message: message.message };
    let seq = append(rows, (group_id, &mut group), item, &rules.limits, now).await?;
    rows.put_group(group_id, &group).await?;
    let touched = Topic::Log(group_id.clone());
    Ok(Done::reply(Reply::Placed(Placed { seq })).touching([touched]))
}

fn decide(
    limits: &Limits,
    message: &CheckedMessage,
    (standing, seen): (&Standing, Option<&LogRow>),
    judged: Option<Judged>,
    now: Timestamp,
) -> Result<Verdict, Rejection> {
    let at = message.header.epoch;
    let (group, epoch) = standing.admit(&message.shown, at)?;
    if let Some(seen) = seen {
        return Ok(Verdict::Again(seen.seq));
    }
    let past = Rejection::EpochPast { current: group.epoch };
    match message.header.kind {
        MessageKind::Commit => Err(Rejection::WrongKind),
        // A proposal is for the commit that ends its epoch, and that has been made.
        MessageKind::Proposal if at != group.epoch => Err(past),
        MessageKind::Proposal => {
            check_judged(group, &message.header, judged)?;
            Ok(Verdict::Next(EntryKind::Proposal))
        }
        // RFC 9420, Section 15.3: receivers keep the keys of a few past epochs, and for some time only.
        MessageKind::Application => match epoch.end {
            Some(_) if group.epoch.saturating_sub(at) > limits.max_past_epochs => Err(past),
            Some(end) if now.saturating_sub(end.at) > limits.max_past_epoch_age => Err(past),
            _ => Ok(Verdict::Next(EntryKind::Application)),
        },
    }
}
