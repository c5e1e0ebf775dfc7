//! What devices ask of a delivery service. Field order is wire order; the codec is that of MLS (RFC 9420, Section 2.1).
//!
//! Always: lists and byte strings are checked against [`crate::Limits`] before anything is looked up.

mod pass;

use mls_crypto::{CipherSuite, CryptoError, Opaque, SignaturePublicKey};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    DeviceId, DeviceKey, Digest, GroupId, Header, Rejection, Seq, ServiceCrypto, UserId,
    access::{Access, Action, Intent, WriteKey},
    auth::Voucher,
};

pub use pass::{Pass, SetPass};

/// Everything that can be asked.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(missing_docs, reason = "each variant is the struct of its name")]
#[non_exhaustive]
#[repr(u8)]
pub enum Request {
    #[tls_codec(discriminant = 1)]
    Enrol(Enrol),
    #[tls_codec(discriminant = 2)]
    PublishKeyPackages(PublishKeyPackages),
    #[tls_codec(discriminant = 3)]
    ClaimKeyPackages(ClaimKeyPackages),
    #[tls_codec(discriminant = 4)]
    CreateGroup(CreateGroup),
    #[tls_codec(discriminant = 5)]
    SubmitCommit(SubmitCommit),
    #[tls_codec(discriminant = 6)]
    SubmitMessage(SubmitMessage),
    #[tls_codec(discriminant = 7)]
    DeliverDirect(DeliverDirect),
    #[tls_codec(discriminant = 8)]
    FetchLog(FetchLog),
    #[tls_codec(discriminant = 9)]
    FetchMailbox(FetchMailbox),
    #[tls_codec(discriminant = 10)]
    AcknowledgeLog(AcknowledgeLog),
    #[tls_codec(discriminant = 11)]
    AcknowledgeMailbox(AcknowledgeMailbox),
    #[tls_codec(discriminant = 12)]
    FetchGroupInfo(FetchGroupInfo),
    #[tls_codec(discriminant = 13)]
    ReportInvalid(ReportInvalid),
    #[tls_codec(discriminant = 14)]
    ListGroups(ListGroups),
    #[tls_codec(discriminant = 15)]
    LeaveGroup(LeaveGroup),
    #[tls_codec(discriminant = 16)]
    SetPass(SetPass),
}

/// Makes a device known. The one request that a device may make before it is.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Enrol {
    /// Whose device it is.
    pub user: UserId,
    /// Its key. Whoever asks has logged in with it.
    pub key: DeviceKey,
    /// The token of an invite, if the service asks for one; else empty.
    pub invite: Opaque,
    /// From a device of the same user, if there is one.
    pub voucher: Option<Voucher>,
}

/// Adds key packages (RFC 9420, Section 10), each for one use. An empty request only asks how many there are.
#[derive(Clone, Debug, Default, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct PublishKeyPackages {
    /// MLSMessages of kind KeyPackage.
    pub key_packages: Vec<Opaque>,
    /// One that is handed out when the others are used up, as often as needed; takes the place of the last such.
    pub last_resort: Option<Opaque>,
}

/// Takes one key package of each device of a user. Repeated, it takes others.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ClaimKeyPackages {
    /// Whose.
    pub user: UserId,
    /// For a group of this suite.
    pub cipher_suite: CipherSuite,
}

/// How much the service looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[non_exhaustive]
#[repr(u8)]
pub enum Mode {
    /// Handshakes may be encrypted; the service reads group, epoch and kind only.
    Private = 1,
    /// Handshakes are public, and the service refuses what breaks a rule (RFC 9420, Section 16.4.1).
    Validating = 2,
}

