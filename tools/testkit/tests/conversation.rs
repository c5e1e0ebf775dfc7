//! Whole conversations of engine groups: every kind of change, each seen by every member, across restarts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use mls_crypto::CipherSuite;
use mls_engine::{
    codec::decode_exact,
    error::{OperationError, ProcessError},
    group::{CommitOptions, Framing, MessageOptions, PathChoice, ProposalKind},
    message::{Content, MlsMessage},
};
use testkit::network::{Member, NewMember};

const SUITE: CipherSuite = CipherSuite::X25519_AES128;

fn agree(members: &[&Member]) {
    for member in members {
        assert_eq!(member.view(), members[0].view(), "{} and {}", member.name, members[0].name);
    }
}

/// Alice, Bob and Carol in one group.
fn three() -> (Member, Member, Member) {
    let mut alice = NewMember::new("alice", 1, SUITE).create(b"group");
    let (bob, carol) = (NewMember::new("bob", 2, SUITE), NewMember::new("carol", 3, SUITE));
    let (bob_keys, carol_keys) = (bob.key_package(), carol.key_package());
    let (_, welcome) = alice
        .commit_by_value(vec![
            ProposalKind::Add(bob_keys.message().unwrap()),
            ProposalKind::Add(carol_keys.message().unwrap()),
        ])
        .unwrap();
    let welcome = welcome.unwrap();
    let bob = bob.join(&welcome, &bob_keys, None).unwrap();
    let carol = carol.join(&welcome, &carol_keys, None).unwrap();
    agree(&[&alice, &bob, &carol]);
    (alice, bob, carol)
}

#[test]
fn messages_commits_and_restarts() {
    let (mut alice, mut bob, mut carol) = three();
    let message = alice.send(b"hello").unwrap();
    assert_eq!(bob.open(&message).unwrap().0, b"hello");
    assert!(matches!(bob.peek(&message), Err(ProcessError::ReplayDetected { .. })));
    bob.reopen();
    assert!(matches!(bob.peek(&message), Err(ProcessError::ReplayDetected { .. })));
    let (commit, _) = bob.commit_now(CommitOptions::default()).unwrap();
    alice.receive(&commit).unwrap();
    assert_eq!(carol.open(&message).unwrap().0, b"hello");
    carol.receive(&commit).unwrap();
    agree(&[&alice, &bob, &carol]);
    for member in [&mut alice, &mut bob, &mut carol] {
        member.reopen();
    }
    agree(&[&alice, &bob, &carol]);
    let message = carol.send(b"again").unwrap();
    assert_eq!(alice.open(&message).unwrap().0, b"again");
    assert_eq!(bob.open(&message).unwrap().0, b"again");
}

#[test]
fn updates_and_removes_by_reference() {
    let (mut alice, mut bob, mut carol) = three();
    let options = MessageOptions { framing: Framing::Public, ..MessageOptions::default() };
    let (update, _) = bob.propose_with(ProposalKind::Update(Box::default()), options).unwrap();
    let (remove, _) = alice.propose(ProposalKind::Remove(carol.group.own_index())).unwrap();
    for member in [&mut alice, &mut carol] {
        member.receive(&update).unwrap();
    }
    for member in [&mut bob, &mut carol] {
        member.receive(&remove).unwrap();
    }
    bob.reopen();
    let (commit, _) = alice.commit_now(CommitOptions::default()).unwrap();
    bob.receive(&commit).unwrap();
    carol.receive(&commit).unwrap();
    agree(&[&alice, &bob]);
    assert_eq!(alice.group.member_count(), 2);
    let message = bob.send(b"without carol").unwrap();
    assert_eq!(alice.open(&message).unwrap().0, b"without carol");
    assert_eq!(carol.open(&message).unwrap_err(), ProcessError::NotAMember);
    carol.reopen();
    assert_eq!(carol.open(&message).unwrap_err(), ProcessError::NotAMember);
}

#[test]
fn external_join_and_resync() {
    let (mut alice, mut bob, mut carol) = three();
    let info = alice.group.group_info(&alice.host.env(), true, true).unwrap();
    let (mut dave, commit) = NewMember::new("dave", 4, SUITE).join_external(&info, None, None).unwrap();
    for member in [&mut alice, &mut bob, &mut carol] {
        member.receive(&commit).unwrap();
    }
    agree(&[&alice, &bob, &carol, &dave]);
    let info = dave.group.group_info(&dave.host.env(), true, true).unwrap();
    let old = carol.group.own_index();
    let (mut carol_again, commit) = NewMember::new("carol", 5, SUITE).join_external(&info, None, Some(old)).unwrap();
    for member in [&mut alice, &mut bob, &mut dave] {
        member.receive(&commit).unwrap();
    }
    carol.receive(&commit).unwrap();
    agree(&[&alice, &bob, &dave, &carol_again]);
    let message = carol_again.send(b"back").unwrap();
    assert_eq!(dave.open(&message).unwrap().0, b"back");
}

