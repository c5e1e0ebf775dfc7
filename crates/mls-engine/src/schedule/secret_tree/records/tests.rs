use mls_crypto::Secret;

use crate::{
    error::{OperationError, ProcessError},
    limits::Limits,
    math::{LeafCount, LeafIndex, NodeIndex},
    schedule::{
        MessageKey, MessageKeyId, RatchetKind, SecretTree, SecretTreeChange,
        testing::{Counting, Image, secret, tree_of},
    },
};

const OWN: LeafIndex = LeafIndex::new(1);

fn id(leaf: u32, generation: u32) -> MessageKeyId {
    MessageKeyId::new(LeafIndex::new(leaf), RatchetKind::Application, generation)
}

fn open(tree: &mut SecretTree, id: MessageKeyId, now: u64) -> Result<(), ProcessError> {
    let (suite, limits) = (Counting::new(), Limits::default());
    let (_, spent) = tree.peek(&suite, id, &limits)?;
    tree.record(&suite, spent, &limits, now)
}

fn send(tree: &mut SecretTree) {
    let (suite, limits) = (Counting::new(), Limits::default());
    let (_, _, spent) = tree.next(&suite, OWN, RatchetKind::Application, &limits).unwrap();
    tree.record(&suite, spent, &limits, 0).unwrap();
}

fn load(records: Vec<SecretTreeChange>) -> Result<SecretTree, OperationError> {
    SecretTree::from_records(&Counting::new(), LeafCount::covering(4).unwrap(), records)
}

fn node(node: u32) -> SecretTreeChange {
    SecretTreeChange::PutNode { node: NodeIndex::new(node), secret: secret(1) }
}

fn ratchet(leaf: u32, kind: RatchetKind) -> SecretTreeChange {
    SecretTreeChange::PutRatchet { leaf: LeafIndex::new(leaf), kind, generation: 5, secret: secret(1) }
}

fn ratchets(leaf: u32) -> [SecretTreeChange; 2] {
    [ratchet(leaf, RatchetKind::Handshake), ratchet(leaf, RatchetKind::Application)]
}

fn skipped(leaf: u32, generation: u32, key_len: usize) -> SecretTreeChange {
    let message_key = MessageKey { key: Secret::zero(key_len), nonce: Secret::zero(12) };
    SecretTreeChange::PutSkipped { id: id(leaf, generation), created: 0, message_key }
}

#[test]
fn dump_and_load_keep_everything() {
    let mut tree = tree_of(4);
    open(&mut tree, id(2, 3), 7).unwrap();
    open(&mut tree, id(0, 0), 8).unwrap();
    send(&mut tree);
    let loaded = load(tree.dump()).unwrap();
    assert_eq!(Image::of(&loaded), Image::of(&tree));
    assert_eq!(Image::of(&loaded).count("skipped"), 3);
}

/// X-STATE-05
#[test]
fn impossible_records_are_refused() {
    let valid = || {
        let mut records = vec![node(0), node(5)];
        records.extend(ratchets(1));
        records.push(skipped(1, 4, 16));
        records
    };
    assert!(load(valid()).is_ok());
    let bad = [
        vec![node(7)],
        vec![SecretTreeChange::PutNode { node: NodeIndex::new(4), secret: Secret::zero(31) }],
        vec![SecretTreeChange::PutRatchet {
            leaf: OWN,
            kind: RatchetKind::Handshake,
            generation: 0,
            secret: Secret::zero(31),
        }],
        ratchets(4).into(),
        vec![ratchet(3, RatchetKind::Application)],
        vec![node(3)],
        vec![node(2)],
        vec![node(4)],
        vec![skipped(1, 5, 16)],
        vec![skipped(1, 4, 15)],
        vec![skipped(0, 0, 16)],
        vec![skipped(4, 0, 16)],
        vec![SecretTreeChange::DeleteNode { node: NodeIndex::new(0) }],
        vec![SecretTreeChange::DeleteRatchet { leaf: OWN, kind: RatchetKind::Handshake }],
        vec![SecretTreeChange::DeleteSkipped { id: id(1, 4) }],
    ];
    for (case, extra) in bad.into_iter().enumerate() {
        let mut records = valid();
        records.extend(extra);
        assert_eq!(load(records).unwrap_err(), OperationError::InvalidRecord, "case {case}");
    }
}

