use super::SecretTree;
use crate::{
    error::{OperationError, ProcessError},
    limits::Limits,
    math::LeafIndex,
    schedule::{
        MessageKeyId, RatchetKind,
        testing::{Counting, Image, tree_of},
    },
};

const OWN: LeafIndex = LeafIndex::new(1);
const BOB: LeafIndex = LeafIndex::new(2);

fn id(leaf: LeafIndex, generation: u32) -> MessageKeyId {
    MessageKeyId::new(leaf, RatchetKind::Application, generation)
}

fn open(tree: &mut SecretTree, id: MessageKeyId, limits: &Limits, now: u64) -> Result<Vec<u8>, ProcessError> {
    let suite = Counting::new();
    let (message_key, spent) = tree.peek(&suite, id, limits)?;
    tree.record(&suite, spent, limits, now)?;
    Ok(message_key.key.as_slice().to_vec())
}

fn send(tree: &mut SecretTree, image: &mut Image, limits: &Limits) -> Result<(u32, Vec<u8>, usize), OperationError> {
    let suite = Counting::new();
    let (generation, message_key, spent) = tree.next(&suite, OWN, RatchetKind::Application, limits)?;
    let changes = tree.plan(&suite, &spent, limits, 0)?;
    let written = changes.len();
    image.store(changes);
    tree.record(&suite, spent, limits, 0)?;
    Ok((generation, message_key.key.as_slice().to_vec(), written))
}

/// The first message of a sender costs the depth of the tree, every later one a constant.
#[test]
fn cost_depends_on_depth_once_and_then_on_nothing() {
    let (suite, limits) = (Counting::new(), Limits::default());
    for depth in [0u32, 3, 20, 24] {
        let mut tree = tree_of(1 << depth);
        assert_eq!(tree.dump().len(), 1);
        let (peeked, first) = suite.during(|| tree.peek(&suite, id(LeafIndex::FIRST, 0), &limits));
        assert_eq!(first, 2 * usize::try_from(depth).unwrap() + 2 + 3, "depth {depth}");
        let (recorded, derived) = suite.during(|| tree.record(&suite, peeked.unwrap().1, &limits, 0));
        assert_eq!((recorded, derived), (Ok(()), 0), "depth {depth}");
        let (peeked, second) = suite.during(|| tree.peek(&suite, id(LeafIndex::FIRST, 1), &limits));
        assert_eq!(second, 3, "depth {depth}");
        let (_, spent) = peeked.unwrap();
        assert_eq!(tree.plan(&suite, &spent, &limits, 0).unwrap().len(), 1, "depth {depth}");
    }
}

/// PM-11, X-DOS-05
#[test]
fn far_generations_are_refused_without_derivation() {
    let suite = Counting::new();
    let limits = Limits { max_forward_generations: 10, max_derivations: 15, ..Limits::default() };
    let mut tree = tree_of(4);
    let refused = |tree: &SecretTree, generation| {
        let (result, derived) = suite.during(|| tree.peek(&suite, id(BOB, generation), &limits));
        assert_eq!(result.unwrap_err(), ProcessError::GenerationTooFar { leaf: BOB, generation });
        assert_eq!(derived, 0);
    };
    refused(&tree, 11);
    refused(&tree, u32::MAX);
    open(&mut tree, id(BOB, 10), &limits, 0).unwrap();
    refused(&tree, 15);
    refused(&tree, u32::MAX);
    open(&mut tree, id(BOB, 14), &limits, 0).unwrap();
    refused(&tree, 15);
    let boundless = Limits { max_forward_generations: u32::MAX, ..limits };
    let error = tree.peek(&suite, id(BOB, u32::MAX), &boundless).unwrap_err();
    assert_eq!(error, ProcessError::GenerationTooFar { leaf: BOB, generation: u32::MAX });
}

/// PM-03
#[test]
fn leaves_outside_the_tree_are_unknown() {
    let (suite, limits, tree) = (Counting::new(), Limits::default(), tree_of(4));
    for leaf in [4, u32::MAX].map(LeafIndex::new) {
        let error = tree.peek(&suite, id(leaf, 0), &limits).unwrap_err();
        assert_eq!(error, ProcessError::UnknownMember(leaf));
        let error = tree.next(&suite, leaf, RatchetKind::Application, &limits).unwrap_err();
        assert_eq!(error, ProcessError::UnknownMember(leaf).into());
    }
}

