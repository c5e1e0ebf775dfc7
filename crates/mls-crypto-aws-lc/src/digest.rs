//! SHA-2 and HMAC (RFC 9420, Section 5.1; RFC 2104).
//!
//! In: byte strings in parts. Out: `Nh` bytes.
//! Always: parts are hashed one after the other, never joined in memory.
//!
//! HMAC is the portable provider's: of the 0.4 µs that aws-lc takes for a short message, half goes into setting up and
//! copying its contexts, and an epoch takes a hundred.

use aws_lc_rs::digest;
use mls_crypto::Hash;
use mls_crypto_compose::HashFunction;
use mls_crypto_rust::hmac;

/// [`hmac::sha256`] and the like.
type Hmac = fn(&[u8], &[&[u8]], &mut [u8]);

/// One member of the SHA-2 family.
#[derive(Debug)]
pub(crate) struct Sha2 {
    digest: &'static digest::Algorithm,
    hmac: Hmac,
    output_len: usize,
}

pub(crate) static SHA256: Sha2 = Sha2 { digest: &digest::SHA256, hmac: hmac::sha256, output_len: 32 };
pub(crate) static SHA384: Sha2 = Sha2 { digest: &digest::SHA384, hmac: hmac::sha384, output_len: 48 };
pub(crate) static SHA512: Sha2 = Sha2 { digest: &digest::SHA512, hmac: hmac::sha512, output_len: 64 };

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
        (self.hmac)(key, parts, mac);
    }
}

#[expect(clippy::expect_used, reason = "no SHA-2 output is longer than 64 bytes")]
fn hash(digest: &[u8]) -> Hash {
    Hash::from_slice(digest).expect("at most 64 bytes")
}
