//! Lists of proposals in a regular commit (RFC 9420, Section 12.2).

use mls_engine::{
    error::ProcessError,
    group::{CommitOptions, LeafChange, PathChoice, Processed, ProposalKind},
    message::{ExtensionType, Extensions, Proposal, ProposalOrRef, ProposalType, RequiredCapabilities},
};
use testkit::network::NewMember;

use crate::scene::{
    ALMOST, CAROL, CUSTOM, DAVE, ERIN, EXTENSION, MALLORY, SUITE, Scene, UNKNOWN_EXTENSION, UNLISTED, add, custom,
    edited_package, extensions, newcomer, one_extension, package, psk, public, reinit, remove,
};

/// Carol's Update, with what `edit` changes in her leaf.
fn update_of_carol(scene: &mut Scene, change: LeafChange) -> (ProposalOrRef, Proposal, mls_engine::math::LeafIndex) {
    scene.proposal_of_carol(ProposalKind::Update(Box::new(change)))
}

/// Alice refuses a commit of these items.
fn refuses_items(
    scene: &Scene,
    items: Vec<(ProposalOrRef, Proposal, mls_engine::math::LeafIndex)>,
    expected: ProcessError,
) {
    let insider = scene.insider();
    let mut forged = insider.commit_items(items);
    insider.add_path(&mut forged, |_| {});
    scene.refuses(&insider.finish(&forged), expected);
}

fn by_value(proposal: Proposal) -> (ProposalOrRef, Proposal, mls_engine::math::LeafIndex) {
    (ProposalOrRef::Proposal(proposal.clone()), proposal, MALLORY)
}

/// LIST-01
#[test]
fn one_bad_proposal_spoils_the_list() {
    Scene::new()
        .refuses_list(vec![psk(1), remove(crate::scene::BLANK)], ProcessError::RemovedLeafBlank(crate::scene::BLANK));
}

/// LIST-02, LIST-20
#[test]
fn update_of_the_committer_by_value() {
    let scene = Scene::new();
    let leaf = scene.insider().update_leaf(|_| {});
    scene.refuses_list(vec![crate::scene::update(leaf)], ProcessError::CommitterUpdated);
}

/// LIST-02
#[test]
fn update_of_the_committer_by_reference() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let proposal = crate::scene::update(insider.update_leaf(|_| {}));
    let (message, reference) = insider.proposal(proposal.clone());
    scene.alice.receive(&message).unwrap();
    refuses_items(
        &scene,
        vec![(ProposalOrRef::Reference(reference), proposal, MALLORY)],
        ProcessError::CommitterUpdated,
    );
}

/// LIST-03
#[test]
fn remove_of_the_committer_by_value() {
    Scene::new().refuses_list(vec![remove(MALLORY)], ProcessError::CommitterRemoved(MALLORY));
}

/// LIST-03
#[test]
fn remove_of_the_committer_by_reference() {
    let mut scene = Scene::new();
    let item = scene.proposal_of_carol(ProposalKind::Remove(MALLORY));
    refuses_items(&scene, vec![item], ProcessError::CommitterRemoved(MALLORY));
}

/// LIST-04
#[test]
fn two_updates_of_one_leaf() {
    let mut scene = Scene::new();
    let first = update_of_carol(&mut scene, LeafChange::default());
    let second = update_of_carol(&mut scene, LeafChange::default());
    refuses_items(&scene, vec![first, second], ProcessError::LeafChangedTwice(CAROL));
}

/// LIST-04
#[test]
fn two_removes_of_one_leaf() {
    Scene::new().refuses_list(vec![remove(DAVE), remove(DAVE)], ProcessError::LeafChangedTwice(DAVE));
}

/// LIST-04
#[test]
fn update_and_remove_of_one_leaf() {
    let mut scene = Scene::new();
    let item = update_of_carol(&mut scene, LeafChange::default());
    refuses_items(&scene, vec![item, by_value(remove(CAROL))], ProcessError::LeafChangedTwice(CAROL));
}

