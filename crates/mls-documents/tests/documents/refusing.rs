//! What is wrong is named, and changes nothing.

use mls_documents::{DocumentError, Edit, GroupDocument, MAX_CHANGES, MAX_PIN, MAX_SNAPSHOT, MAX_TOPIC, MAX_UPDATE};

use crate::support::{PIN, TOPIC, UNPIN, free, make, snapshot, topic, update};

#[test]
fn what_is_wrong_changes_nothing() {
    let mut alice = GroupDocument::new();
    make(&mut alice, "alice", &topic("tea"));
    let before = alice.save().unwrap();
    let message = make(&mut alice.clone(), "alice", &topic("milk"));
    let refused = |bytes: &[u8]| {
        let error = alice.receive(&free("alice"), bytes).unwrap_err();
        assert_eq!(alice.save().unwrap(), before);
        error
    };
    for len in 0..message.len() {
        let short = refused(&message[..len]);
        let expected = if len < 5 { DocumentError::NotADocument } else { DocumentError::Malformed };
        assert_eq!(short, expected, "length {len}");
    }
    assert_eq!(refused(&[message.as_slice(), &[0]].concat()), DocumentError::Malformed);
    let mut later = message.clone();
    later[5] = 2;
    assert_eq!(refused(&later), DocumentError::UnsupportedVersion(2));
    assert_eq!(refused(b"SPDOC\x01\x03"), DocumentError::Malformed);
    assert_eq!(refused(b"hello"), DocumentError::NotADocument);
    for (kind, limit) in [(1, MAX_UPDATE), (2, MAX_SNAPSHOT)] {
        let long = [b"SPDOC\x01", [kind].as_slice(), &vec![0; limit + 1]].concat();
        assert_eq!(refused(&long), DocumentError::TooLarge { len: limit + 1, limit });
    }
}

/// One edit for each of the rules about what an update may be.
#[test]
fn edits_that_nobody_makes_are_refused() {
    let (one, two) = ([1; 32], [2; 32]);
    let long = vec![b'x'; MAX_TOPIC + 1];
    let base = GroupDocument::new();
    let malformed = [
        update(0, &[], &[]),
        update(0, &[], &[(PIN, b"a"), (PIN, b"b")]),
        update(0, &[], &[(4, b"a")]),
        update(0, &[], &[(TOPIC, b"\xff")]),
        update(0, &[], &[(UNPIN, b"never pinned")]),
        update(0, &[two, one], &[(PIN, b"a")]),
        update(0, &[one, one], &[(PIN, b"a")]),
        update(1, &[], &[(PIN, b"a")]),
        update(1, &[], &[(TOPIC, b""), (UNPIN, b"a")]),
        update(1, &[], &[(TOPIC, b""), (PIN, b"b"), (PIN, b"a")]),
        update(1, &[], &[(TOPIC, b""), (PIN, b"a"), (PIN, b"a")]),
        update(1, &[one], &[(TOPIC, b""), (PIN, b"a")]),
        snapshot(0, "alice", &[(UNPIN, b"never pinned")]),
        snapshot(1, "alice", &[(PIN, b"a")]),
    ];
    for (at, message) in malformed.iter().enumerate() {
        assert_eq!(base.receive(&free("alice"), message), Err(DocumentError::Malformed), "{at}");
    }
    let too_large = |len: usize, limit: usize| Err(DocumentError::TooLarge { len, limit });
    let sent = |message: Vec<u8>| base.receive(&free("alice"), &message);
    assert_eq!(sent(update(0, &[], &[(TOPIC, &long)])), too_large(MAX_TOPIC + 1, MAX_TOPIC));
    for what in [PIN, UNPIN] {
        assert_eq!(sent(update(0, &[], &[(what, &long[..=MAX_PIN])])), too_large(MAX_PIN + 1, MAX_PIN));
    }
    let many = vec![one; MAX_CHANGES * 2];
    assert_eq!(sent(update(0, &many, &[(PIN, b"a")])), too_large(many.len() * 32 + 16, MAX_UPDATE));
    let name = "x".repeat(4_097);
    assert_eq!(sent(snapshot(0, &name, &[(PIN, b"a")])), too_large(4_097, 4_096));
    // Our own are refused before they are made.
    let own = |edit: &Edit| base.edit(&free("alice"), edit);
    assert_eq!(own(&topic(&"x".repeat(MAX_TOPIC + 1))).err(), too_large(MAX_TOPIC + 1, MAX_TOPIC).err());
    assert_eq!(own(&Edit::Pin(vec![0; MAX_PIN + 1])).err(), too_large(MAX_PIN + 1, MAX_PIN).err());
}

fn too_large<T>(len: usize, limit: usize) -> Result<T, DocumentError> {
    Err(DocumentError::TooLarge { len, limit })
}

/// A snapshot whose changes are not in order is no snapshot.
#[test]
fn a_snapshot_has_all_that_its_changes_build_on() {
    let mut alice = GroupDocument::new();
    make(&mut alice, "alice", &topic("tea"));
    let one = alice.snapshot().unwrap();
    make(&mut alice, "alice", &topic("milk"));
    let two = alice.snapshot().unwrap();
    // Header, number and a length header of one or two bytes come before the changes.
    let first = &one[7 + 8 + 1..];
    let second = &two[7 + 8 + 2 + first.len()..];
    let len = u8::try_from(second.len()).unwrap();
    let torn = [&two[..15], &[0x40, len], second].concat();
    let received = GroupDocument::new().receive(&free("alice"), &torn);
    assert_eq!(received, Err(DocumentError::Malformed));
    assert_eq!(too_large::<()>(1, 0), Err(DocumentError::TooLarge { len: 1, limit: 0 }));
}
