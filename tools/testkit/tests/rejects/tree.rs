//! Ratchet trees that somebody gives us (RFC 9420, Sections 7.9.2, 12.4.3.1 and 12.4.3.3).

use mls_crypto::Hash;
use mls_engine::{
    codec::encode,
    error::{DecodeError, ProcessError, Signed},
    math::{LeafIndex, NodeIndex},
    message::{Credential, CredentialType, LeafNodeSource, Lifetime},
    tree::{Node, ParentNode, RatchetTree},
};

use crate::{
    grove::{Grove, Nodes},
    scene::{UNKNOWN_EXTENSION, one_extension},
};

/// Whether `below` is `above` or lies under it.
fn is_on_path(grove: &Grove, mut below: NodeIndex, above: NodeIndex) -> bool {
    let leaves = grove.tree.leaf_count();
    while below != above {
        let Some(parent) = below.parent(leaves) else { return false };
        below = parent;
    }
    true
}

/// The tree is refused for the parent hash of `node` or of one above, whose hash covers it.
fn refuses_parent_hash(grove: &Grove, nodes: &Nodes, node: NodeIndex) {
    match grove.check(nodes) {
        Err(ProcessError::InvalidParentHash(at)) => assert!(is_on_path(grove, node, at), "{node:?} {at:?}"),
        other => panic!("{node:?}: {other:?}"),
    }
}

/// TREE-07, TREE-09: the boundary: trees of every size are sound, and so are they with an unmerged leaf, be it on the
/// side of the last committer or on the other.
#[test]
fn sound_trees() {
    for leaves in 2..=16 {
        let mut grove = Grove::full(leaves);
        assert_eq!(grove.check(&grove.tree.nodes()), Ok(()), "{leaves}");
        let before = grove.tree.clone();
        grove.add();
        assert_eq!(grove.check(&grove.tree.nodes()), Ok(()), "{leaves} and one unmerged");
        grove.tree = before;
        grove.clients.pop();
        grove.commit(0);
        grove.add();
        assert_eq!(grove.check(&grove.tree.nodes()), Ok(()), "{leaves} and one unmerged on the other side");
    }
}

/// TREE-03, TREE-09: each parent, with another key.
#[test]
fn parent_with_another_key() {
    for leaves in 2..=16 {
        let grove = Grove::full(leaves);
        for node in grove.parents() {
            let nodes = grove.with_parent(node, |parent| parent.encryption_key = grove.fresh_key());
            refuses_parent_hash(&grove, &nodes, node);
        }
    }
}

/// TREE-03, TREE-08, TREE-09: each parent, with another parent hash, or none.
#[test]
fn parent_with_another_parent_hash() {
    for leaves in 2..=16 {
        let grove = Grove::full(leaves);
        for node in grove.parents() {
            for hash in [grove.suite.hash(&[b"other"]), Hash::EMPTY] {
                if grove.tree.parent(node).unwrap().parent_hash == hash {
                    continue;
                }
                refuses_parent_hash(&grove, &grove.with_parent(node, |parent| parent.parent_hash = hash), node);
            }
        }
    }
}

/// TREE-03, TREE-09: each leaf, with another parent hash, signed again.
#[test]
fn leaf_with_another_parent_hash() {
    for leaves in 2..=16 {
        let grove = Grove::full(leaves);
        for leaf in 0..leaves {
            for source in [
                LeafNodeSource::Commit(grove.suite.hash(&[b"other"])),
                LeafNodeSource::Commit(Hash::EMPTY),
                LeafNodeSource::Update,
            ] {
                let mut nodes = grove.tree.nodes();
                grove.edit_leaf(&mut nodes, leaf, |node| node.source = source);
                refuses_parent_hash(&grove, &nodes, NodeIndex::new(leaf * 2));
            }
        }
    }
}

/// TREE-03, TREE-09: each parent but the root taken out.
#[test]
fn parent_that_is_missing() {
    for leaves in 3..=16 {
        let grove = Grove::full(leaves);
        for node in grove.parents() {
            if node == grove.tree.leaf_count().root() {
                continue;
            }
            let mut nodes = grove.tree.nodes();
            nodes[node.get() as usize] = None;
            refuses_parent_hash(&grove, &nodes, node);
        }
    }
}

