//! Errors, split by blame: bad bytes, a peer that broke a rule, our caller.

use mls_crypto::{CipherSuite, CryptoError, Hash};

use crate::{
    math::{LeafIndex, NodeIndex},
    message::{CredentialType, ExtensionType, ProposalType},
};

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end before the value does (DEC-06, DEC-09).
    #[error("bytes end too early")]
    Truncated,
    /// Bytes follow the value (DEC-08).
    #[error("bytes left over after the value")]
    TrailingBytes,
    /// A length header is not in its shortest form or out of range (DEC-02, DEC-03).
    #[error("length header is not valid")]
    InvalidLength,
    /// A closed enum has this unassigned value (DEC-10).
    #[error("unknown value {0}")]
    UnknownValue(u64),
    /// Not `mls10` (DEC-11).
    #[error("protocol version is not supported")]
    UnsupportedVersion,
    /// An unknown wire format (DEC-12).
    #[error("wire format is not supported")]
    UnsupportedWireFormat,
    /// A nested version differs from the envelope's (DEC-13).
    #[error("nested protocol version differs from the message's")]
    VersionMismatch,
    /// One extension type twice in one list (DEC-17).
    #[error("extension type appears twice")]
    DuplicateExtension,
    /// A list is longer than its cap.
    #[error("list has too many items")]
    TooManyItems,
    /// `unmerged_leaves` are not strictly increasing (DEC-16).
    #[error("unmerged leaves are not strictly increasing")]
    UnmergedLeavesNotSorted,
    /// A ratchet tree ends in blanks, is empty, or has a node of the wrong kind (DEC-18, DEC-19).
    #[error("ratchet tree has an impossible shape")]
    InvalidTreeShape,
    /// More bytes than the limit (X-DOS-02).
    #[error("{len} bytes are more than the limit of {limit}")]
    OverLimit {
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A vector of 2^30 bytes or more cannot be encoded (DEC-04).
    #[error("value is too long to encode")]
    TooLong,
    /// Padding holds a byte that is not zero (PM-14).
    #[error("padding is not zero")]
    NonZeroPadding,
    /// Anything else the codec refused.
    #[error("malformed bytes")]
    Malformed,
}

/// Which object a signature was on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Signed {
    /// A framed message (Section 6.1).
    Message,
    /// A leaf node (Section 7.2).
    LeafNode(Option<LeafIndex>),
    /// A key package (Section 10).
    KeyPackage,
    /// A group info (Section 12.4.3).
    GroupInfo,
}

/// Why the application refused something (Section 5.3.1); the number is the application's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("refused by policy, reason {0}")]
pub struct Refusal(pub u16);

