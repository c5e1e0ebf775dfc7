//! What applications get to see: plain values, no secrets.

use mls_engine::{
    group::{CommitId, Event, PublicState},
    math::LeafIndex,
    message::{LeafNode, Proposal},
    policy::Proposer,
};

use mls_identity::DeviceCertificate;
use mls_roles::{GroupPolicy, Role};

use super::{GROUP_NAME, Health, MlsHandle, MlsResult, envelope::MlsEnvelope, times::Times, welcome};

/// A member of an epoch (CAP-19).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MemberInfo {
    /// The user: the identity of its credential, or the name in its X.509 certificate.
    pub identity: Vec<u8>,
    /// Its leaf; another member's after it left.
    pub leaf_index: u32,
    /// Its signature public key.
    pub signature_key: Vec<u8>,
    /// Its role, in a group that has a policy.
    pub role: Option<Role>,
    /// The user's word for this device, if the leaf carries one: its master key has signed it. Whether that is the user's master
    /// key is what the policy says, or people who compare.
    pub certificate: Option<DeviceCertificate>,
    /// When we saw it join, or joined ourselves if it was there before, in seconds since 1970. A local hint.
    pub joined_at: u64,
}

/// A group at a glance (CAP-05). Name and members are the group's; times are local hints.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct GroupMetadata {
    /// The group's id.
    pub group_id: Vec<u8>,
    /// The group's name, if it has one.
    pub name: Option<String>,
    /// The current epoch.
    pub epoch: u64,
    /// The members, in the order of their leaves.
    pub members: Vec<MemberInfo>,
    /// When we created or joined the group, in seconds since 1970.
    pub created_at: u64,
    /// When its last commit arrived, in seconds since 1970.
    pub updated_at: u64,
}

/// A group that a restored client was in, and has to join again.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LostGroup {
    /// The group's id.
    pub id: Vec<u8>,
    /// Its name, if it had one.
    pub name: Option<String>,
    /// The epoch it was in when the backup was made.
    pub epoch: u64,
}

/// A message that somebody sent, and who that was. Its sender is authenticated.
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReceivedMessage {
    /// What was said.
    pub plaintext: Vec<u8>,
    /// What was authenticated beside it, but not encrypted.
    pub authenticated_data: Vec<u8>,
    /// The identity of the sender's credential in that epoch.
    pub sender: Vec<u8>,
    /// The sender's leaf in that epoch.
    pub sender_index: u32,
    /// The epoch it was sent in.
    pub epoch: u64,
    /// Its number among the sender's messages of that epoch.
    pub generation: u32,
    /// CON-08: whether it is our own, remembered and not decrypted.
    pub own_echo: bool,
}

impl core::fmt::Debug for ReceivedMessage {
    /// Tells neither plaintext nor identity.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ReceivedMessage")
            .field("sender_index", &self.sender_index)
            .field("epoch", &self.epoch)
            .field("generation", &self.generation)
            .field("own_echo", &self.own_echo)
            .field("plaintext_len", &self.plaintext.len())
            .finish_non_exhaustive()
    }
}

/// What a proposal asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProposalSummary {
    /// Add a client.
    Add {
        /// The identity of its credential.
        identity: Vec<u8>,
    },
    /// Renew the proposer's keys.
    Update,
    /// Remove a member.
    Remove {
        /// Its leaf.
        leaf_index: u32,
    },
    /// Mix in a pre-shared key.
    PreSharedKey,
    /// End the group, to continue under other parameters.
    ReInit,
    /// Replace the group's extensions, its name among them.
    GroupContextExtensions {
        /// The name the group would have.
        name: Option<String>,
    },
    /// Anything else.
    Other {
        /// IANA "MLS Proposal Types".
        proposal_type: u16,
    },
}

/// A proposal that waits for a commit (CAP-16).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ReceivedProposal {
    /// Its place among the proposals that wait.
    pub index: u32,
    /// Its reference (RFC 9420, Section 5.2).
    pub reference: Vec<u8>,
    /// The leaf of the member that made it; `None` if no member did.
    pub proposer: Option<u32>,
    /// What it asks for.
    pub summary: ProposalSummary,
}

/// A commit of ours that waits until the delivery service has accepted it (CAP-14).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingCommit {
    /// Its name, for [`MlsHandle::apply_pending_commit`] and [`MlsHandle::clear_pending_commit`].
    pub id: CommitId,
    /// The commit, to be submitted.
    pub commit: MlsEnvelope,
    /// The Welcome for all added members. For a delivery service that releases it only with the commit; otherwise wait
    /// for [`CommitOutcome::welcomes`].
    pub welcome: Option<MlsEnvelope>,
}

/// What a commit did (CAP-17).
#[derive(Debug)]
#[non_exhaustive]
pub struct CommitOutcome {
    /// The epoch the group is in now.
    pub epoch: u64,
    /// The leaf of the committer: a member, or the client that joined by it.
    pub committer: u32,
    /// Members that came, in the order of their Adds.
    pub added: Vec<MemberInfo>,
    /// Members that went.
    pub removed: Vec<MemberInfo>,
    /// Leaves of members whose keys were renewed.
    pub updated: Vec<u32>,
    /// The Welcome for all that came, if the commit was ours.
    pub welcome: Option<MlsEnvelope>,
    /// Messages that had come too early, as [`MlsHandle::handle_incoming`] answers now.
    pub released: Vec<MlsResult<Incoming>>,
}

