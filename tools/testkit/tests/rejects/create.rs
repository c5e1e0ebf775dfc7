//! What we do not even make ourselves (RFC 9420, Sections 7.3, 10 and 11).

use mls_engine::{
    error::{OperationError, ProcessError},
    group::{KeyPackageParams, KeyPackageSecrets},
    message::{CredentialType, ExtensionType, Extensions, Lifetime, ProposalType, RequiredCapabilities},
};
use testkit::network::{Host, NewMember};

use crate::scene::{EXTENSION, SUITE, UNKNOWN_EXTENSION, newcomer, one_extension};

/// Alice does not create a group with these extensions.
fn refuses_group(extensions: Extensions, expected: ProcessError) {
    let created = newcomer("alice", 1, SUITE).create_with(b"group", extensions);
    assert_eq!(created.map(|_| ()).unwrap_err(), OperationError::Rule(expected));
}

/// GRP-04, LN-16
#[test]
fn group_with_an_extension_that_we_do_not_support() {
    newcomer("alice", 1, SUITE).create_with(b"group", one_extension(EXTENSION, b"")).unwrap();
    refuses_group(one_extension(UNKNOWN_EXTENSION, b""), ProcessError::MissingCapability);
}

/// GRP-04, GRP-05, LN-08
#[test]
fn group_that_demands_what_we_do_not_support() {
    let none = RequiredCapabilities::default();
    for required in [
        RequiredCapabilities { extension_types: vec![UNKNOWN_EXTENSION], ..none.clone() },
        RequiredCapabilities { proposal_types: vec![ProposalType(0x7777)], ..none.clone() },
        RequiredCapabilities { credential_types: vec![CredentialType(0x7777)], ..none.clone() },
    ] {
        let mut extensions = Extensions::new();
        extensions.set_body(ExtensionType::REQUIRED_CAPABILITIES, &required).unwrap();
        refuses_group(extensions, ProcessError::MissingCapability);
    }
}

/// DEC-26
#[test]
fn group_with_an_extension_of_another_object() {
    for kind in [ExtensionType::APPLICATION_ID, ExtensionType::RATCHET_TREE, ExtensionType::EXTERNAL_PUB] {
        refuses_group(one_extension(kind, b""), ProcessError::MisplacedExtension(kind));
    }
}

fn package(client: &NewMember, edit: impl FnOnce(&mut KeyPackageParams<'_>)) -> Result<(), OperationError> {
    let mut params = KeyPackageParams {
        cipher_suite: SUITE,
        credential: Host::credential("frank"),
        signature_key: &client.signature_key,
        capabilities: client.capabilities(),
        lifetime: client.lifetime(),
        leaf_extensions: Extensions::new(),
        extensions: Extensions::new(),
        last_resort: false,
    };
    edit(&mut params);
    KeyPackageSecrets::generate(&client.host.env(), params).map(|_| ())
}

/// LN-13
#[test]
fn key_package_that_lists_defaults() {
    let frank = newcomer("frank", 50, SUITE);
    assert_eq!(package(&frank, |_| {}), Ok(()));
    for number in 1..=7 {
        let made = package(&frank, |params| params.capabilities.proposals.push(ProposalType(number)));
        assert_eq!(made, Err(OperationError::InvalidOwnObject));
    }
    for number in 1..=5 {
        let made = package(&frank, |params| params.capabilities.extensions.push(ExtensionType(number)));
        assert_eq!(made, Err(OperationError::InvalidOwnObject));
    }
}

/// CRY-01, DEC-12: a suite that this build does not have.
#[test]
fn key_package_of_an_unknown_suite() {
    let suite = mls_crypto::CipherSuite(0x7777);
    let made = package(&newcomer("frank", 50, SUITE), |params| params.cipher_suite = suite);
    let expected = ProcessError::Crypto(mls_crypto::CryptoError::UnsupportedSuite(suite));
    assert_eq!(made, Err(OperationError::Rule(expected)));
}

/// LN-17, LN-20: a group whose first leaf is over, or never was.
#[test]
fn group_with_a_lifetime_that_is_over() {
    let alice = newcomer("alice", 1, SUITE);
    let now = alice.host.now;
    for (not_before, not_after) in [(now - 10, now - 1), (now + 1, now + 10), (now + 1, now - 1)] {
        let created = mls_engine::group::Group::create(
            &alice.host.env(),
            mls_engine::group::CreateParams {
                group_id: b"group".to_vec(),
                cipher_suite: SUITE,
                credential: Host::credential("alice"),
                signature_key: &alice.signature_key,
                capabilities: alice.capabilities(),
                lifetime: Lifetime { not_before, not_after },
                leaf_extensions: Extensions::new(),
                extensions: Extensions::new(),
            },
        );
        assert_eq!(created.map(|_| ()).unwrap_err(), OperationError::Rule(ProcessError::InvalidLifetime));
    }
}
