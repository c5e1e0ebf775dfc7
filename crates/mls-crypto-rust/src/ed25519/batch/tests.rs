use mls_crypto::SignaturePublicKey;
use rand_core::Rng;

use super::*;

/// The first two coefficients for one item after a fixed one.
fn drawn(public_key: &[u8], message: &[u8], signature: &[u8]) -> [u64; 2] {
    let fixed = SignaturePublicKey::new(vec![9; 32]);
    let public_key = SignaturePublicKey::new(public_key.to_vec());
    let items = [
        SignedItem { public_key: &fixed, message: b"fixed", signature: &[9; 64] },
        SignedItem { public_key: &public_key, message, signature },
    ];
    let mut coefficients = Coefficients::of(&items);
    [coefficients.next_u64(), coefficients.next_u64()]
}

#[test]
fn coefficients_depend_on_every_part_and_its_place() {
    let drawn_from = [
        drawn(b"ab", b"cd", b"ef"),
        drawn(b"xb", b"cd", b"ef"),
        drawn(b"ab", b"cx", b"ef"),
        drawn(b"ab", b"cd", b"ex"),
        drawn(b"abc", b"d", b"ef"),
        drawn(b"ab", b"cdef", b""),
        drawn(b"cd", b"ab", b"ef"),
    ];
    for (position, draws) in drawn_from.iter().enumerate() {
        assert!(!drawn_from[..position].contains(draws), "{position}");
        assert_ne!(draws[0], draws[1]);
    }
    assert_eq!(drawn(b"ab", b"cd", b"ef"), drawn_from[0]);
}

#[test]
fn the_stream_does_not_repeat() {
    let mut coefficients = Coefficients::of(&[]);
    let mut draws: Vec<u64> = (0..64).map(|_| coefficients.next_u64()).collect();
    draws.sort_unstable();
    draws.dedup();
    assert_eq!(draws.len(), 64);
}
