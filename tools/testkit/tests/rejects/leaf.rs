//! Leaf nodes (RFC 9420, Section 7.3): in an Update, in a path, and in a key package.

use mls_crypto::{CipherSuite, CryptoError, HpkePublicKey, Opaque, SignaturePublicKey};
use mls_engine::{
    error::{OperationError, ProcessError, Signed},
    group::{LeafChange, ProposalKind},
    message::{
        Certificate, Credential, CredentialType, ExtensionType, Extensions, LeafNode, LeafNodeSource, Lifetime,
        ProposalOrRef, ProposalType, ProtocolVersion, RequiredCapabilities,
    },
};
use testkit::{forge::insider::sign_leaf, network::TestPolicy};

use crate::scene::{
    CAROL, EXTENSION, MALLORY, SUITE, Scene, UNKNOWN_EXTENSION, add, edited_package, lifetime, newcomer, one_extension,
    update,
};

/// A credential type that only those who list it support.
const STRANGE: CredentialType = CredentialType(0xF00C);

/// Alice refuses Mallory's leaf with this edit: in an Update, in a path, and the like of it in an Add.
fn refuses_everywhere(scene: &Scene, edit: impl Fn(&mut LeafNode), expected: &ProcessError) {
    let insider = scene.insider();
    let leaf = insider.update_leaf(&edit);
    scene.refuses(&insider.proposal(update(leaf)).0, expected.clone());
    let mut forged = insider.commit_with_path(vec![]);
    insider.edit_path(&mut forged, |path| edit(&mut path.leaf_node));
    scene.refuses(&insider.finish(&forged), expected.clone());
    let frank = newcomer("frank", 50, SUITE);
    let package = edited_package(&frank, |package| edit(&mut package.leaf_node));
    scene.refuses(&insider.proposal(add(package.clone())).0, expected.clone());
    scene.refuses_list(vec![add(package)], expected.clone());
}

/// LN-01, CRED-03, CRED-04, CRED-05, CRED-09
#[test]
fn credential_that_nobody_vouches_for() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let join = add(newcomer("frank", 50, SUITE).key_package().key_package().clone());
    scene.alice.host.policy.refused = vec![b"frank".to_vec()];
    let expected = ProcessError::Refused(TestPolicy::CREDENTIAL);
    scene.refuses(&insider.proposal(join.clone()).0, expected.clone());
    scene.refuses_list(vec![join], expected.clone());
    scene.alice.host.policy.refused = vec![b"mallory".to_vec()];
    let message = insider.proposal(update(insider.update_leaf(|_| {}))).0;
    crate::scene::refuses(&scene.alice, &message, expected.clone());
    crate::scene::refuses(&scene.alice, &insider.finish(&insider.commit_with_path(vec![])), expected);
}

/// CRED-01: nor do we add it ourselves.
#[test]
fn own_add_that_nobody_vouches_for() {
    let mut scene = Scene::new();
    scene.alice.host.policy.refused = vec![b"frank".to_vec()];
    let frank = newcomer("frank", 50, SUITE).key_package().message().unwrap();
    let expected = OperationError::Rule(ProcessError::Refused(TestPolicy::CREDENTIAL));
    assert_eq!(scene.alice.propose(ProposalKind::Add(frank.clone())).unwrap_err(), expected);
    assert_eq!(scene.alice.commit_by_value(vec![ProposalKind::Add(frank)]).unwrap_err(), expected);
}

/// LN-02, LN-25
#[test]
fn signature_is_wrong() {
    let scene = Scene::new();
    let insider = scene.insider();
    let expected = ProcessError::BadSignature(Signed::LeafNode(Some(MALLORY)));
    let mut leaf = insider.update_leaf(|_| {});
    leaf.capabilities.extensions.push(UNKNOWN_EXTENSION);
    scene.refuses(&insider.proposal(update(leaf)).0, expected.clone());
    let mut forged = insider.commit_with_path(vec![]);
    crate::scene::path_of(&mut forged).leaf_node.capabilities.extensions.push(UNKNOWN_EXTENSION);
    scene.refuses(&insider.finish(&forged), expected);
    let frank = newcomer("frank", 50, SUITE);
    let mut package = frank.key_package().key_package().clone();
    package.leaf_node.capabilities.extensions.push(UNKNOWN_EXTENSION);
    crate::scene::sign_package(&frank, &mut package);
    let expected = ProcessError::BadSignature(Signed::LeafNode(None));
    scene.refuses_proposal(add(package), expected);
}

