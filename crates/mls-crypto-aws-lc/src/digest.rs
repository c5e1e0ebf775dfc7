//! SHA-2 and HMAC (RFC 9420, Section 5.1; RFC 2104).
//!
//! In: byte strings in parts. Out: `Nh` bytes.
//! Always: parts are hashed one after the other, never joined in memory.

use aws_lc_rs::{digest, hmac};
use mls_crypto::Hash;
use mls_crypto_compose::HashFunction;

/// One member of the SHA-2 family.
#[derive(Debug)]
pub(crate) struct Sha2 {
    digest: &'static digest::Algorithm,
    hmac: hmac::Algorithm,
    output_len: usize,
}

pub(crate) static SHA256: Sha2 = Sha2 { digest: &digest::SHA256, hmac: hmac::HMAC_SHA256, output_len: 32 };
pub(crate) static SHA384: Sha2 = Sha2 { digest: &digest::SHA384, hmac: hmac::HMAC_SHA384, output_len: 48 };
pub(crate) static SHA512: Sha2 = Sha2 { digest: &digest::SHA512, hmac: hmac::HMAC_SHA512, output_len: 64 };

impl HashFunction for Sha2 {
    fn output_len(&self) -> usize {
        self.output_len
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        let mut context = digest::Context::new(self.digest);
        parts.iter().for_each(|part| context.update(part));
        hash(context.finish().as_ref())
    }

    fn hmac(&self, key: &[u8], parts: &[&[u8]], mac: &mut [u8]) {
        let mut context = hmac::Context::with_key(&hmac::Key::new(self.hmac, key));
        parts.iter().for_each(|part| context.update(part));
        let tag = context.sign();
        mac.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    }
}

#[expect(clippy::expect_used, reason = "no SHA-2 output is longer than 64 bytes")]
fn hash(digest: &[u8]) -> Hash {
    Hash::from_slice(digest).expect("at most 64 bytes")
}
