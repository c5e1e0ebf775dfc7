//! Wire structs, and nothing else: each file holds the structs of one section.
//!
//! Field order is wire order. Decoding checks structure only; whether a value is acceptable is decided by `tree`,
//! `framing` and `group`.

mod commit;
mod context;
mod credential;
mod extension;
mod framed;
mod grease;
mod key_package;
mod leaf_node;
mod mls_message;
mod proposal;
mod psk;
mod registry;
mod welcome;

pub use commit::{Commit, ProposalOrRef, UpdatePath, UpdatePathNode};
pub use context::GroupContext;
pub use credential::{Certificate, Credential};
pub use extension::{Extension, Extensions, ExternalPub, ExternalSender, RequiredCapabilities};
pub use framed::{
    AuthenticatedContent, Content, ContentType, FramedContent, FramedContentAuthData, PrivateMessage, PublicMessage,
    Sender,
};
pub use grease::Grease;
pub use key_package::KeyPackage;
pub use leaf_node::{Capabilities, LeafNode, LeafNodeSource, Lifetime};
pub use mls_message::MlsMessage;
pub use proposal::{
    Add, CustomProposal, ExternalInit, GroupContextExtensions, PreSharedKey, Proposal, ProposalRef, ReInit, Remove,
    Update,
};
pub use psk::{PreSharedKeyId, PskKind, ResumptionPskUsage};
pub use registry::{CredentialType, ExtensionType, ProposalType, ProtocolVersion, WireFormat};
pub use welcome::{EncryptedGroupSecrets, GroupInfo, GroupSecrets, PathSecret, Welcome};
