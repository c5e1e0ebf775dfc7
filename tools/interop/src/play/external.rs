//! From outside: external commits, and proposals of those who are no members.

use super::{Play, Progress, malformed};
use crate::{
    message::{
        AddExternalSignerRequest, CreateExternalSignerRequest, ExternalJoinRequest, ExternalJoinResponse,
        ExternalSignerProposalRequest, GroupInfoRequest, GroupInfoResponse, NewMemberAddProposalRequest, PreSharedKey,
    },
    script::{Description, Step},
};

impl Play {
    pub(super) async fn group_info(&mut self, actor: &str, external_tree: bool) -> Progress<GroupInfoResponse> {
        let request = GroupInfoRequest { state_id: self.state(actor)?, external_tree };
        let answer = self.stub(actor)?.group_info(request).await;
        self.answer(actor, "GroupInfo", answer)
    }

    /// Somebody joins by external commit; all members follow and agree.
    pub(super) async fn external_join(&mut self, step: &Step) -> Progress {
        let Step::ExternalJoin { actor, joiner, members, external_tree, remove_prior, psks } = step else {
            return Err(malformed("not an external join".to_owned()));
        };
        let info = self.group_info(actor, *external_tree).await?;
        let request = ExternalJoinRequest {
            group_info: info.group_info,
            ratchet_tree: if *external_tree { info.ratchet_tree } else { Vec::new() },
            encrypt_handshake: self.cast.encrypt_handshake,
            identity: joiner.as_bytes().to_vec(),
            remove_prior: *remove_prior,
            psks: psks.iter().map(|step| self.psk(*step)).collect::<Progress<_>>()?,
        };
        self.recorder.acted(joiner);
        let answer = self.stub(joiner)?.external_join(request).await;
        let joined: ExternalJoinResponse = self.answer(joiner, "ExternalJoin", answer)?;
        self.keep_state(joiner, joined.state_id);
        for member in members.iter().chain([actor]) {
            let got = self.handle_commit(member, &[], &joined.commit).await?;
            self.agree(member, &got, &joined.epoch_authenticator)?;
        }
        self.note(|notes| notes.commit = Some(joined.commit));
        Ok(())
    }

    fn psk(&self, step: usize) -> Progress<PreSharedKey> {
        let (psk_id, psk_secret) = self.of_step(step, "psk", |notes| notes.psk.clone())?;
        Ok(PreSharedKey { psk_id, psk_secret })
    }

    /// A client asks to be added.
    pub(super) async fn new_member_add_proposal(&mut self, actor: &str, joiner: &str) -> Progress {
        let group_info = self.group_info(actor, false).await?.group_info;
        let request = NewMemberAddProposalRequest { group_info, identity: joiner.as_bytes().to_vec() };
        let answer = self.stub(joiner)?.new_member_add_proposal(request).await;
        let asked = self.answer(joiner, "NewMemberAddProposal", answer)?;
        self.keep_transaction(joiner, asked.transaction_id);
        self.note(|notes| notes.proposal = Some(asked.proposal));
        Ok(())
    }

    /// A new external sender, and the proposal that lists it.
    pub(super) async fn add_external_signer(&mut self, actor: &str, signer: &str) -> Progress {
        let identity = signer.as_bytes().to_vec();
        let request = CreateExternalSignerRequest { cipher_suite: self.cipher_suite, identity };
        let answer = self.stub(signer)?.create_external_signer(request).await;
        let created = self.answer(signer, "CreateExternalSigner", answer)?;
        self.signers.insert(signer.to_owned(), created.signer_id);
        self.kept.insert((signer.to_owned(), created.signer_id));
        let external_sender = created.external_sender;
        let request = AddExternalSignerRequest { state_id: self.state(actor)?, external_sender };
        let answer = self.stub(actor)?.add_external_signer(request).await;
        self.proposed(actor, "AddExternalSigner", answer)
    }

    /// A proposal by an external sender.
    pub(super) async fn external_signer_proposal(
        &mut self,
        signer: &str,
        member: &str,
        description: &Description,
    ) -> Progress {
        let info = self.group_info(member, true).await?;
        let signer_id = self.signers.get(signer).copied();
        let request = ExternalSignerProposalRequest {
            signer_id: signer_id.ok_or_else(|| malformed(format!("{signer} is no external sender")))?,
            signer_index: 0,
            group_info: info.group_info,
            ratchet_tree: info.ratchet_tree,
            description: Some(self.describe(description)?),
        };
        let answer = self.stub(signer)?.external_signer_proposal(request).await;
        let proposal = self.answer(signer, "ExternalSignerProposal", answer)?.proposal;
        self.note(|notes| notes.proposal = Some(proposal));
        Ok(())
    }
}
