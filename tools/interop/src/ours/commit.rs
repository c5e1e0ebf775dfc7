//! Commits, one's own and others' (RFC 9420, Section 12.4).

use std::collections::BTreeSet;

use mls_engine::{
    group::{CommitOptions, PathChoice, Processed},
    message::ProposalRef,
};

use super::member::Member;
use crate::stack::{Answer, CommitParams, Committed, Failure};

impl Member {
    /// Commits exactly these proposals.
    pub(super) fn commit(&mut self, params: CommitParams) -> Answer<Committed> {
        let CommitParams { by_reference, by_value, force_path, external_tree } = params;
        let wanted = by_reference.iter().map(|message| self.learn(message)).collect::<Answer<BTreeSet<_>>>()?;
        let cached = self.group.pending_proposals().into_iter().map(|proposal| proposal.reference);
        let options = CommitOptions {
            without: cached.filter(|reference| !wanted.contains(reference)).collect(),
            by_value: by_value.into_iter().map(|change| self.proposal_kind(change)).collect::<Answer<_>>()?,
            message: self.handshake_options(),
            ..commit_options(force_path, external_tree)
        };
        let pending = self.group.commit(&self.client.host.env(), options).map_err(Failure::refused)?;
        self.adopt(pending.step)?;
        self.pending = Some(pending.commit_id);
        let state = self.group.pending_state(&pending.commit_id).filter(|_| external_tree);
        let ratchet_tree = state.map(|state| state.tree().encode()).transpose().map_err(Failure::refused)?;
        Ok(Committed {
            commit: pending.commit,
            welcome: pending.welcome.unwrap_or_default(),
            ratchet_tree: ratchet_tree.unwrap_or_default(),
        })
    }

    pub(super) fn handle_pending_commit(&mut self) -> Answer<()> {
        let id = self.pending.take().ok_or_else(|| Failure::refused("no commit is pending"))?;
        let accepted = self.group.accept(&self.client.host.env(), &id).map_err(Failure::refused)?;
        self.adopt(accepted.step)?;
        self.known.clear();
        Ok(())
    }

    pub(super) fn handle_commit(&mut self, proposals: &[Vec<u8>], commit: &[u8]) -> Answer<()> {
        for proposal in proposals {
            self.learn(proposal)?;
        }
        let step = match self.group.process(&self.client.host.env(), commit).map_err(Failure::refused)? {
            Processed::Commit(staged) => staged.step,
            Processed::OwnCommit(id) => self.group.accept(&self.client.host.env(), &id).map_err(Failure::refused)?.step,
            other => return Err(Failure::refused(other)),
        };
        self.adopt(step)?;
        self.pending = None;
        self.known.clear();
        Ok(())
    }

    /// Caches a proposal, unless it is cached already.
    fn learn(&mut self, message: &[u8]) -> Answer<ProposalRef> {
        if let Some(reference) = self.known.get(message) {
            return Ok(*reference);
        }
        let received = match self.group.process(&self.client.host.env(), message).map_err(Failure::refused)? {
            Processed::Proposal(received) => received,
            other => return Err(Failure::refused(other)),
        };
        let reference = received.reference;
        self.adopt(received.step)?;
        self.known.insert(message.to_vec(), reference);
        Ok(reference)
    }
}

/// How the harness wants commits.
pub(super) fn commit_options(force_path: bool, external_tree: bool) -> CommitOptions {
    let path = if force_path { PathChoice::Always } else { PathChoice::WhenRequired };
    CommitOptions { path, tree_in_welcome: !external_tree, ..CommitOptions::default() }
}
