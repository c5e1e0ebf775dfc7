//! Parent hashes: binding a commit to the tree it was made for (RFC 9420, Section 7.9).
//!
//! In: a parent node and the hash its other child had when the node was set. Out: what the node below must carry.
//! Always: a hash is never zero-length here, so an absent `parent_hash` never matches (TREE-08).

use mls_crypto::{Hash, SuiteCrypto};
use tls_codec::{Serialize, TlsSerialize, TlsSize};

use super::{
    PathStep, RatchetTree, hash,
    node::ParentNode,
    subtree::{Parent, Span, Subtree},
};
use crate::error::{DecodeError, ProcessError};
use mls_crypto::HpkePublicKey;

/// `ParentHashInput`.
#[derive(TlsSerialize, TlsSize)]
struct ParentHashInput<'a> {
    encryption_key: &'a HpkePublicKey,
    parent_hash: Hash,
    original_sibling_tree_hash: Hash,
}

/// The parent hash of `node` with a copath child that has this original tree hash.
fn parent_hash(
    suite: &dyn SuiteCrypto,
    node: &ParentNode,
    original_sibling_tree_hash: Hash,
) -> Result<Hash, ProcessError> {
    let input = ParentHashInput {
        encryption_key: &node.encryption_key,
        parent_hash: node.parent_hash,
        original_sibling_tree_hash,
    };
    let bytes = input.tls_serialize_detached().map_err(|_| DecodeError::TooLong)?;
    Ok(suite.hash(&[&bytes]))
}

/// The parents of a fresh path with these keys (leaf to root), and the `parent_hash` of its leaf.
///
/// PATH-05: for an empty path the leaf's value is zero-length. TREE-08: so is the root's own.
pub(super) fn of_path(
    suite: &dyn SuiteCrypto,
    steps: &[PathStep<'_>],
    keys: &[HpkePublicKey],
) -> Result<(Vec<(Span, ParentNode)>, Hash), ProcessError> {
    let mut above = Hash::EMPTY;
    let mut parents = Vec::with_capacity(steps.len());
    for (step, key) in steps.iter().zip(keys).rev() {
        let node = ParentNode { encryption_key: key.clone(), parent_hash: above, unmerged_leaves: Vec::new() };
        above = parent_hash(suite, &node, step.copath.1.tree_hash())?;
        parents.push((step.span, node));
    }
    Ok((parents, above))
}

/// TREE-03 to TREE-09 (Section 7.9.2): every non-blank parent is covered by exactly one chain from a leaf.
///
/// # Errors
/// [`ProcessError::InvalidParentHash`] with the node that is not.
pub(super) fn verify(suite: &dyn SuiteCrypto, tree: &RatchetTree) -> Result<(), ProcessError> {
    let (root, root_span) = tree.rooted();
    // TREE-08: nothing is above the root. After a truncation too: the commit that removed has set or blanked it.
    match root {
        Subtree::Parent(parent) if parent.node.as_ref().is_some_and(|node| !node.parent_hash.is_empty()) => {
            return Err(ProcessError::InvalidParentHash(root_span.node()));
        }
        _ => {}
    }
    let mut result = Ok(());
    root.visit(root_span, &mut |span, subtree| {
        if let (Subtree::Parent(parent), Ok(())) = (subtree, &result) {
            result = verify_parent(suite, tree, parent, span);
        }
    });
    result
}

fn verify_parent(suite: &dyn SuiteCrypto, tree: &RatchetTree, parent: &Parent, span: Span) -> Result<(), ProcessError> {
    let (Some(node), Some((left, right))) = (&parent.node, span.children()) else { return Ok(()) };
    let sides = [((&parent.left, left), (&parent.right, right)), ((&parent.right, right), (&parent.left, left))];
    let mut chains = 0u8;
    for (child, sibling) in sides {
        if covers(suite, tree, node, child, sibling)? {
            chains = chains.saturating_add(1);
        }
    }
    // TREE-06: not none, and not two.
    if chains == 1 { Ok(()) } else { Err(ProcessError::InvalidParentHash(span.node())) }
}

/// Whether some node D in the resolution of `child` was set together with `node`.
fn covers(
    suite: &dyn SuiteCrypto,
    tree: &RatchetTree,
    node: &ParentNode,
    child: (&Subtree, Span),
    sibling: (&Subtree, Span),
) -> Result<bool, ProcessError> {
    let mut resolution = Vec::new();
    child.0.resolution(child.1, tree.rooted(), &mut resolution);
    let unmerged = |index: crate::math::NodeIndex| {
        index.leaf().is_some_and(|leaf| node.unmerged_leaves.binary_search(&leaf).is_ok())
    };
    // TREE-04, TREE-05: the unmerged leaves below the child are exactly the resolution without D, so D is the one
    // entry that is not unmerged.
    let mut merged = resolution.iter().filter(|(index, _)| !unmerged(*index));
    let (Some((d, _)), None) = (merged.next(), merged.next()) else { return Ok(false) };
    let unmerged_below = node.unmerged_leaves.iter().filter(|leaf| child.1.contains(**leaf)).count();
    if resolution.len() != unmerged_below.saturating_add(1) {
        return Ok(false);
    }
    let Some(claimed) = tree.subtree_at(*d).and_then(Subtree::parent_hash) else { return Ok(false) };
    let original = hash::without(suite, sibling.0, sibling.1, &node.unmerged_leaves)?;
    Ok(claimed == parent_hash(suite, node, original)?)
}
