//! Public tree nodes as records, keyed by tree hash (RFC 9420, Section 7.8).
//!
//! In: two trees that share what they have in common. Out: the rows one has and the other has not, at the cost of
//! what differs; and from rows, a tree.
//! Always: a row is public. Its key authenticates nodes and child hashes; that a child is blank is the store's to seal.

use mls_crypto::{Hash, SuiteCrypto};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{
    RatchetTree, TreeDraft, hash,
    node::ParentNode,
    subtree::{Span, Subtree},
};
use crate::{
    codec::{decode_exact, encode},
    error::OperationError,
    math::{LeafCount, LeafIndex, NodeIndex},
    message::LeafNode,
};

/// Where public tree nodes are read from: synchronous, public data only.
pub trait NodeSource {
    /// The row with this tree hash.
    fn node(&self, tree_hash: &Hash) -> Option<Vec<u8>>;
}

/// One subtree's own node, as a record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeRow {
    /// Where it sits.
    pub node: NodeIndex,
    /// Key of the record.
    pub tree_hash: Hash,
    /// Value of the record.
    pub value: Vec<u8>,
}

/// The stored form of a subtree. Blank children are marked, since their hash follows from their place.
#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
enum Row {
    #[tls_codec(discriminant = 1)]
    Leaf(LeafNode),
    #[tls_codec(discriminant = 2)]
    Parent { node: Option<ParentNode>, left: Child, right: Child },
}

#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
enum Child {
    #[tls_codec(discriminant = 1)]
    Blank(Hash),
    #[tls_codec(discriminant = 2)]
    Known(Hash),
}

impl Child {
    fn of(subtree: &Subtree) -> Self {
        match subtree {
            Subtree::Blank(hash) => Self::Blank(**hash),
            known => Self::Known(known.tree_hash()),
        }
    }

    const fn hash(&self) -> Hash {
        match self {
            Self::Blank(hash) | Self::Known(hash) => *hash,
        }
    }
}

impl Row {
    /// The tree hash that this row has at `span`.
    fn tree_hash(&self, suite: &dyn SuiteCrypto, span: Span) -> Result<Hash, OperationError> {
        Ok(match self {
            Self::Leaf(leaf) => hash::leaf(suite, span.first, Some(leaf))?,
            Self::Parent { node, left, right } => hash::parent(suite, node.as_ref(), left.hash(), right.hash())?,
        })
    }
}

impl RatchetTree {
    /// The rows of this tree that `old` does not have; all of them if there is no old tree.
    ///
    /// # Errors
    /// [`OperationError`] if a node cannot be encoded.
    pub fn rows_not_in(&self, old: Option<&Self>) -> Result<Vec<NodeRow>, OperationError> {
        let mut rows = Vec::new();
        let (root, span) = self.rooted();
        collect(root, span, old, &mut rows)?;
        Ok(rows)
    }

    /// The keys of the nodes of this tree that are in none of `others`.
    pub fn hashes_not_in(&self, others: &[&Self]) -> Vec<Hash> {
        let mut gone = Vec::new();
        let (root, span) = self.rooted();
        collect_gone(root, span, others, &mut gone);
        gone
    }

    /// Reads one leaf of the tree with this root hash and depth: the rows from the root down to it, no others. `None`
    /// for a blank leaf and for one out of range, as [`RatchetTree::leaf`] (FRM-07).
    ///
    /// # Errors
    /// As [`RatchetTree::from_rows`], for the rows on the way.
    pub fn leaf_from_rows(
        suite: &dyn SuiteCrypto,
        (depth, tree_hash): (u8, Hash),
        index: LeafIndex,
        source: &dyn NodeSource,
    ) -> Result<Option<LeafNode>, OperationError> {
        let leaves = LeafCount::of_depth(depth).ok_or(OperationError::InvalidRecord)?;
        if !leaves.contains(index) {
            return Ok(None);
        }
        let (mut span, mut tree_hash) = (Span::root(depth), tree_hash);
        loop {
            let row = read_row(span, &tree_hash, source)?;
            // Every row is held to the hash that names it, so the leaf is the one that the root's hash fixes.
            if row.tree_hash(suite, span)? != tree_hash {
                return Err(OperationError::InvalidRecord);
            }
            let (left, right, (left_span, right_span)) = match (row, span.children()) {
                (Row::Leaf(leaf), _) => return Ok(Some(leaf)),
                (Row::Parent { left, right, .. }, Some(spans)) => (left, right, spans),
                (Row::Parent { .. }, None) => return Err(OperationError::InvalidRecord),
            };
            let (child, below) = if left_span.contains(index) { (left, left_span) } else { (right, right_span) };
            let Child::Known(known) = child else { return Ok(None) };
            (span, tree_hash) = (below, known);
        }
    }

