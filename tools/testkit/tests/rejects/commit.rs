//! Processing commits (RFC 9420, Section 12.4.2).

use mls_crypto::Tag;
use mls_engine::{
    error::{OperationError, ProcessError},
    group::{CommitOptions, LeafChange, ProposalKind, Status},
    math::LeafIndex,
    message::{Extensions, Proposal},
};

use crate::scene::{
    ALICE, CAROL, CUSTOM, DAVE, MALLORY, Scene, add, custom, extensions, package, path_of, psk, public, refuses,
    reinit, remove, update,
};

/// COM-05
#[test]
fn path_is_required() {
    let scene = Scene::new();
    let insider = scene.insider();
    for list in [vec![], vec![remove(DAVE)], vec![extensions(Extensions::new())], vec![custom(CUSTOM)]] {
        scene.refuses(&insider.finish(&insider.commit(list.clone())), ProcessError::PathRequired);
        scene.accepts_list(list);
    }
}

/// COM-05
#[test]
fn path_is_required_with_an_update() {
    let mut scene = Scene::new();
    let item = scene.proposal_of_carol(ProposalKind::Update(Box::default()));
    let insider = scene.insider();
    let mut forged = insider.commit_items(vec![item]);
    scene.refuses(&insider.finish(&forged), ProcessError::PathRequired);
    insider.add_path(&mut forged, |_| {});
    scene.accepts(&insider.finish(&forged));
}

/// COM-05: the boundary: these need none.
#[test]
fn path_is_not_required() {
    let scene = Scene::new();
    let insider = scene.insider();
    for proposal in [add(package("frank", 50)), psk(1), Proposal::ReInit(reinit(b"next"))] {
        scene.accepts(&insider.finish(&insider.commit(vec![proposal])));
    }
}

/// COM-06, LN-06, LN-26
#[test]
fn path_leaf_with_another_source() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![]);
    insider.edit_path(&mut forged, |path| path.leaf_node.source = mls_engine::message::LeafNodeSource::Update);
    scene.refuses(&insider.finish(&forged), ProcessError::WrongLeafSource);
}

/// COM-07
#[test]
fn path_leaf_that_keeps_its_key() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![]);
    let old = insider.leaf().encryption_key.clone();
    insider.remake_path(&mut forged, |path| path.leaf_node.encryption_key = old);
    scene.refuses(&insider.finish(&forged), ProcessError::LeafKeyNotFresh);
}

/// COM-08, LN-23: the path leaf has the key of another leaf, or of a parent.
#[test]
fn path_leaf_with_a_key_of_the_tree() {
    let scene = Scene::new();
    let insider = scene.insider();
    let leaf = insider.tree().leaf(CAROL).unwrap().encryption_key.clone();
    let parent = insider.tree().parent(insider.tree().leaf_count().root()).unwrap().encryption_key.clone();
    for key in [leaf, parent] {
        let mut forged = insider.commit_with_path(vec![]);
        insider.remake_path(&mut forged, |path| path.leaf_node.encryption_key = key);
        scene.refuses(&insider.finish(&forged), ProcessError::DuplicateKey);
    }
}

/// COM-08: any node of the path has a key that is in the tree.
#[test]
fn path_node_with_a_key_of_the_tree() {
    let scene = Scene::new();
    let insider = scene.insider();
    for position in 0..3 {
        for leaf in [ALICE, CAROL, MALLORY] {
            let key = insider.tree().leaf(leaf).unwrap().encryption_key.clone();
            let mut forged = insider.commit_with_path(vec![]);
            insider.remake_path(&mut forged, |path| path.nodes[position].encryption_key = key);
            scene.refuses(&insider.finish(&forged), ProcessError::DuplicateKey);
        }
    }
}

