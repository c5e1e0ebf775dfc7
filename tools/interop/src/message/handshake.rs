//! Messages of the harness: proposals and commits.

use prost::Message;

/// An Add.
#[derive(Clone, PartialEq, Message)]
pub struct AddProposalRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub key_package: Vec<u8>,
}

/// The proposal, an MLSMessage.
#[derive(Clone, PartialEq, Message)]
pub struct ProposalResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub proposal: Vec<u8>,
}

/// An Update.
#[derive(Clone, PartialEq, Message)]
pub struct UpdateProposalRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
}

/// A Remove of the member with this identity.
#[derive(Clone, PartialEq, Message)]
pub struct RemoveProposalRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub removed_id: Vec<u8>,
}

/// An external PSK.
#[derive(Clone, PartialEq, Message)]
pub struct ExternalPskProposalRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub psk_id: Vec<u8>,
}

/// A resumption PSK of an epoch of the group.
#[derive(Clone, PartialEq, Message)]
pub struct ResumptionPskProposalRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(uint64, tag = "2")]
    pub epoch_id: u64,
}

/// An extension.
#[derive(Clone, PartialEq, Message)]
pub struct Extension {
    #[prost(uint32, tag = "1")]
    pub extension_type: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub extension_data: Vec<u8>,
}

/// A whole new list of extensions.
#[derive(Clone, PartialEq, Message)]
pub struct GroupContextExtensionsProposalRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(message, repeated, tag = "2")]
    pub extensions: Vec<Extension>,
}

/// A proposal by value; which fields count is the type's to say.
#[derive(Clone, PartialEq, Message)]
pub struct ProposalDescription {
    #[prost(bytes = "vec", tag = "1")]
    pub proposal_type: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub key_package: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub removed_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub psk_id: Vec<u8>,
    #[prost(uint64, tag = "5")]
    pub epoch_id: u64,
    #[prost(message, repeated, tag = "6")]
    pub extensions: Vec<Extension>,
    #[prost(bytes = "vec", tag = "7")]
    pub group_id: Vec<u8>,
    #[prost(uint32, tag = "8")]
    pub cipher_suite: u32,
}

/// A commit of exactly these proposals.
#[derive(Clone, PartialEq, Message)]
pub struct CommitRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub by_reference: Vec<Vec<u8>>,
    #[prost(message, repeated, tag = "3")]
    pub by_value: Vec<ProposalDescription>,
    #[prost(bool, tag = "4")]
    pub force_path: bool,
    #[prost(bool, tag = "5")]
    pub external_tree: bool,
}

/// The commit, the Welcome, and the tree if it is not inside.
#[derive(Clone, PartialEq, Message)]
pub struct CommitResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub commit: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub welcome: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub ratchet_tree: Vec<u8>,
}

/// Somebody's commit, and the proposals it names.
#[derive(Clone, PartialEq, Message)]
pub struct HandleCommitRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub proposal: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "3")]
    pub commit: Vec<u8>,
}

/// The epoch after it.
#[derive(Clone, PartialEq, Message)]
pub struct HandleCommitResponse {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub epoch_authenticator: Vec<u8>,
}

/// One's own commit.
#[derive(Clone, PartialEq, Message)]
pub struct HandlePendingCommitRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
}
