use std::collections::{BTreeMap, BTreeSet};

use mls_crypto::{Secret, SuiteCrypto, label::expand_with_label};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use crate::{
    error::ProcessError,
    limits::Limits,
    math::{LeafCount, LeafIndex, NodeIndex},
    schedule::{
        MessageKey, MessageKeyId, RatchetKind, SecretTree, SecretTreeChange, Spent,
        ratchet::Ratchet,
        testing::{Counting, Image, secret, tree_of},
    },
};

const LEAVES: u32 = 8;

fn id(leaf: u32, generation: u32) -> MessageKeyId {
    MessageKeyId::new(LeafIndex::new(leaf), RatchetKind::Application, generation)
}

/// Records a spent value in the tree and in an image, which must agree afterwards.
fn settle(tree: &mut SecretTree, suite: &Counting, spent: Spent) -> Result<(), ProcessError> {
    let limits = Limits::default();
    let mut image = Image::of(tree);
    image.store(tree.plan(suite, &spent, &limits, 0)?);
    tree.record(suite, spent, &limits, 0)?;
    assert_eq!(Image::of(tree), image);
    let reloaded = SecretTree::from_records(suite, tree.leaves(), tree.dump()).unwrap();
    assert_eq!(Image::of(&reloaded), image);
    Ok(())
}

/// Opens from one state compose in every order, without a derivation.
#[test]
fn opens_from_one_state_compose() {
    let (suite, limits) = (Counting::new(), Limits::default());
    let ids = [id(0, 0), id(1, 2), id(0, 3), id(7, 0), id(0, 1)];
    let mut images = Vec::new();
    for rotation in 0..ids.len() {
        let mut tree = tree_of(LEAVES);
        let mut spents: Vec<_> = ids.iter().map(|id| tree.peek(&suite, *id, &limits).unwrap().1).collect();
        spents.rotate_left(rotation);
        let ((), derived) =
            suite.during(|| spents.into_iter().for_each(|spent| settle(&mut tree, &suite, spent).unwrap()));
        assert_eq!(derived, 0, "rotation {rotation}");
        images.push(Image::of(&tree));
    }
    assert!(images.iter().all(|image| *image == images[0]));
    assert_eq!(images[0].count("skipped"), 3);
}

/// PM-10: of two opens of one generation from one state, the second is a replay.
#[test]
fn loser_of_a_race_is_a_replay() {
    let (suite, limits) = (Counting::new(), Limits::default());
    for late in [false, true] {
        let mut tree = tree_of(LEAVES);
        if late {
            let (_, spent) = tree.peek(&suite, id(2, 5), &limits).unwrap();
            settle(&mut tree, &suite, spent).unwrap();
        }
        let (_, first) = tree.peek(&suite, id(2, 3), &limits).unwrap();
        let (_, second) = tree.peek(&suite, id(2, 3), &limits).unwrap();
        settle(&mut tree, &suite, first).unwrap();
        let before = Image::of(&tree);
        let replay = ProcessError::ReplayDetected { leaf: LeafIndex::new(2), generation: 3 };
        assert_eq!(tree.record(&suite, second, &limits, 0), Err(replay));
        assert_eq!(Image::of(&tree), before);
    }
}

/// A spent value of a state that was lost with a crash is worked out again from what was stored.
#[test]
fn a_tree_that_went_back_derives_again() {
    let (suite, limits) = (Counting::new(), Limits::default());
    let mut tree = tree_of(LEAVES);
    let mut stored = SecretTree::from_records(&suite, tree.leaves(), tree.dump()).unwrap();
    for generation in [0, 4] {
        let (_, spent) = tree.peek(&suite, id(2, generation), &limits).unwrap();
        settle(&mut tree, &suite, spent).unwrap();
    }
    let (_, in_order) = tree.peek(&suite, id(2, 5), &limits).unwrap();
    let (_, skipped) = tree.peek(&suite, id(2, 3), &limits).unwrap();
    let (_, neighbour) = tree.peek(&suite, id(3, 0), &limits).unwrap();
    for spent in [neighbour, skipped, in_order] {
        settle(&mut stored, &suite, spent).unwrap();
    }
    let expected = model(&suite, &[id(2, 3), id(2, 5), id(3, 0)].into());
    assert_eq!(Image::of(&stored), expected);
}

/// DEL-02, DEL-03: after a first message the store has lost the node above and the secrets it came from.
#[test]
fn used_secrets_are_gone() {
    let (suite, limits) = (Counting::new(), Limits::default());
    let mut tree = tree_of(LEAVES);
    let leaf = LeafIndex::new(5);
    let (_, spent) = tree.peek(&suite, id(5, 1), &limits).unwrap();
    settle(&mut tree, &suite, spent).unwrap();
    let image = Image::of(&tree);
    let mut above = leaf.node();
    while let Some(node) = above {
        assert!(!image.holds(node_secret(&suite, node).as_slice()), "node {node:?}");
        above = node.parent(tree.leaves());
    }
    let start = start(&suite, leaf, RatchetKind::Application);
    assert!(!image.holds(start.secret.as_slice()));
    assert!(!image.holds(start.step(&suite).unwrap().secret.as_slice()));
    assert_eq!((image.count("node"), image.count("ratchet"), image.count("skipped")), (3, 2, 1));
}

