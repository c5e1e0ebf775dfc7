//! Whether a received tree can be trusted (RFC 9420, Sections 12.4.3.1 and 7.9.2).
//!
//! In: a decoded tree and the context that names it. Out: nothing, or the rule it breaks.
//! Always: structure before hashes, hashes before signatures: the cheap checks come first.

use mls_crypto::SuiteCrypto;

use super::{
    RatchetTree,
    leaf_rules::LeafRules,
    parent_hash,
    subtree::{Span, Subtree},
};
use crate::{
    error::ProcessError,
    math::LeafIndex,
    message::{CredentialType, GroupContext},
    policy::Env,
};

/// WEL-12: the whole integrity check of a tree that someone gave us.
///
/// # Errors
/// [`ProcessError`] naming the rule.
pub fn validate(
    env: &Env<'_>,
    suite: &dyn SuiteCrypto,
    tree: &RatchetTree,
    context: &GroupContext,
) -> Result<(), ProcessError> {
    // TREE-01
    if tree.tree_hash() != context.tree_hash {
        return Err(ProcessError::TreeHashMismatch);
    }
    check_height(tree)?;
    check_unmerged_leaves(tree)?;
    parent_hash::verify(suite, tree)?;
    check_agreement(tree, &[])?;
    LeafRules::new(env, suite, context)?.check_tree(tree)
}

/// LN-09, LN-10, CRED-16: every member supports every credential type in use, and those of `external`.
///
/// # Errors
/// [`ProcessError::UnsupportedCredential`].
pub(crate) fn check_agreement(tree: &RatchetTree, external: &[CredentialType]) -> Result<(), ProcessError> {
    let missing = external.iter().find(|kind| !tree.supports_credential(**kind)).copied();
    match tree.unsupported_credential().or(missing) {
        Some(kind) => Err(ProcessError::UnsupportedCredential(kind)),
        None => Ok(()),
    }
}

/// DEC-20: the right half has a member, unless the tree is a single leaf.
fn check_height(tree: &RatchetTree) -> Result<(), ProcessError> {
    let (Subtree::Parent(root), span) = tree.rooted() else { return Ok(()) };
    match span.children() {
        Some((_, right)) if root.right.counts(right).members == 0 => Err(ProcessError::TreeNotTruncated),
        _ => Ok(()),
    }
}

/// TREE-11, TREE-12: every unmerged leaf is a member below, and every set node in between lists it too.
fn check_unmerged_leaves(tree: &RatchetTree) -> Result<(), ProcessError> {
    let (root, root_span) = tree.rooted();
    let mut result = Ok(());
    root.visit(root_span, &mut |span, subtree| {
        let Subtree::Parent(parent) = subtree else { return };
        let Some(node) = &parent.node else { return };
        if result.is_ok() && !node.unmerged_leaves.iter().all(|leaf| is_unmerged_below(subtree, span, *leaf)) {
            result = Err(ProcessError::InvalidUnmergedLeaves(span.node()));
        }
    });
    result
}

fn is_unmerged_below(subtree: &Subtree, span: Span, leaf: LeafIndex) -> bool {
    if !span.contains(leaf) {
        return false;
    }
    match (subtree, span.children()) {
        (Subtree::Leaf(_), _) => true,
        (Subtree::Parent(parent), Some((left, right))) => {
            let listed = parent.node.as_ref().is_none_or(|node| node.unmerged_leaves.binary_search(&leaf).is_ok());
            let (child, child_span) = if left.contains(leaf) { (&parent.left, left) } else { (&parent.right, right) };
            listed && is_unmerged_below(child, child_span, leaf)
        }
        _ => false,
    }
}
