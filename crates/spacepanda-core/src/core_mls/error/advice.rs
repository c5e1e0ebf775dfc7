//! For each error: a stable code, whether to try again, and what to do next.
//!
//! Always: codes never change their meaning; hosts match on them across languages and versions.

use mls_crypto::CryptoError;
use mls_engine::error::OperationError;

use super::MlsError;
use crate::core_mls::store::StoreError;

/// What there is to say about an error beyond its text.
#[derive(Clone, Copy)]
struct Advice {
    code: &'static str,
    retryable: bool,
    next_action: &'static str,
}

/// Trying again without a change does not help.
const fn final_(code: &'static str, next_action: &'static str) -> Advice {
    Advice { code, retryable: false, next_action }
}

/// Trying again helps, once the next action was taken.
const fn retry(code: &'static str, next_action: &'static str) -> Advice {
    Advice { code, retryable: true, next_action }
}

impl MlsError {
    /// A code that stays the same across versions and languages.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::MlsError;
    /// assert_eq!(MlsError::NoProposalsPending.code(), "no_proposals_pending");
    /// ```
    pub const fn code(&self) -> &'static str {
        self.advice().code
    }

    /// Whether the same call can succeed later, after [`MlsError::next_action`].
    ///
    /// ```
    /// # use spacepanda_core::core_mls::MlsError;
    /// assert!(MlsError::CommitRequired.retryable());
    /// assert!(!MlsError::NotAMember.retryable());
    /// ```
    pub const fn retryable(&self) -> bool {
        self.advice().retryable
    }

    /// What to do now, in a sentence for a developer.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::MlsError;
    /// assert_eq!(MlsError::CommitRequired.next_action(), "commit the pending proposals, deliver the commit, then send");
    /// ```
    pub const fn next_action(&self) -> &'static str {
        self.advice().next_action
    }

    const fn advice(&self) -> Advice {
        match self {
            Self::NoProposalsPending => final_("no_proposals_pending", "propose something first, or rotate"),
            Self::CommitRequired => {
                retry("commit_required", "commit the pending proposals, deliver the commit, then send")
            }
            Self::NoSuchPendingCommit => final_("no_such_pending_commit", "list the pending commits"),
            Self::Superseded => retry("superseded", "call again; the group has changed meanwhile"),
            Self::InboxFull => {
                retry("inbox_full", "fetch and process the commits that are missing, then hand it in again")
            }
            Self::ExternalJoinsDisabled => {
                final_("external_joins_disabled", "ask a member for an invitation, or enable external joins")
            }
            Self::InvalidConfig(_) => final_("invalid_config", "correct the field that is named"),
            Self::InvalidRecord => final_("invalid_record", "join the group anew; keep the store for analysis"),
            Self::AuditBroken { .. } => {
                final_("audit_broken", "keep the store for analysis; compare the log with another member's")
            }
            Self::Identity(_) => final_("identity", "drop it, or have it issued again by the master key"),
            Self::RotationPending => retry("rotation_pending", "resume the rotation, then call again"),
            Self::Store(error) => store(*error),
            Self::Rejected(_) => final_("rejected", "drop it; its maker broke a rule of the protocol"),
            Self::Refused(error) => refused(error),
            _ => self.advice_on_group(),
        }
    }

    const fn advice_on_group(&self) -> Advice {
        match self {
            Self::UnknownMember(_) => final_("unknown_member", "look at the members of this epoch"),
            Self::UnknownIdentity => final_("unknown_identity", "look at the members of this epoch"),
            Self::IdentityMismatch => final_("identity_mismatch", "do not add it: the key package is of somebody else"),
            Self::UnknownGroup => final_("unknown_group", "join the group first"),
            Self::GroupExists => final_("group_exists", "use the group that is there, or delete it first"),
            Self::NotForUs => final_("not_for_us", "drop it, or give it to the client whose key package was used"),
            Self::ReadOnly => {
                retry("read_only", "rotate and have the commit accepted, or join the group again; then call again")
            }
            Self::KeyPackageUsed => final_("key_package_used", "ask to be invited again, with a new key package"),
            Self::KeyPackageExpired => final_("key_package_expired", "ask to be invited again, with a new key package"),
            Self::NotAMember => final_("not_a_member", "delete the group; ask a member for an invitation"),
            Self::GroupReInitialized => final_("group_reinitialized", "wait for the Welcome to the group that follows"),
            Self::UnknownProposal => retry("unknown_proposal", "fetch and process the proposal, then hand it in again"),
            Self::MissingPsk => retry("missing_psk", "store the pre-shared key, then hand it in again"),
            Self::TreeNeeded => retry("tree_needed", "fetch the ratchet tree and hand it in as well"),
            _ => self.advice_on_message(),
        }
    }

    const fn advice_on_message(&self) -> Advice {
        match self {
            Self::EpochMismatch { expected, actual } if *actual > *expected => {
                retry("epoch_mismatch", "fetch and process the commits that are missing, then hand it in again")
            }
            Self::EpochMismatch { .. } => final_("epoch_mismatch", "drop it; the keys of that epoch are gone"),
            Self::ReplayDetected { .. } => final_("replay_detected", "drop it"),
            Self::TooFarAhead { .. } => {
                retry("too_far_ahead", "fetch the sender's messages that are missing, then hand it in again")
            }
            Self::CryptoError(CryptoError::Signer) => {
                retry("signer", "unlock or connect the signer of the own key, then call again")
            }
            Self::CryptoError(_) => final_("crypto_error", "drop it; it is forged, damaged or for other keys"),
            Self::Unauthorized { .. } => final_("unauthorized", "drop it, or change the policy"),
            Self::Denied(_) => final_("denied", "drop it, or ask somebody whose role allows it"),
            Self::OwnMessage => final_("own_message", "show what was sent from where it was written"),
            Self::GroupMismatch => final_("group_mismatch", "give it to the group it names"),
            Self::WrongMessageType { .. } => {
                final_("wrong_message_type", "call the verb for its kind, or handle_incoming")
            }
            Self::EnvelopeMismatch(_) => final_("envelope_mismatch", "drop it; somebody changed the header"),
            Self::EmptyPayload => final_("empty_payload", "drop it"),
            Self::UnsupportedVersion(_) => final_("unsupported_version", "update this client"),
            Self::MalformedJson => final_("malformed_json", "drop it"),
            Self::TooLarge { .. } => final_("too_large", "split it, or raise the limit for all members"),
            _ => final_("malformed", "drop it"),
        }
    }
}