/// LN-03
#[test]
fn signed_for_another_place() {
    let scene = Scene::new();
    let insider = scene.insider();
    let expected = ProcessError::BadSignature(Signed::LeafNode(Some(MALLORY)));
    for (group_id, index) in [(&b"group"[..], CAROL), (b"grouq", MALLORY), (b"", MALLORY)] {
        let mut leaf = insider.update_leaf(|_| {});
        sign_leaf(insider.suite.as_ref(), &insider.signature_key, &mut leaf, (group_id, index));
        scene.refuses(&insider.proposal(update(leaf)).0, expected.clone());
    }
}

/// LN-04, LN-05
#[test]
fn another_source() {
    let scene = Scene::new();
    let insider = scene.insider();
    let hash = insider.suite.hash(&[b"hash"]);
    let expected = ProcessError::WrongLeafSource;
    for source in [LeafNodeSource::Commit(hash), LeafNodeSource::KeyPackage(lifetime(&insider.host, 7_200))] {
        let leaf = insider.update_leaf(|leaf| leaf.source = source);
        scene.refuses(&insider.proposal(update(leaf)).0, expected.clone());
    }
    let frank = newcomer("frank", 50, SUITE);
    for source in [LeafNodeSource::Commit(hash), LeafNodeSource::Update] {
        let package = edited_package(&frank, |package| package.leaf_node.source = source);
        scene.refuses_proposal(add(package), expected.clone());
    }
}

/// LN-07
#[test]
fn update_that_keeps_its_key() {
    let scene = Scene::new();
    let insider = scene.insider();
    let old = insider.leaf().encryption_key.clone();
    let leaf = insider.update_leaf(|leaf| leaf.encryption_key = old);
    scene.refuses(&insider.proposal(update(leaf)).0, ProcessError::LeafKeyNotFresh);
}

/// LN-08: an extension, a proposal and a credential type.
#[test]
fn required_capability_is_missing() {
    let required = RequiredCapabilities {
        extension_types: vec![EXTENSION],
        proposal_types: vec![crate::scene::CUSTOM],
        credential_types: vec![CredentialType::X509],
    };
    let mut list = Extensions::new();
    list.set_body(ExtensionType::REQUIRED_CAPABILITIES, &required).unwrap();
    let scene = Scene::with_extensions(list);
    let missing = ProcessError::MissingCapability;
    refuses_everywhere(&scene, |leaf| leaf.capabilities.extensions.retain(|kind| *kind != EXTENSION), &missing);
    let edit = |leaf: &mut LeafNode| leaf.capabilities.proposals.retain(|kind| *kind != crate::scene::CUSTOM);
    refuses_everywhere(&scene, edit, &missing);
    let edit = |leaf: &mut LeafNode| leaf.capabilities.credentials.retain(|kind| *kind != CredentialType::X509);
    refuses_everywhere(&scene, edit, &missing);
}

/// LN-09, CRED-16: a credential type that some member does not support.
#[test]
fn credential_type_of_a_newcomer() {
    let frank = newcomer("frank", 50, SUITE);
    let package = edited_package(&frank, |package| {
        package.leaf_node.credential = Credential::Custom(STRANGE, Opaque::from(&b"frank"[..]));
        package.leaf_node.capabilities.credentials.push(STRANGE);
    });
    Scene::new().refuses_list(vec![add(package)], ProcessError::UnsupportedCredential(STRANGE));
}

