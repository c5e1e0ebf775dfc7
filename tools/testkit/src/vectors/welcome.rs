//! `welcome.json`: from a Welcome to a confirmed epoch (RFC 9420, Sections 12.4.3 and 12.4.3.1).

use mls_crypto::{
    CipherSuite, CryptoProvider, SignaturePublicKey, SuiteCrypto,
    label::{decrypt_with_label, verify_with_label},
};
use mls_engine::{
    codec::{decode_exact, encode},
    message::{GroupInfo, GroupSecrets, KeyPackage, MlsMessage, Welcome},
    schedule::{JoinerSecret, PskSecret, confirmation_tag},
};
use serde::Deserialize;

use super::{
    Failure, Hex,
    keys::hpke_key,
    outcome::{At, Outcome, equal, holds, same},
};

/// A Welcome, a key package it is for, and the keys to read and to verify it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    init_priv: Hex,
    signer_pub: Hex,
    key_package: Hex,
    welcome: Hex,
}

/// The Welcome opens, its GroupInfo is signed by the given key, and the confirmation tag fits the secrets.
///
/// # Errors
/// The first step that did not succeed.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    let (key_package, welcome) = decode(case)?;
    equal("cipher_suite", welcome.cipher_suite, CipherSuite(case.cipher_suite))?;
    let secrets = group_secrets(case, &*suite, &key_package, &welcome).at("group secrets")?;
    equal("number of psks", secrets.psks.len(), 0)?;
    let joiner_secret = JoinerSecret::from_secret(secrets.joiner_secret);
    let info = group_info(&*suite, &joiner_secret, &welcome).at("group info")?;
    let signer = SignaturePublicKey::new(case.signer_pub.to_vec());
    verify_with_label(&*suite, &signer, GroupInfo::SIGNATURE_LABEL, &info.tbs()?, info.signature.as_slice())
        .at("signature")?;
    confirmed(&*suite, &joiner_secret, &info)
}

fn decode(case: &Case) -> Result<(KeyPackage, Welcome), Failure> {
    match (decode_exact(&case.key_package)?, decode_exact(&case.welcome)?) {
        (MlsMessage::KeyPackage(key_package), MlsMessage::Welcome(welcome)) => Ok((*key_package, *welcome)),
        _ => Err(Failure::new("not a key package and a welcome")),
    }
}

fn group_secrets(
    case: &Case,
    suite: &dyn SuiteCrypto,
    key_package: &KeyPackage,
    welcome: &Welcome,
) -> Result<GroupSecrets, Failure> {
    let reference = key_package.reference(suite)?;
    let sealed = welcome.secrets.iter().find(|entry| entry.new_member == reference).at("our entry")?;
    let private = hpke_key(suite, &case.init_priv);
    same("init_priv", suite.hpke_public_key(&private)?.as_slice(), key_package.init_key.as_slice())?;
    let key_pair = (&private, &key_package.init_key);
    let context = welcome.encrypted_group_info.as_slice();
    let opened = decrypt_with_label(suite, key_pair, "Welcome", context, &sealed.encrypted_group_secrets)?;
    let secrets: GroupSecrets = decode_exact(opened.as_slice())?;
    same("encoded again", secrets.encode()?.as_slice(), opened.as_slice())?;
    Ok(secrets)
}

fn group_info(suite: &dyn SuiteCrypto, joiner: &JoinerSecret, welcome: &Welcome) -> Result<GroupInfo, Failure> {
    let (welcome_secret, _) = joiner.welcome_and_epoch(suite, &PskSecret::none(suite), &[])?;
    let (key, nonce) = welcome_secret.key_and_nonce(suite)?;
    let mut buffer = welcome.encrypted_group_info.as_slice().to_vec();
    suite.aead_open(key.as_slice(), nonce.as_slice(), &[], &mut buffer)?;
    Ok(decode_exact(&buffer)?)
}

fn confirmed(suite: &dyn SuiteCrypto, joiner: &JoinerSecret, info: &GroupInfo) -> Outcome {
    let context = encode(&info.group_context)?;
    let (_, epoch_secret) = joiner.welcome_and_epoch(suite, &PskSecret::none(suite), &context)?;
    let secrets = epoch_secret.split(suite)?;
    let tag = confirmation_tag(suite, &secrets.confirmation_key, &info.group_context.confirmed_transcript_hash);
    holds("confirmation_tag does not match", info.confirmation_tag.ct_eq(&tag))
}
