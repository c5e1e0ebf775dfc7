//! What a store keeps for a delivery service: rows, and small operations on them.
//!
//! In: the rules ([`crate::rules`]), which decide. Out: rows. Always: everything that one request reads and writes happens in
//! one transaction, and nobody else's is in between. A store knows no rule: it does as told.
//!
//! The methods are `async` for stores that are far away. A store that answers at once runs the rules with
//! [`crate::rules::at_once`].
#![allow(async_fn_in_trait, reason = "used with concrete stores only, whose futures' properties show through")]

use mls_crypto::{CipherSuite, Opaque, SignaturePublicKey};

use crate::{
    DeviceId, DeviceKey, Digest, GroupId, Rejection, Seq, Timestamp, UserId,
    reply::{EntryKind, MailKind},
    request::Mode,
    shard::{Place, ShardName},
};

/// Why a store did not do as told. The transaction is to be rolled back.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RowError {
    /// It cannot be reached, or cannot write.
    #[error("store is not available")]
    Unavailable,
    /// It failed while the transaction was made durable.
    #[error("store failed while making a transaction durable")]
    Unsure,
    /// What is stored cannot be read, or contradicts itself.
    #[error("stored state is damaged")]
    Damaged,
}

impl From<RowError> for Rejection {
    fn from(error: RowError) -> Self {
        match error {
            RowError::Unavailable => Self::Unavailable,
            RowError::Unsure => Self::Unsure,
            RowError::Damaged => Self::Damaged,
        }
    }
}

/// A group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupRow {
    /// The epoch of which no commit has been taken.
    pub epoch: u64,
    /// How often the members have voided commits.
    pub attempt: u32,
    /// How much the service looks at.
    pub mode: Mode,
    /// The last place that is taken.
    pub head: Seq,
    /// The first place whose message is still there, or the next one.
    pub first: Seq,
    /// Bytes of the messages that are there.
    pub bytes: u64,
    /// What lets others in.
    pub join_token: Option<Digest>,
}

/// An epoch of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EpochRow {
    /// Signs for its members.
    pub write_key: SignaturePublicKey,
    /// Where in the log it began: after this place.
    pub began: Seq,
    /// The commit that ended it.
    pub end: Option<EpochEnd>,
}

/// How an epoch ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EpochEnd {
    /// Where the commit is.
    pub seq: Seq,
    /// The group's attempt when it came.
    pub attempt: u32,
    /// SHA-256 of the commit.
    pub digest: Digest,
    /// When it came.
    pub at: Timestamp,
}

/// A place of a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogRow {
    /// Which.
    pub seq: Seq,
    /// What is there.
    pub kind: EntryKind,
    /// Its epoch.
    pub epoch: u64,
    /// The group's attempt when it came.
    pub attempt: u32,
    /// SHA-256 of the message.
    pub digest: Digest,
    /// When it came.
    pub received: Timestamp,
    /// The message; empty once it was deleted.
    pub message: Opaque,
}

/// What is public about an epoch of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InfoRow {
    /// The place of the commit that began the epoch.
    pub seq: Seq,
    /// The epoch.
    pub epoch: u64,
    /// Its GroupInfo.
    pub group_info: Option<Opaque>,
    /// Its tree.
    pub ratchet_tree: Option<Opaque>,
    /// Whether Welcomes go with it, whose receivers may need the tree later.
    pub invites: bool,
}

/// A device that reads a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReaderRow {
    /// It reads what comes after this.
    pub since: Seq,
    /// It reads up to this, if it was removed.
    pub until: Option<Seq>,
    /// It has processed all up to this.
    pub acknowledged: Seq,
}

/// A mailbox.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MailboxRow {
    /// The last place that is taken.
    pub head: Seq,
    /// All up to this is processed and deleted.
    pub acknowledged: Seq,
    /// Entries that are there.
    pub entries: u64,
    /// Those of them that came directly.
    pub direct: u64,
    /// Their bytes, a tree counted once for each Welcome beside it.
    pub bytes: u64,
}

