//! What a verb returns: changes to be made durable, and then an effect to be adopted.
//!
//! In: a group that is only borrowed. Out: a [`Step`].
//! Always: memory never runs ahead of disk. Apply [`Step::changes`] in one transaction, then give the step to
//! [`super::Group::adopt`]; dropping it instead leaves everything as it was.

use core::fmt;

use mls_crypto::{Hash, Secret};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{
    SpentMessage,
    epoch::Candidate,
    past::Retired,
    proposals::{CachedProposal, OwnUpdate},
};
use crate::{math::LeafIndex, message::ReInit, policy::Timestamp, schedule::Spent};

/// Names a commit: the hash of its encoded MLSMessage.
pub type CommitId = Hash;

/// Kinds of records; a store may treat each in its own way.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[repr(u8)]
pub enum RecordClass {
    /// One per group: where everything else begins.
    Header = 1,
    /// Public tree nodes, by tree hash.
    Node = 2,
    /// Secrets of an epoch's key schedule.
    Epoch = 3,
    /// Private keys of our direct path, by node.
    PathKey = 4,
    /// Secrets of a secret tree, by node.
    SecretNode = 5,
    /// Ratchets, by leaf and kind.
    Ratchet = 6,
    /// Skipped message keys.
    Skipped = 7,
    /// Cached proposals, by reference.
    Proposal = 8,
    /// Our own candidates for the next epoch, by commit.
    Pending = 9,
    /// Past epochs whose messages can still be read.
    PastEpoch = 10,
    /// Resumption PSKs of past epochs.
    ResumptionPsk = 11,
}

/// The key of a record within its group.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RecordKey {
    /// Its kind.
    pub class: RecordClass,
    /// The epoch it belongs to; 0 for those that belong to none.
    pub epoch: u64,
    /// What tells it from others of its class and epoch.
    pub id: Vec<u8>,
}

impl RecordKey {
    pub(crate) fn new(class: RecordClass, epoch: u64, id: &[u8]) -> Self {
        Self { class, epoch, id: id.to_vec() }
    }
}

/// One write. A put replaces what was there.
#[derive(Debug)]
#[non_exhaustive]
pub enum Change {
    /// Writes a record.
    Put(RecordKey, Secret),
    /// Deletes a record, if it is there.
    Delete(RecordKey),
    /// Deletes every record of a class and epoch.
    DeleteEpoch(RecordClass, u64),
}

/// What the application should hear, once it is durable.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[non_exhaustive]
#[repr(u8)]
pub enum Event {
    /// A member was added.
    #[tls_codec(discriminant = 1)]
    Added(LeafIndex),
    /// A member was removed.
    Removed(LeafIndex),
    /// A member's leaf changed.
    Updated(LeafIndex),
    /// A client joined by external commit.
    JoinedExternally(LeafIndex),
    /// The group context extensions changed.
    ExtensionsChanged,
    /// A pre-shared key was mixed in.
    PskInjected,
    /// The group ends here and continues under these parameters (Section 11.2).
    ReInitialized(ReInit),
    /// The group is in this epoch now.
    EpochAdvanced(u64),
    /// We were removed; every secret is gone.
    SelfRemoved,
}

/// Changes to be made durable, and the effect to adopt afterwards.
#[must_use = "nothing has happened until the changes are durable and the step is adopted"]
pub struct Step {
    pub(crate) revision: u64,
    pub(crate) changes: Vec<Change>,
    pub(crate) effect: Effect,
}

impl Step {
    /// What has to be durable first, in one transaction.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Bytes of keys and values in [`Step::changes`].
    pub fn bytes(&self) -> usize {
        self.changes.iter().map(Change::bytes).fold(0, usize::saturating_add)
    }
}

impl Change {
    /// Bytes of the key and the value.
    pub fn bytes(&self) -> usize {
        const CLASS_AND_EPOCH: usize = 9;
        match self {
            Self::Put(key, value) => key.id.len().saturating_add(value.len()).saturating_add(CLASS_AND_EPOCH),
            Self::Delete(key) => key.id.len().saturating_add(CLASS_AND_EPOCH),
            Self::DeleteEpoch(..) => CLASS_AND_EPOCH,
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { revision, changes, effect: _ } = self;
        f.debug_struct("Step").field("revision", revision).field("changes", &changes.len()).finish_non_exhaustive()
    }
}

/// What adopting a step does.
pub(crate) enum Effect {
    /// A message key is used up.
    Spend { epoch: u64, spent: Spent },
    /// Keys of many messages are used up, in an order that records them all.
    SpendAll(Vec<SpentMessage>),
    /// A proposal is known.
    Cache { proposal: Box<CachedProposal>, own_update: Option<OwnUpdate>, spent: Option<Spent> },
    /// A candidate of ours waits for acceptance.
    Hold { id: CommitId, candidate: Box<Candidate>, spent: Option<Spent> },
    /// A candidate of ours was accepted.
    Accept(CommitId, Retired),
    /// A candidate of ours was rejected.
    Discard(CommitId),
    /// Somebody's commit moves the group.
    Advance(Box<Candidate>, Retired),
    /// Somebody's commit removed us.
    RemoveSelf,
    /// Old epochs and keys are too old.
    Expire { epochs: Vec<u64>, now: Timestamp },
}
