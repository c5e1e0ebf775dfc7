//! One of several databases that share the groups of a service: what it is asked beside the requests of devices.
//!
//! In: requests of devices, and [`Inner`] ones of whoever spreads groups over shards. Out: replies, or where the group is.
//! Always: each is one transaction under the same rules as any request; what is fenced is changed by nobody but its mover.

use mls_crypto::Opaque;

use crate::{
    DeviceId, Digest, GroupId, Rejection, Seq,
    reply::Reply,
    request::Request,
    rows::{DeviceRow, EpochRow, GroupRow, InfoRow, LogRow, MailRow, PassRow, ReaderRow},
    service::{BoxFuture, DeliveryService},
};

/// The name of a shard: random, made once, kept in its database.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ShardName(Digest);

impl ShardName {
    /// The name with these bytes.
    pub const fn new(bytes: Digest) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// What a shard keeps about a group that is not simply there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// On its way here, away from here, or gone.
    pub state: PlaceState,
    /// The shard it comes from, or goes to.
    pub shard: ShardName,
    /// Who moves it; another one that takes over has a number of its own.
    pub mover: Digest,
}

/// How a group that is not simply there is not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PlaceState {
    /// It is here, fenced, until the other shard has it.
    Moving,
    /// It is at the other shard.
    Moved,
    /// It is at the other shard, until all of it is here.
    Arriving,
}

/// What a shard is asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ShardRequest {
    /// What a device asks, and which of the invited has a full mailbox, if they are kept elsewhere.
    Call(DeviceId, Box<Request>, Option<u64>),
    /// What whoever spreads groups asks.
    Inner(Inner),
}

/// What a shard answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ShardReply {
    /// To a device.
    Reply(Reply),
    /// The group is not simply here. Nothing was done.
    Elsewhere(Place),
    /// To whoever spreads groups.
    Inner(InnerReply),
}

/// What whoever spreads groups asks. Each is done in one transaction.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Inner {
    /// What this shard is called, and which one is home. The first time, it takes these names.
    Introduce(ShardName, ShardName),
    /// Rows of devices that are known.
    Devices(Vec<DeviceId>),
    /// Makes devices known that are enrolled at home.
    Admit(Vec<(DeviceId, DeviceRow)>),
    /// Whether a group is here.
    Find(GroupId),
    /// Ids of groups that are here, after this one.
    Groups(Option<GroupId>),
    /// Which of these devices has no room for a Welcome of so many bytes: as a place in the list.
    Full(Vec<(DeviceId, u64)>),
    /// Mail of a device that waits here for its mailbox at home.
    Mail(DeviceId),
    /// Puts what waited at another shard into the mailbox at home: what comes after the last that came from there.
    PutMail(DeviceId, ShardName, Vec<MailRow>),
    /// Deletes mail that is at home now.
    DropMail(DeviceId, Seq),
    /// The tree beside the commit at a place.
    Tree(GroupId, Seq),
    /// A step of moving a group.
    Move(GroupId, Digest, Step),
}

impl Inner {
    /// Whether it writes nothing.
    pub(crate) const fn is_read(&self) -> bool {
        matches!(
            self,
            Self::Devices(_)
                | Self::Find(_)
                | Self::Groups(_)
                | Self::Full(_)
                | Self::Mail(_)
                | Self::Tree(..)
                | Self::Move(_, _, Step::Export(_))
        )
    }
}

/// A step of moving a group, in this order: [`Step::Fence`] at the shard it leaves, [`Step::Begin`] at the other, parts from the
/// one to the other until there are none, [`Step::Arrive`] at the other, [`Step::Leave`] at the first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Step {
    /// From now on nobody changes or reads it here. Takes over from another mover to the same shard.
    Fence(ShardName),
    /// Forgets what an earlier try has left; waits for parts from that shard.
    Begin(ShardName),
    /// What comes after the part that was copied last.
    Export(Cursor),
    /// Stores a part.
    Import(Box<Part>),
    /// All is here: it is served from here.
    Arrive,
    /// It is there: it is forgotten here.
    Leave(ShardName),
    /// Forgets what has come, if it is this mover's. After that the fence may go.
    Abandon(ShardName),
    /// Takes the fence away, if it is this mover's.
    Unfence,
}

/// How far copying has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cursor {
    /// Nothing yet.
    Start,
    /// The group, and GroupInfos up to this place.
    Infos(Option<Seq>),
    /// All of these, and the log up to this place.
    Log(Seq),
}

/// Rows of a group.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Part {
    /// All but GroupInfos and log.
    Head {
        /// The group.
        group: GroupRow,
        /// Its epochs.
        epochs: Vec<(u64, EpochRow)>,
        /// Its readers.
        readers: Vec<(DeviceId, ReaderRow)>,
        /// Reports, by epoch and attempt.
        reports: Vec<(u64, u32, DeviceId)>,
        /// Its passes.
        passes: Vec<(Digest, PassRow)>,
    },
    /// A GroupInfo.
    Info(InfoRow),
    /// Places of the log.
    Log(Vec<LogRow>),
}

/// What whoever spreads groups is answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum InnerReply {
    /// Done.
    Done,
    /// The shard's name, and that of the one that is home.
    Names(ShardName, ShardName),
    /// The devices that are known.
    Devices(Vec<(DeviceId, DeviceRow)>),
    /// Whether there are rows of it, and whether it is moved.
    Found(bool, Option<Place>),
    /// Ids.
    Groups(Vec<GroupId>),
    /// The first that is full.
    Full(Option<u64>),
    /// Entries, in order.
    Mail(Vec<MailRow>),
    /// All up to here is in the mailbox.
    Relayed(Seq),
    /// The tree.
    Tree(Option<Opaque>),
    /// The next part, and where to go on; `None` at the end.
    Part(Option<(Box<Part>, Cursor)>),
}

/// A service whose groups may be some of a larger one's.
pub trait Shard: DeliveryService {
    /// Does what is asked, in one transaction.
    fn shard(&self, request: ShardRequest) -> BoxFuture<'_, Result<ShardReply, Rejection>>;
}
