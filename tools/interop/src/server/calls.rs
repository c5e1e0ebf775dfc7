//! The 34 calls: numbers looked up, the stack asked, what it returns kept.

use tonic::{Request, Response, Status};

use super::{
    Server,
    desk::{Desk, Entry, status},
};
use crate::{
    message::{
        AddExternalSignerRequest, AddProposalRequest, CommitRequest, CommitResponse, CreateBranchRequest,
        CreateExternalSignerRequest, CreateExternalSignerResponse, CreateGroupRequest, CreateGroupResponse,
        CreateKeyPackageRequest, CreateKeyPackageResponse, CreateSubgroupResponse, ExportRequest, ExportResponse,
        ExternalJoinRequest, ExternalJoinResponse, ExternalPskProposalRequest, ExternalSignerProposalRequest,
        FreeRequest, FreeResponse, GroupContextExtensionsProposalRequest, GroupInfoRequest, GroupInfoResponse,
        HandleBranchRequest, HandleBranchResponse, HandleCommitRequest, HandleCommitResponse,
        HandlePendingCommitRequest, HandleReInitCommitResponse, HandleReInitWelcomeRequest, JoinGroupRequest,
        JoinGroupResponse, NameRequest, NameResponse, NewMemberAddProposalRequest, NewMemberAddProposalResponse,
        PreSharedKey, ProposalDescription, ProposalResponse, ProtectRequest, ProtectResponse, ReInitProposalRequest,
        ReInitWelcomeRequest, RemoveProposalRequest, ResumptionPskProposalRequest, StateAuthRequest, StateAuthResponse,
        StorePskRequest, StorePskResponse, SupportedCiphersuitesRequest, SupportedCiphersuitesResponse,
        UnprotectRequest, UnprotectResponse, UpdateProposalRequest,
    },
    service::MlsClient,
    stack::{
        Answer, Change, CommitParams, Committed, ExternalJoinParams, Failure, Invitation, Outside, Stack,
        SubgroupParams, suite_of,
    },
};

/// Each call of the service is the method of the same name below.
macro_rules! calls {
    ($($name:ident: $request:ident => $response:ident;)*) => {
        #[tonic::async_trait]
        impl<S: Stack> MlsClient for Server<S> {
            $(async fn $name(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                self.answer(request, Desk::$name).await
            })*
        }
    };
}

calls! {
    name: NameRequest => NameResponse;
    supported_ciphersuites: SupportedCiphersuitesRequest => SupportedCiphersuitesResponse;
    create_group: CreateGroupRequest => CreateGroupResponse;
    create_key_package: CreateKeyPackageRequest => CreateKeyPackageResponse;
    join_group: JoinGroupRequest => JoinGroupResponse;
    external_join: ExternalJoinRequest => ExternalJoinResponse;
    group_info: GroupInfoRequest => GroupInfoResponse;
    state_auth: StateAuthRequest => StateAuthResponse;
    export: ExportRequest => ExportResponse;
    protect: ProtectRequest => ProtectResponse;
    unprotect: UnprotectRequest => UnprotectResponse;
    store_psk: StorePskRequest => StorePskResponse;
    add_proposal: AddProposalRequest => ProposalResponse;
    update_proposal: UpdateProposalRequest => ProposalResponse;
    remove_proposal: RemoveProposalRequest => ProposalResponse;
    external_psk_proposal: ExternalPskProposalRequest => ProposalResponse;
    resumption_psk_proposal: ResumptionPskProposalRequest => ProposalResponse;
    group_context_extensions_proposal: GroupContextExtensionsProposalRequest => ProposalResponse;
    commit: CommitRequest => CommitResponse;
    handle_commit: HandleCommitRequest => HandleCommitResponse;
    handle_pending_commit: HandlePendingCommitRequest => HandleCommitResponse;
    re_init_proposal: ReInitProposalRequest => ProposalResponse;
    re_init_commit: CommitRequest => CommitResponse;
    handle_pending_re_init_commit: HandlePendingCommitRequest => HandleReInitCommitResponse;
    handle_re_init_commit: HandleCommitRequest => HandleReInitCommitResponse;
    re_init_welcome: ReInitWelcomeRequest => CreateSubgroupResponse;
    handle_re_init_welcome: HandleReInitWelcomeRequest => JoinGroupResponse;
    create_branch: CreateBranchRequest => CreateSubgroupResponse;
    handle_branch: HandleBranchRequest => HandleBranchResponse;
    new_member_add_proposal: NewMemberAddProposalRequest => NewMemberAddProposalResponse;
    create_external_signer: CreateExternalSignerRequest => CreateExternalSignerResponse;
    add_external_signer: AddExternalSignerRequest => ProposalResponse;
    external_signer_proposal: ExternalSignerProposalRequest => ProposalResponse;
    free: FreeRequest => FreeResponse;
}

