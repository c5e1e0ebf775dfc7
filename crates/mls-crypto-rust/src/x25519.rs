//! Low-order X25519 points (RFC 7748, Section 6.1; RFC 9180, Section 7.1.4).
//!
//! In: 32 bytes of a u-coordinate. Out: whether every Diffie-Hellman result with it is all zero.
//! Always: decided here, whatever the library below promises (CRY-08).
//!
//! A clamped scalar is a multiple of 8 that vanishes modulo neither large prime order, of the curve or of its twist.
//! So the result is zero exactly for the points whose order divides 8. Those have five u-coordinates; two of them have
//! a second encoding below 2^255, and the top bit of every encoding is ignored.

/// Encodings of the low-order points with the top bit clear, little-endian.
const LOW_ORDER: [[u8; 32]; 7] = [
    field_element(0x00, 0x00, 0x00),
    field_element(0x01, 0x00, 0x00),
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
        0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
        0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
    ],
    field_element(0xec, 0xff, 0x7f),
    field_element(0xed, 0xff, 0x7f),
    field_element(0xee, 0xff, 0x7f),
];

/// Whether the u-coordinate, 32 bytes, is of low order. Other lengths are not.
pub fn is_low_order(u: &[u8]) -> bool {
    let Ok(mut bytes) = <[u8; 32]>::try_from(u) else { return false };
    if let Some(top) = bytes.last_mut() {
        *top &= 0x7f;
    }
    LOW_ORDER.contains(&bytes)
}

/// 32 bytes: `first`, 30 times `middle`, `last`.
const fn field_element(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    let [head, .., tail] = &mut bytes;
    *head = first;
    *tail = last;
    bytes
}

#[cfg(test)]
mod tests;
