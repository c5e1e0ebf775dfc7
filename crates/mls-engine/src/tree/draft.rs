//! Changing a tree (RFC 9420, Sections 7.5, 7.7 and 12.1.1 to 12.1.3).
//!
//! In: a sealed tree and edits. Out: the next sealed tree; the first one is untouched and shares what did not change.
//! Always: hashes and type summaries are computed once per changed node, when the draft is sealed.

use std::sync::Arc;

use mls_crypto::SuiteCrypto;

use super::{
    RatchetTree, hash,
    keys::{KeyChanges, KeyIndex},
    node::ParentNode,
    subtree::{Parent, Sealed, Span, Subtree, counts_over},
    summary::Types,
};
use crate::{
    error::ProcessError,
    limits::MAX_LEAVES,
    math::{LeafCount, LeafIndex},
    message::LeafNode,
};

/// A tree being edited.
#[derive(Debug)]
pub struct TreeDraft<'a> {
    suite: &'a dyn SuiteCrypto,
    root: Subtree,
    depth: u8,
    keys: KeyIndex,
    changes: KeyChanges,
}

/// What an edit does to the nodes on a leaf's direct path, besides the leaf itself.
#[derive(Clone, Copy)]
enum OnPath {
    /// Update, Remove, and the start of a path: set to blank.
    Blank,
    /// Add: the new leaf is unmerged at each non-blank node.
    Unmerged,
}

impl<'a> TreeDraft<'a> {
    pub(super) fn new(suite: &'a dyn SuiteCrypto, tree: &RatchetTree) -> Self {
        let RatchetTree { root, depth, keys } = tree.clone();
        Self { suite, root, depth, keys, changes: KeyChanges::default() }
    }

    /// A tree of one blank leaf.
    ///
    /// # Errors
    /// [`ProcessError::Decode`], never for this input.
    pub fn empty(suite: &'a dyn SuiteCrypto) -> Result<Self, ProcessError> {
        let root = Subtree::blank(hash::blank(suite, Span::root(0))?);
        Ok(Self { suite, root, depth: 0, keys: KeyIndex::default(), changes: KeyChanges::default() })
    }

    /// Whole nodes as received; sealing checks their keys.
    pub(super) fn received(suite: &'a dyn SuiteCrypto, root: Subtree, depth: u8) -> Self {
        let mut changes = KeyChanges::default();
        root.visit(Span::root(depth), &mut |span, subtree| gain_keys(suite, &mut changes, span, subtree));
        Self { suite, root, depth, keys: KeyIndex::default(), changes }
    }

    /// The member at `index`.
    pub fn leaf(&self, index: LeafIndex) -> Option<&LeafNode> {
        match self.root.at(Span::root(self.depth), Span { first: index, height: 0 })? {
            Subtree::Leaf(leaf) => Some(&leaf.node),
            Subtree::Blank(_) | Subtree::Parent(_) => None,
        }
    }

    /// PATH-11 (Section 12.1.1): puts a leaf at the leftmost blank position, extending the tree if there is none.
    ///
    /// # Errors
    /// [`ProcessError::GroupFull`].
    pub fn add(&mut self, node: LeafNode) -> Result<LeafIndex, ProcessError> {
        let span = Span::root(self.depth);
        let index = match self.root.counts(span).leftmost_blank {
            Some(index) => index,
            None => self.extend()?,
        };
        self.set_leaf(index, Some(node), OnPath::Unmerged)?;
        Ok(index)
    }

    /// PATH-12 (Section 12.1.2): replaces a leaf and blanks its direct path.
    ///
    /// # Errors
    /// [`ProcessError::UnknownMember`] outside the tree.
    pub fn update(&mut self, index: LeafIndex, node: LeafNode) -> Result<(), ProcessError> {
        self.set_leaf(index, Some(node), OnPath::Blank)
    }

    /// PATH-12, PATH-13 (Sections 12.1.3 and 7.7): blanks a leaf and its direct path, then truncates the tree.
    ///
    /// # Errors
    /// [`ProcessError::UnknownMember`] outside the tree.
    pub fn remove(&mut self, index: LeafIndex) -> Result<(), ProcessError> {
        self.set_leaf(index, None, OnPath::Blank)?;
        self.truncate()
    }

    /// PATH-09 (Section 7.5): blanks the direct path of `index`, then sets the given parents and the leaf.
    /// `parents` are `(position, node)` of the filtered direct path.
    pub(crate) fn merge_path(
        &mut self,
        index: LeafIndex,
        leaf: LeafNode,
        parents: Vec<(Span, ParentNode)>,
    ) -> Result<(), ProcessError> {
        self.set_leaf(index, Some(leaf), OnPath::Blank)?;
        for (span, node) in parents {
            self.changes.gain(self.suite, &node.encryption_key, span.node());
            let root = Span::root(self.depth);
            set_parent(&mut self.root, root, span, node);
        }
        Ok(())
    }

