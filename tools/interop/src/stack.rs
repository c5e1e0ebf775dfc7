//! What the harness asks of an implementation under test, without numbers and without gRPC.
//!
//! In: the fields of a call. Out: what the call answers, or why not.
//! Always: between calls a stack keeps signature keys of identities at most; [`crate::Server`] keeps everything else that it
//! returned, and numbers it.

use crate::message::{CreateGroupRequest, Extension, PreSharedKey, ProposalDescription};

/// Why a call was not answered.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The stack's interface has no way to do it.
    #[error("not in this stack's interface: {0}")]
    Unsupported(&'static str),
    /// The call itself makes no sense.
    #[error("malformed call: {0}")]
    Malformed(&'static str),
    /// The stack said no, in its own words.
    #[error("refused: {0}")]
    Refused(String),
}

impl Failure {
    /// An error of an implementation, as it prints itself.
    pub fn refused(error: impl core::fmt::Debug) -> Self {
        Self::Refused(format!("{error:?}"))
    }
}

/// What a call answers.
pub type Answer<T> = Result<T, Failure>;

/// A proposal, to be made by value or by reference.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a stack makes each of them or says that it cannot")]
pub enum Change {
    /// Add the client of this key package, an MLSMessage.
    Add(Vec<u8>),
    /// Remove the member with this identity.
    Remove(Vec<u8>),
    /// Update one's own leaf; only by reference.
    Update,
    /// Mix in the external PSK with this id.
    ExternalPsk(Vec<u8>),
    /// Mix in the resumption PSK of this epoch of the group.
    ResumptionPsk(u64),
    /// Replace the group context extensions.
    Extensions(Vec<Extension>),
    /// Append this encoded `ExternalSender` to the group's list.
    ExternalSender(Vec<u8>),
    /// End the group and continue under these parameters.
    ReInit {
        /// The next group's suite.
        cipher_suite: u16,
        /// The next group's id.
        group_id: Vec<u8>,
        /// The next group's context extensions.
        extensions: Vec<Extension>,
    },
}

/// A commit of exactly these proposals.
#[derive(Clone, Debug, Default)]
pub struct CommitParams {
    /// Proposals that were sent, MLSMessages. Those of others are to be processed first.
    pub by_reference: Vec<Vec<u8>>,
    /// Proposals that travel inside.
    pub by_value: Vec<Change>,
    /// Whether there must be a path.
    pub force_path: bool,
    /// Whether the tree travels beside the Welcome instead of inside.
    pub external_tree: bool,
}

/// A commit and what goes with it; empty where there is nothing.
#[derive(Clone, Debug, Default)]
pub struct Committed {
    /// The commit, an MLSMessage.
    pub commit: Vec<u8>,
    /// The Welcome, an MLSMessage.
    pub welcome: Vec<u8>,
    /// The tree, if it is not inside the Welcome.
    pub ratchet_tree: Vec<u8>,
}

/// A Welcome and the tree, which is empty if it is inside.
#[derive(Clone, Copy, Debug)]
pub struct Invitation<'a> {
    /// The Welcome, an MLSMessage.
    pub welcome: &'a [u8],
    /// The tree.
    pub ratchet_tree: Option<&'a [u8]>,
}

/// A published object and the private keys it was made with.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// A key package, or an external Add that holds one; an MLSMessage.
    pub message: Vec<u8>,
    /// Private half of `init_key`.
    pub init_priv: Vec<u8>,
    /// Private half of the leaf's `encryption_key`.
    pub encryption_priv: Vec<u8>,
    /// Private half of the leaf's `signature_key`.
    pub signature_priv: Vec<u8>,
}

/// How to join by external commit.
#[derive(Clone, Copy, Debug)]
pub struct ExternalJoinParams<'a> {
    /// GroupInfo, an MLSMessage.
    pub group_info: &'a [u8],
    /// The tree, if it is not inside.
    pub ratchet_tree: Option<&'a [u8]>,
    /// Whether handshakes are to be encrypted from then on.
    pub encrypt_handshake: bool,
    /// Who joins.
    pub identity: &'a [u8],
    /// Whether to remove the member with the same identity.
    pub remove_prior: bool,
    /// Pre-shared keys to mix in.
    pub psks: &'a [PreSharedKey],
}