/// LIST-05
#[test]
fn two_adds_of_one_client() {
    let client = newcomer("frank", 50, SUITE);
    let (one, two) = (client.key_package().key_package().clone(), client.key_package().key_package().clone());
    let scene = Scene::new();
    scene.accepts_list(vec![add(one.clone())]);
    scene.refuses_list(vec![add(one), add(two)], ProcessError::DuplicateKey);
}

/// A second key package of Carol's.
fn carol_again() -> mls_engine::message::KeyPackage {
    let carol = newcomer("carol", 3, SUITE);
    drop(carol.key_package());
    carol.key_package().key_package().clone()
}

/// LIST-06
#[test]
fn add_of_a_member() {
    Scene::new().refuses_list(vec![add(carol_again())], ProcessError::DuplicateKey);
}

/// LIST-06: the boundary: who is removed by the same list may be added, in either order.
#[test]
fn remove_then_add_works() {
    let scene = Scene::new();
    scene.accepts_list(vec![remove(CAROL), add(carol_again())]);
    scene.accepts_list(vec![add(carol_again()), remove(CAROL)]);
}

/// LIST-07
#[test]
fn one_psk_twice() {
    let scene = Scene::new();
    scene.accepts_list(vec![psk(1), psk(2)]);
    scene.refuses_list(vec![psk(1), psk(1)], ProcessError::DuplicatePsk);
}

/// LIST-08
#[test]
fn two_context_changes() {
    let scene = Scene::new();
    scene.accepts_list(vec![extensions(Extensions::new())]);
    let two = vec![extensions(Extensions::new()), extensions(one_extension(EXTENSION, b""))];
    scene.refuses_list(two, ProcessError::TwoGroupContextExtensions);
}

/// LIST-09
#[test]
fn reinit_with_another_proposal() {
    let scene = Scene::new();
    let reinit = |id: &[u8]| Proposal::ReInit(reinit(id));
    scene.accepts_list(vec![reinit(b"next")]);
    scene.refuses_list(vec![reinit(b"next"), psk(1)], ProcessError::ReInitNotAlone);
    scene.refuses_list(vec![reinit(b"next"), reinit(b"other")], ProcessError::ReInitNotAlone);
}

/// LIST-10, PROP-14, EXT-06
#[test]
fn external_init_of_a_member() {
    let init = mls_engine::message::ExternalInit { kem_output: mls_crypto::Opaque::new(vec![9; 32]) };
    let expected = ProcessError::ProposalNotAllowed(ProposalType::EXTERNAL_INIT);
    Scene::new().refuses_proposal(Proposal::ExternalInit(init), expected);
}

/// LIST-11, PROP-23
#[test]
fn type_that_a_member_does_not_list() {
    let scene = Scene::new();
    scene.accepts_list(vec![custom(CUSTOM)]);
    scene.refuses_list(vec![custom(UNLISTED)], ProcessError::UnsupportedProposal(UNLISTED));
}

/// LIST-11, PROP-23: who leaves with the commit need not support its types; who stays must.
#[test]
fn type_that_only_the_removed_do_not_list() {
    let scene = Scene::new();
    scene.refuses_list(vec![custom(ALMOST)], ProcessError::UnsupportedProposal(ALMOST));
    scene.accepts_list(vec![custom(ALMOST), remove(ERIN)]);
}

/// DEC-22, PROP-22
#[test]
fn type_that_nobody_registered() {
    let kind = ProposalType(0xF00F);
    Scene::new().refuses_proposal(custom(kind), ProcessError::UnsupportedProposal(kind));
}

/// LIST-16
#[test]
fn unrepeatable_type_twice() {
    Scene::new().refuses_list(vec![custom(CUSTOM), custom(CUSTOM)], ProcessError::DuplicateProposal);
}

/// A client that does not support the scene's extension.
fn without_extension() -> NewMember {
    let mut client = newcomer("frank", 50, SUITE);
    client.extensions = Vec::new();
    client
}

