//! Exporters and epoch authenticators (RFC 9420, Sections 8.5 and 8.7).
//!
//! In: a label and a context of the application. Out: secrets for use outside of MLS.
//! Always: what is exported belongs to one epoch; the exporter secret itself never leaves.

use mls_crypto::{
    CryptoError, Secret, SuiteCrypto,
    label::{derive_secret, expand_with_label},
};
use subtle::ConstantTimeEq;

use super::secret_type::secret_type;
use crate::error::OperationError;

secret_type! {
    /// `exporter_secret`; `Nh` bytes.
    ExporterSecret;
    /// `epoch_authenticator`: equal exactly for clients that agree on the epoch; `Nh` bytes.
    EpochAuthenticator;
}

impl ExporterSecret {
    /// `MLS-Exporter(Label, Context, Length)`: `len` bytes. The label is taken as it is; see [`check_exporter_label`].
    ///
    /// # Errors
    /// [`CryptoError::OutputTooLong`] for more than `255 * Nh` bytes or 65,535 (CRY-10).
    pub fn export(
        &self,
        suite: &dyn SuiteCrypto,
        label: &str,
        context: &[u8],
        len: usize,
    ) -> Result<Secret, CryptoError> {
        let derived = derive_secret(suite, &self.0, label)?;
        expand_with_label(suite, &derived, "exported", suite.hash(&[context]).as_slice(), len)
    }
}

/// Whether an application may export under `label`.
///
/// # Errors
/// [`OperationError::ReservedLabel`] for an empty label, or one that starts as the protocol's own do.
pub fn check_exporter_label(label: &str) -> Result<(), OperationError> {
    // KS-06 (Section 8.5): a label names one purpose of one application.
    if label.is_empty() || label.starts_with("MLS ") {
        return Err(OperationError::ReservedLabel);
    }
    Ok(())
}

impl EpochAuthenticator {
    /// The bytes, to be shown or sent to another member; never shortened (KS-09).
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Whether another member's authenticator is the same, whole and in constant time (KS-09).
    #[must_use]
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        bool::from(self.as_slice().ct_eq(other))
    }
}

#[cfg(test)]
mod tests;
