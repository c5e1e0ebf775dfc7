//! Commits: one's own, and those of others.
//!
//! In: which proposals to commit, or a commit. Out: a commit that waits, or the next epoch.
//! Always: a commit covers exactly what was asked for; what else is cached is still there when it is made.

use std::collections::BTreeSet;

use interop::{Answer, CommitParams, Committed, Failure};
use mls_rs::group::{CommitOutput, ReceivedMessage};

use super::{
    Crypto,
    change::Resolved,
    client::{decoded, encoded},
    member::MlsRsMember,
    rules::Order,
};

impl<C: Crypto> MlsRsMember<C> {
    pub(super) fn commit(&mut self, params: CommitParams) -> Answer<Committed> {
        let CommitParams { by_reference, by_value, force_path, external_tree } = params;
        let mut chosen = BTreeSet::new();
        for message in &by_reference {
            chosen.insert(self.learn(message)?);
        }
        let by_value = by_value.into_iter().map(|change| self.resolved(change)).collect::<Answer<Vec<_>>>()?;
        let order = Order { chosen: Some(chosen.clone()), force_path, external_tree };
        let rules = self.stores.rules.clone();
        let output = rules.during(order, || self.build(by_value))?;
        // mls-rs leaves out what it finds invalid; then there is no commit.
        if output.unused_proposals.iter().filter_map(|info| info.proposal_ref()).any(|id| chosen.contains(id)) {
            self.group.clear_pending_commit();
            return Err(Failure::refused("a proposal by reference was left out"));
        }
        let welcome = output.welcome_messages.first().map(encoded).transpose()?.unwrap_or_default();
        let tree = output.ratchet_tree.filter(|_| external_tree);
        Ok(Committed {
            commit: encoded(&output.commit_message)?,
            welcome,
            ratchet_tree: tree.map(|tree| tree.to_bytes().map_err(Failure::refused)).transpose()?.unwrap_or_default(),
        })
    }

    fn build(&mut self, by_value: Vec<Resolved>) -> Answer<CommitOutput> {
        let mut builder = self.group.commit_builder();
        for change in by_value {
            builder = change.add_to(builder)?;
        }
        builder.build().map_err(Failure::refused)
    }

    pub(super) fn handle_pending_commit(&mut self) -> Answer<()> {
        let applied = self.group.apply_pending_commit().map_err(Failure::refused)?;
        self.moved(applied.effect)
    }

    pub(super) fn handle_commit(&mut self, proposals: &[Vec<u8>], commit: &[u8]) -> Answer<()> {
        for message in proposals {
            self.learn(message)?;
        }
        match self.group.process_incoming_message(decoded(commit)?).map_err(Failure::refused)? {
            ReceivedMessage::Commit(applied) => self.moved(applied.effect),
            _ => Err(Failure::Malformed("a commit")),
        }
    }
}
