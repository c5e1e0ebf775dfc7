//! Decoding (RFC 9420, Section 2.1), before anything else is looked at.

use mls_crypto::{Hash, Opaque};
use mls_engine::{
    codec::{decode_exact, encode},
    error::{DecodeError, ProcessError},
    group::KeyPackageSecrets,
    message::{
        Commit, ContentType, Credential, Extension, ExtensionType, Extensions, GroupSecrets, LeafNodeSource,
        MlsMessage, PreSharedKeyId, Proposal, ProposalOrRef, PskKind, ResumptionPskUsage, Sender,
    },
    tree::Node,
};

use crate::scene::{SUITE, Scene, newcomer, psk, remove};

fn error<T: tls_codec::DeserializeBytes>(bytes: &[u8]) -> DecodeError {
    decode_exact::<T>(bytes).map(|_| ()).unwrap_err()
}

/// DEC-01: in a Commit, a ratchet tree and GroupSecrets.
#[test]
fn presence_octet() {
    for octet in [2, 3, 255] {
        assert!(matches!(
            decode_exact::<Commit>(&[0, octet]),
            Err(DecodeError::UnknownValue(_) | DecodeError::Malformed)
        ));
        assert!(matches!(decode_exact::<GroupSecrets>(&[0, octet, 0]), Err(DecodeError::UnknownValue(_))));
    }
    assert!(decode_exact::<Commit>(&[0, 0]).is_ok());
}

/// DEC-02: whatever the header says: a small number is not in its shortest form, a large one is beyond the end.
#[test]
fn length_header_of_eight_bytes() {
    for header in [[0xC0, 0, 0, 0, 0, 0, 0, 1], [0xC0, 0, 0, 0, 0x3F, 0xFF, 0xFF, 0xFF]] {
        assert_eq!(error::<Opaque>(&[&header[..], &[0; 2]].concat()), DecodeError::InvalidLength);
    }
    for header in [[0xC0, 0, 0, 0, 0x40, 0, 0, 0], [0xFF; 8]] {
        assert_eq!(error::<Opaque>(&[&header[..], &[0; 2]].concat()), DecodeError::InvalidLength);
    }
}

/// DEC-03: the shortest form, at its boundaries.
#[test]
fn length_header_that_is_longer_than_it_need_be() {
    let exact = |header: &[u8], len: usize| decode_exact::<Opaque>(&[header, &vec![0; len]].concat()).map(|_| ());
    assert_eq!(exact(&[63], 63), Ok(()));
    assert_eq!(exact(&[0x40, 63], 63), Err(DecodeError::InvalidLength));
    assert_eq!(exact(&[0x40, 64], 64), Ok(()));
    assert_eq!(exact(&[0x7F, 0xFF], 16_383), Ok(()));
    assert_eq!(exact(&[0x80, 0, 0x3F, 0xFF], 16_383), Err(DecodeError::InvalidLength));
    assert_eq!(exact(&[0x80, 0, 0x40, 0], 16_384), Ok(()));
    assert_eq!(exact(&[0x80, 0, 0, 0], 0), Err(DecodeError::InvalidLength));
    let nested = [&[0x40, 2][..], &[0, 0]].concat();
    assert_eq!(error::<Vec<u8>>(&nested), DecodeError::InvalidLength);
}

/// DEC-06, X-DOS-01: lengths that are announced and not there.
#[test]
fn length_beyond_the_end() {
    for header in [&[1][..], &[0x40, 64], &[0x80, 0, 0x40, 0], &[0xBF, 0xFF, 0xFF, 0xFF]] {
        assert_eq!(error::<Extensions>(header), DecodeError::Truncated);
        assert_eq!(error::<Vec<u16>>(header), DecodeError::Truncated);
        assert_eq!(error::<Vec<Node>>(header), DecodeError::Truncated);
        assert_eq!(error::<Opaque>(header), DecodeError::Truncated);
        assert_eq!(error::<Credential>(&[&[0, 1], header].concat()), DecodeError::Truncated);
        assert_eq!(error::<Hash>(header), DecodeError::Truncated);
        assert_eq!(error::<LeafNodeSource>(&[&[3], header].concat()), DecodeError::Truncated);
    }
}

