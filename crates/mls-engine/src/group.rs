//! Groups (RFC 9420, Sections 11 to 15).
//!
//! In: messages, and what the application wants. Out: steps: changes to make durable, then an effect to adopt.
//! Always: verbs borrow; only [`Group::adopt`] moves the group, and it consumes the secrets that end.

mod adopt;
mod application;
mod apply;
mod branch;
mod catch_up;
mod commit;
mod create;
mod epoch;
mod external;
mod incoming;
mod join;
mod key_package;
mod observer;
mod past;
mod pending;
mod process;
mod proposals;
mod propose;
mod psk;
mod records;
mod reinit;
mod rules;
mod state;
mod transition;
mod welcome;

use std::{collections::BTreeMap, sync::Arc};

use mls_crypto::{CipherSuite, Secret, SignaturePrivateKey, SuiteCrypto};

pub use application::{Opened, Sealed, SpentMessage};
pub use branch::BranchParams;
pub use commit::{Accepted, CommitOptions, LeafChange, PathChoice, Pending, SignatureKeyPair};
pub use create::{CreateParams, Created};
pub use external::{ExternalJoin, ExternalJoinParams, ExternalProposals};
pub use incoming::{Processed, ReceivedProposal};
pub use join::Joined;
pub use key_package::{KeyPackageParams, KeyPackageSecrets, own_capabilities};
pub use observer::{Observed, Observer};
pub use process::Staged;
pub use propose::{Framing, MessageOptions, ProposalKind, Proposed};
pub use records::{Messenger, Reader, RecordSource};
pub use reinit::{Successor, SuccessorParams};
pub use state::PublicState;
pub use transition::{Change, CommitId, Event, RecordClass, RecordKey, Step};

use epoch::{Candidate, EpochKeys};
use past::PastEpoch;
use proposals::{OwnUpdate, ProposalCache};

use crate::{
    error::{OperationError, ProcessError},
    math::LeafIndex,
    message::{LeafNode, Proposal, ProposalRef, ReInit},
    policy::{Predecessor, Proposer},
    schedule::{EpochAuthenticator, RatchetKind, ResumptionPsk, check_exporter_label},
    tree::TreePrivate,
};

/// Where a group stands in its life.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// We are a member and may send.
    #[default]
    Active,
    /// COM-23: the last commit ended the group; it continues under these parameters.
    ReInitialized(ReInit),
    /// COM-24: we were removed.
    Removed,
}

impl Status {
    /// COM-23, COM-24: sending and changing needs an active group.
    const fn check_active(&self) -> Result<(), ProcessError> {
        match self {
            Self::Active => Ok(()),
            Self::ReInitialized(_) => Err(ProcessError::GroupReInitialized),
            Self::Removed => Err(ProcessError::NotAMember),
        }
    }
}

/// One member's view of one group: the owner of its secrets.
#[derive(Debug)]
pub struct Group {
    suite: Arc<dyn SuiteCrypto>,
    public: Arc<PublicState>,
    keys: EpochKeys,
    private: TreePrivate,
    signature_key: SignaturePrivateKey,
    proposals: ProposalCache,
    own_updates: BTreeMap<ProposalRef, OwnUpdate>,
    pending: BTreeMap<CommitId, Box<Candidate>>,
    past: BTreeMap<u64, PastEpoch>,
    resumption_psks: BTreeMap<u64, ResumptionPsk>,
    status: Status,
    revision: u64,
}

/// A cached proposal, as the application sees it.
#[derive(Clone, Copy, Debug)]
pub struct PendingProposal<'a> {
    /// Its reference.
    pub reference: ProposalRef,
    /// Who made it.
    pub proposer: Proposer,
    /// What it asks for.
    pub proposal: &'a Proposal,
}

impl Group {
    /// The group's id.
    pub fn group_id(&self) -> &[u8] {
        self.public.context().group_id.as_slice()
    }

    /// The current epoch.
    pub fn epoch(&self) -> u64 {
        self.public.context().epoch
    }

    /// The group's cipher suite.
    pub fn cipher_suite(&self) -> CipherSuite {
        self.suite.cipher_suite()
    }

    /// Our leaf. CRED-15: valid in this epoch only.
    pub fn own_index(&self) -> LeafIndex {
        self.private.own()
    }

