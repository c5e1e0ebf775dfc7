//! Key packages (RFC 9420, Section 10.1).

use mls_crypto::{CipherSuite, CryptoError, HpkePublicKey};
use mls_engine::{
    codec::encode,
    error::{DecodeError, OperationError, ProcessError, Signed},
    group::ProposalKind,
    message::{ExtensionType, Extensions, KeyPackage, MlsMessage, ProtocolVersion},
};

use crate::scene::{
    EXTENSION, SUITE, Scene, UNKNOWN_EXTENSION, add, edited_package, limits, newcomer, one_extension, refuses,
};

/// Alice refuses Frank's edited key package: in a proposal, in a commit, and as her own Add.
fn refuses_package(edit: impl FnOnce(&mut KeyPackage), expected: &ProcessError) {
    let mut scene = Scene::new();
    let package = edited_package(&newcomer("frank", 50, SUITE), edit);
    scene.refuses_proposal(add(package.clone()), expected.clone());
    let message = encode(&MlsMessage::KeyPackage(Box::new(package))).unwrap();
    assert!(matches!(scene.alice.propose(ProposalKind::Add(message)), Err(OperationError::Rule(_))));
}

/// KP-01
#[test]
fn another_suite_or_version() {
    refuses_package(|package| package.cipher_suite = CipherSuite::P256_AES128, &ProcessError::SuiteMismatch);
    refuses_package(|package| package.version = ProtocolVersion(2), &ProcessError::SuiteMismatch);
}

/// KP-03
#[test]
fn signature_is_wrong() {
    let scene = Scene::new();
    let mut package = newcomer("frank", 50, SUITE).key_package().key_package().clone();
    package.extensions = Extensions::new();
    scene.refuses_proposal(add(package), ProcessError::BadSignature(Signed::KeyPackage));
}

/// KP-03: signed by another than its leaf.
#[test]
fn signature_of_another_client() {
    let scene = Scene::new();
    let mut package = newcomer("frank", 50, SUITE).key_package().key_package().clone();
    crate::scene::sign_package(&newcomer("grace", 51, SUITE), &mut package);
    scene.refuses_proposal(add(package), ProcessError::BadSignature(Signed::KeyPackage));
}

/// KP-04
#[test]
fn init_key_is_the_leafs_key() {
    let edit = |package: &mut KeyPackage| package.init_key = package.leaf_node.encryption_key.clone();
    refuses_package(edit, &ProcessError::InitKeyNotUnique);
}

/// KP-05, CRY-02
#[test]
fn init_key_is_no_key() {
    for len in [0, 31, 33] {
        let edit = |package: &mut KeyPackage| package.init_key = HpkePublicKey::new(vec![9; len]);
        refuses_package(edit, &ProcessError::Crypto(CryptoError::InvalidPublicKey));
    }
}

/// KP-07
#[test]
fn extension_that_is_not_listed() {
    let edit = |package: &mut KeyPackage| package.extensions = one_extension(UNKNOWN_EXTENSION, b"");
    refuses_package(edit, &ProcessError::UnsupportedExtension(UNKNOWN_EXTENSION));
}

/// KP-08: the boundary: whatever is listed may be there, and is ignored.
#[test]
fn extension_that_is_listed() {
    let edit = |package: &mut KeyPackage| package.extensions = one_extension(EXTENSION, b"anything");
    Scene::new().accepts_list(vec![add(edited_package(&newcomer("frank", 50, SUITE), edit))]);
}

/// DEC-26
#[test]
fn extension_of_another_object() {
    for number in 1..=5 {
        let kind = ExtensionType(number);
        let edit = |package: &mut KeyPackage| package.extensions = one_extension(kind, b"");
        refuses_package(edit, &ProcessError::MisplacedExtension(kind));
    }
}

/// KP-13, X-AUTH-11: a key package that was sound when it was proposed is judged again in the commit.
#[test]
fn judged_again_in_the_commit() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let join = add(newcomer("frank", 50, SUITE).key_package().key_package().clone());
    let (message, reference) = insider.proposal(join.clone());
    scene.alice.receive(&message).unwrap();
    scene.alice.host.policy.refused = vec![b"frank".to_vec()];
    let item = (mls_engine::message::ProposalOrRef::Reference(reference), join, crate::scene::MALLORY);
    let mut forged = insider.commit_items(vec![item]);
    insider.add_path(&mut forged, |_| {});
    let expected = ProcessError::Refused(testkit::network::TestPolicy::CREDENTIAL);
    refuses(&scene.alice, &insider.finish(&forged), expected);
}

/// X-DOS-02: the boundary of a key package we are given.
#[test]
fn size_at_and_over_the_limit() {
    let mut scene = Scene::new();
    let message = newcomer("frank", 50, SUITE).key_package().message().unwrap();
    let (len, limit) = (message.len(), message.len() - 1);
    scene.alice.host.limits = limits(|limits| limits.max_key_package = limit);
    let expected = OperationError::Rule(ProcessError::Decode(DecodeError::OverLimit { len, limit }));
    assert_eq!(scene.alice.propose(ProposalKind::Add(message.clone())).unwrap_err(), expected);
    scene.alice.host.limits = limits(|limits| limits.max_key_package = len);
    scene.alice.propose(ProposalKind::Add(message)).unwrap();
}

/// DEC-12: an MLSMessage of another kind is no key package.
#[test]
fn message_of_another_kind() {
    let mut scene = Scene::new();
    let info = scene.mallory.group.group_info(&scene.mallory.host.env(), false, false).unwrap();
    let expected = OperationError::Rule(ProcessError::Decode(DecodeError::UnsupportedWireFormat));
    assert_eq!(scene.alice.propose(ProposalKind::Add(info)).unwrap_err(), expected);
}

/// KP-06, KP-12: keys are fresh, and GREASE is there.
#[test]
fn own_packages_are_fresh_and_greased() {
    let frank = newcomer("frank", 50, SUITE);
    let (one, two) = (frank.key_package(), frank.key_package());
    let (one, two) = (one.key_package(), two.key_package());
    assert_ne!(one.init_key, two.init_key);
    assert_ne!(one.leaf_node.encryption_key, two.leaf_node.encryption_key);
    let is_grease = |number: u16| number & 0x0F0F == 0x0A0A && number >> 8 == number & 0xFF;
    assert!(one.extensions.types().any(|kind| is_grease(kind.0)));
    assert!(one.leaf_node.capabilities.cipher_suites.iter().any(|suite| is_grease(suite.0)));
    assert!(one.leaf_node.capabilities.proposals.iter().any(|kind| is_grease(kind.0)));
}
