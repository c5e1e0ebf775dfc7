//! Commits: one per epoch, the first wins (RFC 9420, Section 14).
//!
//! Always: the commit, the Welcomes, the GroupInfo, the tree, the next epoch and its write key are one step.

use super::{
    Done, Outcome, Rules,
    append::{Item, append},
    check::CheckedCommit,
    judge::{Judged, check_judged},
    mailbox::{Mail, put_mail, room},
    pass,
    right::Standing,
    shares::{self, Share},
};
use crate::{
    DeviceId, GroupId, Limits, Rejection, Seq, Timestamp, UserId,
    access::Shown,
    hub::Topic,
    receipt::Ruling,
    reply::{EntryKind, MailKind},
    request::CommitBundle,
    rows::{EpochEnd, EpochRow, GroupRow, InfoRow, LogRow, ReaderRow, Rows},
};

/// What is to be done with a commit.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Verdict {
    /// It won before, and is told so again.
    Again(Ruling),
    /// It is the first.
    First,
}

pub(super) async fn submit<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    ((caller, user), commit, judged): ((DeviceId, &UserId), CheckedCommit, Option<Judged>),
    now: Timestamp,
) -> Result<Done, Rejection> {
    let (group_id, at) = (&commit.header.group_id, commit.header.epoch);
    let mut standing = Standing::load(rows, (group_id, at), &caller).await?;
    standing.passed = pass::is_good(rows, (group_id, &commit.shown), &caller, now).await?;
    let seen = rows.find(group_id, &commit.digest).await?;
    if let Verdict::Again(ruling) = decide(&commit, &standing, seen.as_ref(), judged)? {
        return Ok(Done { outcome: Outcome::Committed(ruling), touched: Vec::new() });
    }
    check_recipients(rows, &rules.limits, &commit.bundle).await?;
    if let Some(recipient) = commit.full {
        return Err(Rejection::MailboxFull { recipient });
    }
    let Standing { group: Some(group), epoch: Some(epoch), passed, .. } = standing else {
        return Err(Rejection::Forbidden);
    };
    let used = [(Share::GroupCommits, group_id.as_slice()), (Share::UserCommits, user.as_slice())];
    shares::take(rules, rows, &used, now).await?;
    if passed {
        pass::spend(rows, (group_id, &commit.shown)).await?;
    }
    apply(rules, rows, (caller, commit), (group, epoch), now).await
}

fn decide(
    commit: &CheckedCommit,
    standing: &Standing,
    seen: Option<&LogRow>,
    judged: Option<Judged>,
) -> Result<Verdict, Rejection> {
    let at = commit.header.epoch;
    let (group, epoch) = match standing.admit(&commit.shown, at) {
        Ok(admitted) => admitted,
        // The one that joined with it is told again, though the token may be another by now.
        Err(Rejection::Forbidden) => return again(commit, standing).ok_or(Rejection::Forbidden),
        Err(other) => return Err(other),
    };
    if let Some(end) = &epoch.end {
        return again(commit, standing).ok_or(Rejection::EpochTaken { epoch: at, seq: end.seq, winner: end.digest });
    }
    // It was taken once, and the epoch is open again.
    if seen.is_some() {
        return Err(Rejection::Voided);
    }
    if commit.bundle.next.write_key == epoch.write_key {
        return Err(Rejection::WriteKeyReused);
    }
    check_judged(group, &commit.header, judged)?;
    Ok(Verdict::First)
}

/// A retry of the winner, by one who reads the log: of a commit whose reply got lost.
fn again(commit: &CheckedCommit, standing: &Standing) -> Option<Verdict> {
    let end = standing.epoch.as_ref()?.end?;
    standing.reader?;
    let ruling = || Ruling::of(&commit.header.group_id, commit.header.epoch, (end.attempt, end.seq), end.digest);
    (end.digest == commit.digest).then(|| Verdict::Again(ruling()))
}

/// A commit whose Welcome cannot be delivered would leave its committer alone with people who never come.
async fn check_recipients<R: Rows>(rows: &mut R, limits: &Limits, bundle: &CommitBundle) -> Result<(), Rejection> {
    let mut recipient: u64 = 0;
    for invitation in &bundle.invitations {
        for device in &invitation.recipients {
            if rows.device(device).await?.is_none() {
                return Err(Rejection::UnknownRecipient { recipient });
            }
            if !room(limits, &rows.mailbox(device).await?, invitation.welcome.as_slice(), MailKind::Welcome) {
                return Err(Rejection::MailboxFull { recipient });
            }
            recipient = recipient.saturating_add(1);
        }
    }
    Ok(())
}

async fn apply<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    (caller, commit): (DeviceId, CheckedCommit),
    (mut group, epoch): (GroupRow, EpochRow),
    now: Timestamp,
) -> Result<Done, Rejection> {
    let CheckedCommit { header, digest, bundle, shown, full: _ } = commit;
    let CommitBundle { commit: message, next, invitations, removed } = bundle;
    let (group_id, at) = (&header.group_id, header.epoch);
    let next_epoch = at.checked_add(1).ok_or(Rejection::Malformed)?;
    let item = Item { kind: EntryKind::Commit, epoch: at, digest, message };
    let seq = append(rows, (group_id, &mut group), item, &rules.limits, now).await?;
    let attempt = group.attempt;
    let end = EpochEnd { seq, attempt, digest, at: now };
    // What is public about this epoch stays while its end may be voided next; what came before it goes.
    rows.delete_infos(group_id, epoch.began, false).await?;
    rows.put_epoch(group_id, at, &EpochRow { end: Some(end), ..epoch }).await?;
    let begun = EpochRow { write_key: next.write_key, began: seq, end: None };
    rows.put_epoch(group_id, next_epoch, &begun).await?;
    if next.group_info.is_some() || next.ratchet_tree.is_some() {
        let info = InfoRow {
            seq,
            epoch: next_epoch,
            group_info: next.group_info,
            ratchet_tree: next.ratchet_tree,
            invites: !invitations.is_empty(),
        };
        rows.put_info(group_id, &info).await?;
    }
    for device in &removed {
        if let Some(reader) = rows.reader(group_id, device).await? {
            rows.put_reader(group_id, device, &ReaderRow { until: Some(seq), ..reader }).await?;
        }
    }
    if header.joining || matches!(shown, Shown::Join(_)) {
        read_from(rows, group_id, &caller, seq).await?;
    }
    let mut touched = vec![Topic::Log(group_id.clone())];
    for invitation in invitations {
        for device in invitation.recipients {
            let invited = Some((group_id.clone(), seq));
            let mail = Mail { kind: MailKind::Welcome, invited, message: invitation.welcome.clone() };
            put_mail(rows, &device, mail, now).await?;
            read_from(rows, group_id, &device, seq).await?;
            touched.push(Topic::Mailbox(device));
        }
    }
    rows.put_group(group_id, &GroupRow { epoch: next_epoch, join_token: next.join_token, ..group }).await?;
    let ruling = Ruling::of(group_id, at, (attempt, seq), digest);
    Ok(Done { outcome: Outcome::Committed(ruling), touched })
}

async fn read_from<R: Rows>(rows: &mut R, group_id: &GroupId, device: &DeviceId, seq: Seq) -> Result<(), Rejection> {
    let reader = ReaderRow { since: seq, until: None, acknowledged: seq };
    Ok(rows.put_reader(group_id, device, &reader).await?)
}
