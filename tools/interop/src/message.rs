//! The harness's messages (proto3, package `mls_client`), by field number.
//!
//! In: bytes of a gRPC call. Out: the call's fields, and back. Always: MLS objects are opaque here, in the encodings that
//! `Stack` names.
#![allow(missing_docs, reason = "the names are the service's own")]

mod group;
mod handshake;
mod subgroup;

pub use group::{
    CreateGroupRequest, CreateGroupResponse, CreateKeyPackageRequest, CreateKeyPackageResponse, ExportRequest,
    ExportResponse, ExternalJoinRequest, ExternalJoinResponse, GroupInfoRequest, GroupInfoResponse, JoinGroupRequest,
    JoinGroupResponse, NameRequest, NameResponse, PreSharedKey, ProtectRequest, ProtectResponse, StateAuthRequest,
    StateAuthResponse, StorePskRequest, StorePskResponse, SupportedCiphersuitesRequest, SupportedCiphersuitesResponse,
    UnprotectRequest, UnprotectResponse,
};
pub use handshake::{
    AddProposalRequest, CommitRequest, CommitResponse, Extension, ExternalPskProposalRequest,
    GroupContextExtensionsProposalRequest, HandleCommitRequest, HandleCommitResponse, HandlePendingCommitRequest,
    ProposalDescription, ProposalResponse, RemoveProposalRequest, ResumptionPskProposalRequest, UpdateProposalRequest,
};
pub use subgroup::{
    AddExternalSignerRequest, CreateBranchRequest, CreateExternalSignerRequest, CreateExternalSignerResponse,
    CreateSubgroupResponse, ExternalSignerProposalRequest, FreeRequest, FreeResponse, HandleBranchRequest,
    HandleBranchResponse, HandleReInitCommitResponse, HandleReInitWelcomeRequest, NewMemberAddProposalRequest,
    NewMemberAddProposalResponse, ReInitProposalRequest, ReInitWelcomeRequest,
};
