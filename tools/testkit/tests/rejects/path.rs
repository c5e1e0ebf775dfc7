//! Update paths (RFC 9420, Sections 7.5, 7.6 and 7.9).

use mls_crypto::CryptoError;
use mls_engine::{error::ProcessError, math::NodeIndex, message::LeafNodeSource};

use crate::scene::{ALICE, CAROL, DAVE, ERIN, SUITE, Scene, add, newcomer, package, path_of, psk, refuses, remove};

/// PATH-01
#[test]
fn too_few_or_too_many_nodes() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![]);
    let node = path_of(&mut forged).nodes.pop().unwrap();
    scene.refuses(&insider.finish(&forged), ProcessError::PathLength { got: 2, expected: 3 });
    path_of(&mut forged).nodes.extend([node.clone(), node]);
    scene.refuses(&insider.finish(&forged), ProcessError::PathLength { got: 4, expected: 3 });
}

/// PATH-01: nodes with an empty resolution beside them are left out; a full direct path is wrong then.
#[test]
fn node_beside_a_blank_subtree() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![remove(ERIN)]);
    assert_eq!(path_of(&mut forged).nodes.len(), 2);
    scene.accepts(&insider.finish(&forged));
    let node = path_of(&mut forged).nodes[0].clone();
    path_of(&mut forged).nodes.push(node);
    scene.refuses(&insider.finish(&forged), ProcessError::PathLength { got: 3, expected: 2 });
}

/// PATH-02: at every node, not only at the one that the victim opens.
#[test]
fn number_of_ciphertexts_at_every_node() {
    let scene = Scene::new();
    let insider = scene.insider();
    for (position, expected) in [1, 2, 1].into_iter().enumerate() {
        let mut forged = insider.commit_with_path(vec![]);
        let ciphertexts = &mut path_of(&mut forged).nodes[position].encrypted_path_secret;
        let one = ciphertexts[0].clone();
        ciphertexts.push(one);
        let message = insider.finish(&forged);
        let got = expected + 1;
        for victim in [&scene.alice, &scene.carol, &scene.erin] {
            refuses(victim, &message, ProcessError::PathCiphertexts { position, got, expected });
        }
        path_of(&mut forged).nodes[position].encrypted_path_secret.truncate(expected - 1);
        let message = insider.finish(&forged);
        let got = expected - 1;
        for victim in [&scene.alice, &scene.carol, &scene.erin] {
            refuses(victim, &message, ProcessError::PathCiphertexts { position, got, expected });
        }
    }
}

/// PATH-03: leaves that the commit adds get their secret in the Welcome, not in the path.
#[test]
fn ciphertext_for_an_added_leaf() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![add(package("frank", 50))]);
    scene.accepts(&insider.finish(&forged));
    forged.added.clear();
    insider.reseal_path(&mut forged);
    let expected = ProcessError::PathCiphertexts { position: 2, got: 2, expected: 1 };
    scene.refuses(&insider.finish(&forged), expected);
}

/// PATH-04
#[test]
fn parent_hash_of_another_path() {
    let scene = Scene::new();
    let insider = scene.insider();
    for hash in [mls_crypto::Hash::EMPTY, insider.suite.hash(&[b"other"])] {
        let mut forged = insider.commit_with_path(vec![]);
        insider.edit_path(&mut forged, |path| path.leaf_node.source = LeafNodeSource::Commit(hash));
        scene.refuses(&insider.finish(&forged), ProcessError::PathParentHash);
    }
}

/// PATH-05: with nobody left, the path is empty and so is the parent hash; only the removed see such a commit.
#[test]
fn parent_hash_of_an_empty_path() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path([ALICE, CAROL, DAVE, ERIN].map(remove).to_vec());
    assert!(path_of(&mut forged).nodes.is_empty());
    scene.accepts(&insider.finish(&forged));
    let hash = insider.suite.hash(&[b"other"]);
    insider.edit_path(&mut forged, |path| path.leaf_node.source = LeafNodeSource::Commit(hash));
    scene.refuses(&insider.finish(&forged), ProcessError::PathParentHash);
}

