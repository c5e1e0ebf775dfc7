use super::{Hash, Tag};

/// CRY-11, X-AUTH-01: every shorter, longer and changed tag differs.
#[test]
fn tag_comparison_covers_length_and_every_byte() {
    let bytes = [7u8; 32];
    let tag = Tag::from_slice(&bytes).unwrap();
    for len in 0..=64 {
        let other = Tag::from_slice(&vec![7; len]).unwrap();
        assert_eq!(tag.ct_eq(&other), len == 32, "length {len}");
    }
    for position in 0..32 {
        let mut changed = bytes;
        changed[position] ^= 1;
        assert!(!tag.ct_eq(&Tag::from_slice(&changed).unwrap()), "byte {position}");
    }
    let padded = [&bytes[..], &[0; 32]].concat();
    assert!(!tag.ct_eq(&Tag::from_slice(&padded).unwrap()));
}

#[test]
fn longer_than_any_hash_is_refused() {
    assert!(Hash::from_slice(&[0; 64]).is_some());
    assert!(Hash::from_slice(&[0; 65]).is_none());
}