/// A group from outside.
#[derive(Clone, Copy, Debug)]
pub struct Outside<'a> {
    /// GroupInfo, an MLSMessage.
    pub group_info: &'a [u8],
    /// The tree, if it is not inside.
    pub ratchet_tree: Option<&'a [u8]>,
}

/// A group that continues or branches another.
#[derive(Clone, Copy, Debug)]
pub struct SubgroupParams<'a> {
    /// Key packages of the other members, MLSMessages.
    pub key_packages: &'a [Vec<u8>],
    /// Whether there must be a path.
    pub force_path: bool,
    /// Whether the tree travels beside the Welcome instead of inside.
    pub external_tree: bool,
}

/// An implementation of MLS.
///
/// Objects are encoded as the harness encodes them: messages as MLSMessage, trees as the body of the `ratchet_tree`
/// extension, external senders as `ExternalSender`, private keys in the form of the official vectors.
pub trait Stack: Send + Sync + 'static {
    /// One client's state of one group.
    type Member: Send + 'static;
    /// One client that published a key package.
    type Joiner: Send + 'static;
    /// One client between the end of a group and the group that continues it.
    type Successor: Send + 'static;
    /// One external sender.
    type Signer: Send + 'static;

    /// The stack's name.
    fn name(&self) -> &str;

    /// The suites it has.
    fn cipher_suites(&self) -> Vec<u16>;

    /// A group of one.
    ///
    /// # Errors
    /// [`Failure`]; so for every call below.
    fn create_group(&self, call: &CreateGroupRequest) -> Answer<Self::Member>;

    /// A fresh key package.
    ///
    /// # Errors
    /// [`Failure`].
    fn create_key_package(&self, cipher_suite: u16, identity: &[u8]) -> Answer<(Self::Joiner, Published)>;

    /// Joins by Welcome.
    ///
    /// # Errors
    /// [`Failure`].
    fn join(
        &self,
        joiner: &mut Self::Joiner,
        invitation: Invitation<'_>,
        encrypt_handshake: bool,
    ) -> Answer<Self::Member>;

    /// Joins by external commit, which is for the others.
    ///
    /// # Errors
    /// [`Failure`].
    fn join_external(&self, params: &ExternalJoinParams<'_>) -> Answer<(Self::Member, Vec<u8>)>;

    /// A GroupInfo that allows external commits; the tree is inside or beside it.
    ///
    /// # Errors
    /// [`Failure`].
    fn group_info(&self, member: &mut Self::Member, external_tree: bool) -> Answer<(Vec<u8>, Vec<u8>)>;

    /// What members of one epoch agree on.
    ///
    /// # Errors
    /// [`Failure`].
    fn epoch_authenticator(&self, member: &Self::Member) -> Answer<Vec<u8>>;

    /// An exported secret.
    ///
    /// # Errors
    /// [`Failure`].
    fn export(&self, member: &mut Self::Member, label: &str, context: &[u8], len: usize) -> Answer<Vec<u8>>;

    /// Encrypts application data.
    ///
    /// # Errors
    /// [`Failure`].
    fn protect(&self, member: &mut Self::Member, authenticated_data: &[u8], plaintext: &[u8]) -> Answer<Vec<u8>>;

    /// Opens application data: what is authenticated beside it, and what it says.
    ///
    /// # Errors
    /// [`Failure`].
    fn unprotect(&self, member: &mut Self::Member, ciphertext: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)>;

    /// Learns an external PSK as a member.
    ///
    /// # Errors
    /// [`Failure`].
    fn store_psk(&self, member: &mut Self::Member, psk: &PreSharedKey) -> Answer<()>;

    /// Learns an external PSK before joining.
    ///
    /// # Errors
    /// [`Failure`].
    fn store_psk_to_join(&self, joiner: &mut Self::Joiner, psk: &PreSharedKey) -> Answer<()>;

    /// Makes a proposal by reference.
    ///
    /// # Errors
    /// [`Failure`].
    fn propose(&self, member: &mut Self::Member, change: Change) -> Answer<Vec<u8>>;

    /// Makes a commit that waits for [`Stack::handle_pending_commit`].
    ///
    /// # Errors
    /// [`Failure`].
    fn commit(&self, member: &mut Self::Member, params: CommitParams) -> Answer<Committed>;

    /// Moves to the epoch of one's own commit.
    ///
    /// # Errors
    /// [`Failure`].
    fn handle_pending_commit(&self, member: &mut Self::Member) -> Answer<()>;

    /// Processes the proposals that are not known yet, then the commit.
    ///
    /// # Errors
    /// [`Failure`].
    fn handle_commit(&self, member: &mut Self::Member, proposals: &[Vec<u8>], commit: &[u8]) -> Answer<()>;

    /// After a commit with a ReInit, one's own or somebody's: gets ready for the group that continues this one, with a
    /// key package for its suite.
    ///
    /// # Errors
    /// [`Failure`].
    fn begin_reinit(&self, _: Self::Member) -> Answer<(Self::Successor, Vec<u8>)> {
        Err(Failure::Unsupported("ReInit"))
    }

    /// Founds the group that continues another, with its first commit made and accepted.
    ///
    /// # Errors
    /// [`Failure`].
    fn reinit_welcome(&self, _: &mut Self::Successor, _: &SubgroupParams<'_>) -> Answer<(Self::Member, Committed)> {
        Err(Failure::Unsupported("ReInit"))
    }

    /// Joins the group that continues another.
    ///
    /// # Errors
    /// [`Failure`].
    fn handle_reinit_welcome(&self, _: &mut Self::Successor, _: Invitation<'_>) -> Answer<Self::Member> {
        Err(Failure::Unsupported("ReInit"))
    }

    /// Founds a subgroup, with its first commit made and accepted. The parent goes on.
    ///
    /// # Errors
    /// [`Failure`].
    fn create_branch(
        &self,
        _parent: &mut Self::Member,
        _place: (&[u8], &[Extension]),
        _params: &SubgroupParams<'_>,
    ) -> Answer<(Self::Member, Committed)> {
        Err(Failure::Unsupported("branching"))
    }

    /// Joins a subgroup. The parent goes on.
    ///
    /// # Errors
    /// [`Failure`].
    fn handle_branch(
        &self,
        _parent: &mut Self::Member,
        _joiner: &mut Self::Joiner,
        _invitation: Invitation<'_>,
    ) -> Answer<Self::Member> {
        Err(Failure::Unsupported("branching"))
    }

    /// Asks to be added to a group.
    ///
    /// # Errors
    /// [`Failure`].
    fn new_member_add_proposal(&self, _group_info: &[u8], _identity: &[u8]) -> Answer<(Self::Joiner, Published)> {
        Err(Failure::Unsupported("an Add of a new member's own"))
    }

    /// A new external sender, and its encoded `ExternalSender`.
    ///
    /// # Errors
    /// [`Failure`].
    fn create_external_signer(&self, _cipher_suite: u16, _identity: &[u8]) -> Answer<(Self::Signer, Vec<u8>)> {
        Err(Failure::Unsupported("external senders"))
    }

    /// A proposal by an external sender. Its index is that of its key in the group's list.
    ///
    /// # Errors
    /// [`Failure`].
    fn external_signer_proposal(
        &self,
        _signer: &Self::Signer,
        _group: Outside<'_>,
        _change: Change,
    ) -> Answer<Vec<u8>> {
        Err(Failure::Unsupported("external senders"))
    }
}

impl TryFrom<ProposalDescription> for Change {
    type Error = Failure;

    fn try_from(description: ProposalDescription) -> Answer<Self> {
        Ok(match description.proposal_type.as_slice() {
            b"add" => Self::Add(description.key_package),
            b"remove" => Self::Remove(description.removed_id),
            b"externalPSK" => Self::ExternalPsk(description.psk_id),
            b"resumptionPSK" => Self::ResumptionPsk(description.epoch_id),
            b"groupContextExtensions" => Self::Extensions(description.extensions),
            b"reinit" => Self::ReInit {
                cipher_suite: suite_of(description.cipher_suite)?,
                group_id: description.group_id,
                extensions: description.extensions,
            },
            _ => return Err(Failure::Malformed("proposal_type")),
        })
    }
}

/// A suite's number, which the service sends in 32 bits.
pub(crate) fn suite_of(number: u32) -> Answer<u16> {
    u16::try_from(number).map_err(|_| Failure::Malformed("cipher_suite"))
}
