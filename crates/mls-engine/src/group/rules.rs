//! Which lists of proposals are valid (RFC 9420, Section 12.2; each proposal alone: Section 12.1).
//!
//! In: resolved proposals, the epoch they belong to, and who commits them. Out: nothing, or the rule they break.
//! Always: the same function judges a list when we commit it and when we receive it; rules on the resulting tree are
//! in `apply`.

use std::collections::BTreeSet;

use mls_crypto::SuiteCrypto;

use super::{proposals::Resolved, state::PublicState};
use crate::{
    error::ProcessError,
    limits::{MAX_EXTERNAL_SENDERS, MAX_PSKS},
    math::LeafIndex,
    message::{
        ExtensionType, Extensions, PreSharedKeyId, Proposal, ProposalType, ProtocolVersion, PskKind, ReInit,
        ResumptionPskUsage,
    },
    policy::{CommitClaim, Committer, CredentialClaim, CredentialRole, Env, Proposer},
};

/// A list to be judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProposalList<'a> {
    pub(crate) env: &'a Env<'a>,
    pub(crate) suite: &'a dyn SuiteCrypto,
    pub(crate) state: &'a PublicState,
    pub(crate) proposals: &'a [Resolved<'a>],
    /// Whether this is the first commit of a group that continues another (Sections 11.2, 11.3).
    pub(crate) succession: Option<ResumptionPskUsage>,
}

