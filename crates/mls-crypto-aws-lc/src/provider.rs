//! Which cipher suites are offered (RFC 9420, Sections 5.1 and 17.1).
//!
//! In: a table of suites. Out: one shared object of operations for each suite whose algorithms are here.
//! Always: the table's order of preference is kept; a look-up builds nothing.

use std::sync::Arc;

use mls_crypto::{
    Aead, CipherSuite, CryptoError, CryptoProvider, HashAlgorithm, Kdf, Kem, SignatureScheme, SuiteCrypto,
    SuiteParameters, SuiteTable,
};
use mls_crypto_compose::{AeadCipher, DhKem, HashFunction, KeyEncapsulation, Primitives, SignatureFunctions, SuiteSet};

use crate::{aead, digest, ecdsa, ed25519::Ed25519, group, xwing::XWing};

/// The native provider. Cloning shares the suites.
#[derive(Clone, Debug)]
pub struct AwsLc {
    suites: SuiteSet,
}

impl AwsLc {
    /// A provider of those suites in `table` whose algorithms are all here and whose hash and KDF have the same
    /// output length `Nh`. The others are left out; [`CryptoProvider::cipher_suites`] tells what remains.
    pub fn with_suites(table: &SuiteTable) -> Self {
        Self { suites: SuiteSet::new(table, primitives) }
    }
}

impl Default for AwsLc {
    // CRY-01 (RFC 9420, Section 17.1): the default table contains the mandatory suite, 0x0001.
    fn default() -> Self {
        Self::with_suites(&SuiteTable::default())
    }
}

impl CryptoProvider for AwsLc {
    fn cipher_suites(&self) -> Vec<CipherSuite> {
        self.suites.ids()
    }

    fn suite(&self, cipher_suite: CipherSuite) -> Result<Arc<dyn SuiteCrypto>, CryptoError> {
        self.suites.get(cipher_suite)
    }
}

/// `None` if any of the algorithms is not here.
fn primitives(parameters: SuiteParameters) -> Option<Primitives> {
    Some(Primitives {
        hash: hash(parameters.hash)?,
        kdf: kdf(parameters.kdf)?,
        aead: aead(parameters.aead)?,
        kem: kem(parameters.kem)?,
        signature: signature(parameters.signature)?,
    })
}

fn hash(hash: HashAlgorithm) -> Option<&'static dyn HashFunction> {
    match hash {
        HashAlgorithm::Sha256 => Some(&digest::SHA256),
        HashAlgorithm::Sha384 => Some(&digest::SHA384),
        HashAlgorithm::Sha512 => Some(&digest::SHA512),
        _ => None,
    }
}

fn kdf(kdf: Kdf) -> Option<&'static dyn HashFunction> {
    match kdf {
        Kdf::Sha256 => Some(&digest::SHA256),
        Kdf::Sha384 => Some(&digest::SHA384),
        Kdf::Sha512 => Some(&digest::SHA512),
        _ => None,
    }
}

fn aead(aead: Aead) -> Option<&'static dyn AeadCipher> {
    match aead {
        Aead::Aes128Gcm => Some(&aead::AES_128_GCM),
        Aead::Aes256Gcm => Some(&aead::AES_256_GCM),
        Aead::ChaCha20Poly1305 => Some(&aead::CHACHA20_POLY1305),
        _ => None,
    }
}

/// RFC 9180, Section 7.1: each DHKEM has a hash of its own.
fn kem(kem: Kem) -> Option<Box<dyn KeyEncapsulation>> {
    match kem {
        Kem::X25519 => Some(Box::new(DhKem::new(group::X25519, &digest::SHA256))),
        Kem::P256 => Some(Box::new(DhKem::new(group::P256, &digest::SHA256))),
        Kem::P384 => Some(Box::new(DhKem::new(group::P384, &digest::SHA384))),
        Kem::P521 => Some(Box::new(DhKem::new(group::P521, &digest::SHA512))),
        Kem::XWing => Some(Box::new(XWing)),
        _ => None,
    }
}

fn signature(signature: SignatureScheme) -> Option<&'static dyn SignatureFunctions> {
    match signature {
        SignatureScheme::Ed25519 => Some(&Ed25519),
        SignatureScheme::EcdsaP256Sha256 => Some(&ecdsa::P256_SHA256),
        SignatureScheme::EcdsaP384Sha384 => Some(&ecdsa::P384_SHA384),
        SignatureScheme::EcdsaP521Sha512 => Some(&ecdsa::P521_SHA512),
        _ => None,
    }
}