/// What the next epoch brings with it, known to the service as of its commit.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct EpochStart {
    /// The public half of the epoch's write key; see [`crate::access`].
    pub write_key: SignaturePublicKey,
    /// What is known of the token that lets others in, if there is one; see [`crate::access::join_digest`].
    pub join_token: Option<Digest>,
    /// The epoch's GroupInfo, an MLSMessage, for those who join by external commit.
    pub group_info: Option<Opaque>,
    /// The epoch's tree, for them and for those who join by Welcome.
    pub ratchet_tree: Option<Opaque>,
}

/// Makes a group known. Who asks is its first reader.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct CreateGroup {
    /// Its id.
    pub group_id: GroupId,
    /// At which epoch it is: 0, unless it lived elsewhere before.
    pub epoch: u64,
    /// How much the service looks at.
    pub mode: Mode,
    /// What belongs to the epoch.
    pub start: EpochStart,
}

/// A Welcome, and to whom it goes.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Invitation {
    /// The devices.
    pub recipients: Vec<DeviceId>,
    /// An MLSMessage of kind Welcome.
    pub welcome: Opaque,
}

/// A commit with all that becomes visible together with it.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct CommitBundle {
    /// The commit, an MLSMessage.
    pub commit: Opaque,
    /// What the epoch after it brings.
    pub next: EpochStart,
    /// Who is invited. They read the log from this commit on.
    pub invitations: Vec<Invitation>,
    /// Devices that read the log up to this commit, and no further.
    pub removed: Vec<DeviceId>,
}

/// Submits a commit.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SubmitCommit {
    /// The group, as the client thinks.
    pub group_id: GroupId,
    /// What is submitted.
    pub bundle: CommitBundle,
    /// By what right.
    pub access: Access,
}

/// Submits application data or a proposal.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SubmitMessage {
    /// The group, as the client thinks.
    pub group_id: GroupId,
    /// An MLSMessage.
    pub message: Opaque,
    /// By what right.
    pub access: Access,
}

/// Puts an MLSMessage into the mailbox of a device. Repeated, it arrives again.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct DeliverDirect {
    /// Whose mailbox.
    pub recipient: DeviceId,
    /// An MLSMessage.
    pub message: Opaque,
}

/// Reads a group's log.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct FetchLog {
    /// Whose log.
    pub group_id: GroupId,
    /// What comes after this; without it, after what was acknowledged.
    pub after: Option<Seq>,
    /// So many entries at most; the service may give fewer.
    pub limit: u16,
}

/// Reads one's own mailbox.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct FetchMailbox {
    /// What comes after this; without it, after what was acknowledged.
    pub after: Option<Seq>,
    /// So many entries at most; the service may give fewer.
    pub limit: u16,
}

/// All up to here has been processed, and need not come again.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct AcknowledgeLog {
    /// In which log.
    pub group_id: GroupId,
    /// The last that was processed.
    pub seq: Seq,
}

/// All up to here has been processed, and can be deleted.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct AcknowledgeMailbox {
    /// The last that was processed.
    pub seq: Seq,
}

/// Asks for what an external commit needs (RFC 9420, Section 12.4.3.2).
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct FetchGroupInfo {
    /// Of which group.
    pub group_id: GroupId,
    /// By what right.
    pub access: Access,
}

/// Says that the commit at `seq` cannot be processed. If most readers of that epoch say so, it is voided.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ReportInvalid {
    /// Of which group.
    pub group_id: GroupId,
    /// The epoch that the commit ended, whose write key signs.
    pub epoch: u64,
    /// Where the commit is.
    pub seq: Seq,
    /// SHA-256 of the commit.
    pub digest: Digest,
    /// That a member of the epoch says so.
    pub access: Access,
}

/// Which logs the device reads, and how far it is.
#[derive(Clone, Copy, Debug, Default, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ListGroups {
    /// Skips so many.
    pub skip: u32,
}

/// Stops reading a log.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LeaveGroup {
    /// Which.
    pub group_id: GroupId,
}

