//! Ratchet trees: decoding, blanks, resolutions and hashes (RFC 9420, Sections 4, 7 and Appendix C).

use std::collections::BTreeSet;

use mls_engine::{
    codec::{decode_exact, encode},
    math::LeafIndex,
    tree::{Node, RatchetTree},
};

use crate::{
    Target, Verdict,
    choices::Choices,
    scene::{SUITE, scene},
};

pub(super) const TARGET: Target = Target {
    name: "tree",
    oracle: "hashes kept up to date are those of the tree decoded afresh, and a resolution covers each leaf once",
    run,
    seeds,
};

fn run(bytes: &[u8]) -> Verdict {
    let (scene, mut choices) = (scene(), Choices::new(bytes));
    let insider = scene.insider();
    let suite = scene.alice.host.crypto.suite(SUITE).unwrap();
    let suite = suite.as_ref();
    let mut tree = insider.tree().clone();
    for _ in 0..choices.of(32) {
        let index = LeafIndex::new(choices.number() % 40);
        let leaf = insider.update_leaf(|_| {});
        let next = match choices.of(4) {
            0 => tree.with_removed(suite, index),
            1 => tree.with_updated(suite, index, leaf),
            _ => tree.with_added(suite, leaf).map(|(tree, _)| tree),
        };
        tree = next.unwrap_or(tree);
    }
    if tree.member_count() == 0 {
        return Verdict::Refused;
    }
    sound(suite, &tree);
    let mut nodes = tree.nodes();
    for _ in 0..choices.of(4) {
        bend(&mut nodes, &mut choices);
    }
    let mut encoded = encode(&nodes).unwrap();
    choices.bend(&mut encoded);
    let decoded = RatchetTree::decode(suite, &encoded);
    if let Ok(tree) = &decoded {
        assert_eq!(tree.encode().unwrap(), encoded);
        sound(suite, tree);
    }
    Verdict::of(&decoded)
}

fn bend(nodes: &mut Vec<Option<Node>>, choices: &mut Choices<'_>) {
    let at = choices.of(nodes.len());
    match choices.of(5) {
        _ if nodes.is_empty() => nodes.push(None),
        0 => nodes[at] = None,
        1 => nodes.truncate(at),
        2 => nodes.swap(at, 0),
        3 => nodes.push(None),
        _ => {
            let mut encoded = encode(&nodes[at]).unwrap();
            choices.bend(&mut encoded);
            if let Ok(node) = decode_exact(&encoded) {
                nodes[at] = node;
            }
        }
    }
}

fn sound(suite: &dyn mls_crypto::SuiteCrypto, tree: &RatchetTree) {
    let again = RatchetTree::decode(suite, &tree.encode().unwrap()).unwrap();
    assert_eq!(again.tree_hash(), tree.tree_hash());
    assert_eq!(again.member_count(), tree.member_count());
    let members: BTreeSet<_> = tree.members().into_iter().map(|(index, _)| index).collect();
    let resolved = tree.resolution(tree.leaf_count().root());
    let distinct: BTreeSet<_> = resolved.iter().collect();
    assert_eq!(distinct.len(), resolved.len());
    for leaf in resolved.iter().filter_map(|node| node.leaf()) {
        assert!(members.contains(&leaf));
    }
}

fn seeds() -> Vec<Vec<u8>> {
    vec![
        vec![0],
        vec![3, 0, 2, 2, 0, 9, 2],
        vec![4, 1, 0, 2, 0, 3, 0, 0, 2],
        vec![0, 2, 3, 0, 5, 4],
        vec![0, 0, 0, 1, 9],
    ]
}
