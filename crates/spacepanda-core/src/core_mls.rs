//! End-to-end encrypted groups: Messaging Layer Security (RFC 9420) with the words of SpacePanda.
//!
//! In: what an application wants to do in its groups, and envelopes from a transport. Out: envelopes for the transport,
//! and what others said and did.
//! Always: what a call took is durable before its envelope leaves; a call that fails has changed nothing; nothing here
//! opens a connection or asks for a key it was not given.
//!
//! Start with [`Client`]: one per device. It makes key packages, creates and joins groups, and hands out an [`MlsHandle`]
//! for each. Messages travel as [`MlsEnvelope`]s. Settings are in [`MlsConfig`], failures are [`MlsError`]s, and whose keys
//! to believe is the application's [`IdentityPolicy`].

pub mod policy;
pub mod store;

mod archive;
mod audit;
mod beacon;
mod cell;
mod chronicle;
mod client;
mod clock;
mod config;
mod duplicates;
mod echo;
mod envelope;
mod error;
mod handle;
mod inbox;
mod outbox;
mod passing;
mod receipt;
mod recorder;
mod records;
mod standing;
mod terms;
mod threads;
mod times;
mod types;
mod watch;
mod welcome;

pub use audit::{AuditAct, AuditEntry};
pub use chronicle::Health;
pub use client::{
    Client, ClientBuilder, ExternalJoin, IdentityRotation, KeyPackagePool, NewKeyPackages, PeekedMessage,
};
pub use clock::{Clock, SystemClock};
pub use config::{HandshakeFraming, MlsConfig};
pub use envelope::{MAX_ENVELOPE_SIZE, MessageType, MlsEnvelope};
pub use error::{MlsError, MlsResult};
pub use handle::{
    AddPlan, Blocker, Candidate, DoubtfulMember, Duty, Feature, GroupChange, Healed, Healing, MlsHandle, Need,
    RefusedCandidate, RemovalOutcome, Tick, load_group_from_file, save_group_to_file,
};
pub use mls_crypto::{CipherSuite, CryptoError, CryptoProvider, Parallel, Random, Secret};
pub use mls_crypto_aws_lc::{AwsLc, OsRandom};
pub use mls_engine::{framing::Padding, group::CommitId};
pub use outbox::{OutboxEntry, OutboxState};
pub use passing::ApplicationRow;
pub use policy::{IdentityPolicy, PinState, PinnedIdentities, StoredTrustOnFirstUse, TrustEvent, TrustOnFirstUse};
pub use receipt::Receipt;
pub use recorder::{Counter, Distribution, Measure, MemoryRecorder, NoRecorder, Recorder};
pub use threads::Threads;
pub use types::{
    CommitOutcome, GroupMetadata, Incoming, LostGroup, MemberInfo, PendingCommit, ProposalSummary, ReceivedMessage,
    ReceivedProposal,
};

use mls_roles::GROUP_NAME;

/// Who may do what in a group: roles, rights, and the table that grants them.
pub mod roles {
    pub use mls_roles::{Act, Actor, Denied, GroupParameters, GroupPolicy, Rank, Right, Rights, Role, Table, judge};
}

/// Signature keys that are elsewhere: in a keystore, a token, another process.
pub mod signer {
    pub use mls_crypto::{KeySigner, SignaturePrivateKey, SignaturePublicKey, Signer};
}
