use std::collections::BTreeSet;

use mls_crypto::CryptoError;
use mls_engine::{
    error::{DecodeError, OperationError, ProcessError, Refusal},
    math::LeafIndex,
};

use mls_roles::Denied;

use super::MlsError;
use crate::core_mls::{
    MessageType,
    store::{StoreError, Table},
};

fn samples() -> Vec<MlsError> {
    use MlsError as E;
    let mut all = vec![
        E::NoProposalsPending,
        E::CommitRequired,
        E::EpochMismatch { expected: 1, actual: 0 },
        E::ReplayDetected { sender: 1, generation: 2 },
        E::TooFarAhead { sender: 1, generation: 2 },
        E::CryptoError(CryptoError::OpenFailed),
        E::Unauthorized { reason: 3 },
        E::Denied(Denied::LastOwner),
        E::OwnMessage,
        E::GroupMismatch,
        E::WrongMessageType { expected: MessageType::Commit, actual: MessageType::Welcome },
        E::EnvelopeMismatch("sender"),
        E::EmptyPayload,
        E::UnsupportedVersion(2),
        E::MalformedJson,
        E::Malformed(DecodeError::Truncated),
        E::TooLarge { len: 2, limit: 1 },
        E::UnknownMember(1),
        E::UnknownIdentity,
        E::IdentityMismatch,
        E::UnknownGroup,
        E::GroupExists,
        E::NotForUs,
        E::ReadOnly,
        E::KeyPackageUsed,
        E::KeyPackageExpired,
        E::NotAMember,
        E::GroupReInitialized,
        E::UnknownProposal,
        E::MissingPsk,
        E::TreeNeeded,
        E::NoSuchPendingCommit,
        E::Superseded,
        E::InboxFull,
        E::ExternalJoinsDisabled,
        E::InvalidConfig("field"),
        E::InvalidRecord,
        E::AuditBroken { number: 1 },
        E::Rejected(ProcessError::DuplicateClient),
        E::Refused(OperationError::ReservedLabel),
    ];
    all.extend(faults_of_the_store().into_iter().map(E::Store));
    all
}

fn faults_of_the_store() -> Vec<StoreError> {
    use StoreError as E;
    vec![
        E::Conflict { expected: 1, actual: 2 },
        E::Unavailable,
        E::Damaged,
        E::TimedOut,
        E::Unsure,
        E::WrongKey,
        E::WrongKind,
        E::NotAStore,
        E::NotASealedFile,
        E::Wiped,
        E::WeakPassphrase { characters: 1, needed: 12 },
        E::NewerSchema { found: 2, known: 1 },
        E::KdfTooWeak { memory_kib: 1, passes: 1, lanes: 1 },
        E::KdfTooCostly { memory_kib: 1, passes: 1, lanes: 1 },
        E::SqliteTooOld { found: 1, needed: 2 },
        E::SettingRefused { name: "name" },
        E::RolledBack { found: 1, expected: 2 },
        E::KeyLost { period: 1 },
        E::RowDamaged { table: Table::Meta },
        E::NameTooLong { len: 2, limit: 1 },
    ]
}

/// CAP-72
#[test]
fn every_error_has_a_code_of_its_own_and_an_action() {
    let mut codes = BTreeSet::new();
    for error in samples() {
        assert!(codes.insert(error.code()), "{} twice", error.code());
        assert!(error.code().chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", error.code());
        assert!(!error.next_action().is_empty(), "{}", error.code());
    }
}

#[test]
fn late_is_final_and_early_is_not() {
    assert!(!MlsError::EpochMismatch { expected: 5, actual: 4 }.retryable());
    assert!(MlsError::EpochMismatch { expected: 5, actual: 6 }.retryable());
}

#[test]
fn faults_of_the_engine_keep_their_numbers() {
    let leaf = LeafIndex::new(7);
    let cases = [
        (ProcessError::StaleEpoch { got: 1, current: 9 }, MlsError::EpochMismatch { expected: 9, actual: 1 }),
        (ProcessError::FutureEpoch { got: 999, current: 9 }, MlsError::EpochMismatch { expected: 9, actual: 999 }),
        (ProcessError::ReplayDetected { leaf, generation: 3 }, MlsError::ReplayDetected { sender: 7, generation: 3 }),
        (ProcessError::Refused(Refusal(12)), MlsError::Unauthorized { reason: 12 }),
        (ProcessError::DecryptionFailed, MlsError::CryptoError(CryptoError::OpenFailed)),
        (ProcessError::WrongGroup, MlsError::GroupMismatch),
        (ProcessError::Decode(DecodeError::OverLimit { len: 9, limit: 8 }), MlsError::TooLarge { len: 9, limit: 8 }),
        (ProcessError::DuplicateClient, MlsError::Rejected(ProcessError::DuplicateClient)),
    ];
    for (fault, error) in cases {
        assert_eq!(MlsError::from(OperationError::Rule(fault)), error);
    }
    assert_eq!(MlsError::from(OperationError::NoProposals), MlsError::NoProposalsPending);
}
