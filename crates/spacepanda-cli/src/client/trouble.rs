//! What can go wrong, of which kind it is, and what to do next.

use std::io;

use mls_crypto::CryptoError;
use mls_delivery::Rejection;
use spacepanda_core::core_mls::{MlsError, roles::Denied, store::StoreError};
use spacepanda_sync::SyncError;

use crate::home::HomeError;

/// Why a command did not do what was asked, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error("nobody lives in this home; make an identity with `panda init NAME`, or choose another --home DIR")]
    NoIdentity,
    #[error("{0} lives in this home already; choose another --home DIR for somebody else")]
    HasIdentity(String),
    #[error("there is no group {0:?} here; `panda group list` shows those that are")]
    NoGroup(String),
    #[error("{0:?} can be more than one group; give the beginning of the id, which `panda group list` shows")]
    Ambiguous(String),
    #[error("the group has roles already; `panda group promote` and `panda group demote` change them")]
    HasRoles,
    #[error("{person} is {is}, and this is no {step} role; `panda group roles GROUP` shows them", step = if *up { "higher" } else { "lower" })]
    NoSuchStep { person: String, is: &'static str, up: bool },
    #[error("not allowed: {rule}; {next}")]
    Denied { denied: Denied, rule: String, next: String },
    #[error("`panda chat` needs a terminal; run it in one, or use `panda read GROUP --follow` and `panda send GROUP`")]
    NoTerminal,
    #[error("{0:?} is no device; copy it from `panda id` on the other device")]
    NotADevice(String),
    #[error("this is no voucher; make one with `panda id vouch DEVICE` on a device that is enrolled")]
    NotAVoucher,
    #[error("{0:?} is no invite of this group; `panda group invite GROUP --list` shows those that are")]
    NoInvite(String),
    #[error("this is no service's key; copy it from what `panda serve` printed")]
    NotAKey,
    #[error("this is no address of a service; give https://HOST:PORT, or http://127.0.0.1:PORT on this machine")]
    NotAnAddress,
    #[error("http:// is for this machine only, because it hides nothing; give https://")]
    Plain,
    #[error("there is nothing to say; give the text, --file FILE, or standard input")]
    Nothing,
    #[error("this is no MLS message; give the bytes as they travel, or their hexadecimal digits")]
    NotAMessage,
    #[error("the two passphrases differ; try again")]
    PassphrasesDiffer,
    #[error("cannot read {name}: {error}; check the file")]
    Input { name: String, error: io::Error },
    #[error("cannot write {name}: {error}; choose another file")]
    File { name: String, error: io::Error },
    #[error("cannot write the output: {0}")]
    Output(#[source] io::Error),
    #[error("the system does not help: {0}; raise its limits")]
    System(#[source] io::Error),
    #[error("{0}; {next}", next = next_of_service(.0))]
    Service(#[from] Rejection),
    #[error("{0}; {next}", next = next_of_sync(.0))]
    Sync(SyncError),
    #[error("{0}; {next}", next = next_of_group(.0))]
    Group(#[from] MlsError),
    #[error(
        "what is stored about the service cannot be read; keep the folder, and make an identity in another --home DIR"
    )]
    Profile,
    #[error("{count} things need attention; the lines above say what to do")]
    Attention { count: usize },
}

impl From<SyncError> for Trouble {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Service(rejection) => Self::Service(rejection),
            SyncError::Group(error) => Self::Group(error),
            other => Self::Sync(other),
        }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Home(error.into())
    }
}

impl From<CryptoError> for Trouble {
    fn from(error: CryptoError) -> Self {
        Self::Group(error.into())
    }
}

impl Trouble {
    /// 1 failure, 2 usage, 3 network, 4 not let, 5 stale or fork, 6 locked home.
    pub(crate) const fn exit_status(&self) -> u8 {
        match self {
            Self::Home(error) => home_status(error),
            Self::NotADevice(_) | Self::NotAKey | Self::NotAnAddress | Self::Plain | Self::Nothing => USAGE,
            Self::Service(rejection) => service_status(rejection),
            Self::Sync(error) => sync_status(error),
            Self::NoSuchStep { .. } | Self::NoTerminal => USAGE,
            Self::Denied { .. } | Self::Group(MlsError::Denied(_) | MlsError::Unauthorized { .. }) => AUTH,
            Self::Group(MlsError::Store(error)) => store_status(*error),
            Self::Group(MlsError::EpochMismatch { .. } | MlsError::Superseded | MlsError::ReadOnly) => STALE,
            _ => FAILURE,
        }
    }

