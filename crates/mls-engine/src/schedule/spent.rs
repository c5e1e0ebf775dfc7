//! What the use of a message key does to the secret tree, as values (RFC 9420, Section 9.2).
//!
//! [`Spent`] names a generation and carries what was derived to reach it; [`SecretTreeChange`] is one put or delete
//! of a stored record.

use mls_crypto::Secret;

use super::{MessageKey, MessageKeyId, RatchetKind, ratchet::Ratchet};
use crate::math::{LeafIndex, NodeIndex};

/// One generation of one sender, used up. Record it in the tree it came from, or its key stays usable.
#[derive(Debug)]
#[must_use = "a generation that is not recorded can be used again"]
pub struct Spent {
    pub(super) id: MessageKeyId,
    /// If the sender's ratchets had to be started.
    pub(super) start: Option<Start>,
    pub(super) step: Step,
}

impl Spent {
    /// Which key.
    pub const fn id(&self) -> MessageKeyId {
        self.id
    }

    /// The sender.
    pub const fn leaf(&self) -> LeafIndex {
        self.id.leaf
    }

    /// Which of its ratchets.
    pub const fn kind(&self) -> RatchetKind {
        self.id.kind
    }

    /// Which generation.
    pub const fn generation(&self) -> u32 {
        self.id.generation
    }

    /// Whether the key was among those kept for messages that are late.
    pub const fn was_kept(&self) -> bool {
        matches!(self.step, Step::Skipped)
    }

    /// Whether recording it starts the sender's ratchets, and so changes nodes of the tree.
    pub const fn starts_ratchets(&self) -> bool {
        self.start.is_some()
    }
}

/// The way from a held node down to a leaf, without the ratchet that is used.
#[derive(Debug)]
pub(super) struct Start {
    /// Secrets of the nodes beside the way, from the top.
    pub(super) siblings: Vec<(NodeIndex, Secret)>,
    /// The leaf's other ratchet, at its start.
    pub(super) other: Ratchet,
}

/// How the key was reached.
#[derive(Debug)]
pub(super) enum Step {
    /// It was among the skipped keys.
    Skipped,
    /// A ratchet moved forward.
    Received {
        /// Where it stood.
        from: u32,
        /// Keys passed over.
        skipped: Vec<(u32, MessageKey)>,
        /// Where it goes.
        head: Ratchet,
    },
    /// We sent.
    Sent {
        /// The rest of the block in memory.
        head: Ratchet,
        /// The end of a new block, if one had to be reserved.
        reserved: Option<Ratchet>,
    },
}

/// One record of a secret tree to be written or deleted. Values are owned copies for the store; it wipes them.
///
/// A record is named by its node, by `(leaf, kind)`, or by its [`MessageKeyId`]; a put replaces what was there.
#[derive(Debug)]
#[non_exhaustive]
pub enum SecretTreeChange {
    /// Secret of a tree node, `Nh` bytes.
    PutNode {
        /// Which node.
        node: NodeIndex,
        /// `tree_node_[N]_secret`.
        secret: Secret,
    },
    /// DEL-02: both children of the node are derived.
    DeleteNode {
        /// Which node.
        node: NodeIndex,
    },
    /// State of a ratchet. Generations before it are spent, skipped, or in a block reserved for sending.
    PutRatchet {
        /// The sender.
        leaf: LeafIndex,
        /// Which of its ratchets.
        kind: RatchetKind,
        /// The first generation the secret gives.
        generation: u32,
        /// `ratchet_secret_[N]_[j]`, `Nh` bytes.
        secret: Secret,
    },
    /// The ratchet is not needed any more.
    DeleteRatchet {
        /// The sender.
        leaf: LeafIndex,
        /// Which of its ratchets.
        kind: RatchetKind,
    },
    /// Key of a message that was passed over.
    PutSkipped {
        /// Which key.
        id: MessageKeyId,
        /// When it was passed over, in seconds of the caller's clock.
        created: u64,
        /// The key.
        message_key: MessageKey,
    },
    /// DEL-05, DEL-06: the key is used, too old, or one too many.
    DeleteSkipped {
        /// Which key.
        id: MessageKeyId,
    },
}

impl SecretTreeChange {
    pub(super) fn put_ratchet(leaf: LeafIndex, kind: RatchetKind, ratchet: &Ratchet) -> Self {
        Self::PutRatchet { leaf, kind, generation: ratchet.generation, secret: ratchet.secret.duplicate() }
    }
}
