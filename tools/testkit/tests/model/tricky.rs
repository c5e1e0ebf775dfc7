//! Sequences that are easy to get wrong, one by one; and those that once went wrong.

use mls_crypto::CipherSuite;
use mls_engine::{
    error::{OperationError, ProcessError},
    group::{CommitOptions, Event, Framing, MessageOptions, PathChoice, Processed, ProposalKind, Step},
    math::LeafIndex,
};
use testkit::network::{Member, NewMember};

use super::check::same;

const SUITE: CipherSuite = CipherSuite::X25519_AES128;

/// A group of clients `m0`, `m1` and so on, each at the leaf of its number.
fn group(size: u64) -> Vec<Member> {
    group_with(size, 3)
}

/// The same, with another window of past epochs.
fn group_with(size: u64, past_epochs: usize) -> Vec<Member> {
    let mut members = vec![client(0, past_epochs).create(b"group")];
    if size > 1 {
        add(&mut members, 0, (1..size).map(|number| client(number, past_epochs)).collect());
    }
    members
}

fn client(number: u64, past_epochs: usize) -> NewMember {
    let mut client = NewMember::new(&format!("m{number}"), number, SUITE);
    client.host.limits.max_past_epochs = past_epochs;
    client
}

fn without_path(by_value: Vec<ProposalKind>) -> CommitOptions {
    CommitOptions { by_value, path: PathChoice::WhenRequired, ..CommitOptions::default() }
}

fn removes(leaves: &[u32]) -> Vec<ProposalKind> {
    leaves.iter().map(|leaf| ProposalKind::Remove(LeafIndex::new(*leaf))).collect()
}

/// `by` adds clients without a path; everybody else follows.
fn add(members: &mut Vec<Member>, by: usize, clients: Vec<NewMember>) {
    let keys: Vec<_> = clients.iter().map(NewMember::key_package).collect();
    let kinds = keys.iter().map(|keys| ProposalKind::Add(keys.message().unwrap())).collect();
    let (commit, welcome) = members[by].commit_now(without_path(kinds)).unwrap();
    follow(members, by, &commit);
    for (client, keys) in clients.into_iter().zip(keys) {
        members.push(client.join(welcome.as_ref().unwrap(), &keys, None).unwrap());
    }
    agree(members);
}

/// `by` commits and everybody else follows.
fn commit(members: &mut [Member], by: usize, options: CommitOptions) {
    let (commit, _) = members[by].commit_now(options).unwrap();
    follow(members, by, &commit);
}

fn follow(members: &mut [Member], by: usize, commit: &[u8]) {
    for (at, member) in members.iter_mut().enumerate() {
        if at != by {
            member.receive(commit).unwrap();
        }
    }
}

/// Proposes by reference; everybody else remembers.
fn propose(members: &mut [Member], by: usize, kind: ProposalKind) {
    let (proposal, _) = members[by].propose(kind).unwrap();
    follow(members, by, &proposal);
}

fn update() -> ProposalKind {
    ProposalKind::Update(Box::default())
}

/// All agree, load from their records as they are, and hear each other.
fn agree(members: &mut [Member]) {
    let view = members[0].view();
    for member in members.iter() {
        assert_eq!(member.view(), view, "{}", member.name);
        same(&member.group, &mls_engine::group::Group::load(&member.host.env(), &member.records).unwrap());
    }
    for by in 0..members.len() {
        let message = members[by].send(b"do you hear me").unwrap();
        for (at, member) in members.iter_mut().enumerate() {
            if at != by {
                member.open(&message).unwrap();
            }
        }
    }
}

/// Removes members from the model as well.
fn drop_removed(members: &mut Vec<Member>) {
    members.retain(|member| *member.group.status() == mls_engine::group::Status::Active);
}

