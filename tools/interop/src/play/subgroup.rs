//! Groups that come out of others: ReInit and branches.

use std::collections::{BTreeMap, BTreeSet};

use super::{Play, Progress, join::fresh_id, malformed};
use crate::{
    message::{
        CommitRequest, CreateBranchRequest, CreateSubgroupResponse, HandleBranchRequest, HandleCommitRequest,
        HandlePendingCommitRequest, HandleReInitCommitResponse, HandleReInitWelcomeRequest, ReInitProposalRequest,
        ReInitWelcomeRequest,
    },
    script::{ReInitStep, Step, extensions},
};

/// Who ended a group, and how they go on: number and key package.
type Ended = BTreeMap<String, (u32, Vec<u8>)>;

impl Play {
    /// A group ends and continues under other parameters.
    pub(super) async fn reinit(&mut self, step: &ReInitStep) -> Progress {
        let proposal = self.reinit_proposal(step).await?;
        let mut everybody: BTreeSet<&String> = step.members.iter().collect();
        everybody.extend([&step.committer, &step.welcomer]);
        everybody.extend(&step.proposer);
        let ended = self.reinit_commit(step, &everybody, &proposal).await?;
        let founded = self.reinit_welcome(step, &ended).await?;
        for (member, (reinit_id, _)) in ended.iter().filter(|(member, _)| **member != step.welcomer) {
            let request = HandleReInitWelcomeRequest {
                reinit_id: *reinit_id,
                welcome: founded.welcome.clone(),
                ratchet_tree: if step.external_tree { founded.ratchet_tree.clone() } else { Vec::new() },
            };
            let answer = self.stub(member)?.handle_re_init_welcome(request).await;
            let joined = self.answer(member, "HandleReInitWelcome", answer)?;
            self.keep_state(member, joined.state_id);
            self.agree(member, &joined.epoch_authenticator, &founded.epoch_authenticator)?;
        }
        Ok(())
    }

    async fn reinit_proposal(&mut self, step: &ReInitStep) -> Progress<Vec<u8>> {
        let Some(proposer) = &step.proposer else {
            let number = step.external_reinit_proposal;
            let number = number.ok_or_else(|| malformed("nobody proposes the ReInit".to_owned()))?;
            return self.of_step(number, "proposal", |notes| notes.proposal.clone());
        };
        let group_id = self.next_group_id(step.change_group_id)?;
        if step.change_ciphersuite {
            self.change_cipher_suite()?;
        }
        let request = ReInitProposalRequest {
            state_id: self.state(proposer)?,
            cipher_suite: self.cipher_suite,
            group_id,
            extensions: extensions(&step.extensions),
        };
        let answer = self.stub(proposer)?.re_init_proposal(request).await;
        Ok(self.answer(proposer, "ReInitProposal", answer)?.proposal)
    }

    /// The last commit of a group, at everybody.
    async fn reinit_commit(
        &mut self,
        step: &ReInitStep,
        everybody: &BTreeSet<&String>,
        proposal: &[u8],
    ) -> Progress<Ended> {
        let committer = &step.committer;
        let state_id = self.state(committer)?;
        let by_reference = vec![proposal.to_vec()];
        let request = CommitRequest { state_id, by_reference, ..CommitRequest::default() };
        self.recorder.acted(committer);
        let answer = self.stub(committer)?.re_init_commit(request).await;
        let commit = self.answer(committer, "ReInitCommit", answer)?.commit;
        let answer = self.stub(committer)?.handle_pending_re_init_commit(HandlePendingCommitRequest { state_id }).await;
        let own = self.answer(committer, "HandlePendingReInitCommit", answer)?;
        let authenticator = own.epoch_authenticator.clone();
        let mut ended = Ended::new();
        self.keep_ended(committer, own, &mut ended);
        for member in everybody.iter().filter(|member| **member != committer) {
            let state_id = self.state(member)?;
            let request = HandleCommitRequest { state_id, proposal: vec![proposal.to_vec()], commit: commit.clone() };
            let answer = self.stub(member)?.handle_re_init_commit(request).await;
            let handled = self.answer(member, "HandleReInitCommit", answer)?;
            self.agree(member, &handled.epoch_authenticator, &authenticator)?;
            self.recorder.acted(member);
            self.keep_ended(member, handled, &mut ended);
        }
        Ok(ended)
    }

    /// The old state may go; a successor has come.
    fn keep_ended(&mut self, actor: &str, response: HandleReInitCommitResponse, ended: &mut Ended) {
        self.states.remove(actor);
        self.kept.insert((actor.to_owned(), response.reinit_id));
        ended.insert(actor.to_owned(), (response.reinit_id, response.key_package));
    }

    async fn reinit_welcome(&mut self, step: &ReInitStep, ended: &Ended) -> Progress<CreateSubgroupResponse> {
        let welcomer = &step.welcomer;
        let (reinit_id, _) = ended.get(welcomer).ok_or_else(|| malformed(format!("{welcomer} was not there")))?;
        let others = ended.iter().filter(|(member, _)| *member != welcomer);
        let request = ReInitWelcomeRequest {
            reinit_id: *reinit_id,
            key_package: others.map(|(_, (_, key_package))| key_package.clone()).collect(),
            force_path: step.force_path,
            external_tree: step.external_tree,
        };
        let answer = self.stub(welcomer)?.re_init_welcome(request).await;
        let founded = self.answer(welcomer, "ReInitWelcome", answer)?;
        self.keep_state(welcomer, founded.state_id);
        Ok(founded)
    }

    /// Some members found a subgroup. From then on their states are those of the subgroup.
    pub(super) async fn branch(&mut self, step: &Step) -> Progress {
        let Step::Branch { actor, members, force_path, external_tree, extensions: list } = step else {
            return Err(malformed("not a branch".to_owned()));
        };
        let mut key_packages = Vec::new();
        for member in members {
            key_packages.push(self.create_key_package(member).await?.key_package);
        }
        let request = CreateBranchRequest {
            state_id: self.state(actor)?,
            group_id: fresh_id("branch", self.step),
            extensions: extensions(list),
            key_packages,
            force_path: *force_path,
            external_tree: *external_tree,
        };
        let answer = self.stub(actor)?.create_branch(request).await;
        let founded = self.answer(actor, "CreateBranch", answer)?;
        self.recorder.acted(actor);
        self.keep_state(actor, founded.state_id);
        for member in members {
            let request = HandleBranchRequest {
                state_id: self.state(member)?,
                transaction_id: self.transaction(member)?,
                welcome: founded.welcome.clone(),
                ratchet_tree: if *external_tree { founded.ratchet_tree.clone() } else { Vec::new() },
            };
            let answer = self.stub(member)?.handle_branch(request).await;
            let joined = self.answer(member, "HandleBranch", answer)?;
            self.agree(member, &joined.epoch_authenticator, &founded.epoch_authenticator)?;
            self.recorder.acted(member);
            self.keep_state(member, joined.state_id);
        }
        Ok(())
    }
}
