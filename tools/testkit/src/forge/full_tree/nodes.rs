//! The nodes of a full tree and their keys (RFC 9420, Sections 7.1 to 7.4 and 7.9).
//!
//! In: how many members, whose second leaf. Out: the array of nodes and every private key.
//! Always: each parent is covered by the chain of the first leaf below it, and by no other.

use std::collections::BTreeMap;

use mls_crypto::{Hash, HpkePrivateKey, HpkePublicKey, Opaque, Secret, SuiteCrypto, label};
use mls_engine::{
    group::own_capabilities,
    math::{LeafCount, LeafIndex, NodeIndex},
    message::{Capabilities, Extensions, LeafNode, LeafNodeSource, Lifetime},
    tree::{Node, ParentNode},
};

use super::{FullTree, MemberKeys, hashes, random_secret};
use crate::network::Host;

/// A tree in the making.
pub(super) struct Builder<'a> {
    plan: &'a FullTree,
    host: &'a Host,
    suite: &'a dyn SuiteCrypto,
    capabilities: Capabilities,
    built: Built,
}

/// What comes out.
pub(super) struct Built {
    pub(super) nodes: Vec<Option<Node>>,
    pub(super) tree_hash: Hash,
    pub(super) members: Vec<Option<MemberKeys>>,
    pub(super) parents: BTreeMap<NodeIndex, HpkePrivateKey>,
    pub(super) first_path_secret: Option<Secret>,
}

/// A parent on the way down the left side of a subtree.
struct Step {
    node: NodeIndex,
    /// The tree hash of its right child.
    right: Hash,
    /// Whether there is a member on its right; if not, it stays blank (Section 4.1.2).
    is_set: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(plan: &'a FullTree, host: &'a Host, suite: &'a dyn SuiteCrypto) -> Self {
        let leaves = LeafCount::covering(plan.members).unwrap();
        let built = Built {
            nodes: vec![None; leaves.nodes() as usize],
            tree_hash: Hash::EMPTY,
            members: (0..plan.members).map(|_| None).collect(),
            parents: BTreeMap::new(),
            first_path_secret: None,
        };
        Self { plan, host, suite, capabilities: own_capabilities(host.crypto.as_ref(), &[], &[]), built }
    }

    pub(super) fn build(mut self) -> Built {
        let root = LeafCount::covering(self.plan.members).unwrap().root();
        // The root has nothing above it (Section 7.9).
        self.built.tree_hash = self.set_by_first_leaf(root, Hash::EMPTY);
        // The last entry of a `ratchet_tree` is not blank (Section 12.4.3.3).
        self.built.nodes.truncate(2 * self.plan.members as usize - 1);
        self.built
    }

    /// Fills the subtree under `node` and returns its tree hash.
    fn subtree(&mut self, node: NodeIndex) -> Hash {
        if first_leaf(node).get() < self.plan.members {
            // What stood above when this subtree was set has been replaced since.
            let replaced = Hash::from_slice(random_secret(self.host, self.suite).as_slice()).unwrap();
            return self.set_by_first_leaf(node, replaced);
        }
        match (node.left(), node.right()) {
            (Some(left), Some(right)) => {
                let (left, right) = (self.subtree(left), self.subtree(right));
                hashes::parent(self.suite, &None, left, right)
            }
            _ => hashes::leaf(self.suite, first_leaf(node), &None),
        }
    }

