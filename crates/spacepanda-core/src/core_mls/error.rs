//! What can go wrong, in types: what it was, whether to try again, and what to do next.
//!
//! In: errors of the layers below. Out: [`MlsError`].
//! Always: an error holds numbers and names of rules, never keys, plaintext or identities; its text is safe to log.

use mls_crypto::CryptoError;
use mls_engine::error::{DecodeError, OperationError, ProcessError, Refusal};
use mls_identity::IdentityError;
use mls_roles::Denied;

use super::{envelope::MessageType, store::StoreError};

mod advice;

/// Result of most calls.
pub type MlsResult<T> = Result<T, MlsError>;

/// Why a call did not do what was asked. State is as before the call.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MlsError {
    /// There is nothing to commit (CAP-15).
    #[error("no proposals are pending")]
    NoProposalsPending,
    /// Proposals wait for a commit, and must be committed before we send (PM-19).
    #[error("proposals are pending; commit them first")]
    CommitRequired,
    /// The message is of another epoch, and cannot be read in this one.
    #[error("message is for epoch {actual}; the group is at {expected}")]
    EpochMismatch {
        /// Epoch of the group.
        expected: u64,
        /// Epoch of the message.
        actual: u64,
    },
    /// The message was opened before, or its key is gone (CAP-22).
    #[error("message {generation} of member {sender} was already opened")]
    ReplayDetected {
        /// Leaf of the sender.
        sender: u32,
        /// Number of the message among the sender's in that epoch.
        generation: u32,
    },
    /// So many messages of this sender are missing before this one that it is refused.
    #[error("message {generation} of member {sender} is too far ahead")]
    TooFarAhead {
        /// Leaf of the sender.
        sender: u32,
        /// Number of the message among the sender's in that epoch.
        generation: u32,
    },
    /// A key, signature or ciphertext is wrong, or the library below failed.
    #[error(transparent)]
    CryptoError(#[from] CryptoError),
    /// A certificate, or a list of revoked devices, is not one.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The own key is being rotated already.
    #[error("a rotation of the own key is not over")]
    RotationPending,
    /// The application's policy said no; the number is its own reason.
    #[error("not allowed, reason {reason}")]
    Unauthorized {
        /// The policy's reason.
        reason: u16,
    },
    /// The group's table of roles says no.
    #[error("not allowed: {0}")]
    Denied(#[from] Denied),
    /// The message is our own, and what was in it is not remembered any more.
    #[error("message is our own")]
    OwnMessage,
    /// The message is for another group (ADV-17).
    #[error("message is for another group")]
    GroupMismatch,
    /// The envelope holds another kind of message than asked for.
    #[error("message is a {actual}, not a {expected}")]
    WrongMessageType {
        /// What was asked for.
        expected: MessageType,
        /// What is there.
        actual: MessageType,
    },
    /// The envelope's header and the message inside do not agree.
    #[error("envelope and message do not agree about the {0}")]
    EnvelopeMismatch(&'static str),
    /// The envelope holds no message.
    #[error("envelope is empty")]
    EmptyPayload,
    /// The envelope's version is not known here.
    #[error("envelope version {0} is not supported")]
    UnsupportedVersion(u16),
    /// The text is not an envelope in JSON.
    #[error("malformed JSON envelope")]
    MalformedJson,
    /// The bytes are not a message, or not an envelope.
    #[error(transparent)]
    Malformed(DecodeError),
    /// More bytes than the limit.
    #[error("{len} bytes are more than the limit of {limit}")]
    TooLarge {
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// No member at this leaf.
    #[error("no member at leaf {0}")]
    UnknownMember(u32),
    /// No member has this identity.
    #[error("no member has this identity")]
    UnknownIdentity,
    /// The credential is not of the identity that was expected (CAP-10).
    #[error("credential is of another identity")]
    IdentityMismatch,
    /// The client has no group with this id.
    #[error("no such group")]
    UnknownGroup,
    /// The client has a group with this id already.
    #[error("a group with this id exists already")]
    GroupExists,
    /// The Welcome is for none of our key packages (CAP-02).
    #[error("welcome is not for this client")]
    NotForUs,
    /// An old copy of the group was put back: it may read, and not send.
    #[error("group is read-only: its state may be older than what was sent")]
    ReadOnly,
    /// The Welcome is for a key package that another Welcome has used up.
    #[error("the key package of this welcome was used before")]
    KeyPackageUsed,
    /// The Welcome is for a key package whose lifetime, and grace, were over.
    #[error("the key package of this welcome is too old")]
    KeyPackageExpired,
    /// We are not a member any more.
    #[error("we are not a member any more")]
    NotAMember,
    /// The group has ended and continues under other parameters.
    #[error("group was re-initialized")]
    GroupReInitialized,
    /// The commit names a proposal that has not arrived.
    #[error("commit names a proposal that is not here")]
    UnknownProposal,
    /// A pre-shared key is not here.
    #[error("a pre-shared key is missing")]
    MissingPsk,
    /// The ratchet tree travels outside this Welcome or group info.
    #[error("a ratchet tree is needed")]
    TreeNeeded,
    /// The pending commit was accepted or cleared before, or is not ours.
    #[error("no such pending commit")]
    NoSuchPendingCommit,
    /// Somebody else's change came first.
    #[error("the group has moved on")]
    Superseded,
    /// Too many messages of later epochs wait for us to get there.
    #[error("inbox is full")]
    InboxFull,
    /// External commits are off (CAP-07).
    #[error("external joins are not enabled")]
    ExternalJoinsDisabled,
    /// A setting has a value that makes no sense.
    #[error("configuration is not valid: {0}")]
    InvalidConfig(&'static str),
    /// The log of who did what is not as it was written.
    #[error("the log of the group is broken at entry {number}")]
    AuditBroken {
        /// The first entry that is not as it was.
        number: u64,
    },
    /// What the store holds cannot be understood.
    #[error("stored state is not valid")]
    InvalidRecord,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The received object breaks this rule of RFC 9420.
    #[error("rejected: {0}")]
    Rejected(ProcessError),
    /// What we asked for cannot be done.
    #[error("refused: {0}")]
    Refused(OperationError),
}

impl From<ProcessError> for MlsError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::StaleEpoch { got, current } | ProcessError::FutureEpoch { got, current } => {
                Self::EpochMismatch { expected: current, actual: got }
            }
            ProcessError::ReplayDetected { leaf, generation } => {
                Self::ReplayDetected { sender: leaf.get(), generation }
            }
            ProcessError::GenerationTooFar { leaf, generation } => Self::TooFarAhead { sender: leaf.get(), generation },
            ProcessError::Decode(DecodeError::OverLimit { len, limit }) => Self::TooLarge { len, limit },
            ProcessError::Decode(error) => Self::Malformed(error),
            ProcessError::Crypto(error) => Self::CryptoError(error),
            ProcessError::DecryptionFailed => Self::CryptoError(CryptoError::OpenFailed),
            ProcessError::BadSignature(_) => Self::CryptoError(CryptoError::InvalidSignature),
            ProcessError::Refused(Refusal(reason)) => {
                Denied::of_reason(reason).map_or(Self::Unauthorized { reason }, Self::Denied)
            }
            ProcessError::UnknownMember(leaf) | ProcessError::RemovedLeafBlank(leaf) => Self::UnknownMember(leaf.get()),
            ProcessError::WrongGroup => Self::GroupMismatch,
            ProcessError::OwnMessage => Self::OwnMessage,
            ProcessError::GroupExists => Self::GroupExists,
            ProcessError::NotForUs => Self::NotForUs,
            ProcessError::NotAMember => Self::NotAMember,
            ProcessError::GroupReInitialized => Self::GroupReInitialized,
            ProcessError::UnknownProposal(_) => Self::UnknownProposal,
            ProcessError::MissingPsk => Self::MissingPsk,
            ProcessError::TreeNeeded => Self::TreeNeeded,
            ProcessError::Superseded => Self::Superseded,
            other => Self::Rejected(other),
        }
    }
}

impl From<OperationError> for MlsError {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Rule(error) => error.into(),
            OperationError::CommitRequired => Self::CommitRequired,
            OperationError::NoProposals => Self::NoProposalsPending,
            OperationError::PayloadTooLarge { len, limit } => Self::TooLarge { len, limit },
            OperationError::NoSuchPendingCommit => Self::NoSuchPendingCommit,
            OperationError::InvalidRecord => Self::InvalidRecord,
            other => Self::Refused(other),
        }
    }
}

impl From<DecodeError> for MlsError {
    fn from(error: DecodeError) -> Self {
        ProcessError::Decode(error).into()
    }
}

#[cfg(test)]
mod tests;