/// LN-10: a newcomer that does not support the type of some member.
#[test]
fn newcomer_without_a_credential_type_in_use() {
    let frank = newcomer("frank", 50, SUITE);
    let package = edited_package(&frank, |package| {
        package.leaf_node.credential = Credential::X509(vec![Certificate { cert_data: Opaque::new(vec![1]) }]);
        package.leaf_node.capabilities.credentials = vec![CredentialType::X509];
    });
    Scene::new().refuses_list(vec![add(package)], ProcessError::UnsupportedCredential(CredentialType::BASIC));
}

/// LN-09, LN-27: the boundary: a type that all support may come.
#[test]
fn credential_type_that_all_support() {
    let frank = newcomer("frank", 50, SUITE);
    let package = edited_package(&frank, |package| {
        package.leaf_node.credential = Credential::X509(vec![Certificate { cert_data: Opaque::new(vec![1]) }]);
    });
    Scene::new().accepts_list(vec![add(package)]);
}

/// LN-11
#[test]
fn own_credential_type_is_not_listed() {
    let edit = |leaf: &mut LeafNode| leaf.capabilities.credentials = vec![CredentialType::X509];
    refuses_everywhere(&Scene::new(), edit, &ProcessError::UnsupportedCredential(CredentialType::BASIC));
}

/// CRED-11: a chain without a certificate.
#[test]
fn empty_certificate_chain() {
    let edit = |leaf: &mut LeafNode| leaf.credential = Credential::X509(Vec::new());
    refuses_everywhere(&Scene::new(), edit, &ProcessError::UnsupportedCredential(CredentialType::X509));
}

/// LN-12: GREASE is no exception.
#[test]
fn extension_that_is_not_listed() {
    let scene = Scene::new();
    let grease = ExtensionType(0x0A0A);
    for kind in [UNKNOWN_EXTENSION, grease] {
        let edit = |leaf: &mut LeafNode| {
            leaf.capabilities.extensions.retain(|listed| *listed != kind);
            leaf.extensions = one_extension(kind, b"");
        };
        refuses_everywhere(&scene, edit, &ProcessError::UnsupportedExtension(kind));
    }
}

/// LN-12: the boundary: listed it may be there, and so may `application_id`, which must not be listed.
#[test]
fn extension_that_is_listed() {
    let scene = Scene::new();
    let frank = newcomer("frank", 50, SUITE);
    let package = edited_package(&frank, |package| {
        package.leaf_node.capabilities.extensions.push(UNKNOWN_EXTENSION);
        package.leaf_node.extensions = one_extension(UNKNOWN_EXTENSION, b"");
        package.leaf_node.extensions.set(ExtensionType::APPLICATION_ID, b"id".to_vec());
    });
    scene.accepts_list(vec![add(package)]);
}

/// DEC-26
#[test]
fn extension_of_another_object() {
    let scene = Scene::new();
    for kind in [
        ExtensionType::RATCHET_TREE,
        ExtensionType::REQUIRED_CAPABILITIES,
        ExtensionType::EXTERNAL_PUB,
        ExtensionType::EXTERNAL_SENDERS,
    ] {
        let edit = |leaf: &mut LeafNode| leaf.extensions = one_extension(kind, b"");
        refuses_everywhere(&scene, edit, &ProcessError::MisplacedExtension(kind));
    }
}

/// LN-13: whoever lists defaults is tolerated, since peers do it; we ourselves never do.
#[test]
fn defaults_in_the_capabilities() {
    let mut scene = Scene::new();
    let frank = newcomer("frank", 50, SUITE);
    let package = edited_package(&frank, |package| {
        package.leaf_node.capabilities.extensions.push(ExtensionType::EXTERNAL_SENDERS);
        package.leaf_node.capabilities.proposals.push(ProposalType::ADD);
    });
    scene.accepts_list(vec![add(package)]);
    for edit in
        [(|leaf| leaf.capabilities.extensions.push(ExtensionType::APPLICATION_ID)) as fn(&mut LeafNode), |leaf| {
            leaf.capabilities.proposals.push(ProposalType::GROUP_CONTEXT_EXTENSIONS)
        }]
    {
        let mut leaf = scene.alice.group.own_leaf().unwrap().clone();
        edit(&mut leaf);
        let change = LeafChange { capabilities: Some(leaf.capabilities), ..LeafChange::default() };
        let kind = ProposalKind::Update(Box::new(change));
        assert_eq!(scene.alice.propose(kind).unwrap_err(), OperationError::InvalidOwnObject);
    }
}