/// DEL-06
#[test]
fn skipped_keys_expire() {
    let limits = Limits { max_skipped_key_age: 10, ..Limits::default() };
    let mut tree = tree_of(4);
    open(&mut tree, id(2, 2), 100).unwrap();
    open(&mut tree, id(3, 1), 105).unwrap();
    let mut image = Image::of(&tree);
    assert!(tree.expired(110, &limits).is_empty());
    let deletes = tree.expired(111, &limits);
    tree.expire(111, &limits);
    assert_eq!(deletes.len(), 2);
    image.store(deletes);
    assert_eq!(Image::of(&tree), image);
    let replay = ProcessError::ReplayDetected { leaf: LeafIndex::new(2), generation: 1 };
    assert_eq!(open(&mut tree, id(2, 1), 111), Err(replay));
    assert_eq!(open(&mut tree, id(3, 0), 111), Ok(()));
    assert!(tree.expired(u64::MAX, &limits).is_empty());
}

/// DEL-06: the key of a commit that was made before a proposal, and comes long after it, is still there; it ends with the
/// epoch.
#[test]
fn skipped_keys_of_handshakes_end_with_the_epoch() {
    let (suite, limits) = (Counting::new(), Limits { max_skipped_key_age: 10, ..Limits::default() });
    let handshake = |generation| MessageKeyId::new(LeafIndex::new(2), RatchetKind::Handshake, generation);
    let mut tree = tree_of(4);
    open(&mut tree, handshake(1), 100).unwrap();
    assert!(tree.expired(u64::MAX, &limits).is_empty());
    tree.expire(u64::MAX, &limits);
    assert!(tree.peek(&suite, handshake(0), &limits).is_ok());
    let past = tree.into_receive_only(&suite, OWN).unwrap();
    assert!(matches!(past.peek(&suite, handshake(0), &limits), Err(ProcessError::ReplayDetected { .. })));
}

/// DEL-14: a past epoch cannot send, in whatever state it was left, and still reads every other member.
#[test]
fn a_past_epoch_only_receives() {
    let (suite, limits) = (Counting::new(), Limits::default());
    let untouched = |_: &mut SecretTree| {};
    let neighbour = |tree: &mut SecretTree| open(tree, id(0, 0), 0).unwrap();
    let sent = |tree: &mut SecretTree| send(tree);
    let received = |tree: &mut SecretTree| open(tree, id(1, 2), 0).unwrap();
    let histories: [&dyn Fn(&mut SecretTree); 4] = [&untouched, &neighbour, &sent, &received];
    for (case, history) in histories.into_iter().enumerate() {
        let mut tree = tree_of(4);
        history(&mut tree);
        let mut image = Image::of(&tree);
        let changes = tree.receive_only_changes(&suite, OWN).unwrap();
        let mut tree = tree.into_receive_only(&suite, OWN).unwrap();
        image.store(changes);
        assert_eq!(Image::of(&tree), image, "case {case}");
        assert!(load(tree.dump()).is_ok(), "case {case}");
        for kind in [RatchetKind::Handshake, RatchetKind::Application] {
            let error = tree.next(&suite, OWN, kind, &limits).unwrap_err();
            assert_eq!(error, OperationError::NoGenerationReserved, "case {case}");
        }
        for generation in [0, 50] {
            let replay = ProcessError::ReplayDetected { leaf: OWN, generation };
            assert_eq!(open(&mut tree, id(1, generation), 0), Err(replay), "case {case}");
        }
        for leaf in [0, 2, 3] {
            assert_eq!(open(&mut tree, id(leaf, 9), 0), Ok(()), "case {case}, leaf {leaf}");
        }
        let changes = tree.receive_only_changes(&suite, OWN).unwrap();
        let again = tree.into_receive_only(&suite, OWN).unwrap();
        assert!(changes.is_empty(), "case {case}");
        drop(again);
    }
}
