//! The ratchet tree (RFC 9420, Sections 4 and 7).
//!
//! In: leaves, proposals' effects and paths. Out: the next tree, beside the old one.
//! Always: a [`RatchetTree`] is an immutable value whose subtrees are shared, hashed once and summarised once, so the
//! cost of a change is the length of a path.

mod draft;
mod hash;
mod keys;
mod leaf_rules;
mod node;
mod parent_hash;
mod path;
mod private;
mod rows;
mod subtree;
mod summary;
mod validate;
mod wire;

use std::sync::Arc;

use mls_crypto::{Hash, HpkePublicKey, SignaturePublicKey, SuiteCrypto};

pub use draft::TreeDraft;
use keys::KeyIndex;
pub use leaf_rules::{Checked, LeafPlace, LeafRules};
pub use node::{Node, ParentNode};
pub use path::{PathCreated, PathKeys, PathReceived, PathSigner, Provisional};
pub(crate) use path::{seal_in_parallel, sign_leaf};
pub use private::{PrivateChange, TreePrivate};
pub use rows::{NodeRow, NodeSource};
use subtree::{Span, Subtree};
use summary::Types;
pub(crate) use validate::check_agreement;
pub use validate::validate;

use crate::{
    math::{LeafCount, LeafIndex, NodeIndex},
    message::{CredentialType, ExtensionType, LeafNode, ProposalType},
    policy::Roster,
};

/// The public ratchet tree of one epoch.
#[derive(Clone, Debug)]
pub struct RatchetTree {
    root: Subtree,
    depth: u8,
    keys: KeyIndex,
}

/// One node of a leaf's filtered direct path (Section 4.1.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathStep<'a> {
    /// The parent.
    pub(crate) span: Span,
    /// The child that is not on the path.
    pub(crate) copath: (Span, &'a Subtree),
}

impl RatchetTree {
    /// Number of leaf positions.
    pub fn leaf_count(&self) -> LeafCount {
        LeafCount::of_depth(self.depth).unwrap_or(LeafCount::ONE)
    }

    /// Height of the root above the leaves.
    pub fn depth(&self) -> u8 {
        self.depth
    }

    /// Number of members.
    pub fn member_count(&self) -> u32 {
        self.root.counts(Span::root(self.depth)).members
    }

    /// The tree hash of the root (Section 7.8).
    pub fn tree_hash(&self) -> Hash {
        self.root.tree_hash()
    }

    /// The tree hash of any node; `None` outside the tree or inside a blank region.
    pub fn tree_hash_at(&self, node: NodeIndex) -> Option<Hash> {
        self.subtree_at(node).map(Subtree::tree_hash)
    }

    /// The member at `index`. FRM-07: `None` for a blank leaf and for one out of range.
    pub fn leaf(&self, index: LeafIndex) -> Option<&LeafNode> {
        match self.root.at(Span::root(self.depth), Span { first: index, height: 0 })? {
            Subtree::Leaf(leaf) if self.leaf_count().contains(index) => Some(&leaf.node),
            _ => None,
        }
    }

    /// The parent node at `node`; `None` if it is blank or no parent.
    pub fn parent(&self, node: NodeIndex) -> Option<&ParentNode> {
        match self.subtree_at(node)? {
            Subtree::Parent(parent) => parent.node.as_ref(),
            Subtree::Blank(_) | Subtree::Leaf(_) => None,
        }
    }

    /// All members, in order of their leaves.
    pub fn members(&self) -> Vec<(LeafIndex, &LeafNode)> {
        let mut members = Vec::new();
        self.root.visit(Span::root(self.depth), &mut |span, subtree| {
            if let Subtree::Leaf(leaf) = subtree {
                members.push((span.first, &leaf.node));
            }
        });
        members
    }

    /// The member with this signature key.
    pub fn leaf_with_signature_key(&self, suite: &dyn SuiteCrypto, key: &SignaturePublicKey) -> Option<LeafIndex> {
        self.keys.leaf_of(suite, key)
    }

    /// The node with this encryption key.
    pub fn node_with_encryption_key(&self, suite: &dyn SuiteCrypto, key: &HpkePublicKey) -> Option<NodeIndex> {
        self.keys.node_of(suite, key)
    }

    /// The resolution of a node (Section 4.1.1), in order.
    pub fn resolution(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let mut resolution = Vec::new();
        if let (Some(span), Some(subtree)) = (span_of(node), self.subtree_at(node)) {
            subtree.resolution(span, self.rooted(), &mut resolution);
        }
        resolution.into_iter().map(|(node, _)| node).collect()
    }

    /// A credential type in use that some member does not support (LN-09, LN-10, CRED-16).
    pub fn unsupported_credential(&self) -> Option<CredentialType> {
        self.types().and_then(|types| types.unsupported_credential())
    }

    /// Whether every member supports the credential type.
    pub fn supports_credential(&self, credential: CredentialType) -> bool {
        self.types().is_none_or(|types| types.supports_credential(credential))
    }

    /// Whether every member supports the extension type (LN-16, PROP-17).
    pub fn supports_extension(&self, extension: ExtensionType) -> bool {
        self.types().is_none_or(|types| types.supports_extension(extension))
    }

    /// Whether every member supports the proposal type (PROP-23, LIST-11).
    pub fn supports_proposal(&self, proposal: ProposalType) -> bool {
        self.types().is_none_or(|types| types.supports_proposal(proposal))
    }

    /// The filtered direct path of a leaf, from the leaf to the root (Section 4.1.2).
    pub(crate) fn filtered_direct_path(&self, leaf: LeafIndex) -> Vec<PathStep<'_>> {
        let mut steps = Vec::new();
        let (mut subtree, mut span) = (&self.root, Span::root(self.depth));
        while let (Subtree::Parent(parent), Some((left, right))) = (subtree, span.children()) {
            let (next, copath) = if left.contains(leaf) {
                ((&parent.left, left), (right, &parent.right))
            } else {
                ((&parent.right, right), (left, &parent.left))
            };
            if copath.1.counts(copath.0).resolution > 0 {
                steps.push(PathStep { span, copath });
            }
            (subtree, span) = next;
        }
        steps.reverse();
        steps
    }

    /// Starts an edit.
    pub fn draft<'a>(&self, suite: &'a dyn SuiteCrypto) -> TreeDraft<'a> {
        TreeDraft::new(suite, self)
    }

    pub(crate) fn rooted(&self) -> (&Subtree, Span) {
        (&self.root, Span::root(self.depth))
    }

    fn types(&self) -> Option<Arc<Types>> {
        self.root.types()
    }

    fn subtree_at(&self, node: NodeIndex) -> Option<&Subtree> {
        self.root.at(Span::root(self.depth), span_of(node)?)
    }
}

impl Roster for RatchetTree {
    fn member(&self, index: LeafIndex) -> Option<&LeafNode> {
        self.leaf(index)
    }

    fn count(&self) -> u32 {
        self.member_count()
    }

    fn members(&self) -> Vec<(LeafIndex, &LeafNode)> {
        Self::members(self)
    }
}

/// The span whose own node is `node`; `None` if it is higher than any tree.
fn span_of(node: NodeIndex) -> Option<Span> {
    let height = u8::try_from(node.level()).ok()?;
    let low = 1u32.checked_shl(node.level())?.checked_sub(1)?;
    let first = node.get().checked_sub(low)?.checked_div(2)?;
    Some(Span { first: LeafIndex::new(first), height })
}
