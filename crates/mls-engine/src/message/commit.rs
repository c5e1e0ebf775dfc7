//! Commits and their paths (RFC 9420, Sections 7.6 and 12.4).

use mls_crypto::{HpkeCiphertext, HpkePublicKey};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{LeafNode, Proposal, ProposalRef};

/// `ProposalOrRef`. DEC-10: a closed set.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(clippy::exhaustive_enums, reason = "the RFC closes the set")]
#[repr(u8)]
pub enum ProposalOrRef {
    /// The proposal itself, made by the committer.
    #[tls_codec(discriminant = 1)]
    Proposal(Proposal),
    /// One that was sent before.
    #[tls_codec(discriminant = 2)]
    Reference(ProposalRef),
}

/// `UpdatePathNode`.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct UpdatePathNode {
    /// The node's next key.
    pub encryption_key: HpkePublicKey,
    /// Its path secret, to each node of the copath child's resolution.
    pub encrypted_path_secret: Vec<HpkeCiphertext>,
}

/// `UpdatePath`.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct UpdatePath {
    /// The committer's next leaf.
    pub leaf_node: LeafNode,
    /// The filtered direct path, leaf to root.
    pub nodes: Vec<UpdatePathNode>,
}

/// `Commit`.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Commit {
    /// What it applies, in order.
    pub proposals: Vec<ProposalOrRef>,
    /// New keys for the committer's path.
    pub path: Option<UpdatePath>,
}
