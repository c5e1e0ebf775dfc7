//! Randomness of the operating system, through aws-lc's generator.

use mls_crypto::{CryptoError, Random};

/// aws-lc's generator, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        aws_lc_rs::rand::fill(out).map_err(|_| CryptoError::Random)
    }
}