impl CommitBundle {
    pub(crate) fn intent(&self, crypto: &ServiceCrypto, header: &Header) -> Result<Intent, Rejection> {
        Intent::new(crypto, Action::Commit, (&header.group_id, header.epoch), self)
    }

    /// Made ready to be submitted, signed by the write key of the epoch that it ends.
    ///
    /// # Errors
    /// As [`Header::read`]; [`Rejection::Malformed`] if it cannot be encoded or signed.
    pub fn by_member(self, crypto: &ServiceCrypto, key: &WriteKey) -> Result<SubmitCommit, Rejection> {
        let header = Header::read(self.commit.as_slice())?;
        let access = key.sign(crypto, &self.intent(crypto, &header)?).map_err(unsignable)?;
        Ok(SubmitCommit { group_id: header.group_id, bundle: self, access })
    }

    /// Made ready to be submitted by a client that joins by external commit, and knows the group's join token.
    ///
    /// # Errors
    /// As [`Header::read`].
    pub fn by_joiner(self, token: &[u8]) -> Result<SubmitCommit, Rejection> {
        let group_id = Header::read(self.commit.as_slice())?.group_id;
        Ok(SubmitCommit { group_id, bundle: self, access: Access::Join(token.into()) })
    }
}

impl SubmitMessage {
    pub(crate) fn intent(crypto: &ServiceCrypto, header: &Header, message: &Opaque) -> Result<Intent, Rejection> {
        Intent::new(crypto, Action::Message, (&header.group_id, header.epoch), message)
    }

    /// A message, signed by the write key of its epoch.
    ///
    /// # Errors
    /// As [`Header::read`]; [`Rejection::Malformed`] if it cannot be encoded or signed.
    pub fn by_member(crypto: &ServiceCrypto, key: &WriteKey, message: impl Into<Opaque>) -> Result<Self, Rejection> {
        let message = message.into();
        let header = Header::read(message.as_slice())?;
        let access = key.sign(crypto, &Self::intent(crypto, &header, &message)?).map_err(unsignable)?;
        Ok(Self { group_id: header.group_id, message, access })
    }
}

impl FetchGroupInfo {
    pub(crate) fn intent(crypto: &ServiceCrypto, group_id: &GroupId, epoch: u64) -> Result<Intent, Rejection> {
        Intent::new(crypto, Action::ReadInfo, (group_id, epoch), &Opaque::default())
    }

    /// Asked by a member of the epoch that the group is at.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] if it cannot be encoded or signed.
    pub fn by_member(crypto: &ServiceCrypto, key: &WriteKey, group_id: GroupId, epoch: u64) -> Result<Self, Rejection> {
        let access = key.sign(crypto, &Self::intent(crypto, &group_id, epoch)?).map_err(unsignable)?;
        Ok(Self { group_id, access })
    }

    /// Asked by somebody who knows the group's join token.
    pub fn by_joiner(group_id: GroupId, token: &[u8]) -> Self {
        Self { group_id, access: Access::Join(token.into()) }
    }
}

impl ReportInvalid {
    pub(crate) fn intent(
        crypto: &ServiceCrypto,
        (group_id, epoch): (&GroupId, u64),
        seq: Seq,
        digest: Digest,
    ) -> Result<Intent, Rejection> {
        Intent::new(crypto, Action::Report, (group_id, epoch), &(seq, digest))
    }

    /// Reported by a member of the epoch that the commit ended.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] if it cannot be encoded or signed.
    pub fn by_member(
        crypto: &ServiceCrypto,
        key: &WriteKey,
        (group_id, epoch): (GroupId, u64),
        seq: Seq,
        digest: Digest,
    ) -> Result<Self, Rejection> {
        let intent = Self::intent(crypto, (&group_id, epoch), seq, digest)?;
        let access = key.sign(crypto, &intent).map_err(unsignable)?;
        Ok(Self { group_id, epoch, seq, digest, access })
    }
}

fn unsignable(_: CryptoError) -> Rejection {
    Rejection::Malformed
}