#[test]
fn pending_commits_stand_side_by_side() {
    let (mut alice, mut bob, mut carol) = three();
    let (first, commit_one, _) = alice.commit(CommitOptions::default()).unwrap();
    let (second, commit_two, _) =
        alice.commit(CommitOptions { path: PathChoice::WhenRequired, ..CommitOptions::default() }).unwrap();
    assert_ne!(first, second);
    alice.reopen();
    assert_eq!(alice.group.pending_commits().len(), 2);
    bob.receive(&commit_two).unwrap();
    carol.receive(&commit_two).unwrap();
    alice.accept(&second).unwrap();
    agree(&[&alice, &bob, &carol]);
    assert!(alice.group.pending_commits().is_empty());
    assert!(matches!(bob.receive(&commit_one), Err(ProcessError::StaleEpoch { got: 1, current: 2 })));
}

/// LIST-07: one pre-shared key that several propose, each with a nonce of its own, is mixed in once.
#[test]
fn a_psk_that_many_propose_is_mixed_in_once() {
    let (mut alice, mut bob, mut carol) = three();
    for member in [&mut alice, &mut bob, &mut carol] {
        member.host.psks.insert(b"psk".to_vec(), vec![7; 32]);
    }
    let (proposal, _) = bob.propose(ProposalKind::ExternalPsk(b"psk".to_vec())).unwrap();
    alice.receive(&proposal).unwrap();
    carol.receive(&proposal).unwrap();
    let by_value = vec![ProposalKind::ExternalPsk(b"psk".to_vec()), ProposalKind::ExternalPsk(b"psk".to_vec())];
    let message = MessageOptions { framing: Framing::Public, ..MessageOptions::default() };
    let (commit, _) = alice.commit_now(CommitOptions { by_value, message, ..CommitOptions::default() }).unwrap();
    let MlsMessage::PublicMessage(public) = decode_exact(&commit).unwrap() else { panic!("not public") };
    let Content::Commit(content) = public.content.content else { panic!("no commit") };
    assert_eq!(content.proposals.len(), 1);
    assert_eq!(alice.group.pending_proposals().len(), 0);
    bob.receive(&commit).unwrap();
    carol.receive(&commit).unwrap();
    agree(&[&alice, &bob, &carol]);
}

/// DEL-06: a commit that was made before a proposal and accepted a day later is still read by who took the proposal first.
#[test]
fn a_commit_that_waited_a_day_is_read() {
    let (mut alice, mut bob, mut carol) = three();
    let (id, commit, _) = alice.commit(CommitOptions::default()).unwrap();
    let (proposal, _) = alice.propose(ProposalKind::Remove(carol.group.own_index())).unwrap();
    for member in [&mut bob, &mut carol] {
        member.receive(&proposal).unwrap();
        member.host.now += 25 * 3_600;
        if let Some(step) = member.group.expire(&member.host.env()) {
            member.adopt(step).unwrap();
        }
        member.reopen();
        member.receive(&commit).unwrap();
    }
    alice.accept(&id).unwrap();
    agree(&[&alice, &bob, &carol]);
}

/// What a pending commit says of its epoch is what holds once it is accepted, also after a restart, and COM-22 for the
/// Welcome: it is the one that acceptance releases.
#[test]
fn a_pending_commit_tells_of_its_epoch() {
    let (mut alice, mut bob, _) = three();
    let dave = NewMember::new("dave", 4, SUITE);
    let dave_keys = dave.key_package();
    let by_value = vec![ProposalKind::Add(dave_keys.message().unwrap())];
    let (id, _, _) = alice.commit(CommitOptions { by_value, ..CommitOptions::default() }).unwrap();
    alice.reopen();
    let (label, context) = ("a label", b"a context");
    let early = alice.group.pending_export_secret(&id, label, context, 32).unwrap();
    assert_ne!(early.as_slice(), alice.group.export_secret(label, context, 32).unwrap().as_slice());
    let info = alice.group.pending_group_info(&alice.host.env(), &id, true, true).unwrap();
    let welcome = alice.group.pending_welcome(&id).unwrap().unwrap().to_vec();
    let MlsMessage::GroupInfo(info) = decode_exact(&info).unwrap() else { panic!("no GroupInfo") };
    let accepted = alice.accept(&id).unwrap();
    assert_eq!(accepted.as_deref(), Some(welcome.as_slice()));
    assert_eq!(early.as_slice(), alice.group.export_secret(label, context, 32).unwrap().as_slice());
    assert_eq!(info.group_context, *alice.group.public().context());
    assert!(info.confirmation_tag.ct_eq(alice.group.public().confirmation_tag()));
    let gone = OperationError::NoSuchPendingCommit;
    assert_eq!(alice.group.pending_export_secret(&id, label, context, 32).unwrap_err(), gone);
    assert_eq!(alice.group.pending_welcome(&id).unwrap_err(), gone);
    assert_eq!(bob.group.pending_welcome(&id).unwrap_err(), gone);
    // KS-06
    let (own, _, _) = bob.commit(CommitOptions::default()).unwrap();
    let reserved = bob.group.pending_export_secret(&own, "MLS 1.0 exporter", b"", 32).unwrap_err();
    assert_eq!(reserved, OperationError::ReservedLabel);
}
