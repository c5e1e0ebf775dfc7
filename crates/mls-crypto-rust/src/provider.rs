//! Which cipher suites are offered (RFC 9420, Sections 5.1 and 17.1).
//!
//! In: a table of suites. Out: one shared object of operations for each suite whose algorithms are here.
//! Always: the table's order of preference is kept; a lookup allocates nothing.

use std::sync::Arc;

use mls_crypto::{CipherSuite, CryptoError, CryptoProvider, SuiteCrypto, SuiteTable};

use crate::suite::RustSuite;

/// The portable provider. Cloning shares the suites.
#[derive(Clone, Debug)]
pub struct RustCrypto {
    suites: Arc<[Arc<RustSuite>]>,
}

impl RustCrypto {
    /// A provider of those suites in `table` whose algorithms are all here and whose hash and KDF have the same
    /// output length `Nh`. The others are left out; [`CryptoProvider::cipher_suites`] tells what remains.
    pub fn with_suites(table: &SuiteTable) -> Self {
        let suite = |id| RustSuite::new(id, table.get(id)?).map(Arc::new);
        Self { suites: table.ids().filter_map(suite).collect() }
    }
}

impl Default for RustCrypto {
    // CRY-01 (Section 17.1): the default table contains the mandatory suite, 0x0001.
    fn default() -> Self {
        Self::with_suites(&SuiteTable::default())
    }
}

impl CryptoProvider for RustCrypto {
    fn cipher_suites(&self) -> Vec<CipherSuite> {
        self.suites.iter().map(|suite| suite.cipher_suite()).collect()
    }

    fn suite(&self, cipher_suite: CipherSuite) -> Result<Arc<dyn SuiteCrypto>, CryptoError> {
        match self.suites.iter().find(|suite| suite.cipher_suite() == cipher_suite) {
            Some(suite) => Ok(Arc::<RustSuite>::clone(suite)),
            None => Err(CryptoError::UnsupportedSuite(cipher_suite)),
        }
    }
}

#[cfg(test)]
mod tests;