/// Why a received object was not accepted. State is as before the call.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The bytes are not a message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A key, ciphertext or library call failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The application's policy said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The message names another group (FRM-03).
    #[error("message is for another group")]
    WrongGroup,
    /// Keys for that epoch are gone (STALE), FRM-04, FRM-06.
    #[error("message is for epoch {got}; the group is at {current}")]
    StaleEpoch {
        /// Epoch named by the message.
        got: u64,
        /// Epoch of the group.
        current: u64,
    },
    /// The group has not reached that epoch (FUTURE), EPO-02.
    #[error("message is for epoch {got}; the group is only at {current}")]
    FutureEpoch {
        /// Epoch named by the message.
        got: u64,
        /// Epoch of the group.
        current: u64,
    },
    /// The sender's leaf is blank or out of range (FRM-07, PM-03).
    #[error("no member at leaf {0}")]
    UnknownMember(LeafIndex),
    /// A signature does not verify.
    #[error("signature on {0:?} does not verify")]
    BadSignature(Signed),
    /// A membership tag is wrong (PUB-01, PUB-02).
    #[error("membership tag is wrong")]
    BadMembershipTag,
    /// A confirmation tag is wrong (COM-20, WEL-16).
    #[error("confirmation tag is wrong")]
    BadConfirmationTag,
    /// A private message does not open; the stages are not told apart (X-API-02).
    #[error("message does not decrypt")]
    DecryptionFailed,
    /// The generation was used before, or its key is gone (PM-10).
    #[error("generation {generation} of leaf {leaf} was already used")]
    ReplayDetected {
        /// Sender.
        leaf: LeafIndex,
        /// Generation.
        generation: u32,
    },
    /// The generation is too far ahead (PM-11, X-DOS-05).
    #[error("generation {generation} of leaf {leaf} is too far ahead")]
    GenerationTooFar {
        /// Sender.
        leaf: LeafIndex,
        /// Generation.
        generation: u32,
    },
    /// The message is our own (FRM-20).
    #[error("message is our own")]
    OwnMessage,
    /// The group's policy wants the other framing (FRM-02).
    #[error("handshake framing is not the one this group uses")]
    WrongFraming,
    /// Sender type and content do not go together (FRM-11 to FRM-18).
    #[error("this sender may not send this content")]
    SenderNotAllowed,
    /// Application data in a PublicMessage (FRM-01).
    #[error("application data must be encrypted")]
    PublicApplicationData,
    /// No such external sender (FRM-10, XS-01).
    #[error("no external sender {0}")]
    UnknownExternalSender(u32),
    /// A referenced proposal is not in the cache (LIST-15); fetch it and retry.
    #[error("proposal {0:?} is not known")]
    UnknownProposal(Hash),
    /// The cache of proposals is full (X-DOS-06).
    #[error("too many proposals in this epoch")]
    TooManyProposals,
    /// The same proposal twice (LIST-16).
    #[error("commit names one proposal twice")]
    DuplicateProposal,
    /// More proposals than any legal commit has.
    #[error("commit has too many proposals")]
    TooManyCommittedProposals,
    /// A proposal that is not allowed in this kind of commit (LIST-10, EXT-03, PROP-07, PROP-08, PROP-14).
    #[error("proposal type {0:?} is not allowed here")]
    ProposalNotAllowed(ProposalType),
    /// A type some member does not support (PROP-23, LIST-11, DEC-22).
    #[error("proposal type {0:?} is not supported by every member")]
    UnsupportedProposal(ProposalType),
    /// A commit updates its own sender by proposal (LIST-02).
    #[error("commit holds an Update of its own sender")]
    CommitterUpdated,
    /// A commit removes its own sender (LIST-03).
    #[error("commit removes its own sender, leaf {0}")]
    CommitterRemoved(LeafIndex),
    /// Two Updates or Removes of one leaf (LIST-04).
    #[error("two changes of leaf {0}")]
    LeafChangedTwice(LeafIndex),
    /// Two Adds of one client, or of one already there (LIST-05, LIST-06).
    #[error("client is added twice or already a member")]
    DuplicateClient,
    /// Removal of a blank or missing leaf (PROP-06).
    #[error("removal of leaf {0}, where nobody is")]
    RemovedLeafBlank(LeafIndex),
    /// Two PSK proposals with one id (LIST-07).
    #[error("one pre-shared key twice")]
    DuplicatePsk,
    /// A PSK nonce of the wrong length (PROP-09).
    #[error("pre-shared key nonce has the wrong length")]
    PskNonceLength,
    /// A PSK we do not hold (PROP-11, COM-04, WEL-04); store it and retry.
    #[error("a pre-shared key is missing")]
    MissingPsk,
    /// More PSKs than allowed (KS-02, WEL-05).
    #[error("too many pre-shared keys")]
    TooManyPsks,
    /// More than one GroupContextExtensions (LIST-08).
    #[error("two proposals change the group context extensions")]
    TwoGroupContextExtensions,
    /// ReInit beside another proposal (LIST-09).
    #[error("ReInit must be the only proposal")]
    ReInitNotAlone,
    /// ReInit to an older version, a bad suite or, unless the host accepts it, the same group id (PROP-12, PROP-13).
    #[error("ReInit parameters are not acceptable")]
    InvalidReInit,
    /// Not exactly one ExternalInit (EXT-01).
    #[error("external commit needs exactly one ExternalInit")]
    ExternalInitCount,
    /// An external commit without a path, or with references (EXT-04, EXT-05).
    #[error("external commit has a forbidden shape")]
    InvalidExternalCommit,
    /// A commit that needs a path has none (COM-05).
    #[error("commit needs a path")]
    PathRequired,
    /// The path has the wrong number of nodes (PATH-01).
    #[error("path has {got} nodes instead of {expected}")]
    PathLength {
        /// Nodes in the path.
        got: usize,
        /// Length of the filtered direct path.
        expected: usize,
    },
    /// A path node has the wrong number of ciphertexts (PATH-02, PATH-03).
    #[error("path node {position} has {got} ciphertexts instead of {expected}")]
    PathCiphertexts {
        /// Which node, counted from the leaf.
        position: usize,
        /// Ciphertexts in the message.
        got: usize,
        /// Size of the resolution less added leaves.
        expected: usize,
    },
    /// The leaf's parent hash is not the path's (PATH-04, PATH-05).
    #[error("parent hash of the path's leaf is wrong")]
    PathParentHash,
    /// A key derived from a path secret is not the one in the path (PATH-06, WEL-14).
    #[error("path secret does not give the public key at node {0:?}")]
    PathKeyMismatch(NodeIndex),
    /// A path secret of the wrong length, or where none can be (PATH-07, WEL-15).
    #[error("path secret is not usable")]
    InvalidPathSecret,
    /// None of our private keys is in the resolution (PATH-14).
    #[error("no private key for this path")]
    PathKeyMissing,
    /// A public key appears twice in the resulting tree (LN-22, LN-23, COM-07, COM-08, TREE-13, TREE-14).
    #[error("a public key appears twice in the tree")]
    DuplicateKey,
    /// A leaf's source is not the one its place asks for (LN-04 to LN-06).
    #[error("leaf node has the wrong source")]
    WrongLeafSource,
    /// An Update or path leaf keeps its encryption key (LN-07, COM-07).
    #[error("leaf node keeps its encryption key")]
    LeafKeyNotFresh,
    /// The leaf lacks something the group demands (LN-08, LN-15, LN-16, PROP-16).
    #[error("leaf lacks a required capability")]
    MissingCapability,
    /// A leaf carries or lists an extension it does not support (LN-12, KP-07).
    #[error("extension {0:?} is not in the leaf's capabilities")]
    UnsupportedExtension(ExtensionType),
    /// An extension in an object it does not belong to (DEC-26).
    #[error("extension {0:?} does not belong here")]
    MisplacedExtension(ExtensionType),
    /// A credential type not supported by all (LN-09 to LN-11, CRED-16).
    #[error("credential type {0:?} is not supported by every member")]
    UnsupportedCredential(CredentialType),
    /// A lifetime that is over, not begun, or too long (LN-17 to LN-20).
    #[error("lifetime is not acceptable")]
    InvalidLifetime,
    /// Another version or suite than the group's (KP-01, WEL-02, WEL-09).
    #[error("version or cipher suite is not the group's")]
    SuiteMismatch,
    /// This provider does not have the suite.
    #[error("cipher suite {0:?} is not supported")]
    UnsupportedSuite(CipherSuite),
    /// `init_key` equals the leaf's encryption key (KP-04), or two packages share one (KP-15).
    #[error("init key is not unique")]
    InitKeyNotUnique,
    /// A replaced credential is not a valid successor (CRED-08, EXT-08).
    #[error("the new leaf is not a successor of the old one")]
    InvalidSuccessor,
    /// No place left (MAX_LEAVES, or the group's own maximum).
    #[error("group is full")]
    GroupFull,
    /// The tree hash is not the group context's (TREE-01).
    #[error("tree hash does not match")]
    TreeHashMismatch,
    /// A parent node is not parent-hash valid (TREE-03 to TREE-08).
    #[error("parent hash of node {0:?} is not valid")]
    InvalidParentHash(NodeIndex),
    /// Unmerged leaves are out of place (TREE-11, TREE-12).
    #[error("unmerged leaves of node {0:?} are not valid")]
    InvalidUnmergedLeaves(NodeIndex),
    /// The tree is taller than its members need (DEC-20).
    #[error("tree is not truncated")]
    TreeNotTruncated,
    /// No ratchet tree was given (TREE-16); fetch it and retry.
    #[error("a ratchet tree is needed")]
    TreeNeeded,
    /// The Welcome is for none of our key packages (WEL-01).
    #[error("welcome is not for this client")]
    NotForUs,
    /// Our leaf is not in the tree (WEL-13).
    #[error("our leaf is not in the tree")]
    OwnLeafMissing,
    /// The group id is in use here (WEL-08).
    #[error("a group with this id exists already")]
    GroupExists,
    /// A Welcome after ReInit or branch is not the one agreed on (WEL-17 to WEL-20, GRP-06, GRP-07, GRP-09).
    #[error("welcome does not continue the old group as agreed")]
    InvalidSuccession,
    /// The group was re-initialized and lives on elsewhere (COM-23).
    #[error("group was re-initialized")]
    GroupReInitialized,
    /// We are no longer a member (COM-24).
    #[error("we are not a member any more")]
    NotAMember,
    /// The epoch counter is at its end (COM-09).
    #[error("epoch counter is exhausted")]
    EpochExhausted,
    /// GroupInfo has no external public key (EXT-12).
    #[error("group info has no external public key")]
    NoExternalPub,
    /// What was worked out belongs to a state the group has left.
    #[error("the group has moved on")]
    Superseded,
    /// `external_senders` is too long, has duplicates, or a bad key (XS-07).
    #[error("external senders are not valid")]
    InvalidExternalSenders,
}

