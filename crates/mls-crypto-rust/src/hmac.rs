//! HMAC over the SHA-2 family (RFC 2104).
//!
//! In: a key, and a message in parts. Out: the first bytes of the tag.
//! Always: what is left of key and tag is wiped.

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use zeroize::Zeroize;

/// Fills `mac` with the first bytes of HMAC-SHA-256 over the concatenated parts, at most 32.
pub fn sha256(key: &[u8], parts: &[&[u8]], mac: &mut [u8]) {
    fill::<sha2::Sha256>(key, parts, mac);
}

/// Fills `mac` with the first bytes of HMAC-SHA-384 over the concatenated parts, at most 48.
pub fn sha384(key: &[u8], parts: &[&[u8]], mac: &mut [u8]) {
    fill::<sha2::Sha384>(key, parts, mac);
}

/// Fills `mac` with the first bytes of HMAC-SHA-512 over the concatenated parts, at most 64.
pub fn sha512(key: &[u8], parts: &[&[u8]], mac: &mut [u8]) {
    fill::<sha2::Sha512>(key, parts, mac);
}

fn fill<D: EagerHash>(key: &[u8], parts: &[&[u8]], out: &mut [u8]) {
    let mut mac = keyed::<D>(key);
    parts.iter().for_each(|part| mac.update(part));
    let mut tag = mac.finalize().into_bytes();
    out.iter_mut().zip(&tag).for_each(|(to, from)| *to = *from);
    tag.as_mut_slice().zeroize();
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104, Section 2)")]
pub(crate) fn keyed<D: EagerHash>(key: &[u8]) -> Hmac<D> {
    <Hmac<D> as KeyInit>::new_from_slice(key).expect("any key length")
}