    /// Computes what is missing and checks that no key appears twice.
    ///
    /// # Errors
    /// [`ProcessError::DuplicateKey`].
    pub fn seal(mut self) -> Result<RatchetTree, ProcessError> {
        seal(self.suite, &mut self.root, Span::root(self.depth), &mut None)?;
        Ok(RatchetTree { root: self.root, depth: self.depth, keys: self.keys.apply(self.changes)? })
    }

    /// Section 7.7: doubles the tree and returns the first leaf of the new half.
    fn extend(&mut self) -> Result<LeafIndex, ProcessError> {
        let depth = self.depth.checked_add(1).ok_or(ProcessError::GroupFull)?;
        // X-DOS-03
        LeafCount::of_depth(depth).filter(|count| count.get() <= MAX_LEAVES).ok_or(ProcessError::GroupFull)?;
        let span = Span::root(depth);
        let (_, right) = span.children().ok_or(ProcessError::GroupFull)?;
        let old = std::mem::replace(&mut self.root, Subtree::blank(mls_crypto::Hash::EMPTY));
        let new_half = Subtree::blank(hash::blank(self.suite, right)?);
        self.root = Subtree::parent(None, old, new_half, span);
        self.depth = depth;
        Ok(right.first)
    }

    /// Section 7.7: halves the tree as long as its right half has no member.
    fn truncate(&mut self) -> Result<(), ProcessError> {
        while let Subtree::Parent(parent) = &self.root {
            let Some((_, right)) = Span::root(self.depth).children() else { return Ok(()) };
            if parent.right.counts(right).members > 0 {
                return Ok(());
            }
            let (left, dropped) = (parent.left.clone(), parent.right.clone());
            dropped.visit(right, &mut |span, subtree| lose_keys(self.suite, &mut self.changes, span, subtree));
            self.root = left;
            self.depth = self.depth.saturating_sub(1);
        }
        if let Subtree::Blank(_) = self.root {
            // The last member is gone, and another comes by external commit: one blank leaf remains.
            self.depth = 0;
            self.root = Subtree::blank(hash::blank(self.suite, Span::root(0))?);
        }
        Ok(())
    }

    fn set_leaf(&mut self, index: LeafIndex, node: Option<LeafNode>, on_path: OnPath) -> Result<(), ProcessError> {
        let root = Span::root(self.depth);
        if !root.contains(index) {
            return Err(ProcessError::UnknownMember(index));
        }
        let leaf = match node {
            Some(node) => Subtree::leaf(self.suite, index, node)?,
            None => Subtree::blank(hash::leaf(self.suite, index, None)?),
        };
        let mut edit = Edit { suite: self.suite, index, on_path, changes: &mut self.changes };
        edit.descend(&mut self.root, root, leaf.clone())?;
        gain_keys(self.suite, &mut self.changes, Span { first: index, height: 0 }, &leaf);
        Ok(())
    }
}

/// Single changes, for those who follow a tree without being in the group. Leaves are taken as they are.
impl RatchetTree {
    /// The tree after an Add (Section 12.1.1), and where the leaf is.
    ///
    /// # Errors
    /// [`ProcessError::GroupFull`], [`ProcessError::DuplicateKey`].
    pub fn with_added(&self, suite: &dyn SuiteCrypto, leaf: LeafNode) -> Result<(Self, LeafIndex), ProcessError> {
        let mut draft = self.draft(suite);
        let index = draft.add(leaf)?;
        Ok((draft.seal()?, index))
    }

    /// The tree after an Update by the member at `index` (Section 12.1.2).
    ///
    /// # Errors
    /// [`ProcessError::UnknownMember`] outside the tree, [`ProcessError::DuplicateKey`].
    pub fn with_updated(
        &self,
        suite: &dyn SuiteCrypto,
        index: LeafIndex,
        leaf: LeafNode,
    ) -> Result<Self, ProcessError> {
        let mut draft = self.draft(suite);
        draft.update(index, leaf)?;
        draft.seal()
    }

    /// The tree after a Remove of the member at `index` (Section 12.1.3).
    ///
    /// # Errors
    /// [`ProcessError::UnknownMember`] outside the tree.
    pub fn with_removed(&self, suite: &dyn SuiteCrypto, index: LeafIndex) -> Result<Self, ProcessError> {
        let mut draft = self.draft(suite);
        draft.remove(index)?;
        draft.seal()
    }
}

/// One leaf's edit on its way down.
struct Edit<'a> {
    suite: &'a dyn SuiteCrypto,
    index: LeafIndex,
    on_path: OnPath,
    changes: &'a mut KeyChanges,
}

