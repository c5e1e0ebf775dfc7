//! Generates client and server of the harness's service from the list of its calls; no protoc.

use tonic_build::manual::{Builder, Method, Service};

/// Each call: in Rust, on the wire, its request and its response in `message`.
const CALLS: [(&str, &str, &str, &str); 34] = [
    ("name", "Name", "NameRequest", "NameResponse"),
    (
        "supported_ciphersuites",
        "SupportedCiphersuites",
        "SupportedCiphersuitesRequest",
        "SupportedCiphersuitesResponse",
    ),
    ("create_group", "CreateGroup", "CreateGroupRequest", "CreateGroupResponse"),
    ("create_key_package", "CreateKeyPackage", "CreateKeyPackageRequest", "CreateKeyPackageResponse"),
    ("join_group", "JoinGroup", "JoinGroupRequest", "JoinGroupResponse"),
    ("external_join", "ExternalJoin", "ExternalJoinRequest", "ExternalJoinResponse"),
    ("group_info", "GroupInfo", "GroupInfoRequest", "GroupInfoResponse"),
    ("state_auth", "StateAuth", "StateAuthRequest", "StateAuthResponse"),
    ("export", "Export", "ExportRequest", "ExportResponse"),
    ("protect", "Protect", "ProtectRequest", "ProtectResponse"),
    ("unprotect", "Unprotect", "UnprotectRequest", "UnprotectResponse"),
    ("store_psk", "StorePSK", "StorePskRequest", "StorePskResponse"),
    ("add_proposal", "AddProposal", "AddProposalRequest", "ProposalResponse"),
    ("update_proposal", "UpdateProposal", "UpdateProposalRequest", "ProposalResponse"),
    ("remove_proposal", "RemoveProposal", "RemoveProposalRequest", "ProposalResponse"),
    ("external_psk_proposal", "ExternalPSKProposal", "ExternalPskProposalRequest", "ProposalResponse"),
    ("resumption_psk_proposal", "ResumptionPSKProposal", "ResumptionPskProposalRequest", "ProposalResponse"),
    (
        "group_context_extensions_proposal",
        "GroupContextExtensionsProposal",
        "GroupContextExtensionsProposalRequest",
        "ProposalResponse",
    ),
    ("commit", "Commit", "CommitRequest", "CommitResponse"),
    ("handle_commit", "HandleCommit", "HandleCommitRequest", "HandleCommitResponse"),
    ("handle_pending_commit", "HandlePendingCommit", "HandlePendingCommitRequest", "HandleCommitResponse"),
    ("re_init_proposal", "ReInitProposal", "ReInitProposalRequest", "ProposalResponse"),
    ("re_init_commit", "ReInitCommit", "CommitRequest", "CommitResponse"),
    (
        "handle_pending_re_init_commit",
        "HandlePendingReInitCommit",
        "HandlePendingCommitRequest",
        "HandleReInitCommitResponse",
    ),
    ("handle_re_init_commit", "HandleReInitCommit", "HandleCommitRequest", "HandleReInitCommitResponse"),
    ("re_init_welcome", "ReInitWelcome", "ReInitWelcomeRequest", "CreateSubgroupResponse"),
    ("handle_re_init_welcome", "HandleReInitWelcome", "HandleReInitWelcomeRequest", "JoinGroupResponse"),
    ("create_branch", "CreateBranch", "CreateBranchRequest", "CreateSubgroupResponse"),
    ("handle_branch", "HandleBranch", "HandleBranchRequest", "HandleBranchResponse"),
    ("new_member_add_proposal", "NewMemberAddProposal", "NewMemberAddProposalRequest", "NewMemberAddProposalResponse"),
    ("create_external_signer", "CreateExternalSigner", "CreateExternalSignerRequest", "CreateExternalSignerResponse"),
    ("add_external_signer", "AddExternalSigner", "AddExternalSignerRequest", "ProposalResponse"),
    ("external_signer_proposal", "ExternalSignerProposal", "ExternalSignerProposalRequest", "ProposalResponse"),
    ("free", "Free", "FreeRequest", "FreeResponse"),
];

fn main() {
    let mut service = Service::builder().name("MLSClient").package("mls_client");
    for (name, route, request, response) in CALLS {
        let method = Method::builder()
            .name(name)
            .route_name(route)
            .input_type(format!("crate::message::{request}"))
            .output_type(format!("crate::message::{response}"))
            .codec_path("tonic_prost::ProstCodec");
        service = service.method(method.build());
    }
    Builder::new().compile(&[service.build()]);
    println!("cargo:rerun-if-changed=build.rs");
}