    /// Our leaf node; `None` once we were removed.
    pub fn own_leaf(&self) -> Option<&LeafNode> {
        self.public.tree().leaf(self.own_index())
    }

    /// Number of members.
    pub fn member_count(&self) -> u32 {
        self.public.tree().member_count()
    }

    /// X-AUTH-17: the members, from the tree of this epoch.
    pub fn members(&self) -> Vec<(LeafIndex, &LeafNode)> {
        self.public.tree().members()
    }

    /// The public state, to be looked at or shared.
    pub fn public(&self) -> &Arc<PublicState> {
        &self.public
    }

    /// `epoch_authenticator` (Section 8.7): equal at all members that agree.
    pub fn epoch_authenticator(&self) -> &EpochAuthenticator {
        &self.keys.epoch_authenticator
    }

    /// Where the group stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The proposals that wait for a commit.
    pub fn pending_proposals(&self) -> Vec<PendingProposal<'_>> {
        self.proposals
            .iter()
            .filter_map(|cached| {
                let (reference, proposer) = (cached.reference, cached.proposer());
                Some(PendingProposal { reference, proposer, proposal: cached.proposal()? })
            })
            .collect()
    }

    /// Our own commits that wait for acceptance.
    pub fn pending_commits(&self) -> Vec<CommitId> {
        self.pending.keys().copied().collect()
    }

    /// The public state that a pending commit leads to: its tree may travel beside the Welcome (Section 12.4.3.3).
    pub fn pending_state(&self, commit_id: &CommitId) -> Option<&Arc<PublicState>> {
        self.pending.get(commit_id).map(|candidate| &candidate.public)
    }

    /// How many generations of our own ratchets in this epoch are given out, used or not (Section 9.1): first those for
    /// handshakes, then those for application messages. A state of the same epoch with fewer is an older one.
    pub fn reserved_generations(&self) -> (u32, u32) {
        let of = |kind| self.keys.secret_tree.reserved(self.own_index(), kind);
        (of(RatchetKind::Handshake), of(RatchetKind::Application))
    }

    /// The epochs before this one whose messages can still be read.
    pub fn past_epochs(&self) -> Vec<u64> {
        self.past.keys().copied().collect()
    }

    /// `MLS-Exporter` (Section 8.5): `len` bytes. KS-07: valid for this epoch.
    ///
    /// # Errors
    /// [`OperationError::ReservedLabel`] (KS-06); [`ProcessError::NotAMember`] (KS-11); a length that is too long.
    pub fn export_secret(&self, label: &str, context: &[u8], len: usize) -> Result<Secret, OperationError> {
        self.check_active()?;
        check_exporter_label(label)?;
        Ok(self.keys.exporter_secret.export(self.suite.as_ref(), label, context, len)?)
    }

    /// `resumption_psk` of this or a retained epoch (Section 8.6), for use in another group.
    pub fn resumption_psk(&self, epoch: u64) -> Option<Secret> {
        let psk =
            if epoch == self.epoch() { Some(&self.keys.resumption_psk) } else { self.resumption_psks.get(&epoch) };
        psk.map(|psk| psk.as_secret().duplicate())
    }

    /// What a group that continues this one is checked against (Sections 11.2 and 11.3).
    pub fn predecessor(&self) -> Predecessor {
        Predecessor {
            context: self.public.context().clone(),
            reinit: match &self.status {
                Status::ReInitialized(reinit) => Some(reinit.clone()),
                Status::Active | Status::Removed => None,
            },
            members: self.members().into_iter().map(|(_, leaf)| leaf.clone()).collect(),
        }
    }

    /// The ratchet tree, encoded as the extension's body (Section 12.4.3.3).
    ///
    /// # Errors
    /// [`OperationError::Rule`] if it is too long to encode.
    pub fn ratchet_tree(&self) -> Result<Vec<u8>, OperationError> {
        Ok(self.public.tree().encode()?)
    }

    fn check_active(&self) -> Result<(), ProcessError> {
        self.status.check_active()
    }

    /// The secret of a resumption PSK of this very group.
    fn own_resumption_psk(&self, group_id: &[u8], epoch: u64) -> Option<Secret> {
        if group_id == self.group_id() { self.resumption_psk(epoch) } else { None }
    }
}
