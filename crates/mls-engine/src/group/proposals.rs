//! Proposals that wait for a commit (RFC 9420, Sections 12.1 and 12.4).
//!
//! In: authenticated proposals of this epoch. Out: the list a commit names, each with its own proposer.
//! Always: PROP-02: keyed by reference, bounded, and empty at the start of an epoch (EPO-07).

use std::collections::{BTreeMap, BTreeSet};

use mls_crypto::{HpkePrivateKey, SignaturePrivateKey};

use crate::{
    error::ProcessError,
    framing::Authenticated,
    limits::Limits,
    message::{Content, Proposal, ProposalOrRef, ProposalRef, Sender},
    policy::Proposer,
};

/// One proposal of this epoch, as it was authenticated.
#[derive(Clone, Debug)]
pub(crate) struct CachedProposal {
    pub(crate) reference: ProposalRef,
    pub(crate) content: Authenticated,
}

/// The private half of an Update of ours (DEL-10).
#[derive(Debug)]
pub(crate) struct OwnUpdate {
    pub(crate) leaf_key: HpkePrivateKey,
    pub(crate) signature_key: Option<SignaturePrivateKey>,
}

/// The proposals of this epoch, in the order they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProposalCache {
    known: BTreeMap<ProposalRef, CachedProposal>,
    order: Vec<ProposalRef>,
}

/// A proposal of a commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resolved<'a> {
    pub(crate) proposer: Proposer,
    pub(crate) proposal: &'a Proposal,
    /// `None` if the commit holds the proposal itself.
    pub(crate) reference: Option<ProposalRef>,
}

impl CachedProposal {
    /// The proposal; content that is no proposal is never cached.
    pub(crate) fn proposal(&self) -> Option<&Proposal> {
        match &self.content.content().content {
            Content::Proposal(proposal) => Some(proposal),
            Content::Application(_) | Content::Commit(_) => None,
        }
    }

    /// COM-32: the sender recorded when it was cached.
    pub(crate) fn proposer(&self) -> Proposer {
        match self.content.content().sender {
            Sender::Member(index) => Proposer::Member(index),
            Sender::External(index) => Proposer::External(index),
            Sender::NewMemberProposal | Sender::NewMemberCommit => Proposer::NewMember,
        }
    }
}

impl ProposalCache {
    /// X-DOS-06, XS-08: whether one more of this proposer fits. A known proposal always does.
    pub(crate) fn check_room(&self, proposal: &CachedProposal, limits: &Limits) -> Result<(), ProcessError> {
        if self.known.contains_key(&proposal.reference) {
            return Ok(());
        }
        let proposer = proposal.proposer();
        let same = self.known.values().filter(|known| known.proposer() == proposer).count();
        if self.known.len() >= limits.max_cached_proposals || same >= limits.max_cached_proposals_per_sender {
            return Err(ProcessError::TooManyProposals);
        }
        Ok(())
    }

    /// PUB-04: idempotent by reference.
    pub(crate) fn insert(&mut self, proposal: CachedProposal) {
        if !self.known.contains_key(&proposal.reference) {
            self.order.push(proposal.reference);
            self.known.insert(proposal.reference, proposal);
        }
    }

    /// A number higher than that of every proposal cached so far, to keep their order in a store.
    pub(crate) fn next_sequence(&self) -> u64 {
        u64::try_from(self.order.len()).unwrap_or(u64::MAX)
    }

    pub(crate) fn get(&self, reference: &ProposalRef) -> Option<&CachedProposal> {
        self.known.get(reference)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// In the order they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &CachedProposal> {
        self.order.iter().filter_map(|reference| self.known.get(reference))
    }

    /// The list of a commit. LIST-15: every reference is known; LIST-16: none appears twice.
    pub(crate) fn resolve<'a>(
        &'a self,
        proposals: &'a [ProposalOrRef],
        committer: Proposer,
    ) -> Result<Vec<Resolved<'a>>, ProcessError> {
        let mut seen = BTreeSet::new();
        proposals
            .iter()
            .map(|item| match item {
                ProposalOrRef::Proposal(proposal) => Ok(Resolved { proposer: committer, proposal, reference: None }),
                ProposalOrRef::Reference(reference) if !seen.insert(*reference) => Err(ProcessError::DuplicateProposal),
                ProposalOrRef::Reference(reference) => self.resolve_reference(reference),
            })
            .collect()
    }

    /// One referenced proposal.
    pub(crate) fn resolve_reference(&self, reference: &ProposalRef) -> Result<Resolved<'_>, ProcessError> {
        let unknown = ProcessError::UnknownProposal(*reference);
        let cached = self.get(reference).ok_or(unknown.clone())?;
        let proposal = cached.proposal().ok_or(unknown)?;
        Ok(Resolved { proposer: cached.proposer(), proposal, reference: Some(*reference) })
    }
}