/// What a call returns to gRPC.
type Reply<T> = Result<T, Status>;

/// Joining, and using a group.
impl<S: Stack> Desk<S> {
    fn name(&self, _: NameRequest) -> Reply<NameResponse> {
        Ok(NameResponse { name: self.stack.name().to_owned() })
    }

    fn supported_ciphersuites(&self, _: SupportedCiphersuitesRequest) -> Reply<SupportedCiphersuitesResponse> {
        let ciphersuites = self.stack.cipher_suites().into_iter().map(u32::from).collect();
        Ok(SupportedCiphersuitesResponse { ciphersuites })
    }

    fn create_group(&self, call: CreateGroupRequest) -> Reply<CreateGroupResponse> {
        let member = self.stack.create_group(&call).map_err(status)?;
        Ok(CreateGroupResponse { state_id: self.keep(Entry::Member(member))? })
    }

    fn create_key_package(&self, call: CreateKeyPackageRequest) -> Reply<CreateKeyPackageResponse> {
        let suite = suite_of(call.cipher_suite).map_err(status)?;
        let (joiner, published) = self.stack.create_key_package(suite, &call.identity).map_err(status)?;
        Ok(CreateKeyPackageResponse {
            transaction_id: self.keep(Entry::Joiner(joiner))?,
            key_package: published.message,
            init_priv: published.init_priv,
            encryption_priv: published.encryption_priv,
            signature_priv: published.signature_priv,
        })
    }

    fn join_group(&self, call: JoinGroupRequest) -> Reply<JoinGroupResponse> {
        let invitation = Invitation { welcome: &call.welcome, ratchet_tree: some(&call.ratchet_tree) };
        let (member, epoch_authenticator) = self.with_joiner(call.transaction_id, |joiner| {
            self.with_authenticator(self.stack.join(joiner, invitation, call.encrypt_handshake)?)
        })?;
        // A key package is good for one join.
        self.free_number(call.transaction_id)?;
        Ok(JoinGroupResponse { state_id: self.keep(Entry::Member(member))?, epoch_authenticator })
    }

    fn external_join(&self, call: ExternalJoinRequest) -> Reply<ExternalJoinResponse> {
        let params = ExternalJoinParams {
            group_info: &call.group_info,
            ratchet_tree: some(&call.ratchet_tree),
            encrypt_handshake: call.encrypt_handshake,
            identity: &call.identity,
            remove_prior: call.remove_prior,
            psks: &call.psks,
        };
        let (member, commit) = self.stack.join_external(&params).map_err(status)?;
        let (member, epoch_authenticator) = self.with_authenticator(member).map_err(status)?;
        Ok(ExternalJoinResponse { state_id: self.keep(Entry::Member(member))?, commit, epoch_authenticator })
    }