/// LN-15
#[test]
fn group_version_or_suite_is_not_listed() {
    let scene = Scene::new();
    let missing = ProcessError::MissingCapability;
    let edit = |leaf: &mut LeafNode| leaf.capabilities.versions = vec![ProtocolVersion(2)];
    refuses_everywhere(&scene, edit, &missing);
    let edit = |leaf: &mut LeafNode| leaf.capabilities.cipher_suites = vec![CipherSuite::P256_AES128];
    refuses_everywhere(&scene, edit, &missing);
}

/// LN-16
#[test]
fn extension_of_the_context_is_not_listed() {
    let scene = Scene::with_extensions(one_extension(EXTENSION, b""));
    let edit = |leaf: &mut LeafNode| leaf.capabilities.extensions.retain(|kind| *kind != EXTENSION);
    refuses_everywhere(&scene, edit, &ProcessError::MissingCapability);
}

/// LN-17, LN-18: an expired key package is not used by us; when others did, it is their clock against ours.
#[test]
fn lifetime_that_is_over() {
    let scene = Scene::new();
    let frank = newcomer("frank", 50, SUITE);
    let now = frank.host.now;
    for (not_before, not_after, ours) in
        [(now - 10, now, true), (now, now + 10, true), (now - 10, now - 1, false), (now + 1, now + 10, false)]
    {
        let package = edited_package(&frank, |package| {
            package.leaf_node.source = LeafNodeSource::KeyPackage(Lifetime { not_before, not_after });
        });
        let message = mls_engine::message::MlsMessage::KeyPackage(Box::new(package.clone()));
        let message = mls_engine::codec::encode(&message).unwrap();
        let made =
            scene.alice.group.propose(&scene.alice.host.env(), ProposalKind::Add(message), crate::scene::public());
        let expected = OperationError::Rule(ProcessError::InvalidLifetime);
        assert_eq!(made.map(|_| ()).err(), (!ours).then_some(expected));
        scene.accepts_list(vec![add(package)]);
    }
}

/// LN-19
#[test]
fn lifetime_that_is_too_long() {
    let scene = Scene::new();
    let frank = newcomer("frank", 50, SUITE);
    let most = 400 * 24 * 3_600;
    let package = |seconds| {
        edited_package(&frank, |package| {
            package.leaf_node.source = LeafNodeSource::KeyPackage(lifetime(&frank.host, seconds));
        })
    };
    scene.accepts_list(vec![add(package(most))]);
    scene.refuses_proposal(add(package(most + 1)), ProcessError::InvalidLifetime);
}

/// LN-20: it ends before it begins; and all of time.
#[test]
fn lifetime_that_is_not_one() {
    let scene = Scene::new();
    let frank = newcomer("frank", 50, SUITE);
    let now = frank.host.now;
    for (not_before, not_after) in [(now + 1, now), (u64::MAX, 0), (0, u64::MAX)] {
        let package = edited_package(&frank, |package| {
            package.leaf_node.source = LeafNodeSource::KeyPackage(Lifetime { not_before, not_after });
        });
        scene.refuses_proposal(add(package), ProcessError::InvalidLifetime);
    }
}

/// LN-22
#[test]
fn signature_key_of_another_member() {
    let scene = Scene::new();
    let carol = newcomer("carol", 3, SUITE);
    drop(carol.key_package());
    scene.refuses_list(vec![add(carol.key_package().key_package().clone())], ProcessError::DuplicateKey);
}

