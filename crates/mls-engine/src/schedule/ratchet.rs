//! Sender ratchets: one key and nonce per message (RFC 9420, Section 9.1).
//!
//! In: the secret a ratchet starts from. Out: for each generation the key, the nonce, and the secret of the next.
//! Always: a ratchet only moves forward; a step drops, and so wipes, the secret it started from (DEL-03).

use mls_crypto::{CryptoError, Secret, SuiteCrypto, label::derive_tree_secret};

use crate::{math::LeafIndex, message::ContentType};

/// Which of a sender's two ratchets.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "the RFC closes the set")]
pub enum RatchetKind {
    /// Proposals and commits.
    Handshake,
    /// Application data.
    Application,
}

impl RatchetKind {
    /// The sender's other ratchet.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Handshake => Self::Application,
            Self::Application => Self::Handshake,
        }
    }

    /// The label that starts the ratchet from a leaf's secret (Section 9).
    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Application => "application",
        }
    }
}

impl From<ContentType> for RatchetKind {
    fn from(content_type: ContentType) -> Self {
        // PM-06 (Section 6.3.1): proposals and commits share a ratchet, application data has the other.
        match content_type {
            ContentType::Application => Self::Application,
            ContentType::Proposal | ContentType::Commit => Self::Handshake,
        }
    }
}

/// Names one message key of an epoch.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MessageKeyId {
    /// The sender.
    pub leaf: LeafIndex,
    /// Which of its ratchets.
    pub kind: RatchetKind,
    /// How often the ratchet has moved.
    pub generation: u32,
}

impl MessageKeyId {
    /// The key of a sender's generation.
    pub const fn new(leaf: LeafIndex, kind: RatchetKind, generation: u32) -> Self {
        Self { leaf, kind, generation }
    }
}

/// Key and nonce of one message. Drop it as soon as the message is sealed or opened (DEL-04, DEL-05).
#[derive(Debug)]
pub struct MessageKey {
    /// AEAD key, `Nk` bytes.
    pub key: Secret,
    /// AEAD nonce before the reuse guard (Section 6.3.1), `Nn` bytes.
    pub nonce: Secret,
}

impl MessageKey {
    /// A second owner of the same key; see [`Secret::duplicate`].
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { key: self.key.duplicate(), nonce: self.nonce.duplicate() }
    }
}

/// `ratchet_secret_[N]_[j]`.
#[derive(Debug)]
pub(super) struct Ratchet {
    /// `j`: the first generation that can still be derived.
    pub(super) generation: u32,
    pub(super) secret: Secret,
}

/// A ratchet moved forward to just behind one generation.
#[derive(Debug)]
pub(super) struct Leap {
    /// Keys of generations passed over, in their order.
    pub(super) skipped: Vec<(u32, MessageKey)>,
    /// The key asked for.
    pub(super) message_key: MessageKey,
    /// The ratchet behind it.
    pub(super) head: Ratchet,
}

impl Ratchet {
    /// A second owner, for the record in storage or for a computation that leaves the first as it is.
    pub(super) fn duplicate(&self) -> Self {
        Self { generation: self.generation, secret: self.secret.duplicate() }
    }

    /// Key and nonce of the present generation.
    pub(super) fn message_key(&self, suite: &dyn SuiteCrypto) -> Result<MessageKey, CryptoError> {
        let derive = |label, len| derive_tree_secret(suite, &self.secret, label, self.generation, len);
        Ok(MessageKey { key: derive("key", suite.aead_key_len())?, nonce: derive("nonce", suite.aead_nonce_len())? })
    }

    /// The ratchet one generation on.
    pub(super) fn step(&self, suite: &dyn SuiteCrypto) -> Result<Self, CryptoError> {
        let secret = derive_tree_secret(suite, &self.secret, "secret", self.generation, suite.hash_len())?;
        // Callers stay below `max_derivations` (PM-11, PM-13), so this never saturates.
        Ok(Self { generation: self.generation.saturating_add(1), secret })
    }

    /// The ratchet at `generation`, or `self` if it is there or beyond.
    pub(super) fn forward(self, suite: &dyn SuiteCrypto, generation: u32) -> Result<Self, CryptoError> {
        (self.generation..generation).try_fold(self, |ratchet, _| ratchet.step(suite))
    }

    /// The key of `generation`, which is not behind, with at most `keep` keys before it, the newest.
    pub(super) fn leap(&self, suite: &dyn SuiteCrypto, generation: u32, keep: usize) -> Result<Leap, CryptoError> {
        let keep = u32::try_from(keep).unwrap_or(u32::MAX);
        // PM-12 (Section 15.3): of a jump beyond the cap, the newest keys are kept; older ones are never derived.
        let mut head = self.duplicate().forward(suite, generation.saturating_sub(keep))?;
        let mut skipped = Vec::new();
        while head.generation < generation {
            skipped.push((head.generation, head.message_key(suite)?));
            head = head.step(suite)?;
        }
        Ok(Leap { skipped, message_key: head.message_key(suite)?, head: head.step(suite)? })
    }
}