    fn group_info(&self, call: GroupInfoRequest) -> Reply<GroupInfoResponse> {
        let answer = self.with_member(call.state_id, |member| self.stack.group_info(member, call.external_tree));
        answer.map(|(group_info, ratchet_tree)| GroupInfoResponse { group_info, ratchet_tree })
    }

    fn state_auth(&self, call: StateAuthRequest) -> Reply<StateAuthResponse> {
        let answer = self.with_member(call.state_id, |member| self.stack.epoch_authenticator(member));
        answer.map(|state_auth_secret| StateAuthResponse { state_auth_secret })
    }

    fn export(&self, call: ExportRequest) -> Reply<ExportResponse> {
        let len = usize::try_from(call.key_length).map_err(|_| Status::invalid_argument("key_length"))?;
        let answer =
            self.with_member(call.state_id, |member| self.stack.export(member, &call.label, &call.context, len));
        answer.map(|exported_secret| ExportResponse { exported_secret })
    }

    fn protect(&self, call: ProtectRequest) -> Reply<ProtectResponse> {
        let answer = self
            .with_member(call.state_id, |member| self.stack.protect(member, &call.authenticated_data, &call.plaintext));
        answer.map(|ciphertext| ProtectResponse { ciphertext })
    }

    fn unprotect(&self, call: UnprotectRequest) -> Reply<UnprotectResponse> {
        let answer = self.with_member(call.state_id, |member| self.stack.unprotect(member, &call.ciphertext));
        answer.map(|(authenticated_data, plaintext)| UnprotectResponse { authenticated_data, plaintext })
    }

    fn store_psk(&self, call: StorePskRequest) -> Reply<StorePskResponse> {
        let psk = PreSharedKey { psk_id: call.psk_id, psk_secret: call.psk_secret };
        self.with(call.state_or_transaction_id, |entry| match entry {
            Entry::Member(member) => self.stack.store_psk(member, &psk),
            Entry::Joiner(joiner) => self.stack.store_psk_to_join(joiner, &psk),
            Entry::Successor(_) | Entry::Signer(_) => Err(Failure::Malformed("state_or_transaction_id")),
        })?;
        Ok(StorePskResponse {})
    }

    fn free(&self, call: FreeRequest) -> Reply<FreeResponse> {
        self.free_number(call.state_id)?;
        Ok(FreeResponse {})
    }

    fn with_authenticator(&self, member: S::Member) -> Answer<(S::Member, Vec<u8>)> {
        let authenticator = self.stack.epoch_authenticator(&member)?;
        Ok((member, authenticator))
    }
}

/// Proposals and commits.
impl<S: Stack> Desk<S> {
    fn propose(&self, state_id: u32, change: Change) -> Reply<ProposalResponse> {
        let answer = self.with_member(state_id, |member| self.stack.propose(member, change));
        answer.map(|proposal| ProposalResponse { proposal })
    }

    fn add_proposal(&self, call: AddProposalRequest) -> Reply<ProposalResponse> {
        self.propose(call.state_id, Change::Add(call.key_package))
    }

    fn update_proposal(&self, call: UpdateProposalRequest) -> Reply<ProposalResponse> {
        self.propose(call.state_id, Change::Update)
    }

    fn remove_proposal(&self, call: RemoveProposalRequest) -> Reply<ProposalResponse> {
        self.propose(call.state_id, Change::Remove(call.removed_id))
    }

    fn external_psk_proposal(&self, call: ExternalPskProposalRequest) -> Reply<ProposalResponse> {
        self.propose(call.state_id, Change::ExternalPsk(call.psk_id))
    }

    fn resumption_psk_proposal(&self, call: ResumptionPskProposalRequest) -> Reply<ProposalResponse> {
        self.propose(call.state_id, Change::ResumptionPsk(call.epoch_id))
    }

    fn group_context_extensions_proposal(
        &self,
        call: GroupContextExtensionsProposalRequest,
    ) -> Reply<ProposalResponse> {
        self.propose(call.state_id, Change::Extensions(call.extensions))
    }

