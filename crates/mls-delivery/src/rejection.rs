//! Why a request was not done, for machines and for people.
//!
//! Always: nothing has changed, but for [`Rejection::Unsure`]. "There is none" and "it is not yours" are one answer. No text names
//! a group, a device or a user.

use serde::{Deserialize, Serialize};

use crate::{Digest, Seq};

/// Why a request was not done. As JSON: `{"code": "epoch-taken", "data": {..}}`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "code", content = "data", rename_all = "kebab-case", rename_all_fields = "snake_case")]
#[non_exhaustive]
pub enum Rejection {
    /// The bytes are not what they should be.
    #[error("the request cannot be read; check that both ends speak the same version")]
    Malformed,
    /// A message of this kind is submitted in another way.
    #[error("a message of this kind does not belong here")]
    WrongKind,
    /// The label beside a message says something else than the message.
    #[error("the label differs from what the message says")]
    Mislabelled,
    /// More bytes than may be.
    #[error("{len} bytes, and at most {limit} are allowed; send less")]
    TooLarge {
        /// How many came.
        len: u64,
        /// How many may.
        limit: u64,
    },
    /// More items than may be.
    #[error("{count} items, and at most {limit} are allowed; send fewer")]
    TooMany {
        /// How many came.
        count: u64,
        /// How many may.
        limit: u64,
    },
    /// Who asks is not known: no device, or no valid token.
    #[error("not logged in; log in and try again")]
    Unauthenticated,
    /// The device is not enrolled.
    #[error("this device is not enrolled; enrol it first")]
    NotEnrolled,
    /// A signature is not that of the key it is shown with.
    #[error("the signature does not verify")]
    BadSignature,
    /// There is no such thing, or it is not for the one who asks.
    #[error("no such thing, or not yours")]
    Forbidden,
    /// The group is there already.
    #[error("the group exists already; join it")]
    GroupExists,
    /// Another commit is the one of this epoch. Read on from there.
    #[error("epoch {epoch} ended with another commit, at {seq}; read it and build on that")]
    EpochTaken {
        /// The epoch.
        epoch: u64,
        /// Where the commit of that epoch is.
        seq: Seq,
        /// Digest of the commit of that epoch.
        winner: Digest,
    },
    /// The group has not come that far.
    #[error("the group is at epoch {current}; an earlier commit has not arrived")]
    EpochAhead {
        /// Where the group is.
        current: u64,
    },
    /// The group has left that epoch, too long ago.
    #[error("the group is at epoch {current}; read on, and send again")]
    EpochPast {
        /// Where the group is.
        current: u64,
    },
    /// The members have found this commit to be invalid.
    #[error("the members have voided this commit; make another one")]
    Voided,
    /// The write key of the next epoch is that of this one.
    #[error("the next epoch needs a write key of its own")]
    WriteKeyReused,
    /// The service judges the handshakes of this group, and this one is not valid.
    #[error("the handshake breaks a rule of RFC 9420; discard it")]
    InvalidHandshake,
    /// The service judges the handshakes of this group, and cannot read this one, or the GroupInfo beside it is missing.
    #[error("this group's handshakes are public, with a GroupInfo and the ratchet tree")]
    NotObservable,
    /// The last commit brought no GroupInfo.
    #[error("there is no GroupInfo of the current epoch; ask a member for an invitation")]
    NoGroupInfo,
    /// What comes next for this reader has been deleted.
    #[error("what came before {first} is gone; join the group again")]
    Gap {
        /// The first that is still there.
        first: Seq,
    },
    /// A cursor that is beyond what there is.
    #[error("there is nothing beyond {head}")]
    BeyondHead {
        /// The last there is.
        head: Seq,
    },
    /// The mailbox of a recipient is full.
    #[error("a recipient's mailbox is full; leave it out, and try later")]
    MailboxFull {
        /// Which of the recipients, as the request counts them.
        recipient: u64,
    },
    /// A recipient is not known.
    #[error("a recipient is not known; leave it out")]
    UnknownRecipient {
        /// Which of the recipients, as the request counts them.
        recipient: u64,
    },
    /// The service does not take this device.
    #[error("this service does not take the device; ask its operator for an invite")]
    EnrolmentRefused,
    /// The name belongs to somebody, whose voucher is missing or wrong.
    #[error("the user has devices already, and one of them has to vouch for this one")]
    VoucherNeeded,
    /// A key package of the past, or of no time at all.
    #[error("a key package is not valid now; make new ones")]
    KeyPackageExpired,
    /// A commit cannot be reported any more, or is not there.
    #[error("there is no such commit to be reported")]
    NothingToReport,
    /// Too much at once.
    #[error("too many requests; try again in {retry_after_ms} ms")]
    RateLimited {
        /// When to come back.
        retry_after_ms: u64,
    },
    /// The service has too much to do.
    #[error("the service is overloaded; try again later")]
    Overloaded,
    /// The service cannot reach its store, or is about to end.
    #[error("the service is not available; try again later")]
    Unavailable,
    /// The store failed while it made the request durable: it may have happened or not. Ask again: it happens once.
    #[error("the request may have happened or not; repeat it")]
    Unsure,
    /// What is stored cannot be read.
    #[error("stored state is damaged; tell the operator")]
    Damaged,
}

impl Rejection {
    /// Whether the same request may do better later.
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Overloaded | Self::Unavailable | Self::Unsure)
    }

    /// The name of the code, as in JSON.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongKind => "wrong-kind",
            Self::Mislabelled => "mislabelled",
            Self::TooLarge { .. } => "too-large",
            Self::TooMany { .. } => "too-many",
            Self::Unauthenticated => "unauthenticated",
            Self::NotEnrolled => "not-enrolled",
            Self::BadSignature => "bad-signature",
            Self::Forbidden => "forbidden",
            Self::GroupExists => "group-exists",
            Self::EpochTaken { .. } => "epoch-taken",
            Self::EpochAhead { .. } => "epoch-ahead",
            Self::EpochPast { .. } => "epoch-past",
            Self::Voided => "voided",
            Self::WriteKeyReused => "write-key-reused",
            Self::InvalidHandshake => "invalid-handshake",
            Self::NotObservable => "not-observable",
            Self::NoGroupInfo => "no-group-info",
            Self::Gap { .. } => "gap",
            Self::BeyondHead { .. } => "beyond-head",
            Self::MailboxFull { .. } => "mailbox-full",
            Self::UnknownRecipient { .. } => "unknown-recipient",
            Self::EnrolmentRefused => "enrolment-refused",
            Self::VoucherNeeded => "voucher-needed",
            Self::KeyPackageExpired => "key-package-expired",
            Self::NothingToReport => "nothing-to-report",
            Self::RateLimited { .. } => "rate-limited",
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::Unsure => "unsure",
            Self::Damaged => "damaged",
        }
    }
}
