//! Commits, and everybody who follows them.

use super::{Play, Progress, malformed};
use crate::{
    message::{CommitRequest, CommitResponse, HandleCommitRequest, HandlePendingCommitRequest, ProposalDescription},
    script::{CommitStep, Description, extensions},
};

impl Play {
    /// A commit; its maker moves on, members process it, joiners join by it; all agree.
    pub(super) async fn full_commit(&mut self, actor: &str, step: &CommitStep) -> Progress {
        let proposals = self.proposals(&step.by_reference)?;
        let committed = self.make_commit(actor, step, &proposals).await?;
        let authenticator = self.handle_pending_commit(actor).await?;
        for member in &step.members {
            let got = self.handle_commit(member, &proposals, &committed.commit).await?;
            self.agree(member, &got, &authenticator)?;
        }
        for joiner in &step.joiners {
            self.join(joiner, (&committed.welcome, &committed.ratchet_tree), &authenticator).await?;
        }
        Ok(())
    }

    /// A commit that waits.
    pub(super) async fn commit(&mut self, actor: &str, step: &CommitStep) -> Progress {
        let proposals = self.proposals(&step.by_reference)?;
        self.make_commit(actor, step, &proposals).await.map(drop)
    }

    async fn make_commit(&mut self, actor: &str, step: &CommitStep, proposals: &[Vec<u8>]) -> Progress<CommitResponse> {
        let mut by_value = Vec::new();
        for description in &step.by_value {
            by_value.push(self.describe(description)?);
        }
        let request = CommitRequest {
            state_id: self.state(actor)?,
            by_reference: proposals.to_vec(),
            by_value,
            force_path: step.force_path,
            external_tree: step.external_tree,
        };
        let mut committed = self.send_commit(actor, request).await?;
        if !step.external_tree {
            committed.ratchet_tree.clear();
        }
        self.note(|notes| {
            notes.commit = Some(committed.commit.clone());
            notes.welcome = Some(committed.welcome.clone());
            notes.ratchet_tree.clone_from(&committed.ratchet_tree);
        });
        Ok(committed)
    }

    pub(super) async fn send_commit(&mut self, actor: &str, request: CommitRequest) -> Progress<CommitResponse> {
        self.recorder.acted(actor);
        let answer = self.stub(actor)?.commit(request).await;
        self.answer(actor, "Commit", answer)
    }

    /// An actor's own commit is accepted. Returns the authenticator of the epoch that begins.
    pub(super) async fn handle_pending_commit(&mut self, actor: &str) -> Progress<Vec<u8>> {
        let request = HandlePendingCommitRequest { state_id: self.state(actor)? };
        let answer = self.stub(actor)?.handle_pending_commit(request).await;
        let handled = self.answer(actor, "HandlePendingCommit", answer)?;
        self.keep_state(actor, handled.state_id);
        Ok(handled.epoch_authenticator)
    }

    /// A member processes a step's commit.
    pub(super) async fn handle_commit_of(&mut self, actor: &str, step: usize, by_reference: &[usize]) -> Progress {
        let commit = self.of_step(step, "commit", |notes| notes.commit.clone())?;
        let proposals = self.proposals(by_reference)?;
        self.handle_commit(actor, &proposals, &commit).await.map(drop)
    }

    /// A member processes a commit. Returns the authenticator of the epoch that begins.
    pub(super) async fn handle_commit(
        &mut self,
        actor: &str,
        proposals: &[Vec<u8>],
        commit: &[u8],
    ) -> Progress<Vec<u8>> {
        let request =
            HandleCommitRequest { state_id: self.state(actor)?, proposal: proposals.to_vec(), commit: commit.to_vec() };
        let answer = self.stub(actor)?.handle_commit(request).await;
        let handled = self.answer(actor, "HandleCommit", answer)?;
        self.keep_state(actor, handled.state_id);
        self.recorder.handled(actor, proposals, commit, &handled.epoch_authenticator);
        Ok(handled.epoch_authenticator)
    }

    /// A proposal as the service wants it described.
    pub(super) fn describe(&mut self, description: &Description) -> Progress<ProposalDescription> {
        let mut described = ProposalDescription {
            proposal_type: description.proposal_type.clone().into_bytes(),
            ..ProposalDescription::default()
        };
        match description.proposal_type.as_str() {
            "add" => {
                let step = description.key_package;
                described.key_package = self.of_step(step, "key package", |notes| notes.key_package.clone())?;
            }
            "remove" => described.removed_id = description.removed.clone().into_bytes(),
            "externalPSK" => described.psk_id = self.of_step(description.psk_id, "psk", |notes| notes.psk.clone())?.0,
            "resumptionPSK" => described.epoch_id = description.epoch_id,
            "groupContextExtensions" => described.extensions = extensions(&description.extensions),
            "reinit" => {
                described.extensions = extensions(&description.extensions);
                if description.change_cipher_suite {
                    self.change_cipher_suite()?;
                }
                described.cipher_suite = self.cipher_suite;
                described.group_id = self.next_group_id(description.change_group_id)?;
            }
            other => return Err(malformed(format!("a proposal of type {other}"))),
        }
        Ok(described)
    }
}