/// LIST-12, LIST-13, LIST-14, LN-16: judged by the extensions that result, wherever they stand in the list.
#[test]
fn context_change_and_add_of_a_client_without_it() {
    let scene = Scene::new();
    let change = extensions(one_extension(EXTENSION, b""));
    let join = add(without_extension().key_package().key_package().clone());
    scene.accepts_list(vec![change.clone()]);
    scene.accepts_list(vec![join.clone()]);
    scene.refuses_list(vec![change.clone(), join.clone()], ProcessError::MissingCapability);
    scene.refuses_list(vec![join, change], ProcessError::MissingCapability);
}

/// LIST-13, LN-27
#[test]
fn context_change_and_update_that_drops_its_extension() {
    let mut scene = Scene::new();
    let mut capabilities = scene.carol.group.own_leaf().unwrap().capabilities.clone();
    capabilities.extensions.retain(|kind| *kind != EXTENSION);
    let item = update_of_carol(&mut scene, LeafChange { capabilities: Some(capabilities), ..LeafChange::default() });
    let change = extensions(one_extension(EXTENSION, b""));
    refuses_items(&scene, vec![item, by_value(change)], ProcessError::MissingCapability);
}

/// PROP-17, LIST-13: the committer supports the extension, the others do not.
#[test]
fn context_extension_that_members_do_not_list() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit(vec![extensions(one_extension(UNKNOWN_EXTENSION, b""))]);
    insider.add_path(&mut forged, |leaf| leaf.capabilities.extensions.push(UNKNOWN_EXTENSION));
    scene.refuses(&insider.finish(&forged), ProcessError::UnsupportedExtension(UNKNOWN_EXTENSION));
}

/// PROP-16, LIST-13: the committer has what it demands, the others do not.
#[test]
fn required_capabilities_that_members_lack() {
    let scene = Scene::new();
    let insider = scene.insider();
    let commit = |required: &RequiredCapabilities| {
        let mut list = Extensions::new();
        list.set_body(ExtensionType::REQUIRED_CAPABILITIES, required).unwrap();
        let mut forged = insider.commit(vec![extensions(list)]);
        insider.add_path(&mut forged, |leaf| {
            leaf.capabilities.extensions.push(UNKNOWN_EXTENSION);
            leaf.capabilities.proposals.push(UNLISTED);
            leaf.capabilities.credentials.push(mls_engine::message::CredentialType(0xF00C));
        });
        insider.finish(&forged)
    };
    let none = RequiredCapabilities::default();
    let supported = RequiredCapabilities {
        extension_types: vec![EXTENSION, ExtensionType::APPLICATION_ID],
        proposal_types: vec![CUSTOM, ProposalType::ADD],
        ..none.clone()
    };
    scene.accepts(&commit(&supported));
    for lacking in [
        RequiredCapabilities { extension_types: vec![UNKNOWN_EXTENSION], ..none.clone() },
        RequiredCapabilities { proposal_types: vec![UNLISTED], ..none.clone() },
        RequiredCapabilities { credential_types: vec![mls_engine::message::CredentialType(0xF00C)], ..none.clone() },
    ] {
        scene.refuses(&commit(&lacking), ProcessError::MissingCapability);
    }
}

/// LIST-13, LN-22: Carol's Update takes a signature key that a client added by the same commit has.
#[test]
fn update_and_add_with_equal_keys() {
    let mut scene = Scene::new();
    let frank = newcomer("frank", 50, SUITE);
    let suite = frank.host.crypto.suite(SUITE).unwrap();
    let pair = mls_engine::group::SignatureKeyPair::new(suite.as_ref(), frank.signature_key.duplicate()).unwrap();
    let item = update_of_carol(&mut scene, LeafChange { signature_key: Some(pair), ..LeafChange::default() });
    let join = add(frank.key_package().key_package().clone());
    refuses_items(&scene, vec![item, by_value(join)], ProcessError::DuplicateKey);
}

/// LIST-15
#[test]
fn unknown_reference() {
    let scene = Scene::new();
    let insider = scene.insider();
    let (_, reference) = insider.proposal(psk(1));
    let items = vec![(ProposalOrRef::Reference(reference), psk(1), MALLORY)];
    refuses_items(&scene, items, ProcessError::UnknownProposal(reference));
}

