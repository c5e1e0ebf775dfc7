use super::*;

const PRIME: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    bytes
};

/// `y` with an offset from the prime or from zero, and a sign bit.
fn encoding(near_prime: bool, first: u8, negative: bool) -> [u8; 32] {
    let mut bytes = if near_prime { PRIME } else { [0; 32] };
    bytes[0] = first;
    bytes[31] |= if negative { 0x80 } else { 0 };
    bytes
}

/// X-AUTH-05: among all encodings that decode, exactly those that encode back to themselves are canonical.
#[test]
fn canonical_means_encodes_back_to_itself() {
    let mut decoded = 0;
    for near_prime in [false, true] {
        for first in 0..=255 {
            for negative in [false, true] {
                let bytes = encoding(near_prime, first, negative);
                if let Some(point) = CompressedEdwardsY(bytes).decompress() {
                    decoded += 1;
                    assert_eq!(is_canonical(&bytes), point.compress().to_bytes() == bytes, "{bytes:02x?}");
                }
            }
        }
    }
    assert!(decoded > 400, "about half of all y-coordinates are on the curve");
}

#[test]
fn a_seed_has_32_bytes() {
    for len in [0, 31, 33, 64] {
        assert_eq!(sign(&vec![1; len], b"m"), Err(CryptoError::InvalidPrivateKey));
        assert_eq!(public_key(&vec![1; len]), Err(CryptoError::InvalidPrivateKey));
    }
}
