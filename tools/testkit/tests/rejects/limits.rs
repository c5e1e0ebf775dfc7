//! Caps that stand alone (see `mls_engine::limits`).

use mls_engine::{
    error::{DecodeError, OperationError, ProcessError},
    group::{CommitOptions, RecordClass},
    message::{ExtensionType, Extensions},
};

use crate::scene::{CAROL, SUITE, Scene, add, edited_package, limits, newcomer, package, refuses, remove};

fn many(count: u16) -> Extensions {
    let mut extensions = Extensions::new();
    for number in 0..count {
        extensions.set(ExtensionType(0xF100 + number), Vec::new());
    }
    extensions
}

/// X-DOS-02: extensions in one list.
#[test]
fn extensions_at_and_over_the_limit() {
    let scene = Scene::new();
    let frank = newcomer("frank", 50, SUITE);
    let of = |count| {
        edited_package(&frank, |package| {
            package.leaf_node.capabilities.extensions.extend(many(count).types());
            package.extensions = many(count);
        })
    };
    scene.accepts_list(vec![add(of(64))]);
    scene.refuses_proposal(add(of(65)), ProcessError::Decode(DecodeError::TooManyItems));
}

/// CAP-29: members of a group.
#[test]
fn members_at_and_over_the_limit() {
    let mut scene = Scene::new();
    scene.alice.host.limits = limits(|limits| limits.max_members = 6);
    scene.accepts_list(vec![add(package("frank", 50))]);
    let two = vec![add(package("frank", 50)), add(package("grace", 51))];
    scene.refuses_list(two.clone(), ProcessError::GroupFull);
    scene.accepts_list([two, vec![remove(CAROL)]].concat());
    let insider = scene.insider();
    scene.alice.host.limits = limits(|limits| limits.max_members = 5);
    let message = insider.finish(&insider.external(&newcomer("frank", 50, SUITE), vec![]));
    scene.refuses(&message, ProcessError::GroupFull);
}

/// X-DOS-06: more proposals than any legal commit has.
#[test]
fn proposals_of_a_commit_at_and_over_the_limit() {
    let mut scene = Scene::new();
    scene.alice.host.limits = limits(|limits| {
        limits.max_members = 5;
        limits.max_cached_proposals = 3;
    });
    scene.accepts_list((0..8).map(crate::scene::psk).collect());
    let nine = (0..9).map(crate::scene::psk).collect();
    scene.refuses_list(nine, ProcessError::TooManyCommittedProposals);
}

/// COM-30: our own candidates.
#[test]
fn pending_commits_at_and_over_the_limit() {
    let mut scene = Scene::new();
    for _ in 0..16 {
        scene.alice.commit(CommitOptions::default()).unwrap();
    }
    assert_eq!(scene.alice.commit(CommitOptions::default()).unwrap_err(), OperationError::TooManyPendingCommits);
    assert_eq!(scene.alice.records.count(RecordClass::Pending), 16);
    let discard = scene.alice.group.discard(&scene.alice.group.pending_commits()[0]).unwrap();
    scene.alice.adopt(discard).unwrap();
    scene.alice.commit(CommitOptions::default()).unwrap();
}

/// KS-08: resumption PSKs of past epochs.
#[test]
fn resumption_psks_are_capped() {
    let mut scene = Scene::new();
    scene.alice.host.limits = limits(|limits| limits.max_resumption_psks = 2);
    for _ in 0..4 {
        let (commit, _) = scene.carol.commit_now(CommitOptions::default()).unwrap();
        scene.deliver(&commit, CAROL);
    }
    let held: Vec<_> = (0..=6).filter(|epoch| scene.alice.group.resumption_psk(*epoch).is_some()).collect();
    assert_eq!(held, [4, 5, 6]);
    assert_eq!(scene.alice.records.count(RecordClass::ResumptionPsk), 2);
}

/// X-DOS-02: a commit, on length alone.
#[test]
fn commit_over_the_limit() {
    let mut scene = Scene::new();
    scene.alice.host.limits = limits(|limits| (limits.max_members, limits.max_message) = (0, 100));
    let bytes = vec![0; 101];
    let expected = DecodeError::OverLimit { len: 101, limit: 100 };
    refuses(&scene.alice, &bytes, ProcessError::Decode(expected));
    let at_the_limit = scene.alice.group.process(&scene.alice.host.env(), &bytes[..100]).unwrap_err();
    assert_eq!(at_the_limit, ProcessError::Decode(DecodeError::UnsupportedVersion));
}
