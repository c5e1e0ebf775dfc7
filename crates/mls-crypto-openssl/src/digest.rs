//! SHA-512 and HMAC over it (RFC 9420, Section 5.1; RFC 2104).
//!
//! In: byte strings in parts. Out: 64 bytes.
//! Always: cannot fail; so HMAC is built from the hash, whose OpenSSL interface has no error either.

use mls_crypto::Hash;
use mls_crypto_compose::HashFunction;
use openssl::sha;
use zeroize::Zeroizing;

/// SHA-512.
#[derive(Debug)]
pub(crate) struct Sha512;

impl HashFunction for Sha512 {
    fn output_len(&self) -> usize {
        OUTPUT_LEN
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        hash(&digest(&[], parts))
    }

    /// `H(K ^ opad, H(K ^ ipad, text))` (RFC 2104, Section 2).
    fn hmac(&self, key: &[u8], parts: &[&[u8]], mac: &mut [u8]) {
        let key = block(key);
        let inner = Zeroizing::new(digest(&*masked(&key, INNER_PAD), parts));
        let outer = Zeroizing::new(digest(&*masked(&key, OUTER_PAD), &[&*inner]));
        mac.iter_mut().zip(outer.iter()).for_each(|(to, from)| *to = *from);
    }
}

/// Hash of `first`, then the parts.
fn digest(first: &[u8], parts: &[&[u8]]) -> [u8; OUTPUT_LEN] {
    let mut context = sha::Sha512::new();
    context.update(first);
    parts.iter().for_each(|part| context.update(part));
    context.finish()
}

/// The key, or its hash if longer than a block, padded with zeros to a block.
fn block(key: &[u8]) -> Zeroizing<[u8; BLOCK_LEN]> {
    let mut block = Zeroizing::new([0; BLOCK_LEN]);
    let hashed = (key.len() > BLOCK_LEN).then(|| Zeroizing::new(digest(key, &[])));
    let bytes = hashed.as_ref().map_or(key, |hashed| hashed.as_slice());
    block.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    block
}

fn masked(block: &[u8; BLOCK_LEN], pad: u8) -> Zeroizing<[u8; BLOCK_LEN]> {
    Zeroizing::new(block.map(|byte| byte ^ pad))
}

#[expect(clippy::expect_used, reason = "SHA-512 gives 64 bytes, which is what a hash can hold")]
fn hash(digest: &[u8; OUTPUT_LEN]) -> Hash {
    Hash::from_slice(digest).expect("64 bytes")
}

/// `Nh`, in bytes.
const OUTPUT_LEN: usize = 64;
/// `B` of RFC 2104, in bytes.
const BLOCK_LEN: usize = 128;
/// `ipad`.
const INNER_PAD: u8 = 0x36;
/// `opad`.
const OUTER_PAD: u8 = 0x5c;

#[cfg(test)]
mod tests;
