//! The one way into a log: the next place, and room for it.

use mls_crypto::Opaque;

use crate::{
    Digest, GroupId, Limits, Seq, Timestamp,
    limits::length,
    reply::EntryKind,
    rows::{GroupRow, LogRow, RowError, Rows},
};

/// What goes into a log.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) kind: EntryKind,
    pub(super) epoch: u64,
    pub(super) digest: Digest,
    pub(super) message: Opaque,
}

/// Appends, and moves the group's head in `group`, which the caller then writes. What exceeds the log's caps is emptied from
/// the beginning: a reader that lags must not stop the others.
pub(super) async fn append<R: Rows>(
    rows: &mut R,
    (group_id, group): (&GroupId, &mut GroupRow),
    item: Item,
    limits: &Limits,
    now: Timestamp,
) -> Result<Seq, RowError> {
    let Item { kind, epoch, digest, message } = item;
    let seq = group.head.next();
    group.head = seq;
    group.bytes = group.bytes.saturating_add(length(message.as_slice()));
    let row = LogRow { seq, kind, epoch, attempt: group.attempt, digest, received: now, message };
    rows.append(group_id, &row).await?;
    let too_much = |group: &GroupRow| {
        let entries = group.head.next().since(group.first);
        entries > limits.max_log_entries || group.bytes > limits.max_log_bytes
    };
    while group.first < seq && too_much(group) {
        let next = group.first.next();
        let freed = rows.empty_log(group_id, group.first, next).await?;
        group.bytes = group.bytes.saturating_sub(freed);
        group.first = next;
    }
    Ok(seq)
}
