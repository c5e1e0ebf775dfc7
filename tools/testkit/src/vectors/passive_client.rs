//! `passive-client-*.json`: a client that joins by Welcome and follows the group (RFC 9420, Sections 12.4.3.1 and 12.4.2).
//!
//! Three files share one form: joining alone, joining and two commits, and a long random history.

use mls_crypto::{CipherSuite, CryptoProvider, SuiteCrypto};
use mls_engine::{
    codec::decode_exact,
    group::{Group, KeyPackageSecrets, Processed},
    message::MlsMessage,
    policy::Env,
};
use serde::Deserialize;

use super::{
    Failure, Hex,
    host::Host,
    keys::{hpke_key, signature_key},
    outcome::{At, Outcome, same},
};

/// A client's keys, its Welcome, and the epochs that follow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    external_psks: Vec<ExternalPsk>,
    key_package: Hex,
    signature_priv: Hex,
    encryption_priv: Hex,
    init_priv: Hex,
    welcome: Hex,
    ratchet_tree: Option<Hex>,
    initial_epoch_authenticator: Hex,
    epochs: Vec<Epoch>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExternalPsk {
    psk_id: Hex,
    psk: Hex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Epoch {
    proposals: Vec<Hex>,
    commit: Hex,
    epoch_authenticator: Hex,
}

/// The client joins, and agrees with the group in every epoch.
///
/// # Errors
/// The first epoch in which it does not, or could not follow.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    let host = Host::with_psks(case.external_psks.iter().map(|psk| (&*psk.psk_id, &*psk.psk)));
    let env = host.env(provider);
    let mut group = join(case, &env, &*suite).at("welcome")?;
    let authenticator = group.epoch_authenticator().as_slice();
    same("initial_epoch_authenticator", authenticator, &case.initial_epoch_authenticator)?;
    for (number, epoch) in case.epochs.iter().enumerate() {
        follow(epoch, &env, &mut group).at(format!("epochs[{number}]"))?;
    }
    Ok(())
}

fn join(case: &Case, env: &Env<'_>, suite: &dyn SuiteCrypto) -> Result<Group, Failure> {
    let MlsMessage::KeyPackage(key_package) = decode_exact(&case.key_package)? else {
        return Err(Failure::new("not a key package"));
    };
    let secrets = KeyPackageSecrets::from_parts(
        env,
        *key_package,
        hpke_key(suite, &case.init_priv),
        hpke_key(suite, &case.encryption_priv),
        signature_key(suite, &case.signature_priv),
    )
    .at("private keys")?;
    let joined = Group::join(env, &case.welcome, &[&secrets], case.ratchet_tree.as_deref())?;
    Ok(joined.group)
}

/// The proposals of an epoch, then its commit.
fn follow(epoch: &Epoch, env: &Env<'_>, group: &mut Group) -> Outcome {
    for (number, proposal) in epoch.proposals.iter().enumerate() {
        let place = format!("proposals[{number}]");
        let Processed::Proposal(received) = group.process(env, proposal).at(&place)? else {
            return Err(Failure::new(format!("{place}: not a proposal")));
        };
        group.adopt(env, received.step).at(&place)?;
    }
    let Processed::Commit(staged) = group.process(env, &epoch.commit).at("commit")? else {
        return Err(Failure::new("commit: not a commit"));
    };
    group.adopt(env, staged.step).at("commit")?;
    same("epoch_authenticator", group.epoch_authenticator().as_slice(), &epoch.epoch_authenticator)
}
