//! What a delivery service answers.

use mls_crypto::Opaque;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{DeviceId, Digest, GroupId, Seq, Timestamp, receipt::Receipt};

/// Everything that can be answered. Which it is follows from the request.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(missing_docs, reason = "each variant is the struct of its name")]
#[non_exhaustive]
#[repr(u8)]
pub enum Reply {
    /// There is nothing to say but that it is done.
    #[tls_codec(discriminant = 1)]
    Done,
    #[tls_codec(discriminant = 2)]
    Enrolled(DeviceId),
    #[tls_codec(discriminant = 3)]
    Stock(Stock),
    #[tls_codec(discriminant = 4)]
    Claimed(Claimed),
    #[tls_codec(discriminant = 5)]
    Committed(Committed),
    #[tls_codec(discriminant = 6)]
    Placed(Placed),
    #[tls_codec(discriminant = 7)]
    LogPage(LogPage),
    #[tls_codec(discriminant = 8)]
    MailPage(MailPage),
    #[tls_codec(discriminant = 9)]
    GroupInfo(GroupInfo),
    #[tls_codec(discriminant = 10)]
    Reported(Reported),
    #[tls_codec(discriminant = 11)]
    Groups(Groups),
}

/// How many key packages wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Stock {
    /// For one use each.
    pub single_use: u32,
    /// Of last resort: 0 or 1.
    pub last_resort: u8,
}

/// What came of claiming.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Claimed {
    /// One per device of the user.
    pub devices: Vec<ClaimedDevice>,
}

/// One device's key package.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ClaimedDevice {
    /// Which device.
    pub device: DeviceId,
    /// An MLSMessage; `None` if the device has none left for this suite.
    pub key_package: Option<Opaque>,
    /// Whether it is one of last resort: 0 or 1.
    pub last_resort: u8,
}

/// The commit is the one of its epoch.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Committed {
    /// Where it is.
    pub seq: Seq,
    /// So says the service, and signs it.
    pub receipt: Receipt,
}

/// The message is in the order.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Placed {
    /// Where it is.
    pub seq: Seq,
}

/// What an entry of a log is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[non_exhaustive]
#[repr(u8)]
pub enum EntryKind {
    /// The commit that ends its epoch.
    Commit = 1,
    /// A proposal.
    Proposal = 2,
    /// Application data.
    Application = 3,
    /// The commits of its epoch and of later ones that came before it are void: the group is at that epoch again.
    Voided = 4,
}

/// A place in a group's order.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LogEntry {
    /// Which place.
    pub seq: Seq,
    /// What is there.
    pub kind: EntryKind,
    /// Its epoch.
    pub epoch: u64,
    /// How often the end of that epoch had been voided when it came.
    pub attempt: u32,
    /// SHA-256 of the message; of the voided commit, if it is [`EntryKind::Voided`].
    pub digest: Digest,
    /// When it came.
    pub received: Timestamp,
    /// An MLSMessage; empty if it is [`EntryKind::Voided`].
    pub message: Opaque,
}

/// Some entries of a log, in order and without gaps.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LogPage {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// The last there is for this reader. If the page ends before it, there is more.
    pub head: Seq,
}

/// What an entry of a mailbox is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[non_exhaustive]
#[repr(u8)]
pub enum MailKind {
    /// A Welcome, with its commit accepted.
    Welcome = 1,
    /// From another device.
    Direct = 2,
}

/// A place in a mailbox.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct MailEntry {
    /// Which place.
    pub seq: Seq,
    /// What is there.
    pub kind: MailKind,
    /// When it came.
    pub received: Timestamp,
    /// Of a Welcome: where its commit is. What comes after it is for the invited.
    pub invited: Option<InvitedTo>,
    /// An MLSMessage.
    pub message: Opaque,
    /// Of a Welcome: the tree, if it travels beside it (RFC 9420, Section 12.4.3.3).
    pub ratchet_tree: Option<Opaque>,
}

/// Where a Welcome leads.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct InvitedTo {
    /// The group.
    pub group_id: GroupId,
    /// The place of the commit that invites.
    pub seq: Seq,
}

/// Some entries of a mailbox, in order and without gaps.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct MailPage {
    /// The entries.
    pub entries: Vec<MailEntry>,
    /// The last there is. If the page ends before it, there is more.
    pub head: Seq,
}

/// What an external commit needs.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct GroupInfo {
    /// The last place of the log when this was current.
    pub seq: Seq,
    /// An MLSMessage.
    pub group_info: Opaque,
    /// The tree, if it is not inside.
    pub ratchet_tree: Option<Opaque>,
}

/// What came of a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Reported {
    /// How many devices have reported the commit.
    pub reports: u64,
    /// How many it takes.
    pub needed: u64,
    /// Where the voiding is in the log, if it has come to that.
    pub voided: Option<Seq>,
}

/// A log that a device reads.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Cursor {
    /// Whose log.
    pub group_id: GroupId,
    /// Acknowledged up to here.
    pub acknowledged: Seq,
    /// The last there is for this reader.
    pub head: Seq,
}

/// The logs that a device reads.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Groups {
    /// In the order of the groups' ids.
    pub cursors: Vec<Cursor>,
    /// Whether there are more: 0 or 1.
    pub more: u8,
}
