//! Forged groups are groups: they can be joined, opened by any member, and go on.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests"
)]

use mls_crypto::{CipherSuite, Hash};
use mls_engine::{
    codec::encode,
    error::ProcessError,
    group::{CommitOptions, ProposalKind},
    math::{LeafIndex, NodeIndex},
    message::GroupContext,
    tree::{Node, RatchetTree, validate},
};
use testkit::{
    forge::{Forged, FullTree},
    network::{Host, Member, NewMember},
};

const SUITE: CipherSuite = CipherSuite::X25519_AES128;

/// A host that allows any size.
fn host(seed: u64) -> Host {
    let mut host = Host::new(seed);
    host.limits.max_members = 1 << 20;
    host
}

/// A forged group and the member that joined it by Welcome.
fn joined(members: u32, suite: CipherSuite) -> (Forged, Member) {
    let joiner = NewMember::with_host("joiner", host(1), suite);
    let keys = joiner.key_package();
    let forged = FullTree::new(members, suite).with_joiner(keys.key_package()).forge(&host(2));
    let welcome = forged.welcome(&host(3));
    let member = joiner.join(&welcome, &keys, None).unwrap();
    (forged, member)
}

/// Every parent with members on both sides is set, and nothing is unmerged.
fn assert_full(forged: &Forged, members: u32) {
    // In the array of nodes, a parent over n leaves on each side stands between the last of one side and the first of
    // the other: there are as many such parents as members but one.
    let parents: Vec<_> = forged
        .tree
        .nodes()
        .into_iter()
        .filter_map(|node| match node {
            Some(Node::Parent(parent)) => Some(parent),
            _ => None,
        })
        .collect();
    assert_eq!(forged.tree.member_count(), members);
    assert_eq!(parents.len(), usize::try_from(members - 1).unwrap());
    assert!(parents.iter().all(|parent| parent.unmerged_leaves.is_empty()));
}

/// Each of the members commits, and then says something, to all others.
fn everybody_commits(all: &mut [Member]) {
    for committer in 0..all.len() {
        let (commit, _) = all[committer].commit_now(CommitOptions::default()).unwrap();
        for_others(all, committer, |member| assert!(!member.receive(&commit).unwrap().is_empty()));
        let message = all[committer].send(b"after the commit").unwrap();
        let view = all[committer].view();
        for_others(all, committer, |member| {
            assert_eq!(member.view(), view, "{}", member.name);
            assert_eq!(member.open(&message).unwrap().0, b"after the commit");
        });
    }
}

fn for_others(all: &mut [Member], except: usize, mut each: impl FnMut(&mut Member)) {
    all.iter_mut().enumerate().filter(|(place, _)| *place != except).for_each(|(_, member)| each(member));
}

/// The joiner and a few forged members.
fn some_members(members: u32, suite: CipherSuite) -> Vec<Member> {
    let (forged, joiner) = joined(members, suite);
    assert_full(&forged, members);
    let mut leaves = vec![0, 2, members / 2, members - 1];
    leaves.sort_unstable();
    leaves.dedup();
    leaves.retain(|leaf| *leaf < members);
    let forged_member = |leaf: u32| forged.member(leaf, host(100 + u64::from(leaf)));
    let mut all: Vec<_> = leaves.into_iter().filter_map(forged_member).collect();
    all.push(joiner);
    all
}

#[test]
fn small_groups_go_on() {
    for members in 2..=9 {
        everybody_commits(&mut some_members(members, SUITE));
    }
}

#[test]
fn a_group_of_one_hundred_goes_on() {
    everybody_commits(&mut some_members(100, SUITE));
}

#[test]
fn a_group_of_a_thousand_goes_on() {
    everybody_commits(&mut some_members(1_000, SUITE));
}

#[test]
fn other_suites() {
    for suite in [CipherSuite::P256_AES128, CipherSuite::X25519_CHACHA20] {
        everybody_commits(&mut some_members(5, suite));
    }
}

/// A forged group lets others in by external commit, and by a Welcome of its members.
#[test]
fn newcomers() {
    let forged = FullTree::new(6, SUITE).forge(&host(1));
    let mut first = forged.member(0, host(2)).unwrap();
    let mut last = forged.member(5, host(3)).unwrap();
    let info = forged.group_info(&host(4));
    let (mut external, commit) =
        NewMember::with_host("external", host(5), SUITE).join_external(&info, None, None).unwrap();
    first.receive(&commit).unwrap();
    last.receive(&commit).unwrap();
    let invited = NewMember::with_host("invited", host(6), SUITE);
    let keys = invited.key_package();
    let add = ProposalKind::Add(keys.message().unwrap());
    let (commit, welcome) = last.commit_by_value(vec![add]).unwrap();
    first.receive(&commit).unwrap();
    external.receive(&commit).unwrap();
    let invited = invited.join(&welcome.unwrap(), &keys, None).unwrap();
    everybody_commits(&mut [first, last, external, invited]);
}

/// The forge counts on the engine to judge its trees, so the engine must see what is wrong with one.
#[test]
fn a_tree_with_a_wrong_parent_hash_is_refused() {
    let forged = FullTree::new(8, SUITE).forge(&host(1));
    let suite = host(1).crypto.suite(SUITE).unwrap();
    let mut nodes = forged.tree.nodes();
    let Some(Some(Node::Parent(parent))) = nodes.get_mut(3) else { panic!("node 3 is a parent") };
    parent.parent_hash = Hash::from_slice(&[7; 32]).unwrap();
    let tree = RatchetTree::decode(suite.as_ref(), &encode(&nodes).unwrap()).unwrap();
    let context = GroupContext { tree_hash: tree.tree_hash(), ..forged.context.clone() };
    let refused = validate(&host(1).env(), suite.as_ref(), &tree, &context).unwrap_err();
    // Node 7 is not covered by the chain of leaf 0 any more.
    assert_eq!(refused, ProcessError::InvalidParentHash(NodeIndex::new(7)));
    validate(&host(1).env(), suite.as_ref(), &forged.tree, &forged.context).unwrap();
}

/// TREE-18: with blank leaves and parents inside, and without blanks at the end.
#[test]
fn the_array_is_that_of_the_nodes() {
    let forged = FullTree::new(13, SUITE).forge(&host(1));
    let mut member = forged.member(0, host(2)).unwrap();
    for leaf in [12, 9, 8, 3] {
        let tree = member.group.public().tree();
        assert_eq!(tree.encode().unwrap(), encode(&tree.nodes()).unwrap(), "before {leaf} is removed");
        member.commit_by_value(vec![ProposalKind::Remove(LeafIndex::new(leaf))]).unwrap();
    }
    let tree = member.group.public().tree();
    assert_eq!(tree.encode().unwrap(), encode(&tree.nodes()).unwrap());
}
