//! A key in memory keeps the contract of signers.

use std::sync::Arc;

use mls_crypto::{CipherSuite, CryptoProvider, Signer};
use mls_crypto_aws_lc::AwsLc;

use crate::support::master;

#[test]
fn keys_in_memory_sign() {
    let provider: Arc<dyn CryptoProvider> = Arc::new(AwsLc::default());
    let suite = provider.suite(CipherSuite::X25519_CHACHA20).unwrap();
    crypto_conformance::signer(&provider, suite.as_ref(), &|| -> Arc<dyn Signer> { master(1) });
}
