//! A message read from the records says what the opened group says it says, and little of the records is read.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests"
)]

use std::cell::RefCell;

use mls_crypto::{CipherSuite, Hash};
use mls_engine::{
    error::{OperationError, ProcessError},
    group::{CommitOptions, Group, Opened, Processed, ProposalKind, Reader, RecordClass, RecordKey, RecordSource},
    math::LeafIndex,
    tree::{NodeSource, RatchetTree},
};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use testkit::{
    forge::FullTree,
    network::{Host, Member, Records},
};

const SUITE: CipherSuite = CipherSuite::X25519_AES128;

fn host(seed: u64) -> Host {
    let mut host = Host::new(seed);
    host.limits.max_members = 1 << 20;
    host
}

/// Two members of a full tree of this many, at leaf 0 and at the last.
fn pair(members: u32) -> [Member; 2] {
    let forged = FullTree::new(members, SUITE).forge(&host(1));
    [0, members - 1].map(|leaf| forged.member(leaf, host(2 + u64::from(leaf))).unwrap())
}

fn read(member: &Member, message: &[u8]) -> Result<Option<Opened>, OperationError> {
    let env = member.host.env();
    Reader::open(&env, &member.records)?.read(&env, message)
}

/// What the whole group, opened from the same records, says.
fn read_whole(member: &Member, message: &[u8]) -> Result<Opened, OperationError> {
    let env = member.host.env();
    match Group::load(&env, &member.records)?.process(&env, message)? {
        Processed::Application(opened) => Ok(*opened),
        other => panic!("no application message: {other:?}"),
    }
}

fn assert_same(member: &Member, message: &[u8]) {
    match (read(member, message), read_whole(member, message)) {
        (Ok(Some(read)), Ok(whole)) => {
            let all = |it: &Opened| (it.plaintext.clone(), it.authenticated_data.clone(), it.sender, it.epoch);
            assert_eq!(all(&read), all(&whole));
            assert_eq!((read.generation, read.sender_leaf), (whole.generation, whole.sender_leaf));
        }
        (Err(read), Err(whole)) => assert_eq!(read, whole),
        (read, whole) => panic!("{read:?} is not {whole:?}"),
    }
}

/// What happens in a group of two, one of whom also reads from its records.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// One of them says something; the other has not heard it yet.
    Send(usize),
    /// The message at this place among all that were sent is heard by whom it is for, maybe for a second time.
    Hear(usize),
    /// One of them commits.
    Commit(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..2usize).prop_map(Event::Send),
        4 => any::<usize>().prop_map(Event::Hear),
        1 => (0..2usize).prop_map(Event::Commit),
        1 => Just(Event::Send(0)),
    ]
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, ..Default::default() })]

    /// In order and out of order, for the first time and again, in this epoch and in past ones, to others and to
    /// oneself.
    #[test]
    fn reads_what_the_group_reads(events in proptest::collection::vec(event(), 1..24)) {
        let mut members = pair(6);
        let mut sent: Vec<(usize, Vec<u8>)> = Vec::new();
        for event in events {
            match event {
                Event::Send(by) => sent.push((by, members[by].send(&[7; 40]).unwrap())),
                Event::Hear(place) if !sent.is_empty() => {
                    let (by, message) = &sent[place % sent.len()];
                    let _ = members[1 - by].open(message);
                }
                Event::Hear(_) => {}
                Event::Commit(by) => {
                    let (commit, _) = members[by].commit_now(CommitOptions::default()).unwrap();
                    members[1 - by].receive(&commit).unwrap();
                }
            }
            for (_, message) in &sent {
                members.iter().for_each(|member| assert_same(member, message));
            }
        }
    }
}

/// Counts what is read.
struct Counting<'a> {
    records: &'a Records,
    read: RefCell<(usize, usize)>,
}

impl Counting<'_> {
    fn add(&self, rows: usize, bytes: usize) {
        let mut read = self.read.borrow_mut();
        *read = (read.0 + rows, read.1 + bytes);
    }
}

