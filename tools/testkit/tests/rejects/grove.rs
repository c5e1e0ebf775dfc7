//! Ratchet trees of any size whose every leaf key is known, to be bent one node at a time.

use std::sync::Arc;

use mls_crypto::{Hash, Opaque, SuiteCrypto};
use mls_engine::{
    codec::encode,
    error::ProcessError,
    math::{LeafIndex, NodeIndex},
    message::{Extensions, GroupContext, LeafNode, ProtocolVersion},
    tree::{Node, ParentNode, PathCreated, PathSigner, RatchetTree, TreeDraft, validate},
};
use testkit::{
    forge::insider::sign_leaf,
    network::{Host, NewMember},
};

use crate::scene::{SUITE, newcomer};

pub(crate) const GROUP_ID: &[u8] = b"grove";

/// The nodes of a tree, by position.
pub(crate) type Nodes = Vec<Option<Node>>;

/// A sound tree.
pub(crate) struct Grove {
    pub(crate) host: Host,
    pub(crate) suite: Arc<dyn SuiteCrypto>,
    pub(crate) clients: Vec<NewMember>,
    pub(crate) tree: RatchetTree,
}

impl Grove {
    /// Clients in a tree without parents.
    pub(crate) fn seedlings(leaves: u32) -> Self {
        let host = Host::new(7);
        let suite = host.crypto.suite(SUITE).unwrap();
        let clients: Vec<_> =
            (0..leaves).map(|leaf| newcomer(&format!("client {leaf}"), 100 + u64::from(leaf), SUITE)).collect();
        let mut draft = TreeDraft::empty(suite.as_ref()).unwrap();
        for client in &clients {
            draft.add(client.key_package().key_package().leaf_node.clone()).unwrap();
        }
        let tree = draft.seal().unwrap();
        Self { host, suite, clients, tree }
    }

    /// A tree in which every member has committed once, in order: every parent is set.
    pub(crate) fn full(leaves: u32) -> Self {
        let mut grove = Self::seedlings(leaves);
        (0..leaves).for_each(|leaf| grove.commit(leaf));
        grove
    }

    /// A member's path.
    pub(crate) fn commit(&mut self, leaf: u32) {
        let index = LeafIndex::new(leaf);
        let signature_key = &self.clients[leaf as usize].signature_key;
        let leaf = self.tree.leaf(index).unwrap().clone();
        let signer = PathSigner { index, group_id: GROUP_ID, leaf, signature_key };
        self.tree = PathCreated::new(&self.host.env(), self.suite.as_ref(), &self.tree, signer).unwrap().tree;
    }

    /// One more member, unmerged everywhere above.
    pub(crate) fn add(&mut self) {
        let client = newcomer("late", 99, SUITE);
        let leaf = client.key_package().key_package().leaf_node.clone();
        self.tree = self.tree.with_added(self.suite.as_ref(), leaf).unwrap().0;
        self.clients.push(client);
    }

    /// Whether a tree of these nodes is sound, under a context that names it.
    pub(crate) fn check(&self, nodes: &Nodes) -> Result<(), ProcessError> {
        let suite = self.suite.as_ref();
        let tree = RatchetTree::decode(suite, &encode(nodes).unwrap())?;
        let context = GroupContext {
            version: ProtocolVersion::MLS10,
            cipher_suite: SUITE,
            group_id: Opaque::from(GROUP_ID),
            epoch: 5,
            tree_hash: tree.tree_hash(),
            confirmed_transcript_hash: Hash::EMPTY,
            extensions: Extensions::new(),
        };
        validate(&self.host.env(), suite, &tree, &context)
    }

    /// The tree with one parent changed.
    pub(crate) fn with_parent(&self, node: NodeIndex, edit: impl FnOnce(&mut ParentNode)) -> Nodes {
        let mut nodes = self.tree.nodes();
        let Some(Some(Node::Parent(parent))) = nodes.get_mut(node.get() as usize) else {
            panic!("no parent at {node:?}")
        };
        edit(parent);
        nodes
    }

    /// Changes one leaf and signs it again.
    pub(crate) fn edit_leaf(&self, nodes: &mut Nodes, leaf: u32, edit: impl FnOnce(&mut LeafNode)) {
        let Some(Some(Node::Leaf(node))) = nodes.get_mut(leaf as usize * 2) else { panic!("no leaf {leaf}") };
        edit(node);
        let key = &self.clients[leaf as usize].signature_key;
        sign_leaf(self.suite.as_ref(), key, node, (GROUP_ID, LeafIndex::new(leaf)));
    }

    /// Positions of all parents that are set.
    pub(crate) fn parents(&self) -> Vec<NodeIndex> {
        let nodes = self.tree.nodes();
        let set = nodes.iter().enumerate().filter(|(_, node)| matches!(node, Some(Node::Parent(_))));
        set.map(|(position, _)| NodeIndex::new(position as u32)).collect()
    }

    /// A key that is nowhere.
    pub(crate) fn fresh_key(&self) -> mls_crypto::HpkePublicKey {
        self.suite.hpke_generate(&self.host.random).unwrap().1
    }

    /// The parent hash of a node, as Section 7.9 has it.
    pub(crate) fn parent_hash(&self, parent: &ParentNode, sibling: Hash) -> Hash {
        let input = encode(&((&parent.encryption_key, parent.parent_hash), sibling)).unwrap();
        self.suite.hash(&[&input])
    }

    /// Tree hash of a node among these.
    pub(crate) fn tree_hash_at(&self, nodes: &Nodes, node: u32) -> Hash {
        let tree = RatchetTree::decode(self.suite.as_ref(), &encode(nodes).unwrap()).unwrap();
        tree.tree_hash_at(NodeIndex::new(node)).unwrap()
    }
}