#[test]
fn update_by_reference_with_the_path_of_another_and_a_restart() {
    let mut members = group(4);
    propose(&mut members, 1, update());
    propose(&mut members, 2, update());
    members.iter_mut().for_each(Member::reopen);
    let before = members[1].group.own_leaf().unwrap().encryption_key.clone();
    let (id, bytes, _) = members[0].commit(CommitOptions::default()).unwrap();
    members.iter_mut().for_each(Member::reopen);
    members[0].accept(&id).unwrap();
    follow(&mut members, 0, &bytes);
    assert_ne!(members[1].group.own_leaf().unwrap().encryption_key, before);
    agree(&mut members);
    members.iter_mut().for_each(Member::reopen);
    commit(&mut members, 3, CommitOptions::default());
    agree(&mut members);
}

#[test]
fn two_updates_of_neighbours_then_each_commits() {
    let mut members = group(2);
    for round in 0..4 {
        let (by, other) = (round % 2, (round + 1) % 2);
        propose(&mut members, other, update());
        propose(&mut members, other, update());
        commit(&mut members, by, CommitOptions::default());
        agree(&mut members);
    }
}

/// A path whose every ciphertext list is empty: only new leaves are beside it.
#[test]
fn copath_of_new_leaves_only() {
    let mut members = group(1);
    let clients: Vec<_> = (1..4).map(|number| client(number, 3)).collect();
    let keys: Vec<_> = clients.iter().map(NewMember::key_package).collect();
    let kinds = keys.iter().map(|keys| ProposalKind::Add(keys.message().unwrap())).collect();
    let (_, welcome) = members[0].commit_by_value(kinds).unwrap();
    for (client, keys) in clients.into_iter().zip(keys) {
        members.push(client.join(welcome.as_ref().unwrap(), &keys, None).unwrap());
    }
    agree(&mut members);
    for by in 0..4 {
        commit(&mut members, by, CommitOptions::default());
        agree(&mut members);
    }
}

#[test]
fn shrinks_from_sixteen_to_one_and_grows_again() {
    let mut members = group(16);
    for by in [0, 5, 10, 15] {
        commit(&mut members, by, CommitOptions::default());
    }
    commit(
        &mut members,
        7,
        CommitOptions { by_value: removes(&[8, 9, 10, 11, 12, 13, 14, 15]), ..CommitOptions::default() },
    );
    drop_removed(&mut members);
    assert_eq!(members[0].group.public().tree().leaf_count().get(), 8);
    agree(&mut members);
    commit(&mut members, 2, CommitOptions { by_value: removes(&[0, 1, 3, 4, 5, 6, 7]), ..CommitOptions::default() });
    drop_removed(&mut members);
    assert_eq!(members.len(), 1);
    agree(&mut members);
    members[0].reopen();
    add(&mut members, 0, (20..31).map(|number| client(number, 3)).collect());
    assert_eq!(members.len(), 12);
    commit(&mut members, 11, CommitOptions::default());
    agree(&mut members);
}

#[test]
fn removes_and_adds_one_client_in_one_commit() {
    let mut members = group(3);
    let mut again = client(1, 3);
    // LIST-06: the very same signature key.
    again.signature_key = client(1, 3).signature_key;
    let keys = again.key_package();
    let mut by_value = vec![ProposalKind::Add(keys.message().unwrap())];
    by_value.extend(removes(&[1]));
    let (bytes, welcome) = members[0].commit_by_value(by_value).unwrap();
    follow(&mut members, 0, &bytes);
    let mut old = members.remove(1);
    members.push(again.join(&welcome.unwrap(), &keys, None).unwrap());
    assert_eq!(members[2].group.own_index(), LeafIndex::new(1));
    agree(&mut members);
    let message = members[2].send(b"back").unwrap();
    assert_eq!(old.open(&message).unwrap_err(), ProcessError::NotAMember);
}