/// A place of a mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MailRow {
    /// Which.
    pub seq: Seq,
    /// What is there.
    pub kind: MailKind,
    /// When it came.
    pub received: Timestamp,
    /// Of a Welcome: the group, and the place of the commit. The tree is kept under both.
    pub invited: Option<(GroupId, Seq)>,
    /// The message.
    pub message: Opaque,
}

/// A device.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DeviceRow {
    /// Whose.
    pub user: UserId,
    /// Its key.
    pub key: DeviceKey,
    /// When it was enrolled.
    pub enrolled: Timestamp,
}

/// A key package.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyPackageRow {
    /// SHA-256 of it.
    pub digest: Digest,
    /// Its suite.
    pub cipher_suite: CipherSuite,
    /// Whether it may be handed out more than once.
    pub last_resort: bool,
    /// Until when it is good.
    pub expires: Timestamp,
    /// An MLSMessage.
    pub key_package: Opaque,
}

/// A pass of a group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PassRow {
    /// Until when it is good.
    pub expires: Timestamp,
    /// How many may join with it.
    pub uses: u64,
    /// How many have.
    pub used: u64,
    /// For whom.
    pub user: Option<UserId>,
}

/// Groups, their epochs and readers.
pub trait GroupRows {
    /// One group.
    async fn group(&mut self, group: &GroupId) -> Result<Option<GroupRow>, RowError>;
    /// Inserts or replaces it.
    async fn put_group(&mut self, group: &GroupId, row: &GroupRow) -> Result<(), RowError>;
    /// Ids of groups after this one, in order.
    async fn groups_after(&mut self, after: Option<&GroupId>, limit: u32) -> Result<Vec<GroupId>, RowError>;

    /// One epoch.
    async fn epoch(&mut self, group: &GroupId, epoch: u64) -> Result<Option<EpochRow>, RowError>;
    /// Inserts or replaces it.
    async fn put_epoch(&mut self, group: &GroupId, epoch: u64, row: &EpochRow) -> Result<(), RowError>;
    /// Deletes the epochs of this range, its end not included.
    async fn delete_epochs(&mut self, group: &GroupId, from: u64, to: u64) -> Result<(), RowError>;
    /// The oldest epoch there is.
    async fn oldest_epoch(&mut self, group: &GroupId) -> Result<Option<(u64, EpochRow)>, RowError>;

    /// One reader.
    async fn reader(&mut self, group: &GroupId, device: &DeviceId) -> Result<Option<ReaderRow>, RowError>;
    /// Inserts or replaces it.
    async fn put_reader(&mut self, group: &GroupId, device: &DeviceId, row: &ReaderRow) -> Result<(), RowError>;
    /// Deletes it, if it is there.
    async fn delete_reader(&mut self, group: &GroupId, device: &DeviceId) -> Result<(), RowError>;
    /// All readers of a group.
    async fn readers(&mut self, group: &GroupId) -> Result<Vec<(DeviceId, ReaderRow)>, RowError>;
    /// What a device reads, in the order of the groups' ids.
    async fn reading(
        &mut self,
        device: &DeviceId,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<(GroupId, ReaderRow)>, RowError>;

    /// Remembers that a device has reported the end of an epoch, as of this attempt. Twice is once.
    async fn put_report(&mut self, group: &GroupId, end: (u64, u32), device: &DeviceId) -> Result<(), RowError>;
    /// How many have reported it.
    async fn reports(&mut self, group: &GroupId, end: (u64, u32)) -> Result<u64, RowError>;
}

/// Logs of groups, and what is public about their epochs.
pub trait LogRows {
    /// Appends an entry. There is one at most for a digest, and one commit at most for an epoch and attempt: a store that
    /// finds another reports damage.
    async fn append(&mut self, group: &GroupId, row: &LogRow) -> Result<(), RowError>;
    /// The entry with this digest, without its message.
    async fn find(&mut self, group: &GroupId, digest: &Digest) -> Result<Option<LogRow>, RowError>;
    /// Entries after the first place of `between`, in order, up to and with the second: at most so many, and at most so many bytes of messages unless
    /// it is a single one.
    async fn log(&mut self, group: &GroupId, between: (Seq, Seq), limits: PageLimits) -> Result<Vec<LogRow>, RowError>;
    /// When the entry at a place came; and the length of its message.
    async fn log_entry(&mut self, group: &GroupId, seq: Seq) -> Result<Option<(Timestamp, u64)>, RowError>;
    /// Empties the messages of this range, its end not included, and returns how many bytes they had. Digests stay.
    async fn empty_log(&mut self, group: &GroupId, from: Seq, to: Seq) -> Result<u64, RowError>;
    /// Deletes emptied entries before a place, of epochs before this one.
    async fn forget_log(&mut self, group: &GroupId, before: Seq, epoch: u64) -> Result<(), RowError>;

