//! Proposals that stand alone and spoil every list they are in: receivers cache them, and must still be able to commit
//! (RFC 9420, Section 12.4; LIST-18).

use mls_engine::{
    group::{CommitOptions, ProposalKind},
    message::{ExtensionType, Extensions, LeafNodeSource, Lifetime, Proposal, RequiredCapabilities},
};
use testkit::forge::insider::Insider;

use crate::scene::{
    CAROL, EXTENSION, MALLORY, SUITE, Scene, UNKNOWN_EXTENSION, UNLISTED, add, custom, edited_package, extensions,
    newcomer, one_extension, package, psk, public, reinit, remove, update,
};

/// Alice has these proposals of Mallory's and commits: Dave, who has them too, accepts. Then all go on.
fn commits_anyway(proposals: impl IntoIterator<Item = Proposal>) {
    let mut scene = Scene::new();
    let insider = scene.insider();
    commits_with(&mut scene, &insider, proposals);
}

fn commits_with(scene: &mut Scene, insider: &Insider, proposals: impl IntoIterator<Item = Proposal>) {
    for proposal in proposals {
        let (message, _) = insider.proposal(proposal);
        scene.alice.receive(&message).unwrap();
        scene.dave.receive(&message).unwrap();
    }
    let options = CommitOptions { message: public(), ..CommitOptions::default() };
    let commit = scene.alice.group.commit(&scene.alice.host.env(), options).unwrap();
    scene.dave.receive(&commit.commit).unwrap();
    // What the committer does by value is never lost to what others proposed.
    let by_value = vec![ProposalKind::Remove(CAROL)];
    let options = CommitOptions { by_value, message: public(), ..CommitOptions::default() };
    let commit = scene.alice.group.commit(&scene.alice.host.env(), options).unwrap();
    assert!(scene.alice.group.pending_commits().is_empty());
    assert!(commit.welcome.is_none() || !commit.added.is_empty());
}

/// LIST-06, LN-22: the Add of a member.
#[test]
fn add_of_a_member() {
    let carol = newcomer("carol", 3, SUITE);
    drop(carol.key_package());
    commits_anyway([add(carol.key_package().key_package().clone())]);
}

/// LIST-05: two Adds of one client.
#[test]
fn two_adds_of_one_client() {
    let frank = newcomer("frank", 50, SUITE);
    let package = || add(frank.key_package().key_package().clone());
    commits_anyway([package(), package()]);
}

/// LN-17: an Add whose key package is over: we do not use it, whoever proposed it.
#[test]
fn add_that_is_over() {
    let frank = newcomer("frank", 50, SUITE);
    let now = frank.host.now;
    let lifetime = Lifetime { not_before: now - 10, not_after: now - 1 };
    let package = edited_package(&frank, |package| package.leaf_node.source = LeafNodeSource::KeyPackage(lifetime));
    commits_anyway([add(package)]);
}

/// LN-23: an Add and an Update with keys of the tree.
#[test]
fn keys_of_the_tree() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let key = insider.tree().leaf(CAROL).unwrap().encryption_key.clone();
    let frank = newcomer("frank", 50, SUITE);
    let package = edited_package(&frank, |package| package.leaf_node.encryption_key = key.clone());
    let leaf = insider.update_leaf(|leaf| leaf.encryption_key = key);
    commits_with(&mut scene, &insider, [add(package), update(leaf)]);
}

/// LIST-04: several changes of one leaf.
#[test]
fn many_changes_of_one_leaf() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let list =
        [update(insider.update_leaf(|_| {})), remove(MALLORY), update(insider.update_leaf(|_| {})), remove(CAROL)];
    commits_with(&mut scene, &insider, list);
}

/// PROP-16, PROP-17: extensions and capabilities that members lack.
#[test]
fn context_that_members_do_not_support() {
    commits_anyway([extensions(one_extension(UNKNOWN_EXTENSION, b""))]);
    let required = RequiredCapabilities { extension_types: vec![UNKNOWN_EXTENSION], ..RequiredCapabilities::default() };
    let mut list = Extensions::new();
    list.set_body(ExtensionType::REQUIRED_CAPABILITIES, &required).unwrap();
    commits_anyway([extensions(list)]);
}

/// LIST-08, LIST-13: two contexts, and a client that does not fit one of them.
#[test]
fn contexts_and_a_client() {
    let mut simple = newcomer("frank", 50, SUITE);
    simple.extensions.clear();
    let join = add(simple.key_package().key_package().clone());
    commits_anyway([extensions(one_extension(EXTENSION, b"1")), join, extensions(one_extension(EXTENSION, b"2"))]);
}

/// LIST-09: ReInit beside anything else.
#[test]
fn reinit_and_others() {
    let list =
        [Proposal::ReInit(reinit(b"next")), psk(1), Proposal::ReInit(reinit(b"other")), add(package("frank", 50))];
    commits_anyway(list);
}

/// LIST-07, LIST-11, PROP-11: PSKs twice, and types that members do not list.
#[test]
fn psks_and_unlisted_types() {
    commits_anyway([psk(1), psk(2), custom(UNLISTED)]);
    let mut scene = Scene::new();
    let insider = scene.insider();
    scene.alice.host.psks.clear();
    commits_with(&mut scene, &insider, [psk(1)]);
}

/// LIST-02, LIST-03: what concerns the committer itself.
#[test]
fn removal_of_the_committer() {
    commits_anyway([remove(crate::scene::ALICE)]);
}
