//! `passive-client-*.json`: a client that joins by Welcome and follows the group (RFC 9420, Sections 12.4.3.1 and 12.4.2).
//!
//! Three files share one form: joining alone, joining and two commits, and a long random history.

use mls_crypto::{CipherSuite, CryptoProvider, SuiteCrypto};
use mls_engine::{
    codec::decode_exact,
    group::{Group, KeyPackageSecrets, Processed},
    message::{KeyPackage, LeafNodeSource, MlsMessage},
    policy::Env,
};
use serde::{Deserialize, Serialize};

use super::{
    Failure, Hex,
    host::Host,
    keys::{hpke_key, signature_key},
    outcome::{At, Outcome, same},
};

/// A client's keys, its Welcome, and the epochs that follow.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The suite.
    pub cipher_suite: u16,
    /// External PSKs that the client knows.
    pub external_psks: Vec<ExternalPsk>,
    /// Its key package, an MLSMessage.
    pub key_package: Hex,
    /// Private half of its signature key.
    pub signature_priv: Hex,
    /// Private half of its leaf's encryption key.
    pub encryption_priv: Hex,
    /// Private half of its init key.
    pub init_priv: Hex,
    /// The Welcome, an MLSMessage.
    pub welcome: Hex,
    /// The tree, if it is not inside the Welcome.
    pub ratchet_tree: Option<Hex>,
    /// What it agrees on with the group when it has joined.
    pub initial_epoch_authenticator: Hex,
    /// What it follows then.
    pub epochs: Vec<Epoch>,
}

/// An external PSK.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalPsk {
    /// Its id.
    pub psk_id: Hex,
    /// Its secret.
    pub psk: Hex,
}

/// The step to one epoch.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Proposals that came before the commit, MLSMessages.
    pub proposals: Vec<Hex>,
    /// The commit, an MLSMessage.
    pub commit: Hex,
    /// What members agree on then.
    pub epoch_authenticator: Hex,
}

/// The client joins, and agrees with the group in every epoch. It does so at a time at which its key package is valid.
///
/// # Errors
/// The first epoch in which it does not, or could not follow.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    let MlsMessage::KeyPackage(key_package) = decode_exact(&case.key_package).at("key_package")? else {
        return Err(Failure::new("key_package: another message"));
    };
    let host = Host::with_psks(case.external_psks.iter().map(|psk| (&*psk.psk_id, &*psk.psk)));
    let host = match &key_package.leaf_node.source {
        LeafNodeSource::KeyPackage(lifetime) => host.within(lifetime),
        _ => host,
    };
    let env = host.env(provider);
    let mut group = join(case, *key_package, &env, &*suite).at("welcome")?;
    let authenticator = group.epoch_authenticator().as_slice();
    same("initial_epoch_authenticator", authenticator, &case.initial_epoch_authenticator)?;
    for (number, epoch) in case.epochs.iter().enumerate() {
        follow(epoch, &env, &mut group).at(format!("epochs[{number}]"))?;
    }
    Ok(())
}

fn join(case: &Case, key_package: KeyPackage, env: &Env<'_>, suite: &dyn SuiteCrypto) -> Result<Group, Failure> {
    let secrets = KeyPackageSecrets::from_parts(
        env,
        key_package,
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