impl CommitOutcome {
    /// One Welcome per member in `added`, in that order; each holds what that member needs and no other's secrets.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(None)?;
    /// group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// let pending = group.stage_commit()?;
    /// let outcome = group.apply_pending_commit(&pending.id)?;
    /// assert_eq!(outcome.welcomes()?.len(), outcome.added.len());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Malformed`] cannot happen with a Welcome made here.
    pub fn welcomes(&self) -> MlsResult<Vec<MlsEnvelope>> {
        self.welcome.as_ref().map_or(Ok(Vec::new()), welcome::split)
    }
}

/// What an envelope turned out to be.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incoming {
    /// Somebody said something.
    Delivered(ReceivedMessage),
    /// Our own message came back.
    OwnEcho(ReceivedMessage),
    /// Somebody proposes a change.
    Proposal(ReceivedProposal),
    /// The group is in its next epoch.
    EpochAdvanced(Box<CommitOutcome>),
    /// A commit removed us. The group's secrets are wiped.
    Removed {
        /// The leaf of the member that did it.
        committer: u32,
    },
    /// Of an epoch we have not reached; kept in the store until then, or until the group is joined again.
    Buffered {
        /// Epoch of the message.
        epoch: u64,
        /// Epoch of the group.
        current: u64,
    },
    /// A member said which epochs it has; see [`MlsHandle::send_beacon`].
    Beacon {
        /// The identity of the member.
        sender: Vec<u8>,
        /// Where the group stands, as far as we know with that.
        health: Health,
    },
    /// Handled before, or of our own making; nothing to do.
    Duplicate,
    /// We joined a group.
    Joined(MlsHandle),
}

/// What is known of members beside their leaves.
pub(crate) struct Register<'a> {
    times: &'a Times,
    policy: Option<GroupPolicy>,
}

impl<'a> Register<'a> {
    /// Of this epoch.
    pub(crate) fn new(state: &PublicState, times: &'a Times) -> Self {
        // A policy that does not decode never came into a context.
        Self { times, policy: GroupPolicy::of(&state.context().extensions).ok().flatten() }
    }
}

impl MemberInfo {
    pub(crate) fn new(index: LeafIndex, leaf: &LeafNode, register: &Register<'_>) -> Self {
        let Register { times, policy } = register;
        Self {
            role: policy.as_ref().zip(mls_identity::user_of(&leaf.credential)).map(|(policy, user)| policy.role(user)),
            identity: identity(leaf),
            leaf_index: index.get(),
            signature_key: leaf.signature_key.as_slice().to_vec(),
            certificate: DeviceCertificate::of(&leaf.extensions).ok().flatten(),
            joined_at: times.joined_at(index.get()),
        }
    }
}

/// The user of a leaf; the policy accepts no credential without one.
pub(crate) fn identity(leaf: &LeafNode) -> Vec<u8> {
    mls_identity::user_of(&leaf.credential).unwrap_or_default().to_vec()
}

impl ProposalSummary {
    pub(crate) fn new(proposal: &Proposal) -> Self {
        match proposal {
            Proposal::Add(add) => Self::Add { identity: identity(&add.key_package.leaf_node) },
            Proposal::Update(_) => Self::Update,
            Proposal::Remove(remove) => Self::Remove { leaf_index: remove.removed.get() },
            Proposal::PreSharedKey(_) => Self::PreSharedKey,
            Proposal::ReInit(_) => Self::ReInit,
            Proposal::GroupContextExtensions(list) => {
                Self::GroupContextExtensions { name: group_name(list.extensions.get(GROUP_NAME)) }
            }
            other => Self::Other { proposal_type: other.proposal_type().0 },
        }
    }
}

/// A name out of the group context; bytes that are not text are shown as well as can be.
pub(crate) fn group_name(extension: Option<&[u8]>) -> Option<String> {
    extension.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// The leaf of a proposer that is a member.
pub(crate) const fn proposer_leaf(proposer: Proposer) -> Option<u32> {
    match proposer {
        Proposer::Member(leaf) => Some(leaf.get()),
        _ => None,
    }
}

impl CommitOutcome {
    pub(crate) fn new(
        (before, after): (&PublicState, &PublicState),
        committer: LeafIndex,
        events: &[Event],
        times: &Times,
    ) -> Self {
        let (was, is) = (Register::new(before, times), Register::new(after, times));
        let info = |state: &PublicState, register: &Register<'_>, leaf: LeafIndex| {
            state.member(leaf).ok().map(|node| MemberInfo::new(leaf, node, register))
        };
        let mut outcome = Self {
            epoch: after.context().epoch,
            committer: committer.get(),
            added: Vec::new(),
            removed: Vec::new(),
            updated: Vec::new(),
            welcome: None,
            released: Vec::new(),
        };
        for event in events {
            match event {
                Event::Added(leaf) | Event::JoinedExternally(leaf) => outcome.added.extend(info(after, &is, *leaf)),
                Event::Removed(leaf) => outcome.removed.extend(info(before, &was, *leaf)),
                Event::Updated(leaf) => outcome.updated.push(leaf.get()),
                _ => {}
            }
        }
        outcome
    }
}
