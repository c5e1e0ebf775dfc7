//! Indices and the array form of the tree (RFC 9420, Section 4.1 and Appendix C).
//!
//! In: numbers that a peer may have picked. Out: typed indices, or `None`.
//! Always: indices are range-checked against a [`LeafCount`] before tree arithmetic (DEC-28, X-DOS-03); every walk is
//! bounded by the depth, at most 32.

use core::fmt;

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::limits::MAX_LEAVES;

/// The `n`-th leaf; it is node `2n`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LeafIndex(u32);

impl LeafIndex {
    /// The first leaf, where the creator of a group sits.
    pub const FIRST: Self = Self(0);

    /// The leaf with this number.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// Its number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Its node; `None` if `2n` does not fit. A peer picks `n`, so this happens.
    pub const fn node(self) -> Option<NodeIndex> {
        match self.0.checked_mul(2) {
            Some(node) => Some(NodeIndex(node)),
            None => None,
        }
    }

    /// The next leaf, if there can be one.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(index) => Some(Self(index)),
            None => None,
        }
    }

    /// Whether the leaf lies in the subtree of `2^height` leaves whose first leaf is `first`.
    pub fn is_below(self, first: Self, height: u8) -> bool {
        let shift = u32::from(height);
        self.0.checked_shr(shift).unwrap_or(0) == first.0.checked_shr(shift).unwrap_or(0)
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A position in the array form of the tree: even for leaves, odd for parents.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct NodeIndex(u32);

impl NodeIndex {
    /// The node with this number.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// Its number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Height above the leaves.
    pub const fn level(self) -> u32 {
        self.0.trailing_ones()
    }

    /// Whether the node is a leaf.
    pub const fn is_leaf(self) -> bool {
        self.0 & 1 == 0
    }

    /// The leaf, if the node is one.
    pub const fn leaf(self) -> Option<LeafIndex> {
        if self.is_leaf() { Some(LeafIndex(self.0 >> 1)) } else { None }
    }

    /// The parent of leaves `[first, first + 2^height)`; the leaf itself for height 0.
    pub fn above(first: LeafIndex, height: u8) -> Option<Self> {
        let offset = 1u32.checked_shl(u32::from(height))?.checked_sub(1)?;
        Some(Self(first.0.checked_mul(2)?.checked_add(offset)?))
    }

    /// Left child, `None` for a leaf.
    pub fn left(self) -> Option<Self> {
        let half = self.half()?;
        Some(Self(self.0 ^ half))
    }

    /// Right child, `None` for a leaf.
    pub fn right(self) -> Option<Self> {
        let half = self.half()?;
        Some(Self(self.0 ^ half.checked_mul(3)?))
    }

    /// Parent in a tree of `leaves` leaves, `None` for the root.
    pub fn parent(self, leaves: LeafCount) -> Option<Self> {
        if self == leaves.root() {
            return None;
        }
        let level = self.level();
        let bit = 1u32.checked_shl(level)?;
        let above = 1u32.checked_shl(level.checked_add(1)?)?;
        Some(Self((self.0 | bit) & !above))
    }

    /// The other child of the parent, `None` for the root.
    pub fn sibling(self, leaves: LeafCount) -> Option<Self> {
        let parent = self.parent(leaves)?;
        if self < parent { parent.right() } else { parent.left() }
    }

    /// `2^(level - 1)`, the distance to the children.
    fn half(self) -> Option<u32> {
        1u32.checked_shl(self.level().checked_sub(1)?)
    }
}

/// The number of leaves of a tree, members and blanks: a power of two up to [`MAX_LEAVES`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LeafCount(u32);

impl LeafCount {
    /// A tree of a single leaf.
    pub const ONE: Self = Self(1);

    /// The smallest tree with room for `leaves` leaves; `None` above [`MAX_LEAVES`].
    pub fn covering(leaves: u32) -> Option<Self> {
        let count = leaves.max(1).checked_next_power_of_two()?;
        (count <= MAX_LEAVES).then_some(Self(count))
    }

    /// A tree of height `depth`; `None` above [`MAX_LEAVES`].
    pub fn of_depth(depth: u8) -> Option<Self> {
        Self::covering(1u32.checked_shl(u32::from(depth))?)
    }

    /// Number of leaves.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Height of the root above the leaves, at most 24.
    pub fn depth(self) -> u8 {
        u8::try_from(self.0.trailing_zeros()).unwrap_or(u8::MAX)
    }

    /// Number of nodes, `2n - 1`.
    pub const fn nodes(self) -> u32 {
        self.0.saturating_mul(2).saturating_sub(1)
    }

    /// The root.
    pub const fn root(self) -> NodeIndex {
        NodeIndex(self.0.saturating_sub(1))
    }

    /// Whether the tree has this leaf position.
    pub const fn contains(self, leaf: LeafIndex) -> bool {
        leaf.0 < self.0
    }
}

#[cfg(test)]
mod tests;
