//! Randomness of the operating system, through OpenSSL's generator.

use mls_crypto::{CryptoError, Random};

/// OpenSSL's generator, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        // OpenSSL counts in a C int, so long requests go in pieces.
        out.chunks_mut(PIECE).try_for_each(|piece| openssl::rand::rand_bytes(piece).map_err(|_| CryptoError::Random))
    }
}

/// Bytes asked for at once.
const PIECE: usize = 1 << 20;
