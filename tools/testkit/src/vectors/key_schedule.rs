//! `key-schedule.json`: the secrets of five epochs in a row (RFC 9420, Sections 8, 8.3, 8.5 and 8.7).

use mls_crypto::{CipherSuite, CryptoProvider, Hash, Secret, SuiteCrypto};
use mls_engine::{
    codec::{decode_exact, encode},
    message::{Extensions, GroupContext, ProtocolVersion},
    schedule::{CommitSecret, EpochSecrets, InitSecret, JoinerSecret, PskSecret},
};
use serde::Deserialize;

use super::{
    Failure, Hex,
    outcome::{At, Outcome, equal, same},
};

/// A group and its epochs; each epoch's init secret goes into the next.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    group_id: Hex,
    initial_init_secret: Hex,
    epochs: Vec<Epoch>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Epoch {
    tree_hash: Hex,
    commit_secret: Hex,
    psk_secret: Hex,
    confirmed_transcript_hash: Hex,
    group_context: Hex,
    joiner_secret: Hex,
    welcome_secret: Hex,
    init_secret: Hex,
    sender_data_secret: Hex,
    encryption_secret: Hex,
    exporter_secret: Hex,
    epoch_authenticator: Hex,
    external_secret: Hex,
    confirmation_key: Hex,
    membership_key: Hex,
    resumption_psk: Hex,
    external_pub: Hex,
    exporter: Exporter,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exporter {
    label: String,
    context: Hex,
    length: usize,
    secret: Hex,
}

/// Every epoch: the group context's bytes, all secrets, the external public key and an exported secret.
///
/// # Errors
/// The first difference.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    let mut init_secret = InitSecret::from_secret(Secret::copy_from(&case.initial_init_secret));
    for (number, epoch) in (0..).zip(&case.epochs) {
        let place = format!("epoch {number}");
        let context = group_context(case, number, epoch).at(&place)?;
        let secrets = stages(epoch, &*suite, &init_secret, &context).at(&place)?;
        compare(epoch, &secrets).at(&place)?;
        derived_from_secrets(epoch, &*suite, &secrets).at(&place)?;
        init_secret = secrets.init_secret;
    }
    Ok(())
}

fn group_context(case: &Case, number: u64, epoch: &Epoch) -> Result<Vec<u8>, Failure> {
    let context = GroupContext {
        version: ProtocolVersion::MLS10,
        cipher_suite: CipherSuite(case.cipher_suite),
        group_id: case.group_id.to_vec().into(),
        epoch: number,
        tree_hash: Hash::from_slice(&epoch.tree_hash).at("tree_hash")?,
        confirmed_transcript_hash: Hash::from_slice(&epoch.confirmed_transcript_hash)
            .at("confirmed_transcript_hash")?,
        extensions: Extensions::new(),
    };
    let bytes = encode(&context)?;
    same("group_context", &bytes, &epoch.group_context)?;
    equal("decoded group_context", decode_exact(&epoch.group_context)?, context)?;
    Ok(bytes)
}

fn stages(
    epoch: &Epoch,
    suite: &dyn SuiteCrypto,
    init_secret: &InitSecret,
    context: &[u8],
) -> Result<EpochSecrets, Failure> {
    let commit_secret = CommitSecret::from_secret(Secret::copy_from(&epoch.commit_secret));
    let psk_secret = PskSecret::from_secret(Secret::copy_from(&epoch.psk_secret));
    let joiner_secret = JoinerSecret::derive(suite, init_secret, &commit_secret, context)?;
    same("joiner_secret", joiner_secret.as_secret().as_slice(), &epoch.joiner_secret)?;
    let (welcome_secret, epoch_secret) = joiner_secret.welcome_and_epoch(suite, &psk_secret, context)?;
    same("welcome_secret", welcome_secret.as_secret().as_slice(), &epoch.welcome_secret)?;
    Ok(epoch_secret.split(suite)?)
}

fn compare(epoch: &Epoch, secrets: &EpochSecrets) -> Outcome {
    let pairs = [
        ("init_secret", secrets.init_secret.as_secret(), &epoch.init_secret),
        ("sender_data_secret", secrets.sender_data_secret.as_secret(), &epoch.sender_data_secret),
        ("encryption_secret", secrets.encryption_secret.as_secret(), &epoch.encryption_secret),
        ("exporter_secret", secrets.exporter_secret.as_secret(), &epoch.exporter_secret),
        ("epoch_authenticator", secrets.epoch_authenticator.as_secret(), &epoch.epoch_authenticator),
        ("external_secret", secrets.external_secret.as_secret(), &epoch.external_secret),
        ("confirmation_key", secrets.confirmation_key.as_secret(), &epoch.confirmation_key),
        ("membership_key", secrets.membership_key.as_secret(), &epoch.membership_key),
        ("resumption_psk", secrets.resumption_psk.as_secret(), &epoch.resumption_psk),
    ];
    pairs.into_iter().try_for_each(|(name, got, expected)| same(name, got.as_slice(), expected))
}

fn derived_from_secrets(epoch: &Epoch, suite: &dyn SuiteCrypto, secrets: &EpochSecrets) -> Outcome {
    let (_, external_pub) = secrets.external_secret.key_pair(suite)?;
    same("external_pub", external_pub.as_slice(), &epoch.external_pub)?;
    let Exporter { label, context, length, secret } = &epoch.exporter;
    let exported = secrets.exporter_secret.export(suite, label, context, *length)?;
    same("exporter", exported.as_slice(), secret)
}
