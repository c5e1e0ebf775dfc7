//! Messages of the harness: ReInit, branches, proposals from outside, and the end.

use prost::Message;

use super::handshake::{Extension, ProposalDescription};

/// A ReInit.
#[derive(Clone, PartialEq, Message)]
pub struct ReInitProposalRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(uint32, tag = "2")]
    pub cipher_suite: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub group_id: Vec<u8>,
    #[prost(message, repeated, tag = "4")]
    pub extensions: Vec<Extension>,
}

/// The end of a group, and a key package for the next.
#[derive(Clone, PartialEq, Message)]
pub struct HandleReInitCommitResponse {
    #[prost(uint32, tag = "1")]
    pub reinit_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub key_package: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub epoch_authenticator: Vec<u8>,
}

/// Founding the group that continues another.
#[derive(Clone, PartialEq, Message)]
pub struct ReInitWelcomeRequest {
    #[prost(uint32, tag = "1")]
    pub reinit_id: u32,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub key_package: Vec<Vec<u8>>,
    #[prost(bool, tag = "3")]
    pub force_path: bool,
    #[prost(bool, tag = "4")]
    pub external_tree: bool,
}

/// The new group's state and the Welcome.
#[derive(Clone, PartialEq, Message)]
pub struct CreateSubgroupResponse {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub welcome: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub ratchet_tree: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub epoch_authenticator: Vec<u8>,
}

/// Joining the group that continues another.
#[derive(Clone, PartialEq, Message)]
pub struct HandleReInitWelcomeRequest {
    #[prost(uint32, tag = "1")]
    pub reinit_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub welcome: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub ratchet_tree: Vec<u8>,
}

/// Founding a subgroup.
#[derive(Clone, PartialEq, Message)]
pub struct CreateBranchRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub group_id: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    pub extensions: Vec<Extension>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub key_packages: Vec<Vec<u8>>,
    #[prost(bool, tag = "5")]
    pub force_path: bool,
    #[prost(bool, tag = "6")]
    pub external_tree: bool,
}

/// Joining a subgroup.
#[derive(Clone, PartialEq, Message)]
pub struct HandleBranchRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(uint32, tag = "2")]
    pub transaction_id: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub welcome: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub ratchet_tree: Vec<u8>,
}

/// The subgroup's state.
#[derive(Clone, PartialEq, Message)]
pub struct HandleBranchResponse {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub epoch_authenticator: Vec<u8>,
}

/// Asking to be added.
#[derive(Clone, PartialEq, Message)]
pub struct NewMemberAddProposalRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub group_info: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub identity: Vec<u8>,
}

/// The proposal, and the private keys of its package.
#[derive(Clone, PartialEq, Message)]
pub struct NewMemberAddProposalResponse {
    #[prost(uint32, tag = "1")]
    pub transaction_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub proposal: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub init_priv: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub encryption_priv: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    pub signature_priv: Vec<u8>,
}

/// An external sender.
#[derive(Clone, PartialEq, Message)]
pub struct CreateExternalSignerRequest {
    #[prost(uint32, tag = "1")]
    pub cipher_suite: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub identity: Vec<u8>,
}

/// Its entry, an encoded ExternalSender.
#[derive(Clone, PartialEq, Message)]
pub struct CreateExternalSignerResponse {
    #[prost(uint32, tag = "1")]
    pub signer_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub external_sender: Vec<u8>,
}

/// A GroupContextExtensions that appends an external sender.
#[derive(Clone, PartialEq, Message)]
pub struct AddExternalSignerRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub external_sender: Vec<u8>,
}

/// A proposal by an external sender, which finds its index by its key.
#[derive(Clone, PartialEq, Message)]
pub struct ExternalSignerProposalRequest {
    #[prost(uint32, tag = "1")]
    pub signer_id: u32,
    #[prost(uint32, tag = "2")]
    pub signer_index: u32,
    #[prost(bytes = "vec", tag = "3")]
    pub group_info: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub ratchet_tree: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    pub description: Option<ProposalDescription>,
}

/// Forgetting a state.
#[derive(Clone, PartialEq, Message)]
pub struct FreeRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
}

/// It is forgotten.
#[derive(Clone, PartialEq, Message)]
pub struct FreeResponse {}
