//! Where the implementations differ: each trial pins one entry of `docs/divergences.md`, and turns red when a peer's
//! next version no longer differs.

use std::fmt::Debug;

use curve25519_dalek::{
    constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
    scalar::Scalar,
};
use mls_crypto::{CipherSuite, CryptoProvider, SignaturePublicKey, SignedItem};
use mls_crypto_aws_lc::AwsLc;
use mls_engine::{
    codec::{decode_exact, encode},
    group::{KeyPackageParams, KeyPackageSecrets},
    message::{Credential, CredentialType, ExtensionType, LeafNodeSource, MlsMessage},
};
use mls_rs::{CipherSuiteProvider, CryptoProvider as _, mls_rs_codec::MlsEncode};
use openmls::prelude::{
    Capabilities, KeyPackage, Lifetime, OpenMlsCrypto, OpenMlsProvider, SenderRatchetConfiguration, SignatureScheme,
};
use sha2::{Digest, Sha512};
use testkit::network::NewMember;
use tls_codec::Serialize;

use crate::{
    peer::{Change, Kind, Outcome, PeerError, Setup},
    peers::{self, extension_list, open_mls_key_package},
    room::{Room, Test},
};

/// Suite 1, encrypted.
const SETUP: Setup = Setup { suite: 1, private: true, inline_tree: true };
const YEAR: u64 = 365 * 24 * 3_600;

/// A difference, to be seen.
type Pinned = fn() -> Test;

pub const ALL: [(&str, Pinned); 10] = [
    ("grease_extensions", grease_extensions),
    ("extensions_beyond_required_capabilities", extensions_beyond_required_capabilities),
    ("default_types_in_capabilities", default_types_in_capabilities),
    ("lifetimes", lifetimes),
    ("last_resort", last_resort),
    ("same_identity_twice", same_identity_twice),
    ("resync_with_a_new_key", resync_with_a_new_key),
    ("ed25519_torsion", ed25519_torsion),
    ("custom_credential", custom_credential),
    ("windows", windows),
];

/// Who takes part, and with what word the others refuse.
fn expect<T: Debug>(who: Kind, outcome: Outcome<T>, refusal: Option<&str>) -> Test {
    match (outcome, refusal) {
        (Ok(_), None) => Ok(()),
        (Err(PeerError::Refused(error)), Some(word)) if error.contains(word) => Ok(()),
        (outcome, refusal) => Err(format!("{}: {outcome:?}, expected refusal: {refusal:?}", who.name())),
    }
}

/// A group of one, of each kind, is asked to add this key package.
fn each_adds(key_package: &[u8], refusals: [(Kind, Option<&str>); 3]) -> Test {
    for (kind, refusal) in refusals {
        let mut room = Room::create(kind, SETUP)?;
        expect(kind, room.peers[0].commit(&[Change::Add(key_package.to_vec())]), refusal)?;
    }
    Ok(())
}

/// A client of ours as it is by default.
fn our_client(name: &str) -> NewMember {
    let mut client = NewMember::new(name, 0xD1FF, CipherSuite(SETUP.suite));
    client.host.now = peers::now();
    client.extensions = vec![ExtensionType(crate::peer::EXTENSION)];
    client
}

/// A last-resort package of ours.
fn our_last_resort(name: &str) -> Vec<u8> {
    let mut client = our_client(name);
    client.host.policy.no_grease_extensions = true;
    let params = KeyPackageParams {
        cipher_suite: client.cipher_suite,
        credential: Credential::basic(name.as_bytes()),
        signature_key: &client.signature_key,
        capabilities: client.capabilities(),
        lifetime: client.lifetime(),
        leaf_extensions: mls_engine::message::Extensions::new(),
        extensions: mls_engine::message::Extensions::new(),
        last_resort: true,
    };
    KeyPackageSecrets::generate(&client.host.env(), params).unwrap().message().unwrap()
}

/// GRS-01: a key package with GREASE extensions that its capabilities list.
fn grease_extensions() -> Test {
    let key_package = our_client("greased").key_package().message().unwrap();
    each_adds(&key_package, [(Kind::Ours, None), (Kind::MlsRs, None), (Kind::OpenMls, Some("UnsupportedExtension"))])
}