impl RecordSource for Counting<'_> {
    fn get(&self, key: &RecordKey) -> Option<Vec<u8>> {
        let value = self.records.get(key);
        self.add(1, value.as_ref().map_or(0, Vec::len));
        value
    }

    fn scan(&self, class: RecordClass, epoch: Option<u64>) -> Vec<(RecordKey, Vec<u8>)> {
        let rows = self.records.scan(class, epoch);
        self.add(rows.len(), rows.iter().map(|(_, value)| value.len()).sum());
        rows
    }
}

/// Records asked for and bytes read for one message in a full tree of this many.
fn cost(members: u32) -> (usize, usize) {
    let [mut first, last] = pair(members);
    let message = first.send(b"hello").unwrap();
    let counting = Counting { records: &last.records, read: RefCell::default() };
    let env = last.host.env();
    let opened = Reader::open(&env, &counting).unwrap().read(&env, &message).unwrap().unwrap();
    assert_eq!((opened.plaintext.as_slice(), opened.sender), (&b"hello"[..], LeafIndex::FIRST));
    counting.read.into_inner()
}

#[test]
fn reading_takes_a_path_and_no_tree() {
    // 7, 10 and 14 levels: two records a level, one of them a row, and six others.
    for (members, height) in [(100, 7), (1_000, 10), (10_000, 14)] {
        let (rows, bytes) = cost(members);
        assert!(rows <= 2 * height + 8, "{members} members: {rows} records");
        assert!(bytes <= 1_024 + 256 * height, "{members} members: {bytes} bytes");
    }
}

/// The rows from the root to a leaf of leaf 0's side, and what is left when one of them is not what its hash says.
#[test]
fn a_row_that_is_not_what_its_hash_says_is_refused() {
    let [mut first, mut last] = pair(8);
    let message = first.send(b"hello").unwrap();
    let rows: Vec<_> = last.records.rows.keys().filter(|key| key.class == RecordClass::Node).cloned().collect();
    let (mut refused, whole) = (0, last.records.clone());
    for key in &rows {
        for other in rows.iter().filter(|other| *other != key) {
            last.records.rows.insert(key.clone(), whole.rows[other].clone());
            refused += usize::from(is_refused(&last, &message));
            last.records = whole.clone();
        }
        for byte in 0..whole.rows[key].len() {
            last.records.rows.get_mut(key).unwrap()[byte] ^= 1;
            let on_the_way = is_refused(&last, &message);
            last.records = whole.clone();
            last.records.rows.remove(key);
            assert_eq!(is_refused(&last, &message), on_the_way, "byte {byte}");
            last.records = whole.clone();
        }
    }
    // Three parents and the leaf, each in place of which any of the fourteen others was put.
    assert_eq!(refused, 4 * 14);
}

#[test]
fn a_tree_of_another_depth_is_refused() {
    let [only, _] = pair(2);
    let (suite, tree) = (only.host.crypto.suite(SUITE).unwrap(), only.group.public().tree());
    let hashes: Vec<_> = tree.rows_not_in(None).unwrap().into_iter().map(|row| row.tree_hash).collect();
    let at = |place| RatchetTree::leaf_from_rows(suite.as_ref(), place, LeafIndex::FIRST, &Nodes(&only.records));
    assert!(at((1, hashes[0])).unwrap().is_some());
    // A leaf where a parent is, and the other way round.
    assert_eq!(at((1, hashes[1])), Err(OperationError::InvalidRecord));
    assert_eq!(at((0, hashes[0])), Err(OperationError::InvalidRecord));
}

fn is_refused(member: &Member, message: &[u8]) -> bool {
    match read(member, message) {
        Ok(Some(opened)) => {
            assert_eq!(opened.plaintext, b"hello");
            false
        }
        Err(error) => {
            assert_eq!(error, OperationError::InvalidRecord);
            true
        }
        Ok(None) => panic!("an application message"),
    }
}