    /// What is public about the group as of a place.
    async fn info(&mut self, group: &GroupId, seq: Seq) -> Result<Option<InfoRow>, RowError>;
    /// What is public about the group as of the newest place there is something for.
    async fn newest_info(&mut self, group: &GroupId) -> Result<Option<InfoRow>, RowError>;
    /// Inserts it.
    async fn put_info(&mut self, group: &GroupId, row: &InfoRow) -> Result<(), RowError>;
    /// Deletes what belongs to places before this one, and, unless told so, spares what Welcomes go with.
    async fn delete_infos(&mut self, group: &GroupId, before: Seq, with_invites: bool) -> Result<(), RowError>;
    /// Deletes what belongs to this place and later ones.
    async fn delete_infos_from(&mut self, group: &GroupId, from: Seq) -> Result<(), RowError>;
    /// The messages of proposals after a place, in order.
    async fn proposals(&mut self, group: &GroupId, after: Seq) -> Result<Vec<Opaque>, RowError>;
}

/// Mailboxes.
pub trait MailRows {
    /// A device's mailbox, an empty one if it never had mail.
    async fn mailbox(&mut self, device: &DeviceId) -> Result<MailboxRow, RowError>;
    /// Inserts or replaces it.
    async fn put_mailbox(&mut self, device: &DeviceId, row: &MailboxRow) -> Result<(), RowError>;
    /// Inserts an entry.
    async fn put_mail(&mut self, device: &DeviceId, row: &MailRow) -> Result<(), RowError>;
    /// Entries after a place, in order, limited as [`LogRows::log`].
    async fn mail(&mut self, device: &DeviceId, after: Seq, limits: PageLimits) -> Result<Vec<MailRow>, RowError>;
    /// Deletes entries up to and with a place, and says how many there were, how many direct, how many bytes.
    async fn delete_mail(&mut self, device: &DeviceId, until: Seq) -> Result<(u64, u64, u64), RowError>;
    /// Devices with mail that came before this time, and the last such place of each; some of them.
    async fn old_mail(&mut self, before: Timestamp, limit: u32) -> Result<Vec<(DeviceId, Seq)>, RowError>;
}

/// Devices, their key packages and invites.
pub trait DeviceRows {
    /// One device.
    async fn device(&mut self, device: &DeviceId) -> Result<Option<DeviceRow>, RowError>;
    /// Inserts it.
    async fn put_device(&mut self, device: &DeviceId, row: &DeviceRow) -> Result<(), RowError>;
    /// A user's devices, in the order of their ids.
    async fn devices(&mut self, user: &UserId) -> Result<Vec<DeviceId>, RowError>;

    /// How many devices an invite has let in.
    async fn invite_uses(&mut self, token: &Digest) -> Result<u64, RowError>;
    /// Remembers how many.
    async fn put_invite_uses(&mut self, token: &Digest, uses: u64) -> Result<(), RowError>;

