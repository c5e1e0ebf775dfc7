//! What travels can be read again, and names of codes are those of the JSON.
#![allow(clippy::unwrap_used, reason = "tests")]

use mls_delivery::{
    DeviceId, Digest, GroupId, Header, MessageKind, Rejection, Seq,
    hub::{Seen, Subscribe, Topic},
    reply::{LogEntry, LogPage, Reply},
    request::{ListGroups, Request},
};
use mls_engine::codec::{decode_exact, encode};

#[test]
fn replies_and_requests_survive_the_wire() {
    let entry = LogEntry {
        seq: Seq::new(7),
        kind: mls_delivery::reply::EntryKind::Application,
        epoch: 3,
        attempt: 1,
        digest: Digest::new([5; 32]),
        received: 9,
        message: b"message".into(),
    };
    let reply = Reply::LogPage(LogPage { entries: vec![entry.clone(), entry], head: Seq::new(8) });
    let bytes = encode(&reply).unwrap();
    assert_eq!(decode_exact::<Reply>(&bytes).unwrap(), reply);
    assert!(decode_exact::<Reply>(&[bytes, vec![0]].concat()).is_err());
    let request = encode(&Request::ListGroups(ListGroups { skip: 3 })).unwrap();
    assert_eq!(request, [14, 0, 0, 0, 3]);
    assert!(decode_exact::<Request>(&[99]).is_err());
}

#[test]
fn rejections_are_json_under_their_code() {
    let taken = Rejection::EpochTaken { epoch: 3, seq: Seq::new(7), winner: Digest::new([0xab; 32]) };
    let json = serde_json::to_value(&taken).unwrap();
    assert_eq!(json["code"], taken.code());
    assert_eq!(json["data"]["epoch"], 3);
    assert_eq!(json["data"]["winner"], "ab".repeat(32));
    assert_eq!(serde_json::from_value::<Rejection>(json).unwrap(), taken);
    let all = [
        Rejection::Malformed,
        Rejection::NotEnrolled,
        Rejection::NoGroupInfo,
        Rejection::UnknownRecipient { recipient: 1 },
        Rejection::RateLimited { retry_after_ms: 5 },
        Rejection::NothingToReport,
    ];
    for rejection in all {
        let json = serde_json::to_value(&rejection).unwrap();
        assert_eq!(json["code"], rejection.code());
        assert_eq!(serde_json::from_value::<Rejection>(json).unwrap(), rejection);
    }
    assert!(Rejection::Unsure.retryable());
    assert!(!taken.retryable());
}

#[test]
fn names_have_one_spelling() {
    let digest = Digest::new([0x0f; 32]);
    assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
    for wrong in ["", "0f", &"+f".repeat(32), &"zz".repeat(32), &"é".repeat(32)] {
        assert_eq!(Digest::from_hex(wrong), None);
    }
    assert_eq!(DeviceId::new(digest).to_string(), "0f".repeat(32));
}

/// RFC 9420, Section 6: group, epoch and kind are read from the message, and from nothing else.
#[test]
fn headers_are_read_from_messages_only() {
    use mls_engine::message::{ContentType, MlsMessage, PrivateMessage};
    let message = PrivateMessage {
        group_id: b"group".into(),
        epoch: 5,
        content_type: ContentType::Commit,
        authenticated_data: Vec::new().into(),
        encrypted_sender_data: Vec::new().into(),
        ciphertext: b"x".into(),
    };
    let bytes = encode(&MlsMessage::PrivateMessage(Box::new(message))).unwrap();
    let header = Header::read(&bytes).unwrap();
    assert_eq!((header.group_id, header.epoch), (GroupId::new(b"group"), 5));
    assert_eq!((header.kind, header.public, header.joining), (MessageKind::Commit, false, false));
    assert_eq!(Header::read(&[bytes, vec![0]].concat()), Err(Rejection::Malformed));
}

#[test]
fn topics_have_one_number_each() {
    let log = Seen { topic: Topic::Log(GroupId::new(b"g")), head: None };
    let mailbox = Seen { topic: Topic::Mailbox(DeviceId::new(Digest::new([5; 32]))), head: Some(Seq::new(2)) };
    let subscribe = Subscribe { token: b"t".into(), known: vec![log, mailbox] };
    let bytes = encode(&subscribe).unwrap();
    let expected = [&[1, b't', 46, 1, 1, b'g', 0, 2], &[5; 32][..], &[1, 0, 0, 0, 0, 0, 0, 0, 2]].concat();
    assert_eq!(bytes, expected);
    assert_eq!(decode_exact::<Subscribe>(&bytes).unwrap(), subscribe);
    assert!(decode_exact::<Subscribe>(&[bytes, vec![0]].concat()).is_err());
}