/// COM-08: two nodes of the path have one key, or a node has the leaf's.
#[test]
fn one_key_twice_in_the_path() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![]);
    insider.remake_path(&mut forged, |path| path.nodes[2].encryption_key = path.nodes[1].encryption_key.clone());
    scene.refuses(&insider.finish(&forged), ProcessError::DuplicateKey);
    let mut forged = insider.commit_with_path(vec![]);
    insider.remake_path(&mut forged, |path| path.nodes[1].encryption_key = path.leaf_node.encryption_key.clone());
    scene.refuses(&insider.finish(&forged), ProcessError::DuplicateKey);
}

/// COM-20, FRM-15: every length, and every byte.
#[test]
fn confirmation_tag_is_wrong() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![]);
    scene.accepts(&insider.finish(&forged));
    let right = {
        let bytes = insider.finish(&forged);
        bytes[bytes.len() - 65..][..32].to_vec()
    };
    for len in (0..=64).filter(|len| *len != 32) {
        let tag: Vec<_> = right.iter().copied().chain([0; 32]).take(len).collect();
        forged.confirmation_tag = Tag::from_slice(&tag);
        refuses(&scene.alice, &insider.finish(&forged), ProcessError::BadConfirmationTag);
    }
    for position in 0..32 {
        let mut tag = right.clone();
        tag[position] ^= 1;
        forged.confirmation_tag = Tag::from_slice(&tag);
        refuses(&scene.alice, &insider.finish(&forged), ProcessError::BadConfirmationTag);
    }
    forged.confirmation_tag = Tag::from_slice(&right);
    scene.accepts(&insider.finish(&forged));
    scene.goes_on();
}

/// COM-04, PROP-11: and with the key, the same message is accepted.
#[test]
fn psk_that_we_do_not_hold() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let message = insider.finish(&insider.commit(vec![psk(1)]));
    let held = std::mem::take(&mut scene.alice.host.psks);
    scene.refuses(&message, ProcessError::MissingPsk);
    scene.alice.host.psks = held;
    scene.accepts(&message);
}

/// COM-20: another secret under the same name shows in the confirmation tag.
#[test]
fn psk_with_another_secret() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let message = insider.finish(&insider.commit(vec![psk(1)]));
    scene.alice.host.psks.insert(b"psk".to_vec(), b"not it".to_vec());
    scene.refuses(&message, ProcessError::BadConfirmationTag);
}

/// COM-13, COM-20: a commit secret out of nowhere.
#[test]
fn commit_secret_without_a_path() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit(vec![psk(1)]);
    forged.commit_secret = mls_crypto::Secret::new(vec![1; 32]);
    scene.refuses(&insider.finish(&forged), ProcessError::BadConfirmationTag);
}

/// COM-11, COM-20: extensions of the next epoch that no proposal asked for.
#[test]
fn context_that_does_not_follow() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit(vec![psk(1)]);
    forged.extensions = crate::scene::one_extension(crate::scene::EXTENSION, b"smuggled");
    scene.refuses(&insider.finish(&forged), ProcessError::BadConfirmationTag);
}

/// COM-25: who is removed refuses a commit that is wrong in what it can see, and only that.
#[test]
fn the_removed_check_all_else() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let removal = |more: Vec<Proposal>| insider.commit_with_path([vec![remove(ALICE)], more].concat());
    let mut forged = removal(vec![]);
    forged.confirmation_tag = Tag::from_slice(&[0; 32]);
    scene.accepts(&insider.finish(&forged));
    let twice = insider.finish(&removal(vec![remove(DAVE), remove(DAVE)]));
    scene.refuses(&twice, ProcessError::LeafChangedTwice(DAVE));
    scene.refuses(&insider.finish(&insider.commit(vec![remove(ALICE)])), ProcessError::PathRequired);
    let mut short = removal(vec![]);
    path_of(&mut short).nodes.pop();
    let expected = ProcessError::PathLength { got: 1, expected: 2 };
    scene.refuses(&insider.finish(&short), expected);
    let stranger = crate::scene::newcomer("stranger", 60, crate::scene::SUITE);
    let mut unsigned = removal(vec![]);
    unsigned.signature_key = stranger.signature_key;
    let expected = ProcessError::BadSignature(mls_engine::error::Signed::Message);
    scene.refuses(&insider.finish(&unsigned), expected);
    let held = std::mem::take(&mut scene.alice.host.psks);
    scene.accepts(&insider.finish(&removal(vec![psk(1)])));
    scene.alice.host.psks = held;
    scene.alice.host.policy.no_removes = true;
    let refused = ProcessError::Refused(testkit::network::TestPolicy::REMOVES);
    scene.refuses(&insider.finish(&removal(vec![])), refused);
}