    /// Reads the tree with this root hash and depth from rows.
    ///
    /// # Errors
    /// [`OperationError::InvalidRecord`] if a row is missing, does not decode, or does not hash to its key.
    pub fn from_rows(
        suite: &dyn SuiteCrypto,
        depth: u8,
        tree_hash: Hash,
        source: &dyn NodeSource,
    ) -> Result<Self, OperationError> {
        if LeafCount::of_depth(depth).is_none() {
            return Err(OperationError::InvalidRecord);
        }
        let root = read(suite, Span::root(depth), &tree_hash, source)?;
        let tree = TreeDraft::received(suite, root, depth).seal()?;
        if tree.tree_hash() == tree_hash { Ok(tree) } else { Err(OperationError::InvalidRecord) }
    }
}

/// Whether `tree` has the same subtree at the same place.
fn shares(tree: &RatchetTree, span: Span, tree_hash: &Hash) -> bool {
    let (root, root_span) = tree.rooted();
    root.at(root_span, span).is_some_and(|subtree| subtree.tree_hash() == *tree_hash)
}

fn collect(
    subtree: &Subtree,
    span: Span,
    old: Option<&RatchetTree>,
    rows: &mut Vec<NodeRow>,
) -> Result<(), OperationError> {
    let tree_hash = subtree.tree_hash();
    if matches!(subtree, Subtree::Blank(_)) || old.is_some_and(|old| shares(old, span, &tree_hash)) {
        return Ok(());
    }
    let row = match subtree {
        Subtree::Leaf(leaf) => Row::Leaf(leaf.node.clone()),
        Subtree::Parent(parent) => {
            Row::Parent { node: parent.node.clone(), left: Child::of(&parent.left), right: Child::of(&parent.right) }
        }
        Subtree::Blank(_) => return Ok(()),
    };
    rows.push(NodeRow { node: span.node(), tree_hash, value: encode(&row)? });
    if let (Subtree::Parent(parent), Some((left, right))) = (subtree, span.children()) {
        collect(&parent.left, left, old, rows)?;
        collect(&parent.right, right, old, rows)?;
    }
    Ok(())
}

fn collect_gone(subtree: &Subtree, span: Span, others: &[&RatchetTree], gone: &mut Vec<Hash>) {
    let tree_hash = subtree.tree_hash();
    if matches!(subtree, Subtree::Blank(_)) || others.iter().any(|tree| shares(tree, span, &tree_hash)) {
        return;
    }
    gone.push(tree_hash);
    if let (Subtree::Parent(parent), Some((left, right))) = (subtree, span.children()) {
        collect_gone(&parent.left, left, others, gone);
        collect_gone(&parent.right, right, others, gone);
    }
}

fn read(
    suite: &dyn SuiteCrypto,
    span: Span,
    tree_hash: &Hash,
    source: &dyn NodeSource,
) -> Result<Subtree, OperationError> {
    match (read_row(span, tree_hash, source)?, span.children()) {
        (Row::Leaf(leaf), _) => Ok(Subtree::leaf(suite, span.first, leaf)?),
        (Row::Parent { node, left, right }, Some((left_span, right_span))) => {
            let left = read_child(suite, left_span, &left, source)?;
            let right = read_child(suite, right_span, &right, source)?;
            Ok(Subtree::parent(node, left, right, span))
        }
        (Row::Parent { .. }, None) => Err(OperationError::InvalidRecord),
    }
}

/// The row with this hash; a leaf exactly where leaves are.
fn read_row(span: Span, tree_hash: &Hash, source: &dyn NodeSource) -> Result<Row, OperationError> {
    let value = source.node(tree_hash).ok_or(OperationError::InvalidRecord)?;
    let row: Row = decode_exact(&value).map_err(|_| OperationError::InvalidRecord)?;
    let in_place = matches!(row, Row::Leaf(_)) == (span.height == 0);
    if in_place { Ok(row) } else { Err(OperationError::InvalidRecord) }
}

fn read_child(
    suite: &dyn SuiteCrypto,
    span: Span,
    child: &Child,
    source: &dyn NodeSource,
) -> Result<Subtree, OperationError> {
    match child {
        Child::Blank(hash) => Ok(Subtree::blank(*hash)),
        Child::Known(tree_hash) => read(suite, span, tree_hash, source),
    }
}