#[test]
fn external_commits_into_a_full_tree_and_into_a_gap() {
    let mut members = group(4);
    for (number, leaf) in [(10, 4), (11, 5)] {
        join_externally(&mut members, number, None);
        assert_eq!(members.last().unwrap().group.own_index(), LeafIndex::new(leaf));
    }
    commit(&mut members, 0, CommitOptions { by_value: removes(&[2]), ..CommitOptions::default() });
    drop_removed(&mut members);
    join_externally(&mut members, 12, None);
    assert_eq!(members.last().unwrap().group.own_index(), LeafIndex::new(2));
    // A resync takes the leftmost gap, here its own.
    let leaf = members[1].group.own_index();
    join_externally(&mut members, 1, Some(leaf));
    assert_eq!(members.last().unwrap().group.own_index(), leaf);
}

/// Found by the model: the last member comes back to a tree that is empty meanwhile.
#[test]
fn the_last_member_resyncs() {
    let mut members = group(4);
    commit(&mut members, 2, CommitOptions { by_value: removes(&[0, 1, 3]), ..CommitOptions::default() });
    drop_removed(&mut members);
    let leaf = members[0].group.own_index();
    join_externally(&mut members, 2, Some(leaf));
    join_externally(&mut members, 10, None);
    commit(&mut members, 0, CommitOptions::default());
    agree(&mut members);
}

fn join_externally(members: &mut Vec<Member>, number: u64, remove: Option<LeafIndex>) {
    let info = members[0].group.group_info(&members[0].host.env(), true, true).unwrap();
    let (joined, bytes) = client(number, 3).join_external(&info, None, remove).unwrap();
    follow(members, usize::MAX, &bytes);
    drop_removed(members);
    members.push(joined);
    agree(members);
}

#[test]
fn a_pending_commit_gives_way_to_the_winner() {
    let mut members = group(3);
    let (mine, _, _) = members[1].commit(CommitOptions::default()).unwrap();
    propose(&mut members, 1, update());
    let (winner, bytes, _) = members[0].commit(CommitOptions::default()).unwrap();
    members[1].reopen();
    members[0].accept(&winner).unwrap();
    follow(&mut members, 0, &bytes);
    assert!(members[1].group.pending_commits().is_empty());
    let gone = members[1].group.accept(&members[1].host.env(), &mine).unwrap_err();
    assert_eq!(gone, OperationError::NoSuchPendingCommit);
    agree(&mut members);
}

/// The first message of a sender between staging a commit and adopting it: the commit is judged again.
#[test]
fn a_first_message_between_staging_and_adopting() {
    let mut members = group(3);
    commit(&mut members, 0, CommitOptions::default());
    let message = members[2].send(b"in between").unwrap();
    let (bytes, _) = members[0].commit_now(CommitOptions::default()).unwrap();
    let member = &mut members[1];
    let step = stage(member, &bytes);
    member.open(&message).unwrap();
    let env = member.host.env();
    assert_eq!(member.group.adopt(&env, step).unwrap_err(), OperationError::Rule(ProcessError::Superseded));
    let step = stage(member, &bytes);
    assert!(member.adopt(step).unwrap().contains(&Event::EpochAdvanced(3)));
    members[2].receive(&bytes).unwrap();
    assert!(matches!(members[1].peek(&message), Err(ProcessError::ReplayDetected { .. })));
    agree(&mut members);
}

/// A later message changes nothing that the commit has planned with.
#[test]
fn a_later_message_between_staging_and_adopting() {
    let mut members = group(3);
    let (skipped, message) = (members[2].send(b"skipped").unwrap(), members[2].send(b"in between").unwrap());
    let (bytes, _) = members[0].commit_now(CommitOptions::default()).unwrap();
    let member = &mut members[1];
    let step = stage(member, &bytes);
    member.open(&message).unwrap();
    member.adopt(step).unwrap();
    members[2].receive(&bytes).unwrap();
    members[1].reopen();
    assert!(matches!(members[1].peek(&message), Err(ProcessError::ReplayDetected { .. })));
    assert_eq!(members[1].open(&skipped).unwrap().0, b"skipped");
    agree(&mut members);
}

