//! Who joins late, what is kept, and documents that are full.

use mls_documents::{DocumentError, Edit, GroupDocument, MAX_CHANGES, MAX_PINS, MAX_SNAPSHOT, MAX_TOPIC};

use crate::support::{PIN, TOPIC, free, make, snapshot, topic, update};

#[test]
fn who_joins_late_gets_a_snapshot() {
    let mut alice = GroupDocument::new();
    let first = make(&mut alice, "alice", &topic("tea"));
    alice = alice.receive(&free("bob"), &update(0, &[], &[(PIN, b"by bob")])).unwrap();
    let everything = alice.snapshot().unwrap();
    let pin = make(&mut alice, "alice", &Edit::Pin(vec![1, 2]));
    let mut late = GroupDocument::new().receive(&free("alice"), &pin).unwrap();
    assert!(late.lacks_edits());
    late = late.receive(&free("alice"), &everything).unwrap();
    assert_eq!(
        (&late, late.topic(), late.pins(), late.topics()),
        (&alice, alice.topic(), alice.pins(), alice.topics())
    );
    assert_eq!(late.receive(&free("alice"), &everything), Err(DocumentError::NotNeeded));
    // Who has something takes one if something is missing, and keeps what they have.
    let mut other = GroupDocument::new().receive(&free("alice"), &first).unwrap();
    let own = make(&mut other, "carol", &topic("milk"));
    assert_eq!(other.receive(&free("alice"), &everything), Err(DocumentError::NotNeeded));
    other = other.receive(&free("alice"), &pin).unwrap().receive(&free("alice"), &everything).unwrap();
    assert_eq!(other, alice.receive(&free("carol"), &own).unwrap());
}

/// A document that is kept takes a fraction of its messages, and a bit that is another is seen.
#[test]
fn what_is_kept_is_compact_and_comes_back() {
    let mut alice = GroupDocument::new();
    let sent: usize =
        (0..200).map(|n| make(&mut alice, "alice", &topic(&format!("the topic of today is number {n}"))).len()).sum();
    let kept = alice.save().unwrap();
    assert!(kept.len() * 4 < sent * 3, "{} of {sent}", kept.len());
    let back = GroupDocument::load(&kept).unwrap();
    assert_eq!((&back, back.topics()), (&alice, alice.topics()));
    let mut goes_on = back;
    let message = make(&mut goes_on, "alice", &Edit::Pin(vec![1]));
    assert_eq!(alice.receive(&free("alice"), &message).unwrap(), goes_on);
    for at in (0..kept.len()).step_by(kept.len() / 61) {
        let mut other = kept.clone();
        other[at] ^= 1;
        // A bit of the number of the document shows nothing: the store's seal guards it.
        if !(13..21).contains(&at) {
            assert!(GroupDocument::load(&other).is_err(), "byte {at}");
        }
        assert!(GroupDocument::load(&kept[..at]).is_err(), "length {at}");
    }
}

