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
        E::RotationPending,
        E::Identity(mls_identity::IdentityError::Stale),
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

/// The variants of an enum, as its source has them.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let (_, body) = source.split_once(&format!("pub enum {name} {{")).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let variant = |line: &str| line.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
    lines.filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase())).map(variant).collect()
}

/// Whoever adds an error has to say what to do about it.
#[test]
fn every_variant_is_among_the_samples() {
    let sampled: BTreeSet<String> = samples()
        .iter()
        .map(|error| format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect())
        .collect();
    assert_eq!(sampled, variants(include_str!("../error.rs"), "MlsError"));
}

/// DEP-65: docs/runbook.md is made of the errors themselves. With `SPACEPANDA_BLESS` it is written anew.
#[test]
fn the_runbook_has_every_error() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/runbook.md");
    let mut page = String::from(RUNBOOK);
    let mut errors = samples();
    errors.push(MlsError::EpochMismatch { expected: 1, actual: 2 });
    errors.sort_by_key(|error| (error.code(), error.retryable()));
    for error in &errors {
        let again = if error.retryable() { "yes" } else { "no" };
        page += &format!("| `{}` | {error} | {again} | {} |\n", error.code(), error.next_action());
    }
    if std::env::var_os("SPACEPANDA_BLESS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), page, "write docs/runbook.md anew with SPACEPANDA_BLESS=1");
}

const RUNBOOK: &str = "# Runbook of the library

What each error of `spacepanda_core` means, and what to do about it. This page is made of the errors: `MlsError::code`, its
text, `retryable` and `next_action`; a test of `spacepanda-core` holds it. A program reads the same from the error.

What to watch: `spacepanda_errors_total` by code, `spacepanda_replays_total`, `spacepanda_failed_decryptions_total` and
`spacepanda_forks_total`, as a `Recorder` counts them. A few replays are deliveries that came twice. Failed decryptions that
go on, or a fork, mean that a member stands elsewhere: let members say their beacons, look at `MlsHandle::health`, then
`MlsHandle::heal`. Refusals (`denied`, `unauthorized`) that go on mean that somebody tries what it may not do:
`MlsHandle::audit_log` says what was done, and by whom. `store_*` is the medium: see `storage-format.md`.

| code | what it says | try again | what to do |
|---|---|---|---|
";

/// DEP-07: errors have room for numbers and names of rules and fields only, in every layer; no text is long enough for more.
#[test]
fn errors_have_no_room_for_secrets() {
    let sources = [
        include_str!("../error.rs"),
        include_str!("../../../../mls-engine/src/error.rs"),
        include_str!("../../../../mls-store/src/error.rs"),
        include_str!("../../../../mls-crypto/src/error.rs"),
        include_str!("../../../../mls-roles/src/denied.rs"),
    ];
    for source in sources {
        for (_, body) in source.split("pub enum ").skip(1).filter_map(|rest| rest.split_once("{\n")) {
            let (body, _) = body.split_once("\n}").unwrap();
            for line in body.lines().filter(|line| !line.trim_start().starts_with("//")) {
                let words: Vec<_> = line.split(|c: char| !c.is_ascii_alphanumeric()).collect();
                for room in ["Vec", "String", "Opaque", "Secret", "Box"] {
                    assert!(!words.contains(&room), "{line}");
                }
            }
        }
    }
    for error in samples() {
        let text = error.to_string();
        assert!(text.is_ascii() && text.len() < 120, "{text}");
    }
}
