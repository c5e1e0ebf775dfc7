//! What only the host can decide or provide (RFC 9420, Section 5.3.1).
//!
//! In: claims that the engine has authenticated. Out: yes, or a [`Refusal`].
//! Always: nothing has a default that accepts; the engine asks on every path by which a change can enter.

use core::fmt;

use mls_crypto::{CryptoProvider, Parallel, Random, Secret, SignaturePublicKey};

use crate::{
    error::Refusal,
    limits::Limits,
    math::LeafIndex,
    message::{Credential, Extensions, GroupContext, LeafNode, Proposal, ProposalType, ReInit},
};

/// Seconds since 1970-01-01T00:00:00Z.
pub type Timestamp = u64;

/// Everything a verb asks of its host. Cheap to copy; holds references only.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// Cipher suites.
    pub crypto: &'a dyn CryptoProvider,
    /// Randomness.
    pub random: &'a dyn Random,
    /// Parallelism.
    pub parallel: &'a dyn Parallel,
    /// The application's decisions.
    pub policy: &'a dyn Policy,
    /// Pre-shared keys, and groups that others continue.
    pub psks: &'a dyn PskSource,
    /// Caps on what peers choose.
    pub limits: &'a Limits,
    /// The time.
    pub now: Timestamp,
}

impl fmt::Debug for Env<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("now", &self.now).finish_non_exhaustive()
    }
}

/// Pre-shared keys the host holds (Section 8.4), and what it knows of groups that others continue.
pub trait PskSource: Send + Sync {
    /// The external PSK with this id.
    fn external(&self, psk_id: &[u8]) -> Option<Secret>;

    /// The `resumption_psk` of an epoch of another group.
    fn resumption(&self, group_id: &[u8], epoch: u64) -> Option<Secret>;

    /// A group that a Welcome says it continues (WEL-18, WEL-19).
    fn predecessor(&self, group_id: &[u8]) -> Option<Predecessor>;
}

/// No pre-shared keys and no other groups.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPsks;

impl PskSource for NoPsks {
    fn external(&self, _: &[u8]) -> Option<Secret> {
        None
    }

    fn resumption(&self, _: &[u8], _: u64) -> Option<Secret> {
        None
    }

    fn predecessor(&self, _: &[u8]) -> Option<Predecessor> {
        None
    }
}

/// The last state of a group that is continued by ReInit or branch (Sections 11.2 and 11.3).
#[derive(Clone, Debug)]
pub struct Predecessor {
    /// Its context.
    pub context: GroupContext,
    /// The ReInit its last commit held.
    pub reinit: Option<ReInit>,
    /// Its members.
    pub members: Vec<LeafNode>,
}

/// In what role a credential is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CredentialRole {
    /// In a key package or an Add (CRED-01, CRED-03).
    Joiner,
    /// In a leaf of a group: a tree we join, an Update, a path (CRED-02, CRED-04, CRED-05).
    Member,
    /// In `external_senders` (CRED-06, CRED-07).
    ExternalSender,
}

/// A credential to be believed or not.
#[derive(Clone, Copy, Debug)]
pub struct CredentialClaim<'a> {
    /// The credential.
    pub credential: &'a Credential,
    /// The key it is shown with.
    pub signature_key: &'a SignaturePublicKey,
    /// The extensions of the leaf it is in; `None` for an external sender, which has no leaf.
    pub extensions: Option<&'a Extensions>,
    /// In what role.
    pub role: CredentialRole,
    /// In which group, if one is known.
    pub group_id: Option<&'a [u8]>,
    /// The time.
    pub now: Timestamp,
}

/// Who made a proposal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Proposer {
    /// The member at this leaf.
    Member(LeafIndex),
    /// The entry of `external_senders` with this index (XS-06).
    External(u32),
    /// The client that asks to be added.
    NewMember,
}

/// Who made a commit.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Committer<'a> {
    /// The member at this leaf.
    Member(LeafIndex),
    /// A client that joins by external commit, with its leaf.
    New(&'a LeafNode),
}

/// The members of the epoch in which a change is judged.
pub trait Roster {
    /// The member at `index`.
    fn member(&self, index: LeafIndex) -> Option<&LeafNode>;

    /// Number of members.
    fn count(&self) -> u32;

    /// All members, by leaf: takes as long as there are leaves.
    fn members(&self) -> Vec<(LeafIndex, &LeafNode)>;
}

/// A proposal to be allowed or not.
#[derive(Clone, Copy)]
pub struct ProposalClaim<'a> {
    /// The epoch's context.
    pub context: &'a GroupContext,
    /// The epoch's members.
    pub roster: &'a dyn Roster,
    /// Its authenticated sender.
    pub proposer: Proposer,
    /// The proposal.
    pub proposal: &'a Proposal,
}