/// The secret of a node, from the root, as Section 9 draws it.
fn node_secret(suite: &dyn SuiteCrypto, node: NodeIndex) -> Secret {
    let Some(parent) = node.parent(LeafCount::covering(LEAVES).unwrap()) else { return secret(1) };
    let side: &[u8] = if node < parent { b"left" } else { b"right" };
    expand_with_label(suite, &node_secret(suite, parent), "tree", side, 32).unwrap()
}

fn start(suite: &dyn SuiteCrypto, leaf: LeafIndex, kind: RatchetKind) -> Ratchet {
    let leaf_secret = node_secret(suite, leaf.node().unwrap());
    let label = if kind == RatchetKind::Handshake { "handshake" } else { "application" };
    Ratchet { generation: 0, secret: expand_with_label(suite, &leaf_secret, label, b"", 32).unwrap() }
}

/// What is left after these generations were opened, worked out from the root for each record.
fn model(suite: &dyn SuiteCrypto, opened: &BTreeSet<MessageKeyId>) -> Image {
    let leaves = LeafCount::covering(LEAVES).unwrap();
    let used: BTreeSet<LeafIndex> = opened.iter().map(|id| id.leaf).collect();
    let is_used = |node: NodeIndex| {
        used.iter().any(|leaf| {
            let mut above = leaf.node();
            while above.is_some_and(|above| above != node) {
                above = above.and_then(|above| above.parent(leaves));
            }
            above.is_some()
        })
    };
    let mut records = Vec::new();
    for node in (0..leaves.nodes()).map(NodeIndex::new) {
        if !is_used(node) && node.parent(leaves).is_none_or(is_used) {
            records.push(SecretTreeChange::PutNode { node, secret: node_secret(suite, node) });
        }
    }
    for (leaf, kind) in
        used.iter().flat_map(|leaf| [(*leaf, RatchetKind::Handshake), (*leaf, RatchetKind::Application)])
    {
        let of_ratchet = |generation| MessageKeyId::new(leaf, kind, generation);
        let end = (0..100)
            .rev()
            .find(|generation| opened.contains(&of_ratchet(*generation)))
            .map_or(0, |last| last.saturating_add(1));
        let mut ratchet = start(suite, leaf, kind);
        while ratchet.generation < end {
            let id = of_ratchet(ratchet.generation);
            if !opened.contains(&id) {
                let message_key = ratchet.message_key(suite).unwrap();
                records.push(SecretTreeChange::PutSkipped { id, created: 0, message_key });
            }
            ratchet = ratchet.step(suite).unwrap();
        }
        records.push(SecretTreeChange::put_ratchet(leaf, kind, &ratchet));
    }
    let mut image = Image::default();
    image.store(records);
    image
}

fn bytes(message_key: &MessageKey) -> Vec<u8> {
    [message_key.key.as_slice(), message_key.nonce.as_slice()].concat()
}

/// Opens of three senders, with duplicates, in batches that are peeked from one state.
fn arrivals() -> impl Strategy<Value = Vec<Vec<MessageKeyId>>> {
    let kind = any::<bool>().prop_map(|handshake| match handshake {
        true => RatchetKind::Handshake,
        false => RatchetKind::Application,
    });
    let id = (prop::sample::select(vec![0u32, 1, 6]), kind, 0u32..40)
        .prop_map(|(leaf, kind, generation)| MessageKeyId::new(LeafIndex::new(leaf), kind, generation));
    prop::collection::vec(prop::collection::vec(id, 1..12), 1..16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// PM-10, DEL-02 to DEL-05: whatever the order, each generation opens once, its key does not depend on the order,
    /// and what is left is what the model says.
    #[test]
    fn any_order_of_opens_ends_in_the_same_state(batches in arrivals()) {
        let (suite, limits) = (Counting::new(), Limits::default());
        let mut tree = tree_of(LEAVES);
        let mut stored = Image::of(&tree);
        let mut opened = BTreeSet::new();
        let mut keys = BTreeMap::new();
        for batch in batches {
            let peeked: Vec<_> = batch.iter().map(|id| (*id, tree.peek(&suite, *id, &limits))).collect();
            for (id, result) in peeked {
                let replay = ProcessError::ReplayDetected { leaf: id.leaf, generation: id.generation };
                let (message_key, spent) = match result {
                    Ok(peeked) => peeked,
                    Err(error) => {
                        prop_assert_eq!(error, replay);
                        prop_assert!(opened.contains(&id));
                        continue;
                    }
                };
                if opened.insert(id) {
                    keys.insert(id, bytes(&message_key));
                    stored.store(tree.plan(&suite, &spent, &limits, 0).unwrap());
                    tree.record(&suite, spent, &limits, 0).unwrap();
                } else {
                    prop_assert_eq!(tree.plan(&suite, &spent, &limits, 0).unwrap_err(), replay.clone());
                    prop_assert_eq!(tree.record(&suite, spent, &limits, 0), Err(replay));
                }
                prop_assert_eq!(&Image::of(&tree), &stored);
            }
        }
        prop_assert_eq!(&stored, &model(&suite, &opened));
        for (id, key) in keys {
            let ratchet = start(&suite, id.leaf, id.kind).forward(&suite, id.generation).unwrap();
            prop_assert_eq!(bytes(&ratchet.message_key(&suite).unwrap()), key);
            let replay = ProcessError::ReplayDetected { leaf: id.leaf, generation: id.generation };
            prop_assert_eq!(tree.peek(&suite, id, &limits).unwrap_err(), replay);
        }
    }
}
