use mls_engine::error::DecodeError;

use super::{MAX_ENVELOPE_SIZE, MessageType, MlsEnvelope};
use crate::core_mls::MlsError;

/// The beginning of a private message of epoch 7 in group `g`; only this much is ever read here.
fn private(content_type: u8) -> Vec<u8> {
    let mut payload = vec![0, 1, 0, 2, 1, b'g'];
    payload.extend(7u64.to_be_bytes());
    payload.extend([content_type, 0, 0, 0]);
    payload
}

/// The beginning of a public message of member 258.
fn public(content_type: u8) -> Vec<u8> {
    let mut payload = vec![0, 1, 0, 1, 1, b'g'];
    payload.extend(7u64.to_be_bytes());
    payload.extend([1, 0, 0, 1, 2, 0, content_type]);
    payload
}

const WELCOME: [u8; 4] = [0, 1, 0, 3];

fn samples() -> [MlsEnvelope; 5] {
    [
        MlsEnvelope::wrap_welcome(b"g", WELCOME.to_vec()).unwrap(),
        MlsEnvelope::wrap_proposal(private(2)).unwrap(),
        MlsEnvelope::wrap_commit(private(3)).unwrap(),
        MlsEnvelope::wrap_application(private(1)).unwrap(),
        MlsEnvelope::wrap_commit(public(3)).unwrap(),
    ]
}

/// CAP-51: these bytes never change.
#[test]
fn binary_form_is_stable() {
    let bytes = samples()[4].to_bytes().unwrap();
    let golden = b"\0\x01\x03\x01g\x01\0\0\x01\x02\x15\0\x01\0\x01\x01g\0\0\0\0\0\0\0\x07\x01\0\0\x01\x02\0\x03";
    assert_eq!(bytes, golden);
    let golden = b"\0\x01\x01\x01g\0\x04\0\x01\0\x03";
    assert_eq!(samples()[0].to_bytes().unwrap(), golden);
}

/// CAP-51: neither do these.
#[test]
fn json_form_is_stable() {
    let golden = r#"{"version":1,"message_type":"commit","group_id":"Zw==","sender":258,"payload":"AAEAAQFnAAAAAAAAAAcBAAABAgAD"}"#;
    assert_eq!(samples()[4].to_json().unwrap(), golden);
    let golden = r#"{"version":1,"message_type":"welcome","group_id":"Zw==","sender":null,"payload":"AAEAAw=="}"#;
    assert_eq!(samples()[0].to_json().unwrap(), golden);
}

#[test]
fn both_forms_give_the_envelope_back() {
    for envelope in samples() {
        assert_eq!(MlsEnvelope::from_bytes(&envelope.to_bytes().unwrap()), Ok(envelope.clone()));
        assert_eq!(MlsEnvelope::from_json(&envelope.to_json().unwrap()), Ok(envelope));
    }
}

/// CON-10
#[test]
fn tells_a_sender_only_if_the_message_does() {
    assert_eq!(samples().map(|envelope| envelope.sender()), [None, None, None, None, Some(258)]);
}

/// ADV-11: all twelve wrong pairs, and the four right ones.
#[test]
fn unwraps_only_what_it_is() {
    let kinds = [MessageType::Welcome, MessageType::Proposal, MessageType::Commit, MessageType::Application];
    for (envelope, actual) in samples().iter().zip(kinds) {
        let unwrapped = [
            envelope.unwrap_welcome(),
            envelope.unwrap_proposal(),
            envelope.unwrap_commit(),
            envelope.unwrap_application(),
        ];
        for (unwrapped, expected) in unwrapped.into_iter().zip(kinds) {
            if expected == actual {
                assert_eq!(unwrapped, Ok(envelope.payload()));
            } else {
                assert_eq!(unwrapped, Err(MlsError::WrongMessageType { expected, actual }));
            }
        }
    }
}

/// ADV-11: header and message have to agree, however the envelope is made.
#[test]
fn inner_and_outer_agree() {
    let mismatch = Err(MlsError::WrongMessageType { expected: MessageType::Commit, actual: MessageType::Proposal });
    assert_eq!(MlsEnvelope::wrap_commit(private(2)), mismatch);
    let json = samples()[4].to_json().unwrap();
    let cases = [
        (
            "\"commit\"",
            "\"proposal\"",
            MlsError::WrongMessageType { expected: MessageType::Proposal, actual: MessageType::Commit },
        ),
        ("\"Zw==\"", "\"aA==\"", MlsError::EnvelopeMismatch("group")),
        ("258", "259", MlsError::EnvelopeMismatch("sender")),
        ("258", "null", MlsError::EnvelopeMismatch("sender")),
        ("\"version\":1", "\"version\":2", MlsError::UnsupportedVersion(2)),
    ];
    for (from, to, error) in cases {
        assert_eq!(MlsEnvelope::from_json(&json.replace(from, to)), Err(error));
    }
    let mut bytes = samples()[4].to_bytes().unwrap();
    bytes[9] ^= 1;
    assert_eq!(MlsEnvelope::from_bytes(&bytes), Err(MlsError::EnvelopeMismatch("sender")));
}

/// ADV-10
#[test]
fn empty_payload_is_an_error_of_every_kind() {
    for kind in ["welcome", "proposal", "commit", "application"] {
        let json = format!(r#"{{"version":1,"message_type":"{kind}","group_id":"Zw==","sender":null,"payload":""}}"#);
        assert_eq!(MlsEnvelope::from_json(&json), Err(MlsError::EmptyPayload));
    }
    assert_eq!(MlsEnvelope::from_bytes(b"\0\x01\x04\x01g\0\0"), Err(MlsError::EmptyPayload));
}

/// ADV-09
#[test]
fn malformed_json_is_an_error() {
    let good = samples()[0].to_json().unwrap();
    let cases = [
        String::new(),
        "null".into(),
        "[".repeat(100_000),
        format!("{}1{}", "[".repeat(200), "]".repeat(200)),
        good.replace("\"sender\":null", "\"sender\":1e400"),
        good.replace("\"sender\":null", "\"sender\":4294967296"),
        good.replace("\"sender\":null", "\"sender\":-1"),
        good.replace("AAEAAw==", "AAEAAw"),
        good.replace("AAEAAw==", "not base64"),
        good.replace("\"sender\":null", "\"sender\":null,\"extra\":1"),
        good.replace("\"sender\":null", "\"sender\":null,\"sender\":null"),
        good.replace("\"version\":1", "\"version\":65536"),
        format!("{good} x"),
    ];
    for json in cases {
        assert_eq!(MlsEnvelope::from_json(&json), Err(MlsError::MalformedJson), "{:.80}", json);
    }
}

/// ADV-12: on length alone.
#[test]
fn too_large_is_refused_before_it_is_read() {
    let len = MAX_ENVELOPE_SIZE + 1;
    let too_large = Err(MlsError::TooLarge { len, limit: MAX_ENVELOPE_SIZE });
    assert_eq!(MlsEnvelope::from_bytes(&vec![0xFF; len]), too_large);
    assert_eq!(MlsEnvelope::from_json(&"x".repeat(len)), too_large);
}

#[test]
fn every_truncation_and_any_tail_is_an_error() {
    let bytes = samples()[4].to_bytes().unwrap();
    for len in 0..bytes.len() {
        assert!(MlsEnvelope::from_bytes(&bytes[..len]).is_err(), "{len}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(MlsEnvelope::from_bytes(&longer), Err(MlsError::Malformed(DecodeError::TrailingBytes)));
}