    /// Inserts a key package; one with the same digest is left as it is.
    async fn put_key_package(&mut self, device: &DeviceId, row: &KeyPackageRow) -> Result<(), RowError>;
    /// Those for single use, those of last resort.
    async fn count_key_packages(&mut self, device: &DeviceId) -> Result<(u64, u64), RowError>;
    /// Deletes and returns a single-use package of this suite that is good until after `now`, the one that expires first.
    async fn take_key_package(
        &mut self,
        device: &DeviceId,
        suite: CipherSuite,
        now: Timestamp,
    ) -> Result<Option<KeyPackageRow>, RowError>;
    /// The last resort of this suite.
    async fn last_resort(
        &mut self,
        device: &DeviceId,
        suite: CipherSuite,
        now: Timestamp,
    ) -> Result<Option<KeyPackageRow>, RowError>;
    /// Deletes the last resort of this suite, if there is one.
    async fn delete_last_resort(&mut self, device: &DeviceId, suite: CipherSuite) -> Result<(), RowError>;
    /// Deletes what is not good any more.
    async fn expire_key_packages(&mut self, now: Timestamp) -> Result<(), RowError>;
}

/// Passes of groups.
pub trait PassRows {
    /// One pass.
    async fn pass(&mut self, group: &GroupId, token: &Digest) -> Result<Option<PassRow>, RowError>;
    /// Inserts or replaces it.
    async fn put_pass(&mut self, group: &GroupId, token: &Digest, row: &PassRow) -> Result<(), RowError>;
    /// Deletes it, if it is there.
    async fn delete_pass(&mut self, group: &GroupId, token: &Digest) -> Result<(), RowError>;
    /// All passes of a group.
    async fn passes(&mut self, group: &GroupId) -> Result<Vec<(Digest, PassRow)>, RowError>;
    /// Deletes what is not good any more.
    async fn expire_passes(&mut self, group: &GroupId, now: Timestamp) -> Result<(), RowError>;
}

/// Which shard this is, and groups that are moved from one to another.
pub trait PlaceRows {
    /// The shard's name, and that of the one that is home.
    async fn shard_names(&mut self) -> Result<Option<(ShardName, ShardName)>, RowError>;
    /// Remembers them.
    async fn put_shard_names(&mut self, name: &ShardName, home: &ShardName) -> Result<(), RowError>;
    /// Where a group is that is not simply here.
    async fn place(&mut self, group: &GroupId) -> Result<Option<Place>, RowError>;
    /// Inserts or replaces it.
    async fn put_place(&mut self, group: &GroupId, place: &Place) -> Result<(), RowError>;
    /// Deletes it, if it is there.
    async fn delete_place(&mut self, group: &GroupId) -> Result<(), RowError>;
    /// All epochs of a group, in order.
    async fn epochs(&mut self, group: &GroupId) -> Result<Vec<(u64, EpochRow)>, RowError>;
    /// All reports of a group: epoch, attempt and who.
    async fn all_reports(&mut self, group: &GroupId) -> Result<Vec<(u64, u32, DeviceId)>, RowError>;
    /// What is public about the group as of the first place after this one there is something for.
    async fn info_after(&mut self, group: &GroupId, after: Option<Seq>) -> Result<Option<InfoRow>, RowError>;
    /// Deletes every row of a group but its place.
    async fn delete_group(&mut self, group: &GroupId) -> Result<(), RowError>;
    /// The last mail of a device that came from another shard; 0 if none did.
    async fn relayed(&mut self, from: &ShardName, device: &DeviceId) -> Result<Seq, RowError>;
    /// Remembers it.
    async fn put_relayed(&mut self, from: &ShardName, device: &DeviceId, seq: Seq) -> Result<(), RowError>;
}

/// Who has done how much; see [`crate::quota`].
pub trait QuotaRows {
    /// When somebody will have used up nothing again, in milliseconds; 0 for who has done nothing.
    async fn full_again(&mut self, name: &Digest) -> Result<u64, RowError>;
    /// Remembers it.
    async fn put_full_again(&mut self, name: &Digest, full_again: u64) -> Result<(), RowError>;
    /// Forgets those who have used up nothing again at this time.
    async fn forget_quotas(&mut self, now_ms: u64) -> Result<(), RowError>;
}

/// All rows.
pub trait Rows: GroupRows + LogRows + MailRows + DeviceRows + PassRows + PlaceRows + QuotaRows {}

impl<T: GroupRows + LogRows + MailRows + DeviceRows + PassRows + PlaceRows + QuotaRows> Rows for T {}

/// How much a page may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PageLimits {
    /// Entries.
    pub entries: u32,
    /// Bytes of their messages, but for the first.
    pub bytes: u64,
}
