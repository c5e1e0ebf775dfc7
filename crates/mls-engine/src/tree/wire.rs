//! The `ratchet_tree` extension (RFC 9420, Section 12.4.3.3).
//!
//! In: an array of optional nodes. Out: a sealed tree, or the array again.
//! Always: DEC-18, DEC-19: the array is not empty, ends in a node, and every position holds the right kind. X-DOS-01:
//! blank positions, one byte each on the wire, take no memory.

use std::collections::BTreeMap;

use mls_crypto::{Opaque, SuiteCrypto};
use tls_codec::{DeserializeBytes, Serialize, TlsSerialize, TlsSize, VLByteSlice};

use super::{
    RatchetTree, TreeDraft, hash,
    node::{Node, ParentNode},
    subtree::{Span, Subtree},
};
use crate::{
    codec::{decode_exact, encode},
    error::{DecodeError, ProcessError},
    limits::MAX_LEAVES,
    math::{LeafCount, LeafIndex, NodeIndex},
    message::LeafNode,
};

/// The nodes that are set, by position.
type SetNodes = BTreeMap<NodeIndex, Node>;

impl RatchetTree {
    /// Decodes a `ratchet_tree`. The tree is hashed and free of duplicate keys; nothing else is checked
    /// (see [`super::validate()`]).
    ///
    /// # Errors
    /// [`ProcessError::Decode`], [`ProcessError::DuplicateKey`].
    pub fn decode(suite: &dyn SuiteCrypto, bytes: &[u8]) -> Result<Self, ProcessError> {
        let mut nodes = decode_nodes(bytes)?;
        let (last, _) = nodes.last_key_value().ok_or(DecodeError::InvalidTreeShape)?;
        // DEC-19, X-DOS-03
        // A parent that comes last needs the leaves on its right, though they are blank.
        let leaves = last.get().div_ceil(2).checked_add(1);
        let count = leaves.and_then(LeafCount::covering).filter(|count| count.get() <= MAX_LEAVES);
        let count = count.ok_or(DecodeError::InvalidTreeShape)?;
        let root = build(suite, &mut nodes, Span::root(count.depth()))?;
        TreeDraft::received(suite, root, count.depth()).seal()
    }

    /// Encodes the tree as a `ratchet_tree`. TREE-18: ends in a node.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`].
    pub fn encode(&self) -> Result<Vec<u8>, DecodeError> {
        let (root, span) = self.rooted();
        let mut array = NodeArray::default();
        array.append(root, span)?;
        array.bytes.truncate(array.end_of_nodes);
        encode(&VLByteSlice(&array.bytes))
    }

    /// The nodes in array order, without trailing blanks.
    pub fn nodes(&self) -> Vec<Option<Node>> {
        let (root, span) = self.rooted();
        let mut nodes: Vec<Option<Node>> = Vec::new();
        let mut place = |index: NodeIndex, node: Node| {
            let position = usize::try_from(index.get()).unwrap_or(usize::MAX);
            if nodes.len() <= position {
                nodes.resize(position.saturating_add(1), None);
            }
            if let Some(slot) = nodes.get_mut(position) {
                *slot = Some(node);
            }
        };
        root.visit(span, &mut |span, subtree| match subtree {
            Subtree::Leaf(leaf) => place(span.node(), Node::Leaf(leaf.node.clone())),
            Subtree::Parent(parent) => {
                if let Some(node) = &parent.node {
                    place(span.node(), Node::Parent(node.clone()));
                }
            }
            Subtree::Blank(_) => {}
        });
        nodes
    }
}

/// The array while it is written, from the subtrees themselves: nodes are not copied first.
#[derive(Default)]
struct NodeArray {
    bytes: Vec<u8>,
    /// Where the last node ends; what follows is blank.
    end_of_nodes: usize,
}

