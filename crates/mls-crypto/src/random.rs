//! Randomness is an argument.

use crate::CryptoError;

/// A cryptographically secure random source, handed in by the host.
pub trait Random: Send + Sync {
    /// Fills `out` with fresh random bytes.
    ///
    /// # Errors
    /// [`CryptoError::Random`] if the source failed; nothing may be sent then (PM-08).
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError>;
}