/// TREE-03, TREE-06: each parent put where none was.
#[test]
fn parent_that_nobody_set() {
    for leaves in 2..=16 {
        let grove = Grove::seedlings(leaves);
        let count = grove.tree.nodes().len();
        for position in (1..count).step_by(2) {
            let mut nodes = grove.tree.nodes();
            let parent =
                ParentNode { encryption_key: grove.fresh_key(), parent_hash: Hash::EMPTY, unmerged_leaves: Vec::new() };
            nodes[position] = Some(Node::Parent(parent));
            let at = NodeIndex::new(position as u32);
            assert_eq!(grove.check(&nodes), Err(ProcessError::InvalidParentHash(at)), "{leaves}");
        }
    }
}

/// TREE-04: a descendant with the right hash that a set node hides.
#[test]
fn descendant_behind_a_set_node() {
    let mut grove = Grove::seedlings(4);
    grove.commit(2);
    grove.commit(0);
    let mut nodes = grove.tree.nodes();
    assert_eq!(grove.check(&nodes), Ok(()));
    let Some(Node::Parent(mut hidden)) = nodes[1].clone() else { panic!("no parent") };
    let claim = std::mem::replace(&mut hidden.parent_hash, grove.suite.hash(&[b"other"]));
    nodes[1] = Some(Node::Parent(hidden.clone()));
    grove.edit_leaf(&mut nodes, 1, |leaf| leaf.source = LeafNodeSource::Commit(claim));
    let sibling = grove.tree_hash_at(&nodes, 2);
    let hash = grove.parent_hash(&hidden, sibling);
    grove.edit_leaf(&mut nodes, 0, |leaf| leaf.source = LeafNodeSource::Commit(hash));
    assert_eq!(grove.check(&nodes), Err(ProcessError::InvalidParentHash(NodeIndex::new(3))));
}

/// TREE-05: a leaf that is unmerged at the child, and not at the parent.
#[test]
fn unmerged_leaf_that_the_parent_lacks() {
    for leaves in 2..=15 {
        let mut grove = Grove::full(leaves);
        grove.add();
        for node in grove.parents() {
            if grove.tree.parent(node).unwrap().unmerged_leaves.is_empty() {
                continue;
            }
            let nodes = grove.with_parent(node, |parent| parent.unmerged_leaves.clear());
            match grove.check(&nodes) {
                // TREE-12: a node between the unmerged leaf and a parent above lacks the entry.
                Err(ProcessError::InvalidUnmergedLeaves(above)) => {
                    assert!(above != node && is_on_path(&grove, node, above))
                }
                Err(ProcessError::InvalidParentHash(at)) => assert_eq!(at, node),
                other => panic!("{leaves} {node:?}: {other:?}"),
            }
        }
    }
}

/// TREE-05, TREE-07: a leaf that is unmerged nowhere, though it came after the path.
#[test]
fn unmerged_leaf_that_nobody_lists() {
    for leaves in 2..=15 {
        let mut grove = Grove::full(leaves);
        grove.add();
        let mut nodes = grove.tree.nodes();
        let mut listed = false;
        for node in nodes.iter_mut().flatten() {
            if let Node::Parent(parent) = node {
                listed |= !parent.unmerged_leaves.is_empty();
                parent.unmerged_leaves.clear();
            }
        }
        if listed {
            assert!(matches!(grove.check(&nodes), Err(ProcessError::InvalidParentHash(_))), "{leaves}");
        }
    }
}

/// TREE-08: the root's parent hash is not empty, and all below fits it.
#[test]
fn root_with_a_parent_hash() {
    let mut grove = Grove::seedlings(2);
    grove.commit(0);
    let root = NodeIndex::new(1);
    let mut nodes = grove.with_parent(root, |parent| parent.parent_hash = grove.suite.hash(&[b"above"]));
    let Some(Node::Parent(parent)) = nodes[1].clone() else { panic!("no root") };
    let hash = grove.parent_hash(&parent, grove.tree_hash_at(&nodes, 2));
    grove.edit_leaf(&mut nodes, 0, |leaf| leaf.source = LeafNodeSource::Commit(hash));
    assert_eq!(grove.check(&nodes), Err(ProcessError::InvalidParentHash(root)));
    let mut sound = grove.with_parent(root, |parent| parent.parent_hash = Hash::EMPTY);
    let hash = grove.parent_hash(grove.tree.parent(root).unwrap(), grove.tree_hash_at(&sound, 2));
    grove.edit_leaf(&mut sound, 0, |leaf| leaf.source = LeafNodeSource::Commit(hash));
    assert_eq!(grove.check(&sound), Ok(()));
}

