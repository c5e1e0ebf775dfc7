use mls_identity::{QrMismatch, SafetyNumber, digits};

use crate::support::crypto;

const ALICE: (&[u8], &[u8]) = (b"alice", &[1; 32]);
const BOB: (&[u8], &[u8]) = (b"bob", &[2; 32]);

fn number(own: (&[u8], &[u8]), theirs: (&[u8], &[u8])) -> SafetyNumber {
    SafetyNumber::new(&crypto(), own, theirs).unwrap()
}

#[test]
fn digits_are_the_same_on_both_sides() {
    let (alice, bob) = (number(ALICE, BOB), number(BOB, ALICE));
    assert_eq!(alice.digits(), bob.digits());
    assert_eq!(alice.digits().split(' ').count(), 12);
    assert!(
        alice.digits().split(' ').all(|group| group.len() == 5 && group.bytes().all(|digit| digit.is_ascii_digit()))
    );
}

/// The number of version 1 never changes.
#[test]
fn version_1_is_what_it_was() {
    assert_eq!(number(ALICE, BOB).digits(), "01012 29396 33203 44647 82489 88534 17682 99694 33944 00855 68198 10085");
    assert_eq!(number(ALICE, BOB).qr()[..5], *b"SPsn\x01");
    assert_eq!(number(ALICE, BOB).qr().len(), 69);
}

#[test]
fn every_user_and_key_counts() {
    let same = number(ALICE, BOB).digits();
    for other in [number((b"alicf", ALICE.1), BOB), number((ALICE.0, &[3; 32]), BOB), number(ALICE, (b"bo", BOB.1))] {
        assert_ne!(other.digits(), same);
    }
    // Where a name ends and a key begins is not for anybody to choose.
    assert_ne!(number((b"ab", b"c"), BOB).digits(), number((b"a", b"bc"), BOB).digits());
}

#[test]
fn codes_match_crosswise_only() {
    let (alice, bob) = (number(ALICE, BOB), number(BOB, ALICE));
    assert_eq!(alice.compare(&bob.qr()), Ok(()));
    assert_eq!(bob.compare(&alice.qr()), Ok(()));
    // Our own screen proves nothing.
    assert_eq!(alice.compare(&alice.qr()), Err(QrMismatch::Differs));
    let swapped = number(BOB, (b"alice", &[9; 32]));
    assert_eq!(alice.compare(&swapped.qr()), Err(QrMismatch::Differs));
    let mut next = bob.qr();
    next[4] = 2;
    assert_eq!(alice.compare(&next), Err(QrMismatch::Version(2)));
    for bad in [&b""[..], b"SPsn", b"https://example.org", &bob.qr()[..68]] {
        assert_eq!(alice.compare(bad), Err(QrMismatch::NotASafetyNumber));
    }
}

#[test]
fn digits_come_from_the_first_thirty_bytes() {
    assert_eq!(digits(&[0; 32]), "00000 00000 00000 00000 00000 00000");
    let counting: Vec<u8> = (0..32).collect();
    // 0x0001020304 = 16909060, and so on.
    assert_eq!(digits(&counting).split(' ').next(), Some("09060"));
    assert_eq!(digits(&counting), digits(&counting[..30]));
    assert_ne!(digits(&[1; 32]), digits(&[2; 32]));
}
