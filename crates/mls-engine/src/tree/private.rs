//! What one member knows of the tree in secret (RFC 9420, Section 7.4).
//!
//! In: path secrets received or made. Out: private keys of the own direct path.
//! Always: one owner per key; adopting a change wipes every key whose node was replaced or blanked (DEL-08, PATH-08).

use std::collections::BTreeMap;

use mls_crypto::{CryptoError, HpkePrivateKey, HpkePublicKey, Secret, SuiteCrypto, label};

use super::{RatchetTree, subtree::Span};
use crate::{
    error::ProcessError,
    math::{LeafIndex, NodeIndex},
    message::PathSecret,
};

/// The private keys of one member.
#[derive(Debug)]
pub struct TreePrivate {
    own: LeafIndex,
    leaf_key: HpkePrivateKey,
    path_keys: BTreeMap<NodeIndex, HpkePrivateKey>,
}

/// New private keys, to be adopted together with the tree they belong to.
#[derive(Debug, Default)]
pub struct PrivateChange {
    /// The next leaf key, if our leaf changes.
    pub leaf_key: Option<HpkePrivateKey>,
    /// The next keys of parents on our direct path.
    pub path_keys: Vec<(NodeIndex, HpkePrivateKey)>,
}

impl TreePrivate {
    /// A member that knows its leaf key only.
    pub fn new(own: LeafIndex, leaf_key: HpkePrivateKey) -> Self {
        Self { own, leaf_key, path_keys: BTreeMap::new() }
    }

    /// A member with these keys.
    pub fn from_parts(own: LeafIndex, leaf_key: HpkePrivateKey, path: Vec<(NodeIndex, HpkePrivateKey)>) -> Self {
        Self { own, leaf_key, path_keys: path.into_iter().collect() }
    }

    /// Our leaf.
    pub fn own(&self) -> LeafIndex {
        self.own
    }

    /// The private key of our leaf.
    pub fn leaf_key(&self) -> &HpkePrivateKey {
        &self.leaf_key
    }

    /// The private key of a node on our direct path, or of our leaf.
    pub fn key(&self, node: NodeIndex) -> Option<&HpkePrivateKey> {
        match node.leaf() {
            Some(leaf) if leaf == self.own => Some(&self.leaf_key),
            Some(_) => None,
            None => self.path_keys.get(&node),
        }
    }

    /// The parents whose keys we know.
    pub fn path_keys(&self) -> impl Iterator<Item = (NodeIndex, &HpkePrivateKey)> {
        self.path_keys.iter().map(|(node, key)| (*node, key))
    }

    /// WEL-14, WEL-15 (Section 12.4.3.1): the keys that a Welcome's `path_secret` gives, from the lowest common
    /// ancestor with the committer up to the root.
    ///
    /// # Errors
    /// [`ProcessError::InvalidPathSecret`], [`ProcessError::PathKeyMismatch`].
    pub fn add_welcome_path(
        &mut self,
        suite: &dyn SuiteCrypto,
        tree: &RatchetTree,
        committer: LeafIndex,
        path_secret: &PathSecret,
    ) -> Result<(), ProcessError> {
        // WEL-15
        if committer == self.own || path_secret.0.len() != suite.hash_len() {
            return Err(ProcessError::InvalidPathSecret);
        }
        let above: Vec<Span> = tree
            .filtered_direct_path(committer)
            .into_iter()
            .map(|step| step.span)
            .filter(|span| span.contains(self.own))
            .collect();
        // WEL-15: the common ancestor itself must be set.
        let ancestor = above.first().and_then(|span| tree.parent(span.node()));
        if ancestor.is_none() {
            return Err(ProcessError::InvalidPathSecret);
        }
        let keys = above.iter().map(|span| (span.node(), tree.parent(span.node()).map(|node| &node.encryption_key)));
        let (path_keys, _) = climb(suite, path_secret.0.duplicate(), keys)?;
        self.path_keys.extend(path_keys);
        Ok(())
    }

    /// DEL-13: forgets every key.
    pub(crate) fn wipe(&mut self) {
        self.leaf_key = HpkePrivateKey::new(Secret::new(Vec::new()));
        self.path_keys.clear();
    }

    /// The nodes whose keys [`TreePrivate::adopt`] would wipe without a successor.
    pub(crate) fn outdated<'a>(
        &'a self,
        change: &'a PrivateChange,
        old: &'a RatchetTree,
        new: &'a RatchetTree,
    ) -> impl Iterator<Item = NodeIndex> + 'a {
        let kept = move |node: &NodeIndex| is_same(*node, old, new);
        let replaced = |node: &NodeIndex| change.path_keys.iter().any(|(set, _)| set == node);
        self.path_keys.keys().copied().filter(move |node| !kept(node) && !replaced(node))
    }

    /// Moves to the next tree: takes the new keys and wipes those whose nodes are not what they were.
    pub(crate) fn adopt(&mut self, change: PrivateChange, old: &RatchetTree, new: &RatchetTree) {
        self.path_keys.retain(|node, _| is_same(*node, old, new));
        self.path_keys.extend(change.path_keys);
        if let Some(leaf_key) = change.leaf_key {
            self.leaf_key = leaf_key;
        }
    }
}

/// Whether a parent has the same key in both trees.
fn is_same(node: NodeIndex, old: &RatchetTree, new: &RatchetTree) -> bool {
    match (old.parent(node), new.parent(node)) {
        (Some(before), Some(after)) => before.encryption_key == after.encryption_key,
        _ => false,
    }
}

/// Private keys by node, and the commit secret at the end of a climb.
pub(super) type Climbed = (Vec<(NodeIndex, HpkePrivateKey)>, Secret);

/// Derives the keys of the nodes from `path_secret` upwards (Section 7.4), checking each against the tree.
/// Returns the private keys and the secret after the last node: the commit secret (COM-12).
pub(super) fn climb<'a>(
    suite: &dyn SuiteCrypto,
    path_secret: Secret,
    nodes: impl Iterator<Item = (NodeIndex, Option<&'a HpkePublicKey>)>,
) -> Result<Climbed, ProcessError> {
    let mut secret = path_secret;
    let mut keys = Vec::new();
    for (node, expected) in nodes {
        let (private, public) = node_key_pair(suite, &secret)?;
        // PATH-06, WEL-14
        if expected != Some(&public) {
            return Err(ProcessError::PathKeyMismatch(node));
        }
        keys.push((node, private));
        secret = next_path_secret(suite, &secret)?;
    }
    Ok((keys, secret))
}

/// `node_secret` and its key pair (Section 7.4).
pub(super) fn node_key_pair(
    suite: &dyn SuiteCrypto,
    path_secret: &Secret,
) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
    let node_secret = label::derive_secret(suite, path_secret, "node")?;
    suite.hpke_derive_key_pair(node_secret.as_slice())
}

/// The path secret of the next node (Section 7.4).
pub(super) fn next_path_secret(suite: &dyn SuiteCrypto, path_secret: &Secret) -> Result<Secret, CryptoError> {
    label::derive_secret(suite, path_secret, "path")
}