/// LN-23: an added leaf has the key of another leaf, or of a parent.
#[test]
fn encryption_key_of_another_node() {
    let scene = Scene::new();
    let tree = scene.alice.group.public().tree();
    let frank = newcomer("frank", 50, SUITE);
    let leaf = tree.leaf(CAROL).unwrap().encryption_key.clone();
    let parent = tree.parent(tree.leaf_count().root()).unwrap().encryption_key.clone();
    for key in [leaf, parent] {
        let package = edited_package(&frank, |package| package.leaf_node.encryption_key = key);
        scene.refuses_list(vec![add(package)], ProcessError::DuplicateKey);
    }
}

/// LN-23: an Update by reference, which is sound alone.
#[test]
fn encryption_key_of_another_node_in_an_update() {
    let mut scene = Scene::new();
    let carol = testkit::forge::insider::Insider::of(&scene.carol);
    let key = scene.alice.group.own_leaf().unwrap().encryption_key.clone();
    let proposal = update(carol.update_leaf(|leaf| leaf.encryption_key = key));
    let (message, reference) = carol.proposal(proposal.clone());
    scene.alice.receive(&message).unwrap();
    let insider = scene.insider();
    let mut forged = insider.commit_items(vec![(ProposalOrRef::Reference(reference), proposal, CAROL)]);
    insider.add_path(&mut forged, |_| {});
    scene.refuses(&insider.finish(&forged), ProcessError::DuplicateKey);
}

/// CRY-02, CRY-03: keys that are none.
#[test]
fn keys_of_a_wrong_length() {
    let scene = Scene::new();
    let expected = ProcessError::Crypto(CryptoError::InvalidPublicKey);
    for len in [0, 31, 33] {
        let edit = |leaf: &mut LeafNode| leaf.encryption_key = HpkePublicKey::new(vec![9; len]);
        refuses_everywhere(&scene, edit, &expected);
        let edit = |leaf: &mut LeafNode| leaf.signature_key = SignaturePublicKey::new(vec![9; len]);
        refuses_everywhere(&scene, edit, &expected);
    }
}

/// CRED-08, X-AUTH-09: Mallory's leaf becomes Alice's.
#[test]
fn credential_of_somebody_else() {
    let scene = Scene::new();
    let insider = scene.insider();
    let expected = ProcessError::Refused(TestPolicy::SUCCESSOR);
    let leaf = insider.update_leaf(|leaf| leaf.credential = Credential::basic(b"alice"));
    scene.refuses(&insider.proposal(update(leaf)).0, expected.clone());
    let mut forged = insider.commit_with_path(vec![]);
    insider.edit_path(&mut forged, |path| path.leaf_node.credential = Credential::basic(b"alice"));
    scene.refuses(&insider.finish(&forged), expected);
}

/// LN-26, CRED-05: a path leaf that breaks what an Update may not break.
#[test]
fn path_leaf_without_what_the_group_demands() {
    let scene = Scene::with_extensions(one_extension(EXTENSION, b""));
    let insider = scene.insider();
    let mut forged = insider.commit(vec![]);
    insider.add_path(&mut forged, |leaf| leaf.capabilities.extensions.retain(|kind| *kind != EXTENSION));
    scene.refuses(&insider.finish(&forged), ProcessError::MissingCapability);
}

/// DEC-24, GRS-06: unknown values in the capabilities are nobody's business.
#[test]
fn unknown_capabilities_are_ignored() {
    let scene = Scene::new();
    let frank = newcomer("frank", 50, SUITE);
    let package = edited_package(&frank, |package| {
        let capabilities = &mut package.leaf_node.capabilities;
        capabilities.versions.push(ProtocolVersion(0x7777));
        capabilities.cipher_suites.push(CipherSuite(0x7777));
        capabilities.extensions.push(ExtensionType(0x7777));
        capabilities.proposals.push(ProposalType(0x7777));
        capabilities.credentials.push(CredentialType(0x7777));
    });
    scene.accepts_list(vec![add(package)]);
}
