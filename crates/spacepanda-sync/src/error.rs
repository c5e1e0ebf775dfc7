//! What can go wrong between a client and its delivery service.

use mls_crypto::CryptoError;
use mls_delivery::Rejection;
use mls_discovery::DiscoveryError;
use spacepanda_core::core_mls::{MlsError, store::StoreError};

/// Why something is not done. What was wanted stays queued, unless the error says that it cannot be done at all.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The service did not do it.
    #[error(transparent)]
    Service(#[from] Rejection),
    /// The group could not do it.
    #[error(transparent)]
    Group(#[from] MlsError),
    /// What is stored cannot be read.
    #[error("stored state of the client is not valid")]
    InvalidRow,
    /// A commit in the log cannot be followed; the service has been told.
    #[error("the group went on in a way that cannot be followed here: {0}")]
    Fork(MlsError),
    /// Members have voided commits that this client had followed.
    #[error("members have voided changes that were followed here")]
    Voided,
    /// A commit was made anew too often, because others were faster each time.
    #[error("others changed the group each time")]
    Busy,
    /// No device of this user has key packages.
    #[error("no device of this user can be added now")]
    NoKeyPackages,
    /// Nobody of this name is in the group.
    #[error("nobody of this name is in the group")]
    NoSuchMember,
    /// There are no roles to change: every member may do everything.
    #[error("the group has no roles: everybody in it may do everything")]
    NoRoles,
    /// So much waits to be sent that no more is taken.
    #[error("{waiting} messages wait to be sent, and no more than that may")]
    QueueFull {
        /// How many wait.
        waiting: usize,
    },
    /// The text is no invite code.
    #[error("this is no invite code")]
    NotACode,
    /// A record of a group cannot be made, or is not believed.
    #[error("the record of the group: {0}")]
    Discovery(#[from] DiscoveryError),
    /// We left the group, or were removed from it.
    #[error("we are not in this group any more")]
    NotAMember,
}

impl SyncError {
    /// Whether it may go better later without any change.
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Service(rejection) => rejection.retryable(),
            Self::Busy => true,
            _ => false,
        }
    }

    /// A name that stays the same.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Service(rejection) => rejection.code(),
            Self::Group(error) => error.code(),
            Self::InvalidRow => "invalid-row",
            Self::Fork(_) => "fork",
            Self::Voided => "voided",
            Self::Busy => "busy",
            Self::NoKeyPackages => "no-key-packages",
            Self::NoRoles => "no-roles",
            Self::NoSuchMember => "no-such-member",
            Self::QueueFull { .. } => "queue-full",
            Self::NotACode => "not-a-code",
            Self::Discovery(_) => "discovery",
            Self::NotAMember => "not-a-member",
        }
    }
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        Self::Group(error.into())
    }
}

impl From<CryptoError> for SyncError {
    fn from(error: CryptoError) -> Self {
        Self::Group(error.into())
    }
}
