//! Tree hashes and parent hashes as the text defines them (RFC 9420, Sections 7.8 and 7.9).
//!
//! In: nodes. Out: hashes. Always: written apart from the engine, which must come to the same values.

use mls_crypto::{Hash, SuiteCrypto};
use mls_engine::{codec::encode, math::LeafIndex, message::LeafNode, tree::ParentNode};

/// `TreeHashInput` of a leaf.
pub(super) fn leaf(suite: &dyn SuiteCrypto, index: LeafIndex, node: &Option<LeafNode>) -> Hash {
    suite.hash(&[&[1], &index.get().to_be_bytes(), &encode(node).unwrap()])
}

/// `TreeHashInput` of a parent.
pub(super) fn parent(suite: &dyn SuiteCrypto, node: &Option<ParentNode>, left: Hash, right: Hash) -> Hash {
    suite.hash(&[&[2], &encode(node).unwrap(), &encode(&left).unwrap(), &encode(&right).unwrap()])
}

/// `ParentHashInput`: what the next node down carries.
pub(super) fn parent_hash(suite: &dyn SuiteCrypto, node: &ParentNode, sibling: Hash) -> Hash {
    let key = encode(&node.encryption_key).unwrap();
    suite.hash(&[&key, &encode(&node.parent_hash).unwrap(), &encode(&sibling).unwrap()])
}