    /// Fills the subtree under `top`, whose parents down its left side carry one chain of parent hashes.
    fn set_by_first_leaf(&mut self, top: NodeIndex, above: Hash) -> Hash {
        let steps = self.steps_down(top);
        let mut keys = self.path_keys(&steps).into_iter();
        let mut parent_hash = above;
        let mut parent = |step: &Step| {
            let node = ParentNode { encryption_key: keys.next()?, parent_hash, unmerged_leaves: Vec::new() };
            parent_hash = hashes::parent_hash(self.suite, &node, step.right);
            Some(node)
        };
        let parents: Vec<_> = steps.iter().map(|step| if step.is_set { parent(step) } else { None }).collect();
        let has_committed = steps.iter().any(|step| step.is_set);
        let leaf = self.leaf(first_leaf(top), has_committed.then_some(parent_hash));
        let mut tree_hash = hashes::leaf(self.suite, first_leaf(top), &Some(leaf));
        for (step, parent) in steps.iter().zip(parents).rev() {
            tree_hash = hashes::parent(self.suite, &parent, tree_hash, step.right);
            self.place(step.node, parent.map(Node::Parent));
        }
        tree_hash
    }

    /// The parents from `top` down the left side, with everything on their right filled in.
    fn steps_down(&mut self, top: NodeIndex) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut node = top;
        while let (Some(left), Some(right)) = (node.left(), node.right()) {
            let is_set = first_leaf(right).get() < self.plan.members;
            steps.push(Step { node, right: self.subtree(right), is_set });
            node = left;
        }
        steps
    }

    /// Keys of the parents that are set, derived from the lowest up (Section 7.4); returned from the highest down.
    fn path_keys(&mut self, steps: &[Step]) -> Vec<HpkePublicKey> {
        let mut path_secret = random_secret(self.host, self.suite);
        let mut keys = Vec::new();
        for step in steps.iter().rev().filter(|step| step.is_set) {
            if step.node == NodeIndex::new(1) {
                self.built.first_path_secret = Some(path_secret.duplicate());
            }
            let node_secret = label::derive_secret(self.suite, &path_secret, "node").unwrap();
            let (private, public) = self.suite.hpke_derive_key_pair(node_secret.as_slice()).unwrap();
            self.built.parents.insert(step.node, private);
            keys.push(public);
            path_secret = label::derive_secret(self.suite, &path_secret, "path").unwrap();
        }
        keys.reverse();
        keys
    }

    /// Makes and places a leaf: of a commit if it carries a parent hash, else of a key package.
    fn leaf(&mut self, index: LeafIndex, parent_hash: Option<Hash>) -> LeafNode {
        let leaf = match &self.plan.joiner {
            Some(joiner) if index.get() == 1 => joiner.leaf_node.clone(),
            _ => self.forged_leaf(index, parent_hash),
        };
        self.place(index.node().unwrap(), Some(Node::Leaf(leaf.clone())));
        leaf
    }

    fn forged_leaf(&mut self, index: LeafIndex, parent_hash: Option<Hash>) -> LeafNode {
        let (leaf_key, encryption_key) = self.suite.hpke_generate(&self.host.random).unwrap();
        let (key, signature_key) = self.suite.signature_generate(&self.host.random).unwrap();
        let lifetime = Lifetime { not_before: self.host.now - 3_600, not_after: self.host.now + 90 * 24 * 3_600 };
        let mut leaf = LeafNode {
            encryption_key,
            signature_key,
            credential: Host::credential(&super::name(index.get())),
            capabilities: self.capabilities.clone(),
            source: parent_hash.map_or(LeafNodeSource::KeyPackage(lifetime), LeafNodeSource::Commit),
            extensions: Extensions::new(),
            signature: Opaque::new(Vec::new()),
        };
        let tbs = leaf.tbs(&self.plan.group_id, index).unwrap();
        let signature = label::sign_with_label(self.suite, &key, LeafNode::SIGNATURE_LABEL, &tbs).unwrap();
        leaf.signature = Opaque::new(signature);
        self.built.members[index.get() as usize] = Some(MemberKeys { leaf_key, signature_key: key });
        leaf
    }

    fn place(&mut self, node: NodeIndex, value: Option<Node>) {
        self.built.nodes[node.get() as usize] = value;
    }
}

/// The first leaf below a node (Appendix C).
fn first_leaf(node: NodeIndex) -> LeafIndex {
    let low = (1 << node.level()) - 1;
    LeafIndex::new((node.get() - low) / 2)
}
