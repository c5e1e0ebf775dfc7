//! Messages of the harness: joining, and using a group.

use prost::Message;

/// What stack this is.
#[derive(Clone, PartialEq, Message)]
pub struct NameRequest {}

/// The stack's name.
#[derive(Clone, PartialEq, Message)]
pub struct NameResponse {
    #[prost(string, tag = "1")]
    pub name: String,
}

/// Which suites it has.
#[derive(Clone, PartialEq, Message)]
pub struct SupportedCiphersuitesRequest {}

/// Its suites.
#[derive(Clone, PartialEq, Message)]
pub struct SupportedCiphersuitesResponse {
    #[prost(uint32, repeated, tag = "1")]
    pub ciphersuites: Vec<u32>,
}

/// A group of one, with a basic credential.
#[derive(Clone, PartialEq, Message)]
pub struct CreateGroupRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub group_id: Vec<u8>,
    #[prost(uint32, tag = "2")]
    pub cipher_suite: u32,
    #[prost(bool, tag = "3")]
    pub encrypt_handshake: bool,
    #[prost(bytes = "vec", tag = "4")]
    pub identity: Vec<u8>,
}

/// Its state.
#[derive(Clone, PartialEq, Message)]
pub struct CreateGroupResponse {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
}

/// A key package.
#[derive(Clone, PartialEq, Message)]
pub struct CreateKeyPackageRequest {
    #[prost(uint32, tag = "1")]
    pub cipher_suite: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub identity: Vec<u8>,
}

/// The package, an MLSMessage, and its private keys.
#[derive(Clone, PartialEq, Message)]
pub struct CreateKeyPackageResponse {
    #[prost(uint32, tag = "1")]
    pub transaction_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub key_package: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub init_priv: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub encryption_priv: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    pub signature_priv: Vec<u8>,
}

/// Joining by Welcome.
#[derive(Clone, PartialEq, Message)]
pub struct JoinGroupRequest {
    #[prost(uint32, tag = "1")]
    pub transaction_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub welcome: Vec<u8>,
    #[prost(bool, tag = "3")]
    pub encrypt_handshake: bool,
    #[prost(bytes = "vec", tag = "4")]
    pub identity: Vec<u8>,
    #[prost(bytes = "vec", tag = "5")]
    pub ratchet_tree: Vec<u8>,
}

/// The state joined.
#[derive(Clone, PartialEq, Message)]
pub struct JoinGroupResponse {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub epoch_authenticator: Vec<u8>,
}

/// An external PSK.
#[derive(Clone, PartialEq, Message)]
pub struct PreSharedKey {
    #[prost(bytes = "vec", tag = "1")]
    pub psk_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub psk_secret: Vec<u8>,
}

/// Joining by external commit.
#[derive(Clone, PartialEq, Message)]
pub struct ExternalJoinRequest {
    #[prost(bytes = "vec", tag = "1")]
    pub group_info: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub ratchet_tree: Vec<u8>,
    #[prost(bool, tag = "3")]
    pub encrypt_handshake: bool,
    #[prost(bytes = "vec", tag = "4")]
    pub identity: Vec<u8>,
    #[prost(bool, tag = "5")]
    pub remove_prior: bool,
    #[prost(message, repeated, tag = "6")]
    pub psks: Vec<PreSharedKey>,
}

/// The state joined, and the commit for the others.
#[derive(Clone, PartialEq, Message)]
pub struct ExternalJoinResponse {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub commit: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub epoch_authenticator: Vec<u8>,
}

/// A GroupInfo that allows external commits.
#[derive(Clone, PartialEq, Message)]
pub struct GroupInfoRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bool, tag = "2")]
    pub external_tree: bool,
}

/// The GroupInfo, an MLSMessage, and the tree if it is not inside.
#[derive(Clone, PartialEq, Message)]
pub struct GroupInfoResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub group_info: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub ratchet_tree: Vec<u8>,
}

/// The epoch authenticator.
#[derive(Clone, PartialEq, Message)]
pub struct StateAuthRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
}

/// The epoch authenticator.
#[derive(Clone, PartialEq, Message)]
pub struct StateAuthResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub state_auth_secret: Vec<u8>,
}

/// An exported secret.
#[derive(Clone, PartialEq, Message)]
pub struct ExportRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(string, tag = "2")]
    pub label: String,
    #[prost(bytes = "vec", tag = "3")]
    pub context: Vec<u8>,
    #[prost(uint32, tag = "4")]
    pub key_length: u32,
}

/// An exported secret.
#[derive(Clone, PartialEq, Message)]
pub struct ExportResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub exported_secret: Vec<u8>,
}

/// Encrypting application data.
#[derive(Clone, PartialEq, Message)]
pub struct ProtectRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub authenticated_data: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub plaintext: Vec<u8>,
}

/// The message.
#[derive(Clone, PartialEq, Message)]
pub struct ProtectResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub ciphertext: Vec<u8>,
}

/// Opening a message.
#[derive(Clone, PartialEq, Message)]
pub struct UnprotectRequest {
    #[prost(uint32, tag = "1")]
    pub state_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub ciphertext: Vec<u8>,
}

/// What it says.
#[derive(Clone, PartialEq, Message)]
pub struct UnprotectResponse {
    #[prost(bytes = "vec", tag = "1")]
    pub authenticated_data: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub plaintext: Vec<u8>,
}

/// An external PSK for a state or a transaction.
#[derive(Clone, PartialEq, Message)]
pub struct StorePskRequest {
    #[prost(uint32, tag = "1")]
    pub state_or_transaction_id: u32,
    #[prost(bytes = "vec", tag = "2")]
    pub psk_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub psk_secret: Vec<u8>,
}

/// The PSK is known.
#[derive(Clone, PartialEq, Message)]
pub struct StorePskResponse {}