#[test]
fn a_full_document_is_begun_anew() {
    let mut alice = GroupDocument::new();
    let pin = make(&mut alice, "alice", &Edit::Pin(vec![1]));
    let first = GroupDocument::new().receive(&free("alice"), &pin).unwrap();
    let pins: Vec<(u8, &[u8])> = (1..MAX_CHANGES).map(|_| (TOPIC, b"tea".as_slice())).collect();
    for (n, _) in pins.iter().enumerate() {
        make(&mut alice, "alice", &topic(&format!("topic {n}")));
    }
    assert_eq!(alice.edits(), MAX_CHANGES);
    let full = DocumentError::Full { limit: MAX_CHANGES };
    assert_eq!(alice.edit(&free("alice"), &topic("tea")), Err(full));
    let old = make(&mut first.clone(), "bob", &topic("too late"));
    let anew = alice.begin_anew(&free("alice")).unwrap();
    assert_eq!((anew.document.topic(), anew.document.pins()), (alice.topic(), alice.pins()));
    assert_eq!((anew.document.edits(), anew.document.topics().unwrap().len()), (1, 1));
    // Everybody follows, wherever they are; what waited for the old one is let go.
    let edited = anew.document.edit(&free("alice"), &topic("new")).unwrap().unwrap();
    let behind = first.receive(&free("bob"), &update(0, &[[1; 32]], &[(PIN, b"?")])).unwrap();
    let early = behind.receive(&free("alice"), &edited.message).unwrap();
    assert_eq!(early, first);
    let followed = early.receive(&free("alice"), &anew.message).unwrap();
    assert_eq!((&followed, followed.lacks_edits()), (&edited.document, false));
    assert_eq!(followed.receive(&free("bob"), &old), Err(DocumentError::Superseded));
    assert_eq!(followed.receive(&free("alice"), &alice.snapshot().unwrap()), Err(DocumentError::NotNeeded));
    // Begun by two at once, both merge.
    let by_bob = first.begin_anew(&free("bob")).unwrap();
    let one = followed.receive(&free("bob"), &by_bob.message).unwrap();
    let other = by_bob.document.receive(&free("alice"), &anew.message).unwrap();
    assert_eq!(one, other.receive(&free("alice"), &edited.message).unwrap());
    // The one after next waits for the next.
    let third = edited.document.begin_anew(&free("alice")).unwrap();
    let waits = first.receive(&free("alice"), &third.message).unwrap();
    assert!(waits == first && waits.lacks_edits());
    assert_eq!(waits.receive(&free("alice"), &anew.message).unwrap(), third.document);
    // Who is there already takes no snapshot of before, whatever they miss.
    let misses = followed.receive(&free("bob"), &update(1, &[[1; 32]], &[(PIN, b"?")])).unwrap();
    assert_eq!(misses.receive(&free("alice"), &alice.snapshot().unwrap()), Err(DocumentError::Superseded));
}

/// Members who edit at the same time may pass the limit, and a peer who does not care comes to twice of it.
#[test]
fn nobody_grows_a_document_without_end() {
    let names: Vec<[u8; 2]> = (0..=u16::try_from(MAX_CHANGES * 2).unwrap()).map(u16::to_be_bytes).collect();
    let pins: Vec<(u8, &[u8])> = names.iter().map(|name| (PIN, name.as_slice())).collect();
    let most = GroupDocument::new().receive(&free("alice"), &snapshot(0, "bob", &pins[1..])).unwrap();
    assert_eq!(most.edits(), MAX_CHANGES * 2);
    let limit = MAX_CHANGES * 2;
    assert_eq!(most.receive(&free("bob"), &update(0, &[], &pins[..1])), Err(DocumentError::Full { limit }));
    assert_eq!(most.receive(&free("bob"), &update(0, &[], &pins[1..2])).unwrap(), most, "known");
    let too_many = snapshot(0, "bob", &pins);
    assert_eq!(GroupDocument::new().receive(&free("alice"), &too_many), Err(DocumentError::Full { limit }));
    // Pins are counted where they are made, and those of a beginning.
    let pinned = GroupDocument::new().receive(&free("alice"), &snapshot(0, "bob", &pins[..MAX_PINS])).unwrap();
    let full = Err(DocumentError::Full { limit: MAX_PINS });
    assert_eq!(pinned.edit(&free("alice"), &Edit::Pin(vec![1])), full);
    assert_eq!(most.begin_anew(&free("alice")), Err(DocumentError::Full { limit: MAX_PINS * 2 }));
    let beginning: Vec<(u8, &[u8])> = [(TOPIC, b"".as_slice())].into_iter().chain(pins).collect();
    let limit = MAX_PINS * 2 + 1;
    let sent = |len: usize| pinned.receive(&free("bob"), &update(1, &[], &beginning[..len]));
    assert_eq!(sent(limit).unwrap().pins().len(), MAX_PINS * 2);
    assert_eq!(sent(limit + 1), Err(DocumentError::TooLarge { len: limit + 1, limit }));
}

#[test]
fn a_snapshot_has_a_size() {
    let mut alice = GroupDocument::new();
    for n in 0..MAX_SNAPSHOT / MAX_TOPIC {
        make(&mut alice, "alice", &topic(&format!("{n:0MAX_TOPIC$}")));
    }
    assert_eq!(alice.snapshot(), Err(DocumentError::Full { limit: MAX_SNAPSHOT }));
    assert!(alice.begin_anew(&free("alice")).unwrap().document.snapshot().is_ok());
}