    fn re_init_proposal(&self, call: ReInitProposalRequest) -> Reply<ProposalResponse> {
        let cipher_suite = suite_of(call.cipher_suite).map_err(status)?;
        let (group_id, extensions) = (call.group_id, call.extensions);
        self.propose(call.state_id, Change::ReInit { cipher_suite, group_id, extensions })
    }

    fn commit(&self, call: CommitRequest) -> Reply<CommitResponse> {
        let params = CommitParams {
            by_reference: call.by_reference,
            by_value: changes(call.by_value).map_err(status)?,
            force_path: call.force_path,
            external_tree: call.external_tree,
        };
        let answer = self.with_member(call.state_id, |member| self.stack.commit(member, params));
        answer.map(|Committed { commit, welcome, ratchet_tree }| CommitResponse { commit, welcome, ratchet_tree })
    }

    fn handle_commit(&self, call: HandleCommitRequest) -> Reply<HandleCommitResponse> {
        let epoch_authenticator = self.with_member(call.state_id, |member| {
            self.stack.handle_commit(member, &call.proposal, &call.commit)?;
            self.stack.epoch_authenticator(member)
        })?;
        Ok(HandleCommitResponse { state_id: call.state_id, epoch_authenticator })
    }

    fn handle_pending_commit(&self, call: HandlePendingCommitRequest) -> Reply<HandleCommitResponse> {
        let epoch_authenticator = self.with_member(call.state_id, |member| {
            self.stack.handle_pending_commit(member)?;
            self.stack.epoch_authenticator(member)
        })?;
        Ok(HandleCommitResponse { state_id: call.state_id, epoch_authenticator })
    }
}

/// Groups that come out of others.
impl<S: Stack> Desk<S> {
    fn re_init_commit(&self, call: CommitRequest) -> Reply<CommitResponse> {
        self.commit(call)
    }

    fn handle_pending_re_init_commit(&self, call: HandlePendingCommitRequest) -> Reply<HandleReInitCommitResponse> {
        let HandleCommitResponse { state_id, epoch_authenticator } = self.handle_pending_commit(call)?;
        self.begin_reinit(state_id, epoch_authenticator)
    }

    fn handle_re_init_commit(&self, call: HandleCommitRequest) -> Reply<HandleReInitCommitResponse> {
        let HandleCommitResponse { state_id, epoch_authenticator } = self.handle_commit(call)?;
        self.begin_reinit(state_id, epoch_authenticator)
    }

    /// The state of a group that has ended turns into a successor.
    fn begin_reinit(&self, state_id: u32, epoch_authenticator: Vec<u8>) -> Reply<HandleReInitCommitResponse> {
        let (successor, key_package) = self.stack.begin_reinit(self.take_member(state_id)?).map_err(status)?;
        let reinit_id = self.keep(Entry::Successor(successor))?;
        Ok(HandleReInitCommitResponse { reinit_id, key_package, epoch_authenticator })
    }

    fn re_init_welcome(&self, call: ReInitWelcomeRequest) -> Reply<CreateSubgroupResponse> {
        let params = SubgroupParams {
            key_packages: &call.key_package,
            force_path: call.force_path,
            external_tree: call.external_tree,
        };
        let founded = self.with_successor(call.reinit_id, |successor| self.stack.reinit_welcome(successor, &params))?;
        self.free_number(call.reinit_id)?;
        self.subgroup(founded)
    }

    fn handle_re_init_welcome(&self, call: HandleReInitWelcomeRequest) -> Reply<JoinGroupResponse> {
        let invitation = Invitation { welcome: &call.welcome, ratchet_tree: some(&call.ratchet_tree) };
        let (member, epoch_authenticator) = self.with_successor(call.reinit_id, |successor| {
            self.with_authenticator(self.stack.handle_reinit_welcome(successor, invitation)?)
        })?;
        self.free_number(call.reinit_id)?;
        Ok(JoinGroupResponse { state_id: self.keep(Entry::Member(member))?, epoch_authenticator })
    }