/// The step of a commit, not yet adopted.
fn stage(member: &Member, commit: &[u8]) -> Step {
    match member.group.process(&member.host.env(), commit).unwrap() {
        Processed::Commit(staged) => staged.step,
        other => panic!("a commit was {other:?}"),
    }
}

/// Messages open in parallel; of two who open one message, the second to record it has seen a replay.
#[test]
fn two_open_one_message() {
    let mut members = group(2);
    let messages: Vec<_> = (0..3).map(|_| members[0].send(b"one of three").unwrap()).collect();
    let bob = &mut members[1];
    let opened: Vec<_> = [2, 0, 2, 1].map(|at| bob.peek(&messages[at]).unwrap()).into();
    let results: Vec<_> = opened
        .into_iter()
        .map(|opened| {
            let step = bob.group.record(&bob.host.env(), opened.spent)?;
            Ok(bob.adopt(step).unwrap())
        })
        .collect();
    assert!(matches!(results[2], Err(ProcessError::ReplayDetected { .. })));
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
    bob.reopen();
    for message in &messages {
        assert!(matches!(bob.peek(message), Err(ProcessError::ReplayDetected { .. })));
    }
    agree(&mut members);
}

#[test]
fn a_late_message_of_a_member_who_was_removed_since() {
    let mut members = group(3);
    let early = members[2].send(b"before").unwrap();
    let (bytes, _) = members[0].commit_by_value(removes(&[2])).unwrap();
    follow(&mut members, 0, &bytes);
    let mut removed = members.remove(2);
    for member in &mut members {
        member.reopen();
        assert_eq!(member.open(&early).unwrap(), (b"before".to_vec(), LeafIndex::new(2)));
        assert!(matches!(member.open(&early), Err(ProcessError::ReplayDetected { .. })));
    }
    agree(&mut members);
    assert!(removed.send(b"after").is_err());
}

#[test]
fn no_past_epochs_at_all() {
    let mut members = group_with(3, 0);
    let late = members[0].send(b"late").unwrap();
    commit(&mut members, 1, CommitOptions::default());
    for member in &mut members {
        assert!(member.group.past_epochs().is_empty());
        assert!(matches!(member.open(&late), Err(ProcessError::StaleEpoch { got: 1, current: 2 })));
        member.reopen();
    }
    agree(&mut members);
}

/// A window that was made smaller ends all epochs outside it at the next commit, and nothing that is needed.
#[test]
fn a_window_made_smaller_keeps_the_tree() {
    let mut members = group(4);
    for by in 0..3 {
        commit(&mut members, by, CommitOptions::default());
    }
    for member in &mut members {
        member.host.limits.max_past_epochs = 0;
    }
    commit(&mut members, 0, CommitOptions::default());
    assert!(members.iter().all(|member| member.group.past_epochs().is_empty()));
    agree(&mut members);
}

/// Found by the model: a subtree comes back to what it was in an epoch that ends now, and its nodes were deleted.
#[test]
fn a_tree_that_comes_back_keeps_its_nodes() {
    let mut members = group_with(3, 1);
    add(&mut members, 0, vec![client(3, 1)]);
    commit(&mut members, 0, CommitOptions { by_value: removes(&[3]), ..CommitOptions::default() });
    drop_removed(&mut members);
    agree(&mut members);
}

/// Found by the model, PUB-04: a public proposal that came again took another place after a restart.
#[test]
fn a_proposal_that_comes_twice_keeps_its_place() {
    let mut members = group(3);
    let public = MessageOptions { framing: Framing::Public, ..MessageOptions::default() };
    let (first, reference) = members[0].propose_with(removes(&[2]).remove(0), public).unwrap();
    members[1].receive(&first).unwrap();
    let second = members[2].propose(update()).unwrap().0;
    members[1].receive(&second).unwrap();
    members[1].receive(&first).unwrap();
    assert_eq!(members[1].group.pending_proposals()[0].reference, reference);
    members[1].reopen();
    assert_eq!(members[1].group.pending_proposals()[0].reference, reference);
}