/// PATH-06: at every node from where the victim opens up to the root; what is below is not the victim's to see.
#[test]
fn key_that_does_not_come_from_the_secret() {
    let scene = Scene::new();
    let insider = scene.insider();
    for (position, node) in [1, 3, 7].into_iter().enumerate() {
        let (_, key) = insider.suite.hpke_generate(&insider.host.random).unwrap();
        let mut forged = insider.commit_with_path(vec![]);
        insider.remake_path(&mut forged, |path| path.nodes[position].encryption_key = key);
        let message = insider.finish(&forged);
        let expected = ProcessError::PathKeyMismatch(NodeIndex::new(node));
        refuses(&scene.alice, &message, expected.clone());
        if position == 2 {
            refuses(&scene.erin, &message, expected);
        }
    }
    scene.goes_on();
}

/// PATH-07: shorter, longer and empty.
#[test]
fn path_secret_of_a_wrong_length() {
    let scene = Scene::new();
    let insider = scene.insider();
    for len in [0, 31, 33, 64] {
        let mut forged = insider.commit_with_path(vec![]);
        forged.path_secrets[0].resize(len, 0);
        insider.reseal_path(&mut forged);
        scene.refuses(&insider.finish(&forged), ProcessError::InvalidPathSecret);
    }
}

/// PATH-06: a secret of the right length that is another.
#[test]
fn path_secret_that_is_another() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![]);
    forged.path_secrets[0][0] ^= 1;
    insider.reseal_path(&mut forged);
    scene.refuses(&insider.finish(&forged), ProcessError::PathKeyMismatch(NodeIndex::new(1)));
}

/// COM-11: sealed under the context of the epoch that ends.
#[test]
fn ciphertext_for_another_context() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![psk(1)]);
    let tree = std::mem::replace(&mut forged.tree, insider.tree().clone());
    insider.reseal_path(&mut forged);
    forged.tree = tree;
    scene.refuses(&insider.finish(&forged), ProcessError::Crypto(CryptoError::OpenFailed));
}

/// COM-12: the last path secret itself as commit secret.
#[test]
fn commit_secret_one_step_too_early() {
    let scene = Scene::new();
    let insider = scene.insider();
    let mut forged = insider.commit_with_path(vec![]);
    forged.commit_secret = mls_crypto::Secret::copy_from(forged.path_secrets.last().unwrap());
    scene.refuses(&insider.finish(&forged), ProcessError::BadConfirmationTag);
}

/// CRY-02: a node's key that is no key.
#[test]
fn node_key_of_a_wrong_length() {
    let scene = Scene::new();
    let insider = scene.insider();
    for position in 0..3 {
        let mut forged = insider.commit_with_path(vec![]);
        let key = mls_crypto::HpkePublicKey::new(vec![9; 31]);
        insider.remake_path(&mut forged, |path| path.nodes[position].encryption_key = key);
        let expected = ProcessError::Crypto(CryptoError::InvalidPublicKey);
        scene.refuses(&insider.finish(&forged), expected);
    }
}

/// X-STATE-05: private keys of another are found when the group is opened; with its own, the member follows.
#[test]
fn own_keys_are_anothers() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let message = insider.finish(&insider.commit_with_path(vec![]));
    let other = newcomer("other", 70, SUITE).key_package().encode().unwrap();
    let before = scene.carol.records.clone();
    let keys = scene.carol.records.rows.iter_mut();
    for (_, value) in keys.filter(|(key, _)| key.class == mls_engine::group::RecordClass::PathKey) {
        let len = value.len();
        value.copy_from_slice(&other.as_slice()[..len]);
    }
    let loaded = mls_engine::group::Group::load(&scene.carol.host.env(), &scene.carol.records);
    assert_eq!(loaded.map(|_| ()).unwrap_err(), mls_engine::error::OperationError::InvalidRecord);
    scene.carol.records = before;
    scene.carol.reopen();
    scene.carol.receive(&message).unwrap();
}
