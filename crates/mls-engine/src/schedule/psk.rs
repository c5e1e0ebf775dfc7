//! Pre-shared keys entering the key schedule (RFC 9420, Section 8.4).
//!
//! In: the PSKs of a commit in its order. Out: `psk_secret`.
//! Always: every PSK is bound to its id, its nonce, its place and the number of PSKs.

use mls_crypto::{CryptoError, Secret, SuiteCrypto, label::expand_with_label};
use tls_codec::{TlsSerialize, TlsSize};

use super::secret_type::secret_type;
use crate::{codec::encode, message::PreSharedKeyId};

secret_type! {
    /// `psk_secret`, all PSKs of one commit; `Nh` bytes.
    PskSecret;
}

/// `PSKLabel`.
#[derive(TlsSerialize, TlsSize)]
struct PskLabel<'a> {
    id: &'a PreSharedKeyId,
    index: u16,
    count: u16,
}

/// `psk_secret` of these PSKs, in the order of the commit.
///
/// # Errors
/// [`CryptoError::OutputTooLong`] for more than 65,535 PSKs (KS-02) or an id of 2^30 bytes.
pub fn psk_secret(suite: &dyn SuiteCrypto, psks: &[(&PreSharedKeyId, &Secret)]) -> Result<PskSecret, CryptoError> {
    let too_long = || CryptoError::OutputTooLong(psks.len());
    let zero = Secret::zero(suite.hash_len());
    let count = u16::try_from(psks.len()).map_err(|_| too_long())?;
    // KS-03 (Section 8.4): without PSKs the secret is all zero.
    let mut psk_secret = Secret::zero(suite.hash_len());
    for (index, (id, psk)) in (0..count).zip(psks) {
        // psk_extracted_[i] = KDF.Extract(0, psk_[i])
        let psk_extracted = suite.kdf_extract(zero.as_slice(), psk.as_slice());
        // KS-02 (Section 8.4): psk_input_[i] = ExpandWithLabel(psk_extracted_[i], "derived psk", PSKLabel, KDF.Nh)
        let psk_label = encode(&PskLabel { id, index, count }).map_err(|_| too_long())?;
        let psk_input = expand_with_label(suite, &psk_extracted, "derived psk", &psk_label, suite.hash_len())?;
        // psk_secret_[i] = KDF.Extract(psk_input_[i-1], psk_secret_[i-1])
        psk_secret = suite.kdf_extract(psk_input.as_slice(), psk_secret.as_slice());
    }
    Ok(PskSecret(psk_secret))
}

impl PskSecret {
    /// `psk_secret` of a commit without PSKs: `Nh` zero bytes.
    pub fn none(suite: &dyn SuiteCrypto) -> Self {
        // KS-03 (Section 8.4).
        Self(Secret::zero(suite.hash_len()))
    }
}

#[cfg(test)]
mod tests;