/// PROP-17: an extension that every member supports, but that `required_capabilities` does not name.
fn extensions_beyond_required_capabilities() -> Test {
    let change = Change::Extensions(extension_list(b"free", false));
    for (by, hearer, refusal) in [
        (Kind::Ours, Kind::MlsRs, None),
        (Kind::MlsRs, Kind::Ours, None),
        (Kind::Ours, Kind::OpenMls, Some("ExtensionNotInRequiredCapabilities")),
    ] {
        let mut room = Room::create(by, SETUP)?;
        room.add(0, &[hearer])?;
        let committed = room.peers[0].commit(std::slice::from_ref(&change)).map_err(|error| format!("{error:?}"))?;
        expect(hearer, room.peers[1].process(&committed.commit), refusal)?;
    }
    Ok(())
}

/// LN-13: capabilities that list what every client supports anyway.
fn default_types_in_capabilities() -> Test {
    let extensions = [openmls::prelude::ExtensionType::ApplicationId];
    let capabilities = Capabilities::new(None, None, Some(&extensions), None, None);
    let key_package = open_mls_key_package("wordy", SETUP, KeyPackage::builder().leaf_node_capabilities(capabilities));
    each_adds(&key_package, [(Kind::Ours, None), (Kind::OpenMls, None), (Kind::MlsRs, Some("DefaultValueListed"))])
}

/// LN-17 to LN-19: how long packages live by default, a lifetime of two years, and one that is over.
fn lifetimes() -> Test {
    const DAY: u64 = 24 * 3_600;
    for (kind, days) in [(Kind::OpenMls, 84), (Kind::MlsRs, 365)] {
        let key_package = peers::new(kind, "default", SETUP).key_package().map_err(|error| format!("{error:?}"))?;
        let seconds = lifetime(&key_package);
        if seconds / DAY != days {
            return Err(format!("{}: {seconds} seconds", kind.name()));
        }
    }
    let now = peers::now();
    let builder = KeyPackage::builder().key_package_lifetime(Lifetime::init(now - 3_600, now + 2 * YEAR));
    let long = open_mls_key_package("long", SETUP, builder);
    each_adds(&long, [(Kind::Ours, Some("Lifetime")), (Kind::OpenMls, None), (Kind::MlsRs, None)])?;
    let builder = KeyPackage::builder().key_package_lifetime(Lifetime::init(now - YEAR, now - 3_600));
    let over = open_mls_key_package("over", SETUP, builder);
    each_adds(
        &over,
        [(Kind::Ours, Some("Lifetime")), (Kind::OpenMls, Some("Lifetime")), (Kind::MlsRs, Some("InvalidLifetime"))],
    )
}

