//! The persistent hash tree: subtrees that are shared, each with its own tree hash and summary.
//!
//! In: edits of leaves and parents. Out: a new root that shares all that did not change.
//! Always: a subtree that has been sealed never changes; `hash` and `types` of an edited parent are `None` until it is
//! sealed again (see [`super::draft`]).

use std::sync::Arc;

use mls_crypto::{Hash, HpkePublicKey, SuiteCrypto};

use super::{
    hash,
    node::ParentNode,
    summary::{Counts, Types},
};
use crate::{
    error::ProcessError,
    math::{LeafIndex, NodeIndex},
    message::LeafNode,
};

/// Where a subtree sits: `2^height` leaves starting at `first`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) first: LeafIndex,
    pub(crate) height: u8,
}

impl Span {
    pub(crate) const fn root(depth: u8) -> Self {
        Self { first: LeafIndex::FIRST, height: depth }
    }

    /// The spans of the two children; `None` for a leaf.
    pub(crate) fn children(self) -> Option<(Self, Self)> {
        let height = self.height.checked_sub(1)?;
        let half = 1u32.checked_shl(u32::from(height))?;
        let middle = LeafIndex::new(self.first.get().checked_add(half)?);
        Some((Self { first: self.first, height }, Self { first: middle, height }))
    }

    pub(crate) fn contains(self, leaf: LeafIndex) -> bool {
        leaf.is_below(self.first, self.height)
    }

    /// The subtree's own node. Spans come from trees of at most 2^24 leaves, where every node index fits.
    pub(crate) fn node(self) -> NodeIndex {
        NodeIndex::above(self.first, self.height).unwrap_or(NodeIndex::new(u32::MAX))
    }
}

/// A subtree, shared by all trees that contain it.
#[derive(Clone, Debug)]
pub(crate) enum Subtree {
    /// No member and no parent key below; the hash depends on the position.
    Blank(Arc<Hash>),
    /// A member.
    Leaf(Arc<Leaf>),
    /// A parent with something below.
    Parent(Arc<Parent>),
}

#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) node: LeafNode,
    pub(crate) tree_hash: Hash,
}

#[derive(Clone, Debug)]
pub(crate) struct Parent {
    pub(crate) node: Option<ParentNode>,
    pub(crate) left: Subtree,
    pub(crate) right: Subtree,
    pub(crate) counts: Counts,
    pub(crate) sealed: Option<Sealed>,
}

/// What sealing adds to a parent.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) tree_hash: Hash,
    pub(crate) types: Option<Arc<Types>>,
}

impl Subtree {
    /// A leaf, hashed.
    pub(crate) fn leaf(suite: &dyn SuiteCrypto, index: LeafIndex, node: LeafNode) -> Result<Self, ProcessError> {
        let tree_hash = hash::leaf(suite, index, Some(&node))?;
        Ok(Self::Leaf(Arc::new(Leaf { node, tree_hash })))
    }

    /// A blank region with this hash.
    pub(crate) fn blank(tree_hash: Hash) -> Self {
        Self::Blank(Arc::new(tree_hash))
    }

    /// A parent over two subtrees, not sealed.
    pub(crate) fn parent(node: Option<ParentNode>, left: Self, right: Self, span: Span) -> Self {
        let counts = counts_over(node.as_ref(), &left, &right, span);
        Self::Parent(Arc::new(Parent { node, left, right, counts, sealed: None }))
    }

    pub(crate) fn counts(&self, span: Span) -> Counts {
        match self {
            Self::Blank(_) => Counts { members: 0, leftmost_blank: Some(span.first), resolution: 0 },
            Self::Leaf(_) => Counts { members: 1, leftmost_blank: None, resolution: 1 },
            Self::Parent(parent) => parent.counts,
        }
    }

    /// The tree hash (Section 7.8); the zero-length value if not sealed.
    pub(crate) fn tree_hash(&self) -> Hash {
        match self {
            Self::Blank(hash) => **hash,
            Self::Leaf(leaf) => leaf.tree_hash,
            Self::Parent(parent) => parent.sealed.as_ref().map_or(Hash::EMPTY, |sealed| sealed.tree_hash),
        }
    }

    /// What the members below use and support; a leaf's is worked out when asked for, since many leaves have the same.
    pub(crate) fn types(&self) -> Option<Arc<Types>> {
        match self {
            Self::Blank(_) => None,
            Self::Leaf(leaf) => Some(Arc::new(Types::of(&leaf.node))),
            Self::Parent(parent) => parent.sealed.as_ref().and_then(|sealed| sealed.types.clone()),
        }
    }

    /// The key of the subtree's own node, if it is set.
    pub(crate) fn encryption_key(&self) -> Option<&HpkePublicKey> {
        match self {
            Self::Blank(_) => None,
            Self::Leaf(leaf) => Some(&leaf.node.encryption_key),
            Self::Parent(parent) => parent.node.as_ref().map(|node| &node.encryption_key),
        }
    }

    /// The `parent_hash` of the subtree's own node, if it has one.
    pub(crate) fn parent_hash(&self) -> Option<Hash> {
        match self {
            Self::Blank(_) => None,
            Self::Leaf(leaf) => match leaf.node.source {
                crate::message::LeafNodeSource::Commit(parent_hash) => Some(parent_hash),
                _ => None,
            },
            Self::Parent(parent) => parent.node.as_ref().map(|node| node.parent_hash),
        }
    }

    /// Visits every subtree with something in it, parents before children.
    pub(crate) fn visit<'a>(&'a self, span: Span, each: &mut dyn FnMut(Span, &'a Self)) {
        if matches!(self, Self::Blank(_)) {
            return;
        }
        each(span, self);
        if let (Self::Parent(parent), Some((left, right))) = (self, span.children()) {
            parent.left.visit(left, each);
            parent.right.visit(right, each);
        }
    }

    /// The subtree at `target`; `None` if it lies in a blank region or outside.
    pub(crate) fn at(&self, span: Span, target: Span) -> Option<&Self> {
        if span == target {
            return Some(self);
        }
        let Self::Parent(parent) = self else { return None };
        let (left, right) = span.children()?;
        if left.contains(target.first) { parent.left.at(left, target) } else { parent.right.at(right, target) }
    }

    /// The resolution (Section 4.1.1), in order.
    pub(crate) fn resolution<'a>(
        &'a self,
        span: Span,
        root: (&'a Self, Span),
        out: &mut Vec<(NodeIndex, &'a HpkePublicKey)>,
    ) {
        match self {
            Self::Blank(_) => {}
            Self::Leaf(leaf) => out.push((span.node(), &leaf.node.encryption_key)),
            Self::Parent(parent) => match (&parent.node, span.children()) {
                (Some(node), _) => {
                    out.push((span.node(), &node.encryption_key));
                    out.extend(node.unmerged_leaves.iter().filter_map(|leaf| {
                        let place = Span { first: *leaf, height: 0 };
                        root.0.at(root.1, place)?.encryption_key().map(|key| (place.node(), key))
                    }));
                }
                (None, Some((left, right))) => {
                    parent.left.resolution(left, root, out);
                    parent.right.resolution(right, root, out);
                }
                (None, None) => {}
            },
        }
    }
}

pub(crate) fn counts_over(node: Option<&ParentNode>, left: &Subtree, right: &Subtree, span: Span) -> Counts {
    // A parent's span always has children.
    let (left_span, right_span) = span.children().unwrap_or((span, span));
    let own = node.map(|node| node.unmerged_leaves.len().saturating_add(1));
    Counts::over(left.counts(left_span), right.counts(right_span), own)
}