/// [`Node`], borrowed.
#[derive(TlsSerialize, TlsSize)]
#[repr(u8)]
enum NodeRef<'a> {
    #[tls_codec(discriminant = 1)]
    Leaf(&'a LeafNode),
    #[tls_codec(discriminant = 2)]
    Parent(&'a ParentNode),
}

impl NodeArray {
    /// The nodes of a subtree, in array order: those on the left, its own, those on the right.
    fn append(&mut self, subtree: &Subtree, span: Span) -> Result<(), DecodeError> {
        match (subtree, span.children()) {
            (Subtree::Leaf(leaf), _) => self.node(&NodeRef::Leaf(&leaf.node))?,
            (Subtree::Parent(parent), Some((left, right))) => {
                self.append(&parent.left, left)?;
                match &parent.node {
                    Some(node) => self.node(&NodeRef::Parent(node))?,
                    None => self.bytes.push(0),
                }
                self.append(&parent.right, right)?;
            }
            (Subtree::Blank(_) | Subtree::Parent(_), _) => {
                let leaves = 1usize.checked_shl(u32::from(span.height)).ok_or(DecodeError::TooLong)?;
                let nodes = leaves.saturating_mul(2).saturating_sub(1);
                self.bytes.resize(self.bytes.len().saturating_add(nodes), 0);
            }
        }
        Ok(())
    }

    fn node(&mut self, node: &NodeRef<'_>) -> Result<(), DecodeError> {
        self.bytes.push(1);
        node.tls_serialize(&mut self.bytes).map_err(|_| DecodeError::TooLong)?;
        self.end_of_nodes = self.bytes.len();
        Ok(())
    }
}

/// Decodes the array. DEC-01, DEC-18: presence octets are 0 or 1, and the last one is 1.
fn decode_nodes(bytes: &[u8]) -> Result<SetNodes, DecodeError> {
    let array: Opaque = decode_exact(bytes)?;
    let mut rest = array.as_slice();
    let mut nodes = SetNodes::new();
    let mut position = 0u32;
    let mut ends_in_node = false;
    while let Some((present, after)) = rest.split_first() {
        ends_in_node = *present == 1;
        rest = match present {
            0 => after,
            1 => {
                let (node, after) = Node::tls_deserialize_bytes(after)?;
                nodes.insert(NodeIndex::new(position), node);
                after
            }
            other => return Err(DecodeError::UnknownValue(u64::from(*other))),
        };
        position = position.checked_add(1).ok_or(DecodeError::InvalidTreeShape)?;
    }
    if ends_in_node { Ok(nodes) } else { Err(DecodeError::InvalidTreeShape) }
}

/// Takes the nodes of one span out of the array and builds its subtree.
fn build(suite: &dyn SuiteCrypto, nodes: &mut SetNodes, span: Span) -> Result<Subtree, ProcessError> {
    if nodes.first_key_value().is_none_or(|(next, _)| !lies_in(*next, span)) {
        return Ok(Subtree::blank(hash::blank(suite, span)?));
    }
    let Some((left, right)) = span.children() else {
        return match nodes.remove(&span.node()) {
            Some(Node::Leaf(leaf)) => Subtree::leaf(suite, span.first, leaf),
            _ => Err(DecodeError::InvalidTreeShape.into()),
        };
    };
    let left = build(suite, nodes, left)?;
    let parent = match nodes.remove(&span.node()) {
        Some(Node::Parent(parent)) => Some(parent),
        None => None,
        Some(Node::Leaf(_)) => return Err(DecodeError::InvalidTreeShape.into()),
    };
    let right = build(suite, nodes, right)?;
    Ok(Subtree::parent(parent, left, right, span))
}

/// Whether a node belongs to a span. In order, a parent stands between two leaves: both must be in the span.
fn lies_in(index: NodeIndex, span: Span) -> bool {
    let (left, right) = (index.get() >> 1, index.get().div_ceil(2));
    span.contains(LeafIndex::new(left)) && span.contains(LeafIndex::new(right))
}
