//! The suites of one provider, built once (RFC 9420, Section 17.1).

use std::sync::Arc;

use mls_crypto::{CipherSuite, CryptoError, SuiteCrypto, SuiteParameters, SuiteTable};

use crate::{ComposedSuite, Primitives};

/// Composed suites in order of preference. A look-up copies one `Arc`.
#[derive(Clone, Debug, Default)]
pub struct SuiteSet(Vec<(CipherSuite, Arc<dyn SuiteCrypto>)>);

impl SuiteSet {
    /// The suites of `table` for which `primitives` has all that is needed and whose hash and KDF have the same output
    /// length `Nh`; others are left out.
    pub fn new(table: &SuiteTable, primitives: impl Fn(SuiteParameters) -> Option<Primitives>) -> Self {
        let compose = |id| -> Option<(CipherSuite, Arc<dyn SuiteCrypto>)> {
            let parameters = table.get(id)?;
            let primitives = primitives(parameters)?;
            if primitives.hash.output_len() != primitives.kdf.output_len() {
                return None;
            }
            Some((id, Arc::new(ComposedSuite::new(id, parameters, primitives))))
        };
        Self(table.ids().filter_map(compose).collect())
    }

    /// Ids, most preferred first.
    pub fn ids(&self) -> Vec<CipherSuite> {
        self.0.iter().map(|(id, _)| *id).collect()
    }

    /// The suite with this id.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSuite`].
    pub fn get(&self, cipher_suite: CipherSuite) -> Result<Arc<dyn SuiteCrypto>, CryptoError> {
        let found = self.0.iter().find(|(id, _)| *id == cipher_suite);
        found.map(|(_, suite)| Arc::clone(suite)).ok_or(CryptoError::UnsupportedSuite(cipher_suite))
    }
}