/// Why our own call was refused before anything left the process.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// What was asked for breaks a rule that every receiver would enforce.
    #[error(transparent)]
    Rule(#[from] ProcessError),
    /// Valid proposals of this epoch wait for a commit (PM-19, COM-26).
    #[error("proposals are pending; commit them first")]
    CommitRequired,
    /// Nothing to commit (CAP-15).
    #[error("no proposals are pending")]
    NoProposals,
    /// Payload over the limit (ADV-12).
    #[error("{len} bytes are more than the limit of {limit}")]
    PayloadTooLarge {
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The reserved generations are used up; reserve more first (X-STATE-01).
    #[error("no reserved generation is left")]
    NoGenerationReserved,
    /// This epoch's generations are used up; commit first (CRY-13, PM-13).
    #[error("generations of this epoch are exhausted; commit first")]
    GenerationsExhausted,
    /// Too many commit candidates stand side by side.
    #[error("too many pending commits")]
    TooManyPendingCommits,
    /// No such pending candidate.
    #[error("no such pending commit")]
    NoSuchPendingCommit,
    /// An exporter label that belongs to the protocol, or an empty one (KS-06).
    #[error("exporter label is reserved or empty")]
    ReservedLabel,
    /// Our own leaf or group context would carry something forbidden (LN-13, GRS-02, GRS-05).
    #[error("own capabilities or extensions are not consistent")]
    InvalidOwnObject,
    /// A stored record is missing or does not decode.
    #[error("stored state is not valid")]
    InvalidRecord,
    /// ReInit or branch parameters do not fit the old group (GRP-06, GRP-09).
    #[error("parameters do not continue the old group")]
    InvalidSuccession,
}

impl From<DecodeError> for OperationError {
    fn from(error: DecodeError) -> Self {
        Self::Rule(error.into())
    }
}

impl From<CryptoError> for OperationError {
    fn from(error: CryptoError) -> Self {
        Self::Rule(error.into())
    }
}
