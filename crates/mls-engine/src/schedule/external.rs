//! External initialization (RFC 9420, Section 8.3).
//!
//! In: the external key pair of an epoch. Out: an init secret that a joiner and the group share.
//! Always: the private half is derived when needed and belongs to one epoch (KS-10).

use mls_crypto::{CryptoError, HpkePrivateKey, HpkePublicKey, Random, SuiteCrypto};

use super::{InitSecret, secret_type::secret_type};

secret_type! {
    /// `external_secret`: gives the group's external key pair; `Nh` bytes.
    ExternalSecret;
}

/// Exporter context of the HPKE export; its `info` is empty.
const LABEL: &[u8] = b"MLS 1.0 external init secret";

impl ExternalSecret {
    /// `external_priv` and `external_pub` (Section 8).
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn key_pair(&self, suite: &dyn SuiteCrypto) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        suite.hpke_derive_key_pair(self.0.as_slice())
    }
}

impl InitSecret {
    /// The joiner's side: a KEM output for the ExternalInit proposal, and the init secret it stands for.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPublicKey`], [`CryptoError::ZeroSharedSecret`], [`CryptoError::Random`].
    pub fn from_external_sender(
        suite: &dyn SuiteCrypto,
        external_pub: &HpkePublicKey,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Self), CryptoError> {
        let (kem_output, secret) = suite.hpke_export_sender(external_pub, (&[], LABEL), suite.hash_len(), random)?;
        Ok((kem_output, Self::from_secret(secret)))
    }

    /// The group's side: the init secret that `kem_output` stands for. `external_key_pair` comes from
    /// [`ExternalSecret::key_pair`] of the epoch that the commit ends.
    ///
    /// # Errors
    /// [`CryptoError::InvalidKemOutput`], [`CryptoError::ZeroSharedSecret`].
    pub fn from_external_receiver(
        suite: &dyn SuiteCrypto,
        external_key_pair: (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
    ) -> Result<Self, CryptoError> {
        suite.hpke_export_receiver(external_key_pair, kem_output, (&[], LABEL), suite.hash_len()).map(Self::from_secret)
    }
}

#[cfg(test)]
mod tests;