impl ProposalList<'_> {
    /// Section 12.2, regular commit.
    pub(crate) fn check_regular(&self, committer: LeafIndex) -> Result<(), ProcessError> {
        self.check_size()?;
        self.check_each()?;
        self.check_committer(committer)?;
        self.check_leaves_changed_once()?;
        self.check_once_only()?;
        self.check_support()?;
        self.authorize(Committer::Member(committer))
    }

    /// Section 12.2, external commit: EXT-01 to EXT-04.
    pub(crate) fn check_external(&self, joiner: &crate::message::LeafNode) -> Result<(), ProcessError> {
        self.check_size()?;
        let count = |kind| self.proposals.iter().filter(|item| item.proposal.proposal_type() == kind).count();
        // EXT-01
        if count(ProposalType::EXTERNAL_INIT) != 1 {
            return Err(ProcessError::ExternalInitCount);
        }
        // EXT-02
        if count(ProposalType::REMOVE) > 1 {
            return Err(ProcessError::InvalidExternalCommit);
        }
        for item in self.proposals {
            // EXT-04
            if item.reference.is_some() {
                return Err(ProcessError::InvalidExternalCommit);
            }
            // EXT-03
            match item.proposal {
                Proposal::ExternalInit(_) => {}
                Proposal::Remove(remove) => {
                    self.state.member(remove.removed).map_err(|_| ProcessError::RemovedLeafBlank(remove.removed))?;
                }
                Proposal::PreSharedKey(psk) => self.check_psk(&psk.psk)?,
                Proposal::Custom(custom) if self.custom(custom.proposal_type)?.external_commit => {}
                other => return Err(ProcessError::ProposalNotAllowed(other.proposal_type())),
            }
        }
        self.check_once_only()?;
        self.check_support()?;
        self.authorize(Committer::New(joiner))
    }

    /// COM-05 (Section 12.4): by the pseudocode's set, and what custom types ask for.
    pub(crate) fn path_required(&self) -> bool {
        self.proposals.is_empty()
            || self.proposals.iter().any(|item| match item.proposal {
                Proposal::Update(_)
                | Proposal::Remove(_)
                | Proposal::ExternalInit(_)
                | Proposal::GroupContextExtensions(_) => true,
                Proposal::Custom(custom) => {
                    self.env.policy.custom_proposal(custom.proposal_type).is_none_or(|rules| rules.path_required)
                }
                Proposal::Add(_) | Proposal::PreSharedKey(_) | Proposal::ReInit(_) => false,
            })
    }

    /// One proposal alone, as it is when it arrives by itself (Section 12.1).
    pub(crate) fn check_one(&self, item: &Resolved<'_>) -> Result<(), ProcessError> {
        check_proposer(item, &|kind| self.custom(kind))?;
        match item.proposal {
            Proposal::Add(_) => Ok(()),
            // PROP-05, LIST-20
            Proposal::Update(_) => match (item.proposer, item.reference) {
                (Proposer::Member(_), Some(_)) => Ok(()),
                (Proposer::Member(_), None) => Err(ProcessError::CommitterUpdated),
                _ => Err(ProcessError::SenderNotAllowed),
            },
            // PROP-06
            Proposal::Remove(remove) => match self.state.tree().leaf(remove.removed) {
                Some(_) => Ok(()),
                None => Err(ProcessError::RemovedLeafBlank(remove.removed)),
            },
            Proposal::PreSharedKey(psk) => self.check_psk(&psk.psk),
            Proposal::ReInit(reinit) => self.check_reinit(reinit),
            // PROP-14, LIST-10, EXT-06
            Proposal::ExternalInit(_) => Err(ProcessError::ProposalNotAllowed(ProposalType::EXTERNAL_INIT)),
            Proposal::GroupContextExtensions(change) => self.check_context_extensions(&change.extensions),
            Proposal::Custom(custom) => self.custom(custom.proposal_type).map(|_| ()),
        }
    }

    fn check_size(&self) -> Result<(), ProcessError> {
        let members = usize::try_from(self.env.limits.max_members).unwrap_or(usize::MAX);
        let cap = members.saturating_add(self.env.limits.max_cached_proposals);
        if self.proposals.len() > cap { Err(ProcessError::TooManyCommittedProposals) } else { Ok(()) }
    }

    fn check_each(&self) -> Result<(), ProcessError> {
        self.proposals.iter().try_for_each(|item| self.check_one(item))
    }

    /// LIST-02, LIST-03: nothing about the committer's own leaf.
    fn check_committer(&self, committer: LeafIndex) -> Result<(), ProcessError> {
        for item in self.proposals {
            match item.proposal {
                Proposal::Update(_) if item.proposer == Proposer::Member(committer) => {
                    return Err(ProcessError::CommitterUpdated);
                }
                Proposal::Remove(remove) if remove.removed == committer => {
                    return Err(ProcessError::CommitterRemoved(committer));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// LIST-04.
    fn check_leaves_changed_once(&self) -> Result<(), ProcessError> {
        let mut changed = BTreeSet::new();
        for leaf in self.proposals.iter().filter_map(changed_leaf) {
            if !changed.insert(leaf) {
                return Err(ProcessError::LeafChangedTwice(leaf));
            }
        }
        Ok(())
    }

    /// LIST-07, LIST-08, LIST-09, and custom types that may appear once.
    fn check_once_only(&self) -> Result<(), ProcessError> {
        let (mut psks, mut customs) = (BTreeSet::new(), BTreeSet::new());
        let mut contexts = 0u8;
        for item in self.proposals {
            match item.proposal {
                Proposal::PreSharedKey(psk) if !psks.insert(&psk.psk) => return Err(ProcessError::DuplicatePsk),
                Proposal::GroupContextExtensions(_) => contexts = contexts.saturating_add(1),
                Proposal::ReInit(_) if self.proposals.len() > 1 => return Err(ProcessError::ReInitNotAlone),
                Proposal::Custom(custom) => {
                    let kind = custom.proposal_type;
                    if !customs.insert(kind) && !self.custom(kind)?.repeatable {
                        return Err(ProcessError::DuplicateProposal);
                    }
                }
                _ => {}
            }
        }
        if contexts > 1 {
            return Err(ProcessError::TwoGroupContextExtensions);
        }
        // KS-02
        if psks.len() > MAX_PSKS { Err(ProcessError::TooManyPsks) } else { Ok(()) }
    }

    /// LIST-11, PROP-23: every member that processes the commit supports each type; those it removes need not.
    fn check_support(&self) -> Result<(), ProcessError> {
        let removed: BTreeSet<_> = self.proposals.iter().filter_map(removed_leaf).collect();
        for item in self.proposals {
            let kind = item.proposal.proposal_type();
            if self.state.tree().supports_proposal(kind) {
                continue;
            }
            let members = self.state.tree().members();
            let mut staying = members.iter().filter(|(index, _)| !removed.contains(index));
            if !staying.all(|(_, leaf)| leaf.capabilities.proposals.contains(&kind)) {
                return Err(ProcessError::UnsupportedProposal(kind));
            }
        }
        Ok(())
    }

    /// LIST-17: the application's rules, with authenticated names.
    fn authorize(&self, committer: Committer<'_>) -> Result<(), ProcessError> {
        let proposals: Vec<_> = self.proposals.iter().map(|item| (item.proposer, item.proposal)).collect();
        let claim =
            CommitClaim { context: self.state.context(), roster: self.state.tree(), committer, proposals: &proposals };
        Ok(self.env.policy.authorize_commit(&claim)?)
    }

    /// PROP-07, PROP-08, PROP-09, GRP-08.
    fn check_psk(&self, id: &PreSharedKeyId) -> Result<(), ProcessError> {
        if id.psk_nonce.as_slice().len() != self.suite.hash_len() {
            return Err(ProcessError::PskNonceLength);
        }
        match &id.kind {
            PskKind::Resumption { usage: ResumptionPskUsage::Application, .. } | PskKind::External(_) => Ok(()),
            PskKind::Resumption { usage, .. } if Some(*usage) == self.succession => Ok(()),
            PskKind::Resumption { .. } => Err(ProcessError::ProposalNotAllowed(ProposalType::PSK)),
        }
    }

    /// PROP-12, PROP-13.
    fn check_reinit(&self, reinit: &ReInit) -> Result<(), ProcessError> {
        let context = self.state.context();
        let version_ok = reinit.version >= context.version && reinit.version == ProtocolVersion::MLS10;
        let id_ok = reinit.group_id != context.group_id || self.env.policy.accepts_reinit_under_same_id();
        if !version_ok || !id_ok {
            return Err(ProcessError::InvalidReInit);
        }
        check_context_placement(&reinit.extensions)
    }

    /// PROP-16 to PROP-19 as far as the list itself can show; members are asked in `apply`.
    fn check_context_extensions(&self, extensions: &Extensions) -> Result<(), ProcessError> {
        check_context_placement(extensions)?;
        extensions.required_capabilities()?;
        check_external_senders(self.env, self.suite, extensions, self.state.context().group_id.as_slice())
    }

    fn custom(&self, kind: ProposalType) -> Result<crate::policy::CustomProposalRules, ProcessError> {
        // DEC-22, PROP-22
        self.env.policy.custom_proposal(kind).ok_or(ProcessError::UnsupportedProposal(kind))
    }
}

/// FRM-12, FRM-13, XS-04, COM-32: who may propose what.
pub(crate) fn check_proposer(
    item: &Resolved<'_>,
    custom: &dyn Fn(ProposalType) -> Result<crate::policy::CustomProposalRules, ProcessError>,
) -> Result<(), ProcessError> {
    let allowed = match (item.proposer, item.proposal) {
        (Proposer::Member(_), _) => true,
        (Proposer::NewMember, proposal) => matches!(proposal, Proposal::Add(_)),
        (Proposer::External(_), Proposal::Custom(proposal)) => custom(proposal.proposal_type)?.external_senders,
        (Proposer::External(_), proposal) => matches!(
            proposal,
            Proposal::Add(_)
                | Proposal::Remove(_)
                | Proposal::PreSharedKey(_)
                | Proposal::ReInit(_)
                | Proposal::GroupContextExtensions(_)
        ),
    };
    if allowed { Ok(()) } else { Err(ProcessError::SenderNotAllowed) }
}

/// DEC-26: what belongs into other objects does not belong into a group context.
pub(crate) fn check_context_placement(extensions: &Extensions) -> Result<(), ProcessError> {
    let misplaced = [ExtensionType::APPLICATION_ID, ExtensionType::RATCHET_TREE, ExtensionType::EXTERNAL_PUB];
    match extensions.types().find(|kind| misplaced.contains(kind)) {
        Some(kind) => Err(ProcessError::MisplacedExtension(kind)),
        None => Ok(()),
    }
}

/// XS-07, CRED-06, CRED-07: every external sender has a valid key of its own and a credential that is vouched for. A list
/// without any is what it says: nobody. Section 12.1.8.1 allows it, and who refused it would fall out of the group.
pub(crate) fn check_external_senders(
    env: &Env<'_>,
    suite: &dyn SuiteCrypto,
    extensions: &Extensions,
    group_id: &[u8],
) -> Result<(), ProcessError> {
    if extensions.get(ExtensionType::EXTERNAL_SENDERS).is_none() {
        return Ok(());
    }
    let senders = extensions.external_senders()?;
    let keys: BTreeSet<_> = senders.iter().map(|sender| &sender.signature_key).collect();
    if senders.len() > MAX_EXTERNAL_SENDERS || keys.len() != senders.len() {
        return Err(ProcessError::InvalidExternalSenders);
    }
    for sender in &senders {
        suite.validate_signature_public_key(&sender.signature_key).map_err(|_| ProcessError::InvalidExternalSenders)?;
        env.policy.validate_credential(&CredentialClaim {
            credential: &sender.credential,
            signature_key: &sender.signature_key,
            extensions: None,
            role: CredentialRole::ExternalSender,
            group_id: Some(group_id),
            now: env.now,
        })?;
    }
    Ok(())
}

/// The leaf an Update or Remove changes.
fn changed_leaf(item: &Resolved<'_>) -> Option<LeafIndex> {
    match (item.proposal, item.proposer) {
        (Proposal::Update(_), Proposer::Member(index)) => Some(index),
        _ => removed_leaf(item),
    }
}

fn removed_leaf(item: &Resolved<'_>) -> Option<LeafIndex> {
    match item.proposal {
        Proposal::Remove(remove) => Some(remove.removed),
        _ => None,
    }
}