/// COM-24: after that nothing is sent, made or read.
#[test]
fn the_removed_are_silent() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let message = insider.finish(&insider.commit_with_path(vec![remove(ALICE)]));
    scene.alice.receive(&message).unwrap();
    assert_eq!(*scene.alice.group.status(), Status::Removed);
    let gone = OperationError::Rule(ProcessError::NotAMember);
    assert_eq!(scene.alice.send(b"still here").unwrap_err(), gone);
    assert_eq!(scene.alice.commit(CommitOptions::default()).unwrap_err(), gone);
    assert_eq!(scene.alice.propose(ProposalKind::Remove(CAROL)).unwrap_err(), gone);
    assert_eq!(scene.alice.group.export_secret("app", b"", 32).unwrap_err(), gone);
    refuses(&scene.alice, &scene.mallory.send(b"hello").unwrap(), ProcessError::NotAMember);
}

/// COM-23
#[test]
fn group_after_reinit_is_over() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let message = insider.finish(&insider.commit(vec![Proposal::ReInit(reinit(b"next"))]));
    scene.alice.receive(&message).unwrap();
    let over = OperationError::Rule(ProcessError::GroupReInitialized);
    assert_eq!(scene.alice.send(b"still here").unwrap_err(), over);
    assert_eq!(scene.alice.commit(CommitOptions::default()).unwrap_err(), over);
    assert_eq!(scene.alice.propose(ProposalKind::Remove(CAROL)).unwrap_err(), over);
    scene.carol.receive(&message).unwrap();
    let insider = testkit::forge::insider::Insider::of(&scene.carol);
    let message = insider.finish(&insider.commit_with_path(vec![]));
    refuses(&scene.alice, &message, ProcessError::GroupReInitialized);
}

/// COM-28: an own commit that lost cannot be accepted any more, and its secrets are gone from the records.
#[test]
fn own_commit_that_lost() {
    let mut scene = Scene::new();
    let (id, ..) = scene.alice.commit(CommitOptions::default()).unwrap();
    let options = CommitOptions { message: public(), leaf: LeafChange::default(), ..CommitOptions::default() };
    let (winner, _) = scene.mallory.commit_now(options).unwrap();
    scene.alice.receive(&winner).unwrap();
    assert_eq!(scene.alice.accept(&id).unwrap_err(), OperationError::NoSuchPendingCommit);
    assert_eq!(scene.alice.records.count(mls_engine::group::RecordClass::Pending), 0);
}

/// COM-32, FRM-09: a proposal by reference counts as its own sender's: Carol's Update cannot be committed as another's.
#[test]
fn references_keep_their_sender() {
    let mut scene = Scene::new();
    let item = scene.proposal_of_carol(ProposalKind::Update(Box::default()));
    let insider = scene.insider();
    let mut forged = insider.commit_items(vec![item]);
    insider.add_path(&mut forged, |_| {});
    scene.accepts(&insider.finish(&forged));
    let carol = testkit::forge::insider::Insider::of(&scene.carol);
    let mut own = carol.commit_items(vec![(forged.proposals[0].clone(), update(carol.update_leaf(|_| {})), CAROL)]);
    carol.add_path(&mut own, |_| {});
    scene.refuses(&carol.finish(&own), ProcessError::CommitterUpdated);
}

/// PROP-06, DEC-28
#[test]
fn largest_leaf_index() {
    let huge = LeafIndex::new(u32::MAX);
    Scene::new().refuses_proposal(remove(huge), ProcessError::RemovedLeafBlank(huge));
}
