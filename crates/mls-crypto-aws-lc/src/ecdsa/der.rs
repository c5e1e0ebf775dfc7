//! DER of an ECDSA signature: `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279, Section 2.2.3).
//!
//! In: `r` and `s`, big-endian and of fixed width. Out: the one DER encoding.
//! Always: integers are minimal and non-negative.

use mls_crypto::CryptoError;

/// Encodes the pair.
///
/// # Errors
/// [`CryptoError::Library`] for numbers longer than 123 bytes each, which no curve has.
pub(super) fn encode(r: &[u8], s: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let body = [integer(r)?, integer(s)?].concat();
    let mut encoded = vec![SEQUENCE];
    encoded.extend(length(&body)?);
    encoded.extend(body);
    Ok(encoded)
}

/// Without leading zeros, save one where the first bit would mean a negative number.
fn integer(number: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let digits = number.get(start..).unwrap_or_default();
    let pad: &[u8] = if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    let content = [pad, digits].concat();
    let mut encoded = vec![INTEGER];
    encoded.extend(length(&content)?);
    encoded.extend(content);
    Ok(encoded)
}

/// One byte below 128, otherwise one byte that says one follows.
fn length(content: &[u8]) -> Result<Vec<u8>, CryptoError> {
    match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => Ok(vec![short]),
        Ok(long) => Ok(vec![ONE_LENGTH_BYTE, long]),
        Err(_) => Err(CryptoError::Library),
    }
}

/// Universal tag 16, constructed.
const SEQUENCE: u8 = 0x30;
/// Universal tag 2.
const INTEGER: u8 = 0x02;
/// Long form with one byte of length.
const ONE_LENGTH_BYTE: u8 = 0x81;

#[cfg(test)]
mod tests;
