//! Batch verification of Ed25519 (RFC 8032, Section 5.1.7).
//!
//! In: signatures by any keys over any messages. Out: whether all verify, or the first that does not.
//! Always: the verdict of each item is that of [`super::verify`].
//!
//! The batch checks one random linear combination of all cofactored equations. It accepts a bad item only if the
//! coefficients cancel its error, so whoever chose the items must not know them beforehand. They are the output of
//! SHA-512 over a hash of all items: choosing items fixes the coefficients, and each try at items that cancel succeeds
//! with probability about 2^-128. This needs no random source, cannot fail, and keeps the call a pure function.

use core::convert::Infallible;

use ed25519_zebra::batch::Verifier;
use ed25519_zebra::{Signature, VerificationKeyBytes};
use mls_crypto::{CryptoError, SignedItem};
use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha512};

use super::{canonical, may_enter_leaf, validate_public_key, verify};

/// Verifies many signatures; accepts exactly when [`verify`] accepts each.
///
/// # Errors
/// The position of the first item that [`verify`] refuses, and its error.
pub fn verify_batch(items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
    if items.len() > 1 && all_verify(items) {
        return Ok(());
    }
    let checked = |(position, item): (usize, &SignedItem<'_>)| verify(*item).map_err(|error| (position, error));
    items.iter().enumerate().try_for_each(checked)
}

/// Verifies many signatures by keys that have yet to be checked; accepts exactly when [`validate_public_key`] accepts each
/// key and [`verify`] each signature. The combined equation reads the points, so a good batch reads each key once.
///
/// # Errors
/// The position of the first key that [`validate_public_key`] refuses; if there is none, as [`verify_batch`].
pub fn verify_batch_of_new_keys(items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
    if items.iter().all(|item| may_enter_leaf(item.public_key.as_slice())) && items.len() > 1 && all_verify(items) {
        return Ok(());
    }
    let checked = |(position, item): (usize, &SignedItem<'_>)| {
        validate_public_key(item.public_key.as_slice()).map_err(|error| (position, error))
    };
    items.iter().enumerate().try_for_each(checked)?;
    verify_batch(items)
}

/// The combined equation of all items. `false` also if one is malformed.
fn all_verify(items: &[SignedItem<'_>]) -> bool {
    let mut batch = Verifier::new();
    for item in items {
        let Ok((public_key, signature)) = canonical(*item) else { return false };
        let signature = Signature::from_bytes(&signature);
        batch.queue((VerificationKeyBytes::from(public_key), signature, item.message));
    }
    batch.verify(Coefficients::of(items)).is_ok()
}

/// The stream `SHA-512(transcript || 0)`, `SHA-512(transcript || 1)`, … from which coefficients are drawn.
struct Coefficients {
    transcript: [u8; 64],
    blocks: u64,
    block: [u8; 64],
    /// Bytes of `block` already given out.
    used: usize,
}

impl Coefficients {
    /// The transcript is a hash of every item, each part with its length.
    fn of(items: &[SignedItem<'_>]) -> Self {
        let mut transcript = Sha512::new_with_prefix(b"SpacePanda Ed25519 batch");
        for item in items {
            for part in [item.public_key.as_slice(), item.signature, item.message] {
                transcript.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                transcript.update(part);
            }
        }
        Self { transcript: transcript.finalize().into(), blocks: 0, block: [0; 64], used: 64 }
    }

    fn next_byte(&mut self) -> u8 {
        if self.used >= self.block.len() {
            let block = Sha512::new_with_prefix(self.transcript).chain_update(self.blocks.to_be_bytes());
            self.block = block.finalize().into();
            self.blocks = self.blocks.wrapping_add(1);
            self.used = 0;
        }
        let byte = self.block.get(self.used).copied().unwrap_or_default();
        self.used = self.used.saturating_add(1);
        byte
    }
}

impl TryRng for Coefficients {
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
        out.fill_with(|| self.next_byte());
        Ok(())
    }
}

impl TryCryptoRng for Coefficients {}

#[cfg(test)]
mod tests;