/// TREE-11: out of range, blank, and below another node.
#[test]
fn unmerged_leaf_that_is_not_below() {
    let mut grove = Grove::full(5);
    grove.tree = grove.tree.with_removed(grove.suite.as_ref(), LeafIndex::new(1)).unwrap();
    grove.commit(3);
    assert_eq!(grove.check(&grove.tree.nodes()), Ok(()));
    for (node, leaf) in [(7, 99), (7, u32::MAX), (7, 1), (7, 6), (3, 4), (5, 0)] {
        let node = NodeIndex::new(node);
        let nodes = grove.with_parent(node, |parent| parent.unmerged_leaves = vec![LeafIndex::new(leaf)]);
        assert_eq!(grove.check(&nodes), Err(ProcessError::InvalidUnmergedLeaves(node)), "leaf {leaf}");
    }
}

/// TREE-12
#[test]
fn unmerged_leaf_that_a_node_between_lacks() {
    for leaves in 3..=16 {
        let grove = Grove::full(leaves);
        let set = grove.parents();
        for leaf in 0..leaves {
            let below = NodeIndex::new(leaf * 2);
            for node in set.iter().filter(|node| node.level() > 1 && is_on_path(&grove, below, **node)) {
                let between = set.iter().any(|other| {
                    other != node && is_on_path(&grove, below, *other) && is_on_path(&grove, *other, *node)
                });
                if between {
                    let nodes = grove.with_parent(*node, |parent| parent.unmerged_leaves = vec![LeafIndex::new(leaf)]);
                    assert_eq!(grove.check(&nodes), Err(ProcessError::InvalidUnmergedLeaves(*node)));
                }
            }
        }
    }
}

/// TREE-13: each parent has the key of another parent, or of a leaf.
#[test]
fn key_of_another_node() {
    let grove = Grove::full(8);
    let leaf = grove.tree.leaf(LeafIndex::new(5)).unwrap().encryption_key.clone();
    for node in grove.parents() {
        let other = grove.parents().into_iter().find(|other| *other != node).unwrap();
        for key in [leaf.clone(), grove.tree.parent(other).unwrap().encryption_key.clone()] {
            let nodes = grove.with_parent(node, |parent| parent.encryption_key = key);
            assert_eq!(grove.check(&nodes), Err(ProcessError::DuplicateKey));
        }
    }
}

/// TREE-14, LN-22, LN-23
#[test]
fn keys_of_another_leaf() {
    let mut grove = Grove::seedlings(4);
    let other = grove.tree.leaf(LeafIndex::new(0)).unwrap().clone();
    let mut nodes = grove.tree.nodes();
    grove.edit_leaf(&mut nodes, 2, |leaf| leaf.encryption_key = other.encryption_key.clone());
    assert_eq!(grove.check(&nodes), Err(ProcessError::DuplicateKey));
    let mut nodes = grove.tree.nodes();
    grove.clients[2].signature_key = grove.clients[0].signature_key.duplicate();
    grove.edit_leaf(&mut nodes, 2, |leaf| leaf.signature_key = other.signature_key.clone());
    assert_eq!(grove.check(&nodes), Err(ProcessError::DuplicateKey));
}

/// TREE-10, LN-02, LN-03: each leaf, not signed for its place.
#[test]
fn leaf_that_is_not_signed() {
    let grove = Grove::seedlings(5);
    for leaf in 0..5u32 {
        let mut nodes = grove.tree.nodes();
        let Some(Some(Node::Leaf(node))) = nodes.get_mut(leaf as usize * 2) else { panic!("no leaf") };
        node.capabilities.extensions.push(UNKNOWN_EXTENSION);
        let expected = ProcessError::BadSignature(Signed::LeafNode(Some(LeafIndex::new(leaf))));
        assert_eq!(grove.check(&nodes), Err(expected));
    }
    let grove = Grove::full(4);
    let (mut nodes, key) = (grove.tree.nodes(), &grove.clients[1].signature_key);
    let Some(Some(Node::Leaf(node))) = nodes.get_mut(2) else { panic!("no leaf") };
    testkit::forge::insider::sign_leaf(grove.suite.as_ref(), key, node, (b"other", LeafIndex::new(1)));
    assert!(grove.check(&nodes).is_err());
}

