//! One actor's client: who it is, and with which key.

use mls_crypto::{CipherSuite, SignaturePrivateKey};
use mls_engine::{
    group::{CreateParams, KeyPackageParams, KeyPackageSecrets, own_capabilities},
    message::{Capabilities, Credential, Extensions, Lifetime},
};

use super::host::{Host, now};
use crate::stack::{Answer, Failure};

/// A client that may be in no group yet.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) identity: Vec<u8>,
    pub(super) host: Host,
    pub(super) cipher_suite: CipherSuite,
    pub(super) signature_key: SignaturePrivateKey,
}

impl Client {
    /// A client with a fresh signature key.
    pub(super) fn new(host: Host, cipher_suite: CipherSuite, identity: &[u8]) -> Answer<Self> {
        let suite = host.provider.suite(cipher_suite).map_err(Failure::refused)?;
        let (signature_key, _) = suite.signature_generate(host.env().random).map_err(Failure::refused)?;
        Ok(Self { identity: identity.to_vec(), host, cipher_suite, signature_key })
    }

    /// The same client on a host of its own, with the pre-shared keys it has.
    pub(super) fn again(&self) -> Self {
        Self {
            identity: self.identity.clone(),
            host: self.host.again(),
            cipher_suite: self.cipher_suite,
            signature_key: self.signature_key.duplicate(),
        }
    }

    pub(super) fn credential(&self) -> Credential {
        Credential::basic(&self.identity)
    }

    pub(super) fn capabilities(&self) -> Capabilities {
        own_capabilities(self.host.provider.as_ref(), &[], &[])
    }

    pub(super) fn create_params(&self, group_id: Vec<u8>) -> CreateParams<'_> {
        CreateParams {
            group_id,
            cipher_suite: self.cipher_suite,
            credential: self.credential(),
            signature_key: &self.signature_key,
            capabilities: self.capabilities(),
            lifetime: lifetime(),
            leaf_extensions: Extensions::new(),
            extensions: Extensions::new(),
        }
    }

    pub(super) fn key_package(&self) -> Answer<KeyPackageSecrets> {
        let params = KeyPackageParams {
            cipher_suite: self.cipher_suite,
            credential: self.credential(),
            signature_key: &self.signature_key,
            capabilities: self.capabilities(),
            lifetime: lifetime(),
            leaf_extensions: Extensions::new(),
            extensions: Extensions::new(),
            last_resort: false,
        };
        KeyPackageSecrets::generate(&self.host.env(), params).map_err(Failure::refused)
    }
}

/// From an hour ago for three months: clocks of machines under test differ.
pub(super) fn lifetime() -> Lifetime {
    const HOUR: u64 = 3_600;
    const THREE_MONTHS: u64 = 90 * 24 * HOUR;
    let now = now();
    Lifetime { not_before: now.saturating_sub(HOUR), not_after: now.saturating_add(THREE_MONTHS) }
}