impl Edit<'_> {
    fn descend(&mut self, subtree: &mut Subtree, span: Span, leaf: Subtree) -> Result<(), ProcessError> {
        let Some((left, right)) = span.children() else {
            self.replace_leaf(subtree, span, leaf);
            return Ok(());
        };
        if let Subtree::Blank(_) = subtree {
            *subtree = self.split_blank(span)?;
        }
        let Subtree::Parent(parent) = subtree else { return Err(ProcessError::UnknownMember(self.index)) };
        let parent = Arc::make_mut(parent);
        self.edit_parent(parent, span);
        if left.contains(self.index) {
            self.descend(&mut parent.left, left, leaf)?;
        } else {
            self.descend(&mut parent.right, right, leaf)?;
        }
        refresh(parent, span);
        Ok(())
    }

    fn replace_leaf(&mut self, subtree: &mut Subtree, span: Span, leaf: Subtree) {
        lose_keys(self.suite, self.changes, span, subtree);
        *subtree = leaf;
    }

    fn edit_parent(&mut self, parent: &mut Parent, span: Span) {
        match (self.on_path, &mut parent.node) {
            (OnPath::Blank, node) => {
                if let Some(old) = node.take() {
                    self.changes.lose(self.suite, &old.encryption_key, span.node());
                }
            }
            (OnPath::Unmerged, Some(node)) => {
                if let Err(position) = node.unmerged_leaves.binary_search(&self.index) {
                    node.unmerged_leaves.insert(position, self.index);
                }
            }
            (OnPath::Unmerged, None) => {}
        }
    }

    /// A blank parent over two blank subtrees.
    fn split_blank(&self, span: Span) -> Result<Subtree, ProcessError> {
        let (left, right) = span.children().ok_or(ProcessError::UnknownMember(self.index))?;
        let left = Subtree::blank(hash::blank(self.suite, left)?);
        let right = Subtree::blank(hash::blank(self.suite, right)?);
        Ok(Subtree::parent(None, left, right, span))
    }
}

/// The keys of a subtree's own node come into the tree.
fn gain_keys(suite: &dyn SuiteCrypto, changes: &mut KeyChanges, span: Span, subtree: &Subtree) {
    if let Some(key) = subtree.encryption_key() {
        changes.gain(suite, key, span.node());
    }
    if let Subtree::Leaf(leaf) = subtree {
        changes.gain_signature(suite, &leaf.node.signature_key, span.first);
    }
}

/// The keys of a subtree's own node leave the tree.
fn lose_keys(suite: &dyn SuiteCrypto, changes: &mut KeyChanges, span: Span, subtree: &Subtree) {
    if let Some(key) = subtree.encryption_key() {
        changes.lose(suite, key, span.node());
    }
    if let Subtree::Leaf(leaf) = subtree {
        changes.lose_signature(suite, &leaf.node.signature_key, span.first);
    }
}

fn refresh(parent: &mut Parent, span: Span) {
    parent.counts = counts_over(parent.node.as_ref(), &parent.left, &parent.right, span);
    parent.sealed = None;
}

/// Sets the node of the parent at `target`, which an edit of a leaf below has just made.
fn set_parent(subtree: &mut Subtree, span: Span, target: Span, node: ParentNode) {
    let (Subtree::Parent(parent), Some((left, right))) = (subtree, span.children()) else { return };
    let parent = Arc::make_mut(parent);
    if span == target {
        parent.node = Some(node);
    } else if left.contains(target.first) {
        set_parent(&mut parent.left, left, target, node);
    } else {
        set_parent(&mut parent.right, right, target, node);
    }
    refresh(parent, span);
}

/// Hashes and summarises every parent that is not sealed; a parent with nothing below or in it becomes blank. `last` is
/// the summary made last, which is shared as long as others are equal.
fn seal(
    suite: &dyn SuiteCrypto,
    subtree: &mut Subtree,
    span: Span,
    last: &mut Option<Arc<Types>>,
) -> Result<(), ProcessError> {
    let (Subtree::Parent(parent), Some((left, right))) = (&mut *subtree, span.children()) else { return Ok(()) };
    if parent.sealed.is_some() {
        return Ok(());
    }
    let parent = Arc::make_mut(parent);
    seal(suite, &mut parent.left, left, last)?;
    seal(suite, &mut parent.right, right, last)?;
    let tree_hash = hash::parent(suite, parent.node.as_ref(), parent.left.tree_hash(), parent.right.tree_hash())?;
    let blank =
        parent.node.is_none() && matches!((&parent.left, &parent.right), (Subtree::Blank(_), Subtree::Blank(_)));
    if blank {
        *subtree = Subtree::blank(tree_hash);
    } else {
        let types = Types::over(parent.left.types(), parent.right.types());
        if types != *last {
            last.clone_from(&types);
        }
        let types = last.clone();
        parent.sealed = Some(Sealed { tree_hash, types });
    }
    Ok(())
}