/// TREE-10, LN-11, LN-12, LN-15, LN-20, CRED-02: leaves that are sound but for one thing.
#[test]
fn leaf_that_is_not_acceptable() {
    type Edit = fn(&mut mls_engine::message::LeafNode);
    let grove = Grove::seedlings(3);
    let cases: [(Edit, ProcessError); 4] = [
        (
            |leaf| leaf.extensions = one_extension(UNKNOWN_EXTENSION, b""),
            ProcessError::UnsupportedExtension(UNKNOWN_EXTENSION),
        ),
        (|leaf| leaf.capabilities.versions.clear(), ProcessError::MissingCapability),
        (
            |leaf| leaf.source = LeafNodeSource::KeyPackage(Lifetime { not_before: 2, not_after: 1 }),
            ProcessError::InvalidLifetime,
        ),
        (
            |leaf| leaf.encryption_key = mls_crypto::HpkePublicKey::new(vec![9; 31]),
            ProcessError::Crypto(mls_crypto::CryptoError::InvalidPublicKey),
        ),
    ];
    for (edit, expected) in cases {
        for leaf in 0..3 {
            let mut nodes = grove.tree.nodes();
            grove.edit_leaf(&mut nodes, leaf, edit);
            assert_eq!(grove.check(&nodes), Err(expected.clone()));
        }
    }
}

/// LN-09, LN-10, CRED-16
#[test]
fn leaf_with_a_credential_type_of_its_own() {
    let grove = Grove::seedlings(3);
    let kind = CredentialType(0xF00C);
    let mut nodes = grove.tree.nodes();
    grove.edit_leaf(&mut nodes, 1, |leaf| {
        leaf.credential = Credential::Custom(kind, mls_crypto::Opaque::from(&b"client 1"[..]));
        leaf.capabilities.credentials.push(kind);
    });
    assert_eq!(grove.check(&nodes), Err(ProcessError::UnsupportedCredential(kind)));
}

fn decodes(grove: &Grove, nodes: &Nodes) -> Result<(), ProcessError> {
    RatchetTree::decode(grove.suite.as_ref(), &encode(nodes).unwrap()).map(|_| ())
}

/// DEC-18, DEC-19
#[test]
fn impossible_shapes() {
    let grove = Grove::full(4);
    let shape = Err(ProcessError::Decode(DecodeError::InvalidTreeShape));
    let sound = grove.tree.nodes();
    assert_eq!(decodes(&grove, &sound), Ok(()));
    assert_eq!(decodes(&grove, &Vec::new()), shape);
    assert_eq!(decodes(&grove, &vec![None]), shape);
    for blanks in 1..5 {
        let ends_blank = [sound.clone(), vec![None; blanks]].concat();
        assert_eq!(decodes(&grove, &ends_blank), shape);
    }
    for position in 0..sound.len() - 1 {
        let mut swapped = sound.clone();
        swapped.swap(position, position + 1);
        assert_eq!(decodes(&grove, &swapped), shape, "{position}");
    }
}

/// DEC-20: a last node above or beside the leaves, the root of the taller tree among them.
#[test]
fn parent_that_keeps_the_tree_tall() {
    for (leaves, positions) in [(1, &[1, 3][..]), (2, &[3, 5, 7]), (3, &[7, 9, 11])] {
        let grove = Grove::seedlings(leaves);
        for position in positions {
            let encryption_key = grove.fresh_key();
            let parent = ParentNode { encryption_key, parent_hash: Hash::EMPTY, unmerged_leaves: Vec::new() };
            let mut nodes = grove.tree.nodes();
            nodes.resize(*position, None);
            nodes.push(Some(Node::Parent(parent)));
            assert_eq!(grove.check(&nodes), Err(ProcessError::TreeNotTruncated), "{leaves} leaves, {position}");
        }
    }
}

/// X-DOS-03, DEC-19: a tree wider than any we hold; its blanks are one byte each.
#[test]
fn tree_that_is_too_wide() {
    let grove = Grove::seedlings(1);
    let leaf = encode(&grove.tree.nodes()[0]).unwrap();
    let bytes = |position: usize| {
        let array = [vec![0; position], leaf.clone()].concat();
        encode(&mls_crypto::Opaque::new(array)).unwrap()
    };
    let widest = 2 * (mls_engine::limits::MAX_LEAVES as usize - 1);
    let result = RatchetTree::decode(grove.suite.as_ref(), &bytes(widest + 2)).map(|_| ());
    assert_eq!(result, Err(ProcessError::Decode(DecodeError::InvalidTreeShape)));
}

/// DEC-16: not in order, and twice.
#[test]
fn unmerged_leaves_out_of_order() {
    let grove = Grove::full(4);
    for leaves in [[2, 1], [1, 1], [0, 0]] {
        let root = grove.tree.leaf_count().root();
        let list: Vec<_> = leaves.into_iter().map(LeafIndex::new).collect();
        let nodes = grove.with_parent(root, |parent| parent.unmerged_leaves = list);
        assert_eq!(decodes(&grove, &nodes), Err(ProcessError::Decode(DecodeError::UnmergedLeavesNotSorted)));
    }
}
