//! From a passphrase to a key: Argon2id (RFC 9106).
//!
//! In: a passphrase, parameters and a salt. Out: 32 bytes.
//! Always: parameters below the floor or above the cap are refused before anything is computed, wherever they came from.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use mls_crypto::Secret;

use crate::{StoreError, seal::KEY_LEN};

/// Fewer characters than this make no new passphrase.
pub(crate) const MIN_PASSPHRASE: usize = 12;
pub(crate) const SALT_LEN: usize = 16;

const MIN_MEMORY_KIB: u32 = 19 * 1_024;
const MIN_PASSES: u32 = 2;
/// From here on one pass is enough: the first choice of RFC 9106, Section 4.
const MAX_MEMORY_KIB: u32 = 2 * 1_024 * 1_024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;

/// How much work a passphrase costs, to us once and to a guesser for each guess.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KdfParams {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
    pub(crate) lanes: u32,
}

impl KdfParams {
    /// 64 MiB, 3 passes, 4 lanes: the second choice of RFC 9106, Section 4.
    pub const DEFAULT: Self = Self { memory_kib: 64 * 1_024, passes: 3, lanes: 4 };

    /// 2 GiB, 1 pass, 4 lanes: the first choice of RFC 9106, Section 4.
    pub const LARGE: Self = Self { memory_kib: MAX_MEMORY_KIB, passes: 1, lanes: 4 };

    /// Memory in KiB, passes over it, and lanes.
    ///
    /// # Errors
    /// [`StoreError::KdfTooWeak`] below 19 MiB, 2 passes and 1 lane (one pass will do with 2 GiB);
    /// [`StoreError::KdfTooCostly`] above 2 GiB, 16 passes or 16 lanes.
    ///
    /// ```
    /// # use mls_store::{KdfParams, StoreError};
    /// assert!(KdfParams::new(19 * 1_024, 2, 1).is_ok());
    /// assert!(matches!(KdfParams::new(19 * 1_024, 1, 1), Err(StoreError::KdfTooWeak { .. })));
    /// ```
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, StoreError> {
        let enough_passes = passes >= MIN_PASSES || (passes == 1 && memory_kib >= MAX_MEMORY_KIB);
        if memory_kib < MIN_MEMORY_KIB || !enough_passes || lanes == 0 {
            return Err(StoreError::KdfTooWeak { memory_kib, passes, lanes });
        }
        if memory_kib > MAX_MEMORY_KIB || passes > MAX_PASSES || lanes > MAX_LANES {
            return Err(StoreError::KdfTooCostly { memory_kib, passes, lanes });
        }
        Ok(Self { memory_kib, passes, lanes })
    }

    /// The key of a passphrase.
    pub(crate) fn derive(self, passphrase: &Secret, salt: &[u8; SALT_LEN]) -> Result<Secret, StoreError> {
        let Self { memory_kib, passes, lanes } = self;
        let costly = StoreError::KdfTooCostly { memory_kib, passes, lanes };
        let params = Params::new(memory_kib, passes, lanes, Some(KEY_LEN)).map_err(|_| costly)?;
        let mut memory = Vec::new();
        // A machine without that much memory gets an error, not an abort.
        memory.try_reserve_exact(params.block_count()).map_err(|_| costly)?;
        memory.resize(params.block_count(), Block::default());
        let mut key = Secret::zero(KEY_LEN);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let done = argon2.hash_password_into_with_memory(passphrase.as_slice(), salt, key.as_mut_slice(), &mut memory);
        memory.iter_mut().for_each(zeroize::Zeroize::zeroize);
        done.map(|()| key).map_err(|_| costly)
    }
}

/// Refuses a new passphrase that is too short; an empty one always is.
pub(crate) fn check_new(passphrase: &Secret, needed: usize) -> Result<(), StoreError> {
    let needed = needed.max(1);
    let characters = core::str::from_utf8(passphrase.as_slice()).map_or(0, |text| text.chars().count());
    if characters < needed { Err(StoreError::WeakPassphrase { characters, needed }) } else { Ok(()) }
}