/// PM-10, DEL-05
#[test]
fn a_generation_opens_once() {
    let limits = Limits::default();
    let mut tree = tree_of(4);
    for generation in [3, 1, 0, 4, 2] {
        open(&mut tree, id(BOB, generation), &limits, 0).unwrap();
        let after = Image::of(&tree);
        let error = open(&mut tree, id(BOB, generation), &limits, 0).unwrap_err();
        assert_eq!(error, ProcessError::ReplayDetected { leaf: BOB, generation });
        assert_eq!(Image::of(&tree), after);
    }
    assert_eq!(Image::of(&tree).count("skipped"), 0);
}

/// PM-12: a jump beyond the cap keeps the newest, and makes room by dropping the oldest.
#[test]
fn skipped_keys_are_bounded_per_sender() {
    let limits = Limits { max_skipped_keys_per_sender: 4, ..Limits::default() };
    let mut tree = tree_of(4);
    open(&mut tree, id(BOB, 10), &limits, 0).unwrap();
    let kept = |tree: &SecretTree| -> Vec<u32> {
        tree.skipped.iter().filter(|(id, ..)| id.leaf == BOB).map(|(id, ..)| id.generation).collect()
    };
    assert_eq!(kept(&tree), [6, 7, 8, 9]);
    open(&mut tree, id(BOB, 12), &limits, 1).unwrap();
    assert_eq!(kept(&tree), [7, 8, 9, 11]);
    open(&mut tree, MessageKeyId::new(BOB, RatchetKind::Handshake, 2), &limits, 2).unwrap();
    assert_eq!(kept(&tree), [0, 1, 9, 11]);
    open(&mut tree, id(OWN, 2), &limits, 3).unwrap();
    assert_eq!(kept(&tree), [0, 1, 9, 11]);
    open(&mut tree, id(BOB, 15), &limits, 4).unwrap();
    assert_eq!(kept(&tree), [0, 1, 13, 14]);
    let suite = Counting::new();
    let (_, spent) = tree.peek(&suite, id(BOB, 20), &limits).unwrap();
    let lowered = Limits { max_skipped_keys_per_sender: 2, ..limits.clone() };
    tree.record(&suite, spent, &lowered, 5).unwrap();
    assert_eq!(kept(&tree), [18, 19]);
    let error = open(&mut tree, id(BOB, 8), &limits, 3).unwrap_err();
    assert_eq!(error, ProcessError::ReplayDetected { leaf: BOB, generation: 8 });
}

/// PM-12: a jump costs one derivation per generation that is not kept.
#[test]
fn keys_beyond_the_cap_are_never_derived() {
    let suite = Counting::new();
    let limits = Limits { max_skipped_keys_per_sender: 4, ..Limits::default() };
    let mut tree = tree_of(4);
    open(&mut tree, id(BOB, 0), &limits, 0).unwrap();
    let (_, derived) = suite.during(|| tree.peek(&suite, id(BOB, 101), &limits));
    assert_eq!(derived, 96 + 4 * 3 + 3);
}

/// PM-12
#[test]
fn skipped_keys_are_bounded_per_tree() {
    let limits = Limits { max_skipped_keys: 5, ..Limits::default() };
    let mut tree = tree_of(4);
    open(&mut tree, id(BOB, 3), &limits, 5).unwrap();
    open(&mut tree, id(OWN, 4), &limits, 6).unwrap();
    let kept: Vec<_> = tree.skipped.iter().map(|(id, ..)| (id.leaf.get(), id.generation)).collect();
    assert_eq!(kept, [(1, 0), (1, 1), (1, 2), (1, 3), (2, 2)]);
    open(&mut tree, id(LeafIndex::FIRST, 50), &limits, 7).unwrap();
    let kept: Vec<_> = tree.skipped.iter().map(|(id, ..)| (id.leaf.get(), id.generation)).collect();
    assert_eq!(kept, [(0, 45), (0, 46), (0, 47), (0, 48), (0, 49)]);
    let none = Limits { max_skipped_keys: 0, ..limits };
    open(&mut tree, id(LeafIndex::new(3), 50), &none, 8).unwrap();
    assert_eq!(tree.skipped.iter().count(), 5);
}