    fn create_branch(&self, call: CreateBranchRequest) -> Reply<CreateSubgroupResponse> {
        let params = SubgroupParams {
            key_packages: &call.key_packages,
            force_path: call.force_path,
            external_tree: call.external_tree,
        };
        let place = (call.group_id.as_slice(), call.extensions.as_slice());
        let founded = self.with_member(call.state_id, |parent| self.stack.create_branch(parent, place, &params))?;
        self.subgroup(founded)
    }

    fn handle_branch(&self, call: HandleBranchRequest) -> Reply<HandleBranchResponse> {
        let invitation = Invitation { welcome: &call.welcome, ratchet_tree: some(&call.ratchet_tree) };
        // Joiners are only ever locked after members, so that no two calls wait for each other.
        let (member, epoch_authenticator) = self.with_member(call.state_id, |parent| {
            let joined = self.with_joiner(call.transaction_id, |joiner| {
                self.with_authenticator(self.stack.handle_branch(parent, joiner, invitation)?)
            });
            Ok(joined)
        })??;
        self.free_number(call.transaction_id)?;
        Ok(HandleBranchResponse { state_id: self.keep(Entry::Member(member))?, epoch_authenticator })
    }

    fn subgroup(&self, (member, committed): (S::Member, Committed)) -> Reply<CreateSubgroupResponse> {
        let (member, epoch_authenticator) = self.with_authenticator(member).map_err(status)?;
        let Committed { commit: _, welcome, ratchet_tree } = committed;
        let state_id = self.keep(Entry::Member(member))?;
        Ok(CreateSubgroupResponse { state_id, welcome, ratchet_tree, epoch_authenticator })
    }
}

/// Proposals from outside.
impl<S: Stack> Desk<S> {
    fn new_member_add_proposal(&self, call: NewMemberAddProposalRequest) -> Reply<NewMemberAddProposalResponse> {
        let (joiner, published) =
            self.stack.new_member_add_proposal(&call.group_info, &call.identity).map_err(status)?;
        Ok(NewMemberAddProposalResponse {
            transaction_id: self.keep(Entry::Joiner(joiner))?,
            proposal: published.message,
            init_priv: published.init_priv,
            encryption_priv: published.encryption_priv,
            signature_priv: published.signature_priv,
        })
    }

    fn create_external_signer(&self, call: CreateExternalSignerRequest) -> Reply<CreateExternalSignerResponse> {
        let suite = suite_of(call.cipher_suite).map_err(status)?;
        let (signer, external_sender) = self.stack.create_external_signer(suite, &call.identity).map_err(status)?;
        Ok(CreateExternalSignerResponse { signer_id: self.keep(Entry::Signer(signer))?, external_sender })
    }

    fn add_external_signer(&self, call: AddExternalSignerRequest) -> Reply<ProposalResponse> {
        self.propose(call.state_id, Change::ExternalSender(call.external_sender))
    }

    fn external_signer_proposal(&self, call: ExternalSignerProposalRequest) -> Reply<ProposalResponse> {
        let group = Outside { group_info: &call.group_info, ratchet_tree: some(&call.ratchet_tree) };
        let description = call.description.ok_or_else(|| status(Failure::Malformed("description")))?;
        let change = Change::try_from(description).map_err(status)?;
        let answer =
            self.with_signer(call.signer_id, |signer| self.stack.external_signer_proposal(signer, group, change));
        answer.map(|proposal| ProposalResponse { proposal })
    }
}

/// Bytes that are empty where there is nothing.
fn some(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.is_empty() { None } else { Some(bytes) }
}

fn changes(descriptions: Vec<ProposalDescription>) -> Answer<Vec<Change>> {
    descriptions.into_iter().map(Change::try_from).collect()
}
