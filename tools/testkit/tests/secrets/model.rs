//! The secret tree as the text defines it (RFC 9420, Sections 9 and 9.1), to know secrets beforehand.

use mls_crypto::{
    Secret, SuiteCrypto,
    label::{derive_tree_secret, expand_with_label},
};
use mls_engine::math::{LeafCount, LeafIndex};

/// Secrets that lead to one sender's messages.
pub(crate) struct Sender {
    /// Of the nodes from the root to the leaf.
    pub(crate) nodes: Vec<Secret>,
    /// Of the nodes beside them.
    pub(crate) siblings: Vec<Secret>,
    /// The application ratchet, by generation.
    pub(crate) application: Vec<Generation>,
    /// The handshake ratchet, by generation.
    pub(crate) handshake: Vec<Generation>,
}

/// One generation of a ratchet.
pub(crate) struct Generation {
    pub(crate) ratchet: Secret,
    pub(crate) key: Secret,
}

impl Sender {
    pub(crate) fn new(
        suite: &dyn SuiteCrypto,
        encryption_secret: &Secret,
        leaves: LeafCount,
        leaf: LeafIndex,
        generations: u32,
    ) -> Self {
        let child = |secret: &Secret, side| expand_with_label(suite, secret, "tree", side, suite.hash_len()).unwrap();
        let (mut nodes, mut siblings) = (vec![encryption_secret.duplicate()], Vec::new());
        let (mut node, target) = (leaves.root(), leaf.node().unwrap());
        while let (Some(left), Some(right)) = (node.left(), node.right()) {
            let above = nodes.last().unwrap();
            let (to_left, to_right) = (child(above, b"left".as_slice()), child(above, b"right".as_slice()));
            let goes_left = target < node;
            let (next, beside) = if goes_left { (to_left, to_right) } else { (to_right, to_left) };
            nodes.push(next);
            siblings.push(beside);
            node = if goes_left { left } else { right };
        }
        let ratchet = |kind| Generation::first(suite, nodes.last().unwrap(), kind, generations);
        let (application, handshake) = (ratchet("application"), ratchet("handshake"));
        Self { nodes, siblings, application, handshake }
    }
}

impl Generation {
    fn first(suite: &dyn SuiteCrypto, leaf: &Secret, kind: &str, generations: u32) -> Vec<Self> {
        let mut ratchet = expand_with_label(suite, leaf, kind, &[], suite.hash_len()).unwrap();
        let mut all = Vec::new();
        for generation in 0..generations {
            let derive = |label, len| derive_tree_secret(suite, &ratchet, label, generation, len).unwrap();
            let key = derive("key", suite.aead_key_len());
            let next = derive("secret", suite.hash_len());
            all.push(Self { ratchet: std::mem::replace(&mut ratchet, next), key });
        }
        all
    }
}