    /// A name for programs.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Service(rejection) => rejection.code(),
            Self::Sync(error) => error.code(),
            Self::Group(error) => error.code(),
            Self::Denied { .. } => "denied",
            other => match other.exit_status() {
                USAGE => "usage",
                LOCKED => "locked",
                _ => "failure",
            },
        }
    }
}

const fn home_status(error: &HomeError) -> u8 {
    match error {
        HomeError::HasKeyFile | HomeError::NeedsPassphrase | HomeError::Passphrase(_) => LOCKED,
        HomeError::Store(error) => store_status(*error),
        _ => FAILURE,
    }
}

const fn store_status(error: StoreError) -> u8 {
    match error {
        StoreError::WrongKey | StoreError::WrongKind | StoreError::TimedOut => LOCKED,
        _ => FAILURE,
    }
}

const fn service_status(rejection: &Rejection) -> u8 {
    match rejection {
        Rejection::RateLimited { .. } | Rejection::Overloaded | Rejection::Unavailable | Rejection::Unsure => NETWORK,
        Rejection::Unauthenticated
        | Rejection::NotEnrolled
        | Rejection::BadSignature
        | Rejection::Forbidden
        | Rejection::EnrolmentRefused
        | Rejection::VoucherNeeded => AUTH,
        Rejection::EpochTaken { .. }
        | Rejection::EpochAhead { .. }
        | Rejection::EpochPast { .. }
        | Rejection::Voided
        | Rejection::Gap { .. } => STALE,
        _ => FAILURE,
    }
}

const fn sync_status(error: &SyncError) -> u8 {
    match error {
        SyncError::Fork(_) | SyncError::Voided | SyncError::Busy => STALE,
        SyncError::NotAMember => AUTH,
        _ => FAILURE,
    }
}

const fn next_of_service(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::Unavailable => "what was to be sent is kept; check the address and that `panda serve` runs",
        Rejection::VoucherNeeded => {
            "run `panda id` here, `panda id vouch DEVICE` there, and `panda id enrol` here with what it prints"
        }
        Rejection::Forbidden => "check the name; the person has to have run `panda init` with the same service",
        Rejection::Gap { .. } => "too much was missed: leave the group with `panda group leave`, and ask for an invite",
        Rejection::BadSignature => "the service is not the one this home knows, or is named otherwise; check both",
        _ => "see docs/delivery-protocol.md",
    }
}

const fn next_of_group(error: &MlsError) -> &'static str {
    match error {
        MlsError::Denied(Denied::LastOwner) => "`panda group promote GROUP PERSON --to owner`",
        MlsError::Denied(_) => "`panda group roles GROUP` shows who may",
        other => other.next_action(),
    }
}

const fn next_of_sync(error: &SyncError) -> &'static str {
    match error {
        SyncError::Fork(_) | SyncError::Voided => "ask a member to remove you and to invite you again",
        SyncError::Busy => "try again",
        SyncError::NoKeyPackages => "ask the person to run any command of `panda`, which publishes new ones",
        SyncError::NoRoles => "`panda group roles GROUP --introduce` gives it some, with you as owner",
        SyncError::NoSuchMember => "`panda group members` shows who is in it",
        SyncError::QueueFull { .. } => "run `panda read` where the service can be reached",
        SyncError::NotACode => "copy the whole line that `panda group invite` printed",
        SyncError::NotAMember => "ask a member for an invite",
        _ => "keep the folder for analysis",
    }
}

const FAILURE: u8 = 1;
const USAGE: u8 = 2;
const NETWORK: u8 = 3;
const AUTH: u8 = 4;
const STALE: u8 = 5;
const LOCKED: u8 = 6;

#[cfg(test)]
mod tests;