/// LIST-16
#[test]
fn one_reference_twice() {
    let mut scene = Scene::new();
    let (message, reference) = scene.insider().proposal(psk(1));
    scene.alice.receive(&message).unwrap();
    let item = (ProposalOrRef::Reference(reference), psk(1), MALLORY);
    refuses_items(&scene, vec![item.clone(), item], ProcessError::DuplicateProposal);
}

/// LIST-16
#[test]
fn one_proposal_by_value_and_by_reference() {
    for (proposal, expected) in [
        (psk(1), ProcessError::DuplicatePsk),
        (remove(DAVE), ProcessError::LeafChangedTwice(DAVE)),
        (add(package("frank", 50)), ProcessError::InitKeyNotUnique),
        (extensions(Extensions::new()), ProcessError::TwoGroupContextExtensions),
        (Proposal::ReInit(reinit(b"next")), ProcessError::ReInitNotAlone),
        (custom(CUSTOM), ProcessError::DuplicateProposal),
    ] {
        let mut scene = Scene::new();
        let (message, reference) = scene.insider().proposal(proposal.clone());
        scene.alice.receive(&message).unwrap();
        let item = (ProposalOrRef::Reference(reference), proposal.clone(), MALLORY);
        refuses_items(&scene, vec![item, by_value(proposal)], expected);
    }
}

/// LIST-17
#[test]
fn commit_that_the_application_refuses() {
    let mut scene = Scene::new();
    scene.alice.host.policy.no_removes = true;
    scene.refuses_list(vec![remove(DAVE)], ProcessError::Refused(testkit::network::TestPolicy::REMOVES));
}

/// LIST-19: a commit need not hold every proposal of its epoch.
#[test]
fn omitted_proposal_is_no_reason() {
    let mut scene = Scene::new();
    let (message, _) = scene.insider().proposal(psk(1));
    scene.alice.receive(&message).unwrap();
    scene.accepts_list(vec![]);
}

/// LIST-18: the committer takes every proposal that keeps the list valid.
#[test]
fn honest_committer_takes_what_it_can() {
    let mut scene = Scene::new();
    let (_, _, _) = update_of_carol(&mut scene, LeafChange::default());
    let _ = scene.proposal_of_carol(ProposalKind::Remove(DAVE));
    let _ = scene.proposal_of_carol(ProposalKind::Remove(MALLORY));
    let options = CommitOptions { message: public(), path: PathChoice::Always, ..CommitOptions::default() };
    let commit = scene.mallory.group.commit(&scene.mallory.host.env(), options).unwrap();
    let Processed::Commit(staged) = scene.alice.group.process(&scene.alice.host.env(), &commit.commit).unwrap() else {
        panic!("no commit");
    };
    assert!(staged.tree.leaf(DAVE).is_none());
    assert!(staged.tree.leaf(MALLORY).is_some());
    assert_ne!(staged.tree.leaf(CAROL), scene.alice.group.public().tree().leaf(CAROL));
}

/// LIST-21, COM-25: everybody but the committer goes; each of them accepts that.
#[test]
fn everybody_else_can_be_removed() {
    let scene = Scene::new();
    let everybody = [crate::scene::ALICE, CAROL, DAVE, ERIN].map(remove).to_vec();
    let insider = scene.insider();
    let message = insider.finish(&insider.commit_with_path(everybody));
    let Processed::Commit(staged) = scene.alice.group.process(&scene.alice.host.env(), &message).unwrap() else {
        panic!("no commit");
    };
    assert!(staged.removes_self);
    assert_eq!((staged.tree.member_count(), staged.tree.leaf_count().get()), (1, 2));
}

/// KP-15
#[test]
fn two_packages_with_one_init_key() {
    let (frank, grace) = (newcomer("frank", 50, SUITE), newcomer("grace", 51, SUITE));
    let one = frank.key_package().key_package().clone();
    let two = edited_package(&grace, |package| package.init_key = one.init_key.clone());
    let scene = Scene::new();
    scene.accepts_list(vec![add(two.clone())]);
    scene.refuses_list(vec![add(one), add(two)], ProcessError::InitKeyNotUnique);
}
