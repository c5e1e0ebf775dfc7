//! Randomness: the operating system's, and the bridge to libraries that cannot fail (RFC 9180, Section 4).
//!
//! In: a [`Random`]. Out: an infallible generator for one operation, and whether the source failed meanwhile.
//! Always: what an operation computed with a failed source is dropped, never returned.

use core::convert::Infallible;

use mls_crypto::{CryptoError, Random};
use rand_core::{TryCryptoRng, TryRng};

/// The random source of the operating system, or of the browser on `wasm32-unknown-unknown`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        getrandom::fill(out).map_err(|_| CryptoError::Random)
    }
}

/// Runs `operation` with a generator that draws from `random`.
///
/// # Errors
/// [`CryptoError::Random`] if `random` failed at any draw; the operation's own result is dropped then.
pub(crate) fn with_generator<T>(
    random: &dyn Random,
    operation: impl FnOnce(&mut Generator<'_>) -> Result<T, CryptoError>,
) -> Result<T, CryptoError> {
    let mut generator = Generator { random, failed: false };
    let result = operation(&mut generator);
    if generator.failed { Err(CryptoError::Random) } else { result }
}

/// A [`Random`] in the shape libraries ask for. After a failure it gives zeros and remembers that it failed.
pub(crate) struct Generator<'a> {
    random: &'a dyn Random,
    failed: bool,
}

impl TryRng for Generator<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        if self.random.fill(out).is_err() {
            self.failed = true;
            out.fill(0);
        }
        Ok(())
    }
}

impl TryCryptoRng for Generator<'_> {}

#[cfg(test)]
mod tests;