/// Every leaf of the tree, those that are blank, and those beyond it.
#[test]
fn leaves_are_those_of_the_whole_tree() {
    let [mut first, last] = pair(6);
    first
        .commit_by_value(vec![ProposalKind::Remove(LeafIndex::new(2)), ProposalKind::Remove(LeafIndex::new(3))])
        .unwrap();
    let suite = last.host.crypto.suite(SUITE).unwrap();
    for member in [&first, &last] {
        let tree = member.group.public().tree();
        let root = (tree.depth(), tree.tree_hash());
        for leaf in (0..20).map(LeafIndex::new) {
            let read = RatchetTree::leaf_from_rows(suite.as_ref(), root, leaf, &Nodes(&member.records)).unwrap();
            assert_eq!(read.as_ref(), tree.leaf(leaf), "{leaf:?}");
        }
    }
}

/// The nodes among the records.
struct Nodes<'a>(&'a Records);

impl NodeSource for Nodes<'_> {
    fn node(&self, tree_hash: &Hash) -> Option<Vec<u8>> {
        let id = tree_hash.as_slice().to_vec();
        self.0.get(&RecordKey { class: RecordClass::Node, epoch: 0, id })
    }
}

#[test]
fn records_that_are_missing() {
    let [mut first, mut last] = pair(8);
    let message = first.send(b"hello").unwrap();
    let whole = last.records.clone();
    for class in [RecordClass::Header, RecordClass::Epoch] {
        last.records.rows.retain(|key, _| key.class != class);
        assert_eq!(read(&last, &message).unwrap_err(), OperationError::InvalidRecord, "{class:?}");
        last.records = whole.clone();
    }
    // As a group from which the key of the message is gone.
    last.records.rows.retain(|key, _| key.class != RecordClass::SecretNode);
    assert_same(&last, &message);
}

#[test]
fn what_is_read_can_be_recorded() {
    let [mut first, mut last] = pair(8);
    let message = first.send(b"hello").unwrap();
    let opened = read(&last, &message).unwrap().unwrap();
    let step = last.group.record(&last.host.env(), opened.spent).unwrap();
    last.adopt(step).unwrap();
    let replay = ProcessError::ReplayDetected { leaf: LeafIndex::FIRST, generation: 0 };
    assert_eq!(read(&last, &message).unwrap_err(), replay.into());
}

#[test]
fn what_is_no_application_message_is_left_to_the_group() {
    let [mut first, last] = pair(8);
    let (commit, _) = first.commit_now(CommitOptions::default()).unwrap();
    assert!(read(&last, &commit).unwrap().is_none());
    assert_eq!(read(&last, &[0; 7]).unwrap_err(), read_whole(&last, &[0; 7]).unwrap_err());
}

#[test]
fn messages_for_others() {
    let [mut first, mut last] = pair(8);
    let mut plan = FullTree::new(8, SUITE);
    plan.group_id = b"another".to_vec();
    let elsewhere = plan.forge(&host(90)).member(3, host(91)).unwrap().send(b"hello").unwrap();
    assert_eq!(read(&last, &elsewhere).unwrap_err(), ProcessError::WrongGroup.into());
    first.commit_now(CommitOptions::default()).unwrap();
    let early = first.send(b"hello").unwrap();
    let future = ProcessError::FutureEpoch { got: 9, current: 8 };
    assert_eq!(read(&last, &early).unwrap_err(), future.into());
    last.host.limits.max_message = early.len() - 1;
    assert_same(&last, &early);
}

#[test]
fn nothing_is_read_in_a_group_that_we_were_removed_from() {
    let [mut first, mut last] = pair(8);
    let remove = ProposalKind::Remove(last.group.own_index());
    let (commit, _) = first.commit_by_value(vec![remove]).unwrap();
    let message = first.send(b"without you").unwrap();
    last.receive(&commit).unwrap();
    assert_eq!(read(&last, &message).unwrap_err(), ProcessError::NotAMember.into());
}
