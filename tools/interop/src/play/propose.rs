//! Proposals by reference, and pre-shared keys.

use super::{Play, Progress, malformed};
use crate::{
    message::{
        AddProposalRequest, ExternalPskProposalRequest, GroupContextExtensionsProposalRequest, ProposalResponse,
        RemoveProposalRequest, ResumptionPskProposalRequest, StorePskRequest, UpdateProposalRequest,
    },
    script::{Step, extensions},
};
use tonic::{Response, Status};

impl Play {
    /// A proposal by a member.
    pub(super) async fn propose(&mut self, step: &Step) -> Progress {
        match step {
            Step::AddProposal { actor, key_package } => {
                let key_package = self.of_step(*key_package, "key package", |notes| notes.key_package.clone())?;
                let request = AddProposalRequest { state_id: self.state(actor)?, key_package };
                let answer = self.stub(actor)?.add_proposal(request).await;
                self.proposed(actor, "AddProposal", answer)
            }
            Step::UpdateProposal { actor } => {
                let request = UpdateProposalRequest { state_id: self.state(actor)? };
                let answer = self.stub(actor)?.update_proposal(request).await;
                self.proposed(actor, "UpdateProposal", answer)
            }
            Step::RemoveProposal { actor, removed } => {
                let removed_id = removed.clone().into_bytes();
                let request = RemoveProposalRequest { state_id: self.state(actor)?, removed_id };
                let answer = self.stub(actor)?.remove_proposal(request).await;
                self.proposed(actor, "RemoveProposal", answer)
            }
            _ => self.propose_beyond_members(step).await,
        }
    }

    /// A proposal that is not about a member.
    async fn propose_beyond_members(&mut self, step: &Step) -> Progress {
        match step {
            Step::ExternalPskProposal { actor, psk_id } => {
                let (psk_id, _) = self.of_step(*psk_id, "psk", |notes| notes.psk.clone())?;
                let request = ExternalPskProposalRequest { state_id: self.state(actor)?, psk_id };
                let answer = self.stub(actor)?.external_psk_proposal(request).await;
                self.proposed(actor, "ExternalPSKProposal", answer)
            }
            Step::ResumptionPskProposal { actor, epoch_id } => {
                let request = ResumptionPskProposalRequest { state_id: self.state(actor)?, epoch_id: *epoch_id };
                let answer = self.stub(actor)?.resumption_psk_proposal(request).await;
                self.proposed(actor, "ResumptionPSKProposal", answer)
            }
            Step::GroupContextExtensionsProposal { actor, extensions: list } => {
                let (state_id, extensions) = (self.state(actor)?, extensions(list));
                let request = GroupContextExtensionsProposalRequest { state_id, extensions };
                let answer = self.stub(actor)?.group_context_extensions_proposal(request).await;
                self.proposed(actor, "GroupContextExtensionsProposal", answer)
            }
            _ => Err(malformed("not a proposal".to_owned())),
        }
    }

    /// Keeps a member's proposal for later steps.
    pub(super) fn proposed(
        &mut self,
        actor: &str,
        call: &str,
        answer: Result<Response<ProposalResponse>, Status>,
    ) -> Progress {
        let proposal = self.answer(actor, call, answer)?.proposal;
        self.recorder.acted(actor);
        self.note(|notes| notes.proposal = Some(proposal));
        Ok(())
    }

    /// A random PSK that these know, in their group or before they join.
    pub(super) async fn install_external_psk(&mut self, clients: &[String]) -> Progress {
        let psk_id = super::join::fresh_id("psk-id", self.step);
        let psk_secret = super::join::fresh_id("psk", self.step);
        for actor in clients {
            let place = self.states.get(actor).or_else(|| self.transactions.get(actor));
            let place = *place.ok_or_else(|| malformed(format!("{actor} has neither group nor key package")))?;
            let request = StorePskRequest {
                state_or_transaction_id: place,
                psk_id: psk_id.clone(),
                psk_secret: psk_secret.clone(),
            };
            let answer = self.stub(actor)?.store_psk(request).await;
            self.answer(actor, "StorePSK", answer)?;
            self.recorder.psk(actor, &psk_id, &psk_secret);
        }
        self.note(|notes| notes.psk = Some((psk_id, psk_secret)));
        Ok(())
    }
}