const fn store(error: StoreError) -> Advice {
    match error {
        StoreError::Conflict { .. } => retry("store_conflict", "call again; another process changed the state"),
        StoreError::Unavailable => retry("store_unavailable", "make the store reachable, then call again"),
        StoreError::TimedOut => retry("store_timed_out", "call again; another process was busy"),
        StoreError::Unsure => retry("store_unsure", "call again; the state is read anew first"),
        StoreError::WrongKey => retry("store_wrong_key", "ask for the passphrase again"),
        StoreError::WeakPassphrase { .. } => retry("store_weak_passphrase", "ask for a longer passphrase"),
        StoreError::WrongKind => final_("store_wrong_kind", "open it with the kind of key it was made with"),
        StoreError::NewerSchema { .. } => final_("store_newer_schema", "update this client"),
        StoreError::Wiped => final_("store_wiped", "destroy what is left of the store, then make a new one"),
        StoreError::NotASealedFile => final_("store_not_a_sealed_file", "correct the path, or bring another copy"),
        StoreError::NotAStore => final_("store_not_a_store", "correct the path, or restore the store"),
        StoreError::KdfTooWeak { .. } => final_("store_kdf_too_weak", "somebody changed the header; restore it"),
        StoreError::KdfTooCostly { .. } => final_("store_kdf_too_costly", "open it on a larger machine"),
        StoreError::SqliteTooOld { .. } => final_("store_sqlite_too_old", "update SQLite"),
        StoreError::SettingRefused { .. } => {
            final_("store_setting_refused", "use the SQLite that comes with the store")
        }
        StoreError::RolledBack { .. } => final_("store_rolled_back", "bring the newest copy, or join the groups anew"),
        StoreError::KeyLost { .. } => final_("store_key_lost", "bring the newest keys, or join the groups anew"),
        StoreError::RowDamaged { .. } => final_("store_row_damaged", "restore the store, and join the groups anew"),
        StoreError::NameTooLong { .. } => final_("store_name_too_long", "use a shorter name"),
        _ => final_("store_damaged", "restore the store, and join the groups anew"),
    }
}

const fn refused(error: &OperationError) -> Advice {
    match error {
        OperationError::TooManyPendingCommits => retry("refused", "clear pending commits that lost, then call again"),
        OperationError::GenerationsExhausted => retry("refused", "rotate, deliver the commit, then send"),
        OperationError::NoGenerationReserved => retry("refused", "call again"),
        _ => final_("refused", "correct the call"),
    }
}