impl fmt::Debug for ProposalClaim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { context: _, roster: _, proposer, proposal } = self;
        f.debug_struct("ProposalClaim")
            .field("proposer", proposer)
            .field("type", &proposal.proposal_type())
            .finish_non_exhaustive()
    }
}

/// A commit to be allowed or not (LIST-17).
#[derive(Clone, Copy)]
pub struct CommitClaim<'a> {
    /// The epoch's context, before the commit (X-AUTH-12).
    pub context: &'a GroupContext,
    /// The epoch's members, before the commit.
    pub roster: &'a dyn Roster,
    /// Its authenticated sender.
    pub committer: Committer<'a>,
    /// Every proposal with its own authenticated proposer, in commit order.
    pub proposals: &'a [(Proposer, &'a Proposal)],
}

impl fmt::Debug for CommitClaim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { context: _, roster: _, committer, proposals } = self;
        f.debug_struct("CommitClaim")
            .field("committer", committer)
            .field("proposals", &proposals.len())
            .finish_non_exhaustive()
    }
}

/// PROP-22: what must be said about a proposal type before it can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CustomProposalRules {
    /// Whether external senders may send it (Section 12.1.8).
    pub external_senders: bool,
    /// Whether a commit with it needs a path (Section 12.4).
    pub path_required: bool,
    /// Whether an external commit may hold it (Section 12.2).
    pub external_commit: bool,
    /// Whether it may appear more than once in a commit.
    pub repeatable: bool,
}

/// The application's decisions. There is no implementation that accepts everything outside tests.
pub trait Policy: Send + Sync {
    /// Whether the credential belongs to the key, and may be shown in this role now. CRED-09: "unknown" is a refusal.
    ///
    /// # Errors
    /// [`Refusal`] with the application's reason.
    fn validate_credential(&self, claim: &CredentialClaim<'_>) -> Result<(), Refusal>;

    /// CRED-08, EXT-08: whether `new` may take the place of `old` (Update, path, resync).
    ///
    /// # Errors
    /// [`Refusal`] with the application's reason.
    fn validate_successor(&self, old: &LeafNode, new: &LeafNode) -> Result<(), Refusal>;

    /// Whether a standalone proposal may be cached, whoever sent it (FRM-19, XS-05).
    ///
    /// # Errors
    /// [`Refusal`] with the application's reason.
    fn authorize_proposal(&self, claim: &ProposalClaim<'_>) -> Result<(), Refusal>;

    /// Whether a commit may be made or accepted (LIST-17, EXT-16). Asked of every receiver and of the sender.
    ///
    /// # Errors
    /// [`Refusal`] with the application's reason.
    fn authorize_commit(&self, claim: &CommitClaim<'_>) -> Result<(), Refusal>;

    /// Whether a member may send application messages in the epoch with this context. Asked of the sender, and by every
    /// receiver of every message, once it is authentic.
    ///
    /// # Errors
    /// [`Refusal`] with the application's reason.
    fn authorize_message(&self, context: &GroupContext, sender: &LeafNode) -> Result<(), Refusal>;

    /// FRM-02: whether members may send handshakes as PublicMessage in the group with this context.
    fn accepts_public_handshakes(&self, context: &GroupContext) -> bool;

    /// FRM-02: whether members may at least commit in a PublicMessage. A member whose state was put back from an old copy
    /// cannot use its ratchets (Section 9.1), and renews its keys this way. As for all handshakes unless the policy says
    /// otherwise.
    fn accepts_public_commits(&self, context: &GroupContext) -> bool {
        self.accepts_public_handshakes(context)
    }

    /// LN-19: the longest lifetime of a key package, in seconds.
    fn max_lifetime(&self) -> u64;

    /// GRS-01: whether our leaves and key packages carry a GREASE *extension*; lists of capabilities always carry GREASE.
    /// Yes, unless a group must hold clients that refuse what Section 13.5 allows (OpenMLS up to 0.9.2).
    fn greases_extensions(&self) -> bool {
        true
    }

    /// PROP-13: whether a group may be continued under its own id. Section 11.2 does not forbid it; a host that knows its
    /// groups by their ids could not tell the two apart. No, unless the host keeps them apart in another way.
    fn accepts_reinit_under_same_id(&self) -> bool {
        false
    }

    /// The rules of a registered custom proposal type; `None` refuses the type.
    fn custom_proposal(&self, proposal_type: ProposalType) -> Option<CustomProposalRules>;
}
