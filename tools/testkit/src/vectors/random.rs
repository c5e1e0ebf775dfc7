//! Repeatable randomness for the *create* direction of a case.

use core::sync::atomic::{AtomicU64, Ordering};

use mls_crypto::{CryptoError, Random};
use sha2::{Digest, Sha256};

/// Blocks of `SHA-256(counter)`: the same numbers in every run, so that a failure can be repeated. Never for real keys.
#[derive(Debug, Default)]
pub(super) struct Repeatable(AtomicU64);

impl Random for Repeatable {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        for chunk in out.chunks_mut(32) {
            let counter = self.0.fetch_add(1, Ordering::Relaxed);
            chunk.copy_from_slice(&Sha256::digest(counter.to_be_bytes())[..chunk.len()]);
        }
        Ok(())
    }
}