/// DEC-07: the last element runs over the end of its vector.
#[test]
fn element_beyond_its_vector() {
    let extension =
        encode(&Extension { extension_type: ExtensionType(0xF000), extension_data: Opaque::new(vec![7; 4]) });
    let extension = extension.unwrap();
    let short = extension.len() as u8 - 1;
    assert!(decode_exact::<Extensions>(&[&[short], &extension[..]].concat()).is_err());
    assert!(decode_exact::<Extensions>(&[&[short + 1], &extension[..]].concat()).is_ok());
    assert!(decode_exact::<Vec<u16>>(&[3, 0, 1, 0]).is_err());
}

/// DEC-08
#[test]
fn bytes_after_the_message() {
    let scene = Scene::new();
    let bytes = [scene.insider().proposal(psk(1)).0, vec![0]].concat();
    scene.refuses(&bytes, ProcessError::Decode(DecodeError::TrailingBytes));
}

/// DEC-09: every prefix of every kind of message.
#[test]
fn message_that_ends_early() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    let messages = [
        insider.proposal(psk(1)).0,
        insider.finish(&insider.commit_with_path(vec![])),
        scene.alice.group.group_info(&scene.alice.host.env(), true, true).unwrap(),
        newcomer("frank", 50, SUITE).key_package().message().unwrap(),
        scene.alice.send(b"hello").unwrap(),
    ];
    for message in messages {
        assert!(decode_exact::<MlsMessage>(&message).is_ok());
        for len in 0..message.len() {
            assert!(decode_exact::<MlsMessage>(&message[..len]).is_err(), "{len}");
        }
    }
}

/// DEC-10: reserved and unassigned values of every closed enum.
#[test]
fn value_outside_a_closed_set() {
    let unknown = |value: u8| DecodeError::UnknownValue(value.into());
    for (value, last) in [(0u8, 0), (4, 3), (255, 3)] {
        let _ = last;
        assert_eq!(error::<ContentType>(&[value]), unknown(value));
        assert_eq!(error::<LeafNodeSource>(&[value, 0]), unknown(value));
        assert_eq!(error::<ResumptionPskUsage>(&[value]), unknown(value));
    }
    for value in [0, 5, 255] {
        assert_eq!(error::<Sender>(&[value, 0, 0, 0, 0]), unknown(value));
    }
    for value in [0, 3, 255] {
        assert_eq!(error::<Node>(&[value, 0]), unknown(value));
        assert_eq!(error::<PskKind>(&[value, 0]), unknown(value));
        assert_eq!(error::<ProposalOrRef>(&[value, 0]), unknown(value));
        assert_eq!(error::<PreSharedKeyId>(&[value, 0, 0]), unknown(value));
    }
    assert_eq!(error::<Proposal>(&[0, 0, 0]), unknown(0));
}

/// DEC-11, DEC-12
#[test]
fn version_or_wire_format_that_is_unknown() {
    let message = Scene::new().insider().proposal(psk(1)).0;
    for version in [[0, 0], [0, 2], [1, 1]] {
        let other = [&version[..], &message[2..]].concat();
        assert_eq!(error::<MlsMessage>(&other), DecodeError::UnsupportedVersion);
    }
    for wire_format in [[0, 0], [0, 6], [0xFF, 0xFF]] {
        let other = [&message[..2], &wire_format[..], &message[4..]].concat();
        assert_eq!(error::<MlsMessage>(&other), DecodeError::UnsupportedWireFormat);
    }
}

