//! Tree hashes (RFC 9420, Section 7.8).
//!
//! In: nodes and the hashes of their children. Out: hashes that fix a whole subtree, position included.

use mls_crypto::{Hash, SuiteCrypto};
use tls_codec::{Serialize, TlsSerialize, TlsSize};

use super::{
    node::ParentNode,
    subtree::{Span, Subtree},
};
use crate::{
    error::{DecodeError, ProcessError},
    math::LeafIndex,
    message::LeafNode,
};

/// `TreeHashInput` for a leaf.
#[derive(TlsSerialize, TlsSize)]
struct LeafHashInput<'a> {
    node_type: u8,
    leaf_index: LeafIndex,
    leaf_node: Option<&'a LeafNode>,
}

/// `TreeHashInput` for a parent.
#[derive(TlsSerialize, TlsSize)]
struct ParentHashInput<'a> {
    node_type: u8,
    parent_node: Option<&'a ParentNode>,
    left_hash: Hash,
    right_hash: Hash,
}

const LEAF: u8 = 1;
const PARENT: u8 = 2;

fn hash_of<T: Serialize>(suite: &dyn SuiteCrypto, input: &T) -> Result<Hash, ProcessError> {
    let bytes = input.tls_serialize_detached().map_err(|_| DecodeError::TooLong)?;
    Ok(suite.hash(&[&bytes]))
}

/// The tree hash of a leaf, blank or not.
pub(crate) fn leaf(suite: &dyn SuiteCrypto, index: LeafIndex, node: Option<&LeafNode>) -> Result<Hash, ProcessError> {
    hash_of(suite, &LeafHashInput { node_type: LEAF, leaf_index: index, leaf_node: node })
}

/// The tree hash of a parent, blank or not.
pub(crate) fn parent(
    suite: &dyn SuiteCrypto,
    node: Option<&ParentNode>,
    left_hash: Hash,
    right_hash: Hash,
) -> Result<Hash, ProcessError> {
    hash_of(suite, &ParentHashInput { node_type: PARENT, parent_node: node, left_hash, right_hash })
}

/// The tree hash of a subtree without any node: linear in its leaves.
pub(crate) fn blank(suite: &dyn SuiteCrypto, span: Span) -> Result<Hash, ProcessError> {
    match span.children() {
        None => leaf(suite, span.first, None),
        Some((left, right)) => parent(suite, None, blank(suite, left)?, blank(suite, right)?),
    }
}

/// TREE-07 (Section 7.9): the tree hash a sealed subtree would have with `leaves` blank and taken out of every list of
/// unmerged leaves. `leaves` must be sorted. Only the paths to those leaves are computed again.
pub(crate) fn without(
    suite: &dyn SuiteCrypto,
    subtree: &Subtree,
    span: Span,
    leaves: &[LeafIndex],
) -> Result<Hash, ProcessError> {
    if !leaves.iter().any(|leaf| span.contains(*leaf)) {
        return Ok(subtree.tree_hash());
    }
    match (subtree, span.children()) {
        (Subtree::Parent(parent_subtree), Some((left, right))) => {
            let node = parent_subtree.node.as_ref().map(|node| ParentNode {
                unmerged_leaves: node
                    .unmerged_leaves
                    .iter()
                    .filter(|leaf| leaves.binary_search(leaf).is_err())
                    .copied()
                    .collect(),
                ..node.clone()
            });
            let left_hash = without(suite, &parent_subtree.left, left, leaves)?;
            let right_hash = without(suite, &parent_subtree.right, right, leaves)?;
            parent(suite, node.as_ref(), left_hash, right_hash)
        }
        (Subtree::Leaf(_), _) => leaf(suite, span.first, None),
        (Subtree::Blank(_) | Subtree::Parent(_), _) => Ok(subtree.tree_hash()),
    }
}
