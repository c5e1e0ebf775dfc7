//! Which cipher suites are offered (RFC 9420, Section 17.1).
//!
//! In: a table of suites. Out: one shared object of operations for each suite whose algorithms are here.
//! Always: the table's order of preference is kept; a look-up builds nothing.

use std::sync::Arc;

use mls_crypto::{
    Aead, CipherSuite, CryptoError, CryptoProvider, HashAlgorithm, Kdf, Kem, SignatureScheme, SuiteCrypto,
    SuiteParameters, SuiteTable,
};
use mls_crypto_compose::{DhKem, Primitives, SuiteSet};

use crate::{aead::OpenSslAead, digest::Sha512, ed448::Ed448, x448::X448};

/// The provider of the X448 and Ed448 suites. Cloning shares the suites.
#[derive(Clone, Debug)]
pub struct OpenSsl {
    suites: SuiteSet,
}

impl OpenSsl {
    /// A provider of those suites in `table` whose algorithms are all here. The others are left out;
    /// [`CryptoProvider::cipher_suites`] tells what remains.
    pub fn with_suites(table: &SuiteTable) -> Self {
        Self { suites: SuiteSet::new(table, primitives) }
    }
}

impl Default for OpenSsl {
    fn default() -> Self {
        Self::with_suites(&SuiteTable::default())
    }
}

impl CryptoProvider for OpenSsl {
    fn cipher_suites(&self) -> Vec<CipherSuite> {
        self.suites.ids()
    }

    fn suite(&self, cipher_suite: CipherSuite) -> Result<Arc<dyn SuiteCrypto>, CryptoError> {
        self.suites.get(cipher_suite)
    }
}

/// `None` if any of the algorithms is not here.
fn primitives(parameters: SuiteParameters) -> Option<Primitives> {
    let SuiteParameters { kem: Kem::X448, kdf: Kdf::Sha512, aead, hash, signature } = parameters else { return None };
    let (HashAlgorithm::Sha512, SignatureScheme::Ed448) = (hash, signature) else { return None };
    let aead = match aead {
        Aead::Aes256Gcm => &OpenSslAead::Aes256Gcm,
        Aead::ChaCha20Poly1305 => &OpenSslAead::ChaCha20Poly1305,
        _ => return None,
    };
    let kem = Box::new(DhKem::new(X448, &Sha512));
    Some(Primitives { hash: &Sha512, kdf: &Sha512, aead, kem, signature: &Ed448 })
}