/// DEC-11, DEC-13: a nested version.
#[test]
fn nested_version_that_differs() {
    let scene = Scene::new();
    for message in [
        newcomer("frank", 50, SUITE).key_package().message().unwrap(),
        scene.alice.group.group_info(&scene.alice.host.env(), false, false).unwrap(),
    ] {
        let mut other = message;
        other[5] = 2;
        assert_eq!(error::<MlsMessage>(&other), DecodeError::VersionMismatch);
    }
}

/// DEC-12: a message of a kind that is not for groups.
#[test]
fn message_that_is_not_for_a_group() {
    let scene = Scene::new();
    let bytes = newcomer("frank", 50, SUITE).key_package().message().unwrap();
    scene.refuses(&bytes, ProcessError::Decode(DecodeError::UnsupportedWireFormat));
}

/// DEC-17: in the one decoder that serves all lists.
#[test]
fn extension_twice() {
    let extension = |kind| Extension { extension_type: ExtensionType(kind), extension_data: Opaque::new(Vec::new()) };
    let list = |kinds: [u16; 3]| encode(&kinds.map(extension).to_vec()).unwrap();
    assert!(decode_exact::<Extensions>(&list([1, 2, 3])).is_ok());
    for kinds in [[1, 1, 3], [1, 2, 1], [3, 2, 2], [7, 7, 7]] {
        assert_eq!(error::<Extensions>(&list(kinds)), DecodeError::DuplicateExtension);
    }
}

/// DEC-21: the body of a known proposal.
#[test]
fn proposal_that_is_cut() {
    for proposal in [psk(1), remove(crate::scene::CAROL), crate::scene::add(crate::scene::package("frank", 50))] {
        let bytes = encode(&proposal).unwrap();
        assert_eq!(decode_exact::<Proposal>(&bytes).unwrap(), proposal);
        for len in 0..bytes.len() {
            assert!(decode_exact::<Proposal>(&bytes[..len]).is_err());
        }
        assert_eq!(error::<Proposal>(&[&bytes[..], &[0]].concat()), DecodeError::TrailingBytes);
    }
}

/// X-DOS-09: certificates, by number and by bytes.
#[test]
fn certificate_chain_at_and_over_the_limit() {
    let chain = |count: usize, len: usize| {
        let certificate = mls_engine::message::Certificate { cert_data: Opaque::new(vec![7; len]) };
        encode(&Credential::X509(vec![certificate; count])).unwrap()
    };
    assert!(decode_exact::<Credential>(&chain(8, 10)).is_ok());
    assert_eq!(error::<Credential>(&chain(9, 10)), DecodeError::TooManyItems);
    let most = 64 * 1024 - 8;
    assert!(decode_exact::<Credential>(&chain(1, most)).is_ok());
    assert_eq!(error::<Credential>(&chain(1, most + 1)), DecodeError::TooManyItems);
}

/// DEC-25: what was decoded encodes to the same bytes.
#[test]
fn encoding_is_canonical() {
    let mut scene = Scene::new();
    let insider = scene.insider();
    for message in [
        insider.proposal(psk(1)).0,
        insider.finish(&insider.commit_with_path(vec![remove(crate::scene::CAROL)])),
        scene.alice.group.group_info(&scene.alice.host.env(), true, true).unwrap(),
        newcomer("frank", 50, SUITE).key_package().message().unwrap(),
        scene.alice.send(b"hello").unwrap(),
    ] {
        assert_eq!(encode(&decode_exact::<MlsMessage>(&message).unwrap()).unwrap(), message);
    }
}

/// X-STATE-05: key package secrets that are cut or have bytes left over.
#[test]
fn stored_key_package_that_is_cut() {
    let bytes = newcomer("frank", 50, SUITE).key_package().encode().unwrap();
    let bytes = bytes.as_slice();
    assert!(KeyPackageSecrets::decode(bytes).is_ok());
    for len in 0..bytes.len() {
        assert!(KeyPackageSecrets::decode(&bytes[..len]).is_err());
    }
    assert!(KeyPackageSecrets::decode(&[bytes, &[0]].concat()).is_err());
}
