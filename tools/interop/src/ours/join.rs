//! Joining by Welcome (RFC 9420, Section 12.4.3.1), and asking for one (Section 12.1.8).

use mls_engine::group::{ExternalProposals, Group, KeyPackageSecrets};

use super::{client::Client, member::Member};
use crate::stack::{Answer, Failure, Invitation, Published};

/// A client that published a key package.
#[derive(Debug)]
pub struct Joiner {
    pub(super) client: Client,
    keys: KeyPackageSecrets,
}

impl Joiner {
    /// With a fresh key package, and that as the harness wants it.
    pub(super) fn new(client: Client) -> Answer<(Self, Published)> {
        let keys = client.key_package()?;
        let message = keys.message().map_err(Failure::refused)?;
        Self::publish(client, keys, message)
    }

    /// Section 12.1.8: with an Add of its own key package.
    pub(super) fn ask_to_join(client: Client, group_info: &[u8]) -> Answer<(Self, Published)> {
        let keys = client.key_package()?;
        let env = client.host.env();
        let message = ExternalProposals::new(&env, group_info).and_then(|outside| outside.join(&keys));
        let message = message.map_err(Failure::refused)?;
        Self::publish(client, keys, message)
    }

    fn publish(client: Client, keys: KeyPackageSecrets, message: Vec<u8>) -> Answer<(Self, Published)> {
        let (key_package, init_key, leaf_key, signature_key) = keys.into_parts();
        let published = Published {
            message,
            init_priv: init_key.secret().as_slice().to_vec(),
            encryption_priv: leaf_key.secret().as_slice().to_vec(),
            signature_priv: signature_key.secret().as_slice().to_vec(),
        };
        let env = client.host.env();
        let keys = KeyPackageSecrets::from_parts(&env, key_package, init_key, leaf_key, signature_key);
        Ok((Self { keys: keys.map_err(Failure::refused)?, client }, published))
    }

    /// Joins.
    pub(super) fn join(&mut self, invitation: Invitation<'_>, encrypt_handshake: bool) -> Answer<Member> {
        let env = self.client.host.env();
        let joined = Group::join(&env, invitation.welcome, &[&self.keys], invitation.ratchet_tree);
        let group = joined.map_err(Failure::refused)?.group;
        Ok(Member::new(self.client.again(), group, encrypt_handshake))
    }
}
