//! Mailboxes: one per device, read by that device alone, emptied as it acknowledges.

use mls_crypto::Opaque;

use super::{Done, Rules};
use crate::{
    DeviceId, GroupId, Limits, Rejection, Seq, Timestamp,
    hub::Topic,
    limits::length,
    reply::{InvitedTo, MailEntry, MailKind, MailPage, Placed, Reply},
    request::{AcknowledgeMailbox, DeliverDirect, FetchMailbox},
    rows::{MailRow, MailboxRow, RowError, Rows},
};

/// What goes into a mailbox.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) kind: MailKind,
    pub(super) invited: Option<(GroupId, Seq)>,
    pub(super) message: Opaque,
}

/// Whether one more fits. What comes directly has a smaller share, so that strangers cannot keep invitations out.
pub(super) fn room(limits: &Limits, mailbox: &MailboxRow, message: &[u8], kind: MailKind) -> bool {
    room_for(limits, mailbox, length(message), kind)
}

/// The same for so many bytes.
pub(super) fn room_for(limits: &Limits, mailbox: &MailboxRow, bytes: u64, kind: MailKind) -> bool {
    let share = limits.max_direct_entries;
    let entries = mailbox.entries < limits.max_mailbox_entries;
    let direct = kind != MailKind::Direct || mailbox.direct < share;
    let half = if kind == MailKind::Direct { limits.max_mailbox_bytes / 2 } else { limits.max_mailbox_bytes };
    entries && direct && mailbox.bytes.saturating_add(bytes) <= half
}

pub(super) async fn put_mail<R: Rows>(
    rows: &mut R,
    device: &DeviceId,
    mail: Mail,
    now: Timestamp,
) -> Result<Seq, RowError> {
    let Mail { kind, invited, message } = mail;
    let mut mailbox = rows.mailbox(device).await?;
    let seq = mailbox.head.next();
    mailbox.head = seq;
    mailbox.entries = mailbox.entries.saturating_add(1);
    mailbox.direct = mailbox.direct.saturating_add(u64::from(kind == MailKind::Direct));
    mailbox.bytes = mailbox.bytes.saturating_add(length(message.as_slice()));
    rows.put_mail(device, &MailRow { seq, kind, received: now, invited, message }).await?;
    rows.put_mailbox(device, &mailbox).await?;
    Ok(seq)
}

pub(super) async fn deliver<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    direct: DeliverDirect,
    now: Timestamp,
) -> Result<Done, Rejection> {
    let DeliverDirect { recipient, message } = direct;
    if rows.device(&recipient).await?.is_none() {
        return Err(Rejection::UnknownRecipient { recipient: 0 });
    }
    let mailbox = rows.mailbox(&recipient).await?;
    if !room(&rules.limits, &mailbox, message.as_slice(), MailKind::Direct) {
        return Err(Rejection::MailboxFull { recipient: 0 });
    }
    let mail = Mail { kind: MailKind::Direct, invited: None, message };
    let seq = put_mail(rows, &recipient, mail, now).await?;
    Ok(Done::reply(Reply::Placed(Placed { seq })).touching([Topic::Mailbox(recipient)]))
}

pub(super) async fn fetch<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    caller: DeviceId,
    fetch: &FetchMailbox,
) -> Result<Done, Rejection> {
    let mailbox = rows.mailbox(&caller).await?;
    let after = fetch.after.unwrap_or(mailbox.acknowledged);
    let found = rows.mail(&caller, after, rules.page(fetch.limit)).await?;
    let mut entries = Vec::new();
    for row in found {
        let MailRow { seq, kind, received, invited, message } = row;
        let ratchet_tree = match &invited {
            Some((group_id, commit)) => rows.info(group_id, *commit).await?.and_then(|info| info.ratchet_tree),
            None => None,
        };
        let invited = invited.map(|(group_id, seq)| InvitedTo { group_id, seq });
        entries.push(MailEntry { seq, kind, received, invited, message, ratchet_tree });
    }
    Ok(Done::reply(Reply::MailPage(MailPage { entries, head: mailbox.head })))
}

pub(super) async fn acknowledge<R: Rows>(
    rows: &mut R,
    caller: DeviceId,
    seen: &AcknowledgeMailbox,
) -> Result<Done, Rejection> {
    let mailbox = rows.mailbox(&caller).await?;
    if seen.seq > mailbox.head {
        return Err(Rejection::BeyondHead { head: mailbox.head });
    }
    empty(rows, &caller, seen.seq).await?;
    Ok(Done::reply(Reply::Done))
}

/// Deletes mail up to and with a place.
pub(super) async fn empty<R: Rows>(rows: &mut R, device: &DeviceId, until: Seq) -> Result<(), RowError> {
    let mut mailbox = rows.mailbox(device).await?;
    if until <= mailbox.acknowledged {
        return Ok(());
    }
    let (entries, direct, bytes) = rows.delete_mail(device, until).await?;
    mailbox.acknowledged = until;
    mailbox.entries = mailbox.entries.saturating_sub(entries);
    mailbox.direct = mailbox.direct.saturating_sub(direct);
    mailbox.bytes = mailbox.bytes.saturating_sub(bytes);
    rows.put_mailbox(device, &mailbox).await
}
