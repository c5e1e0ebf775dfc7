//! Parent nodes, and nodes on the wire (RFC 9420, Sections 7.1 and 12.4.3.3).

use mls_crypto::{Hash, HpkePublicKey};
use tls_codec::{DeserializeBytes, Error, TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    codec::{Fault, fault},
    math::LeafIndex,
    message::LeafNode,
};

/// `ParentNode`.
#[derive(Clone, Debug, Eq, PartialEq, TlsSerialize, TlsSize)]
pub struct ParentNode {
    /// The node's key.
    pub encryption_key: HpkePublicKey,
    /// Binds the node to its ancestors (Section 7.9).
    pub parent_hash: Hash,
    /// Leaves below that do not hold the node's private key, in increasing order.
    pub unmerged_leaves: Vec<LeafIndex>,
}

impl DeserializeBytes for ParentNode {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (encryption_key, bytes) = HpkePublicKey::tls_deserialize_bytes(bytes)?;
        let (parent_hash, bytes) = Hash::tls_deserialize_bytes(bytes)?;
        let (unmerged_leaves, rest) = Vec::<LeafIndex>::tls_deserialize_bytes(bytes)?;
        // DEC-16: strictly increasing.
        if unmerged_leaves.is_sorted_by(|a, b| a < b) {
            Ok((Self { encryption_key, parent_hash, unmerged_leaves }, rest))
        } else {
            Err(fault(Fault::UnmergedLeavesNotSorted))
        }
    }
}

/// `Node`, as the `ratchet_tree` extension carries it. DEC-10: a closed set.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(clippy::exhaustive_enums, reason = "the RFC closes the set")]
#[repr(u8)]
pub enum Node {
    /// A member.
    #[tls_codec(discriminant = 1)]
    Leaf(LeafNode),
    /// A parent.
    #[tls_codec(discriminant = 2)]
    Parent(ParentNode),
}