/// PM-09: what we send is what the others open, each generation once.
#[test]
fn sent_keys_are_the_received_keys() {
    let limits = Limits { generation_block: 3, ..Limits::default() };
    let (mut alice, mut bob) = (tree_of(4), tree_of(4));
    let mut image = Image::of(&alice);
    for expected in 0..10 {
        let (generation, key, _) = send(&mut alice, &mut image, &limits).unwrap();
        assert_eq!(generation, expected);
        assert_eq!(open(&mut bob, id(OWN, generation), &limits, 0).unwrap(), key);
    }
}

/// PM-09
#[test]
fn one_generation_is_not_sent_twice() {
    let (suite, limits) = (Counting::new(), Limits::default());
    let mut tree = tree_of(4);
    for _ in 0..2 {
        let (generation, _, first) = tree.next(&suite, OWN, RatchetKind::Application, &limits).unwrap();
        let (_, _, second) = tree.next(&suite, OWN, RatchetKind::Application, &limits).unwrap();
        tree.record(&suite, first, &limits, 0).unwrap();
        let replay = ProcessError::ReplayDetected { leaf: OWN, generation };
        assert_eq!(tree.plan(&suite, &second, &limits, 0).unwrap_err(), replay);
        assert_eq!(tree.record(&suite, second, &limits, 0), Err(replay));
    }
}

/// X-STATE-01: one write per block; after a crash no generation comes again.
#[test]
fn a_reloaded_tree_sends_behind_the_reserved_block() {
    let suite = Counting::new();
    let limits = Limits { generation_block: 4, ..Limits::default() };
    let mut tree = tree_of(4);
    let mut image = Image::of(&tree);
    let mut expected = 0;
    for used in [1, 2, 4, 5, 9] {
        for count in 0..used {
            let (generation, _, written) = send(&mut tree, &mut image, &limits).unwrap();
            assert_eq!(generation, expected + count);
            assert_eq!(written > 0, count % 4 == 0);
            assert_eq!(Image::of(&tree), image);
        }
        expected += used.div_ceil(4) * 4;
        tree = SecretTree::from_records(&suite, tree.leaves(), tree.dump()).unwrap();
    }
}

/// DEL-03, X-STATE-01: storage never holds the ratchet secret of a generation that was sent.
#[test]
fn storage_holds_no_secret_of_a_sent_generation() {
    let suite = Counting::new();
    let limits = Limits { generation_block: 4, ..Limits::default() };
    let mut tree = tree_of(4);
    let mut image = Image::of(&tree);
    let (_, mut ratchet) = tree.ratchet(&suite, OWN, RatchetKind::Application).unwrap().unwrap();
    for _ in 0..9 {
        let (generation, ..) = send(&mut tree, &mut image, &limits).unwrap();
        assert_eq!(generation, ratchet.generation);
        assert!(!image.holds(ratchet.secret.as_slice()), "generation {generation}");
        ratchet = ratchet.step(&suite).unwrap();
    }
    let (_, end) = tree.ratchet(&suite, OWN, RatchetKind::Application).unwrap().unwrap();
    assert_eq!(end.generation, 12);
    assert!(image.holds(end.secret.as_slice()));
}

/// PM-13
#[test]
fn generations_do_not_wrap() {
    for (max_derivations, generation_block) in [(6, 4), (6, u32::MAX), (6, 0)] {
        let limits = Limits { max_derivations, generation_block, ..Limits::default() };
        let mut tree = tree_of(2);
        let mut image = Image::of(&tree);
        for expected in 0..5 {
            assert_eq!(send(&mut tree, &mut image, &limits).unwrap().0, expected);
        }
        let before = Image::of(&tree);
        assert_eq!(send(&mut tree, &mut image, &limits).unwrap_err(), OperationError::GenerationsExhausted);
        assert_eq!(Image::of(&tree), before);
    }
    let mut tree = tree_of(2);
    tree.ratchets.clear();
    let limits = Limits { max_derivations: 0, ..Limits::default() };
    let mut image = Image::of(&tree);
    assert_eq!(send(&mut tree, &mut image, &limits).unwrap_err(), OperationError::GenerationsExhausted);
}
