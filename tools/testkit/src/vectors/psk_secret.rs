//! `psk_secret.json`: no, one and several external PSKs (RFC 9420, Section 8.4).

use mls_crypto::{CipherSuite, CryptoProvider, Secret};
use mls_engine::{
    message::{PreSharedKeyId, PskKind},
    schedule::psk_secret,
};
use serde::Deserialize;

use super::{
    Hex,
    outcome::{Outcome, same},
};

/// PSKs in their order, and what they give.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    psks: Vec<Psk>,
    psk_secret: Hex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Psk {
    psk_id: Hex,
    psk: Hex,
    psk_nonce: Hex,
}

/// The secret of all PSKs together.
///
/// # Errors
/// The difference.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    let id = |psk: &Psk| PreSharedKeyId {
        kind: PskKind::External(psk.psk_id.to_vec().into()),
        psk_nonce: psk.psk_nonce.to_vec().into(),
    };
    let psks: Vec<_> = case.psks.iter().map(|psk| (id(psk), Secret::copy_from(&psk.psk))).collect();
    let borrowed: Vec<_> = psks.iter().map(|(id, psk)| (id, psk)).collect();
    same("psk_secret", psk_secret(&*suite, &borrowed)?.as_secret().as_slice(), &case.psk_secret)
}