/// Seconds from the first to the last of a key package's lifetime.
fn lifetime(key_package: &[u8]) -> u64 {
    match decode_exact(key_package).unwrap() {
        MlsMessage::KeyPackage(package) => match package.leaf_node.source {
            LeafNodeSource::KeyPackage(lifetime) => lifetime.not_after - lifetime.not_before,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// KP-07: a last-resort package whose capabilities list extension type 0x000A, and one whose capabilities do not.
fn last_resort() -> Test {
    let extensions = [openmls::prelude::ExtensionType::LastResort];
    let capabilities = Capabilities::new(None, None, Some(&extensions), None, None);
    let builder = KeyPackage::builder().leaf_node_capabilities(capabilities).mark_as_last_resort();
    let listed = open_mls_key_package("last", SETUP, builder);
    each_adds(&listed, Kind::ALL.map(|kind| (kind, None)))?;
    let ours = our_last_resort("last");
    each_adds(&ours, Kind::ALL.map(|kind| (kind, None)))?;
    let unlisted = open_mls_key_package("silent", SETUP, KeyPackage::builder().mark_as_last_resort());
    each_adds(
        &unlisted,
        [
            (Kind::Ours, Some("UnsupportedExtension")),
            (Kind::OpenMls, Some("UnsupportedExtension")),
            (Kind::MlsRs, None),
        ],
    )
}

/// Section 5.3.1: two members with one identity and different keys.
fn same_identity_twice() -> Test {
    for (kind, refusal) in [(Kind::Ours, None), (Kind::OpenMls, None), (Kind::MlsRs, Some("DuplicateLeafData"))] {
        let mut room = Room::create(kind, SETUP)?;
        let name = room.peers[0].name().to_owned();
        let key_package = peers::new(Kind::Ours, &name, SETUP).key_package().map_err(|error| format!("{error:?}"))?;
        expect(kind, room.peers[0].commit(&[Change::Add(key_package)]), refusal)?;
    }
    Ok(())
}

/// EXT-08: the same identity takes its own place again, with a new signature key.
fn resync_with_a_new_key() -> Test {
    for (host, refusal) in [(Kind::Ours, None), (Kind::OpenMls, None), (Kind::MlsRs, None)] {
        let mut room = Room::create(host, SETUP)?;
        room.add(0, &[Kind::Ours])?;
        let (leaf, name) = (room.leaf(1)?, room.peers[1].name().to_owned());
        let group_info = room.peers[0].group_info().map_err(|error| format!("{error:?}"))?;
        let how = crate::peer::ExternalJoin { group_info: &group_info, resync: Some(leaf), ..Default::default() };
        let commit = peers::new(Kind::Ours, &name, SETUP).join_external(&how).map_err(|error| format!("{error:?}"))?;
        expect(host, room.peers[0].process(&commit), refusal)?;
    }
    Ok(())
}

/// X-AUTH-05: a signature whose `R` has a part of order eight, valid by the equation with the cofactor only.
fn ed25519_torsion() -> Test {
    let (secret, nonce, message) = (Scalar::from(7_u8), Scalar::from(11_u8), b"torsion");
    let public_key = (ED25519_BASEPOINT_POINT * secret).compress().to_bytes();
    let r = (ED25519_BASEPOINT_POINT * nonce + EIGHT_TORSION[1]).compress().to_bytes();
    let hash = Sha512::new().chain_update(r).chain_update(public_key).chain_update(message).finalize();
    let s = nonce + Scalar::from_bytes_mod_order_wide(&hash.into()) * secret;
    let signature = [r, s.to_bytes()].concat();

    let ours = AwsLc::default().suite(CipherSuite(SETUP.suite)).unwrap();
    let key = SignaturePublicKey::new(public_key.to_vec());
    let item = SignedItem { public_key: &key, message, signature: &signature };
    expect(Kind::Ours, ours.verify(item).map_err(crate::peer::refused), None)?;

    let provider = openmls_rust_crypto::OpenMlsRustCrypto::default();
    let verdict = provider.crypto().verify_signature(SignatureScheme::ED25519, message, &public_key, &signature);
    expect(Kind::OpenMls, verdict.map_err(crate::peer::refused), Some("InvalidSignature"))?;

    let provider = mls_rs_crypto_rustcrypto::RustCryptoProvider::default();
    let provider = provider.cipher_suite_provider(SETUP.suite.into()).unwrap();
    let verdict = provider.verify(&public_key.to_vec().into(), &signature, message);
    expect(Kind::MlsRs, verdict.map_err(crate::peer::refused), Some("Signature"))
}

/// DEC-23: the body of a credential of an unknown type is one vector, in all three.
fn custom_credential() -> Test {
    const TYPE: u16 = 0xF0C0;
    let body = b"body".as_slice();
    let ours = encode(&Credential::Custom(CredentialType(TYPE), body.into())).unwrap();
    let other = openmls::prelude::CredentialType::Other(TYPE);
    let theirs = openmls::prelude::Credential::new(other, body.to_vec()).tls_serialize_detached().unwrap();
    let custom = mls_rs::identity::CustomCredential::new(TYPE.into(), body.to_vec());
    let third = mls_rs::identity::Credential::Custom(custom).mls_encode_to_vec().unwrap();
    if ours == theirs && ours == third { Ok(()) } else { Err(format!("{ours:?}, {theirs:?}, {third:?}")) }
}

/// What OpenMLS does by default with messages that come late; the live groups ask for more.
fn windows() -> Test {
    let window = SenderRatchetConfiguration::default();
    let seen = (window.out_of_order_tolerance(), window.maximum_forward_distance());
    if seen == (5, 1_000) { Ok(()) } else { Err(format!("{seen:?}")) }
}
