//! HKDF (RFC 5869) and its labelled form in HPKE (RFC 9180, Section 4).
//!
//! In: a hash function and input keying material. Out: secrets.
//! Always: no output is longer than `255 * Nh` bytes.

use mls_crypto::{CryptoError, Secret};

use crate::HashFunction;

/// HKDF over one hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hkdf(pub(crate) &'static dyn HashFunction);

impl Hkdf {
    /// `Nh`, in bytes.
    pub(crate) fn output_len(self) -> usize {
        self.0.output_len()
    }

    /// `Extract(salt, ikm)`, the `ikm` being the concatenated parts: `HMAC(salt, ikm)`.
    pub(crate) fn extract(self, salt: &[u8], ikm: &[&[u8]]) -> Secret {
        let mut prk = Secret::zero(self.output_len());
        self.0.hmac(salt, ikm, prk.as_mut_slice());
        prk
    }

    /// `Expand(prk, info, len)`: `T(1) | T(2) | …` with `T(i) = HMAC(prk, T(i-1) | info | i)`, cut to `len` bytes.
    pub(crate) fn expand(self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
        // CRY-10 (RFC 9420, Section 8): the counter is one byte, so 255 blocks are the end.
        if len.div_ceil(self.output_len()) > usize::from(u8::MAX) {
            return Err(CryptoError::OutputTooLong(len));
        }
        // RFC 5869, Section 2.3: the PRK has at least as many bytes as the hash.
        if prk.len() < self.output_len() {
            return Err(CryptoError::InvalidLength);
        }
        let mut output = Secret::zero(len);
        let mut previous: &[u8] = &[];
        for (block, counter) in output.as_mut_slice().chunks_mut(self.output_len()).zip(1..=u8::MAX) {
            self.0.hmac(prk, &[previous, info, &[counter]], block);
            previous = block;
        }
        Ok(output)
    }
}

/// HKDF bound to a `suite_id` (RFC 9180, Section 4).
#[derive(Clone, Debug)]
pub(crate) struct LabeledHkdf {
    hkdf: Hkdf,
    suite_id: Vec<u8>,
}

impl LabeledHkdf {
    pub(crate) fn new(hkdf: Hkdf, suite_id: Vec<u8>) -> Self {
        Self { hkdf, suite_id }
    }

    /// `Nh`, in bytes.
    pub(crate) fn output_len(&self) -> usize {
        self.hkdf.output_len()
    }

    /// `LabeledExtract(salt, label, ikm)`.
    pub(crate) fn extract(&self, salt: &[u8], label: &[u8], ikm: &[u8]) -> Secret {
        self.hkdf.extract(salt, &[VERSION, &self.suite_id, label, ikm])
    }

    /// `LabeledExpand(prk, label, info, len)`.
    pub(crate) fn expand(&self, prk: &Secret, label: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
        let length = u16::try_from(len).map_err(|_| CryptoError::OutputTooLong(len))?;
        let labeled_info = [&length.to_be_bytes(), VERSION, &self.suite_id, label, info].concat();
        self.hkdf.expand(prk.as_slice(), &labeled_info, len)
    }
}

/// In every label of RFC 9180.
const VERSION: &[u8] = b"HPKE-v1";
