//! A client of mls-rs: its keys, its stores, its rules, and its key package.
//!
//! In: a suite and an identity. Out: a client; key packages; objects decoded and encoded.
//! Always: a client has published one key package at most.

use std::fmt;

use interop::{Answer, Failure, Published, message::PreSharedKey};
use mls_rs::{
    CipherSuite, CipherSuiteProvider, Client, ExtensionList, MlsMessage,
    client_builder::{BaseConfig, WithCryptoProvider, WithIdentityProvider, WithMlsRules},
    crypto::{SignaturePublicKey, SignatureSecretKey},
    group::ExportedTree,
    identity::{
        SigningIdentity,
        basic::{BasicCredential, BasicIdentityProvider},
    },
    mls_rs_codec::MlsDecode,
    psk::ExternalPskId,
    storage_provider::in_memory::{InMemoryGroupStateStorage, InMemoryKeyPackageStorage, InMemoryPreSharedKeyStorage},
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;

use super::{Crypto, rules::Rules};
use crate::wallet::Wallet;

/// How every client is configured.
pub(super) type Config<C> =
    WithMlsRules<Rules, WithIdentityProvider<BasicIdentityProvider, WithCryptoProvider<C, BaseConfig>>>;

/// What all clients of a stack share: the cryptography, and the keys of identities.
pub(super) struct Common<C> {
    pub(super) provider: C,
    wallet: Wallet<Keys>,
}

impl<C: Crypto> Common<C> {
    pub(super) fn new(provider: C) -> Self {
        Self { provider, wallet: Wallet::default() }
    }

    /// The key of `identity`.
    pub(super) fn keys(&self, suite: CipherSuite, identity: &[u8]) -> Answer<Keys> {
        self.wallet.key(suite.into(), identity, || self.fresh_keys(suite))
    }

    /// A key of nobody yet.
    pub(super) fn fresh_keys(&self, suite: CipherSuite) -> Answer<Keys> {
        let provider = self.provider.cipher_suite_provider(suite);
        let generated = provider.ok_or(Failure::Unsupported("this cipher suite"))?.signature_key_generate();
        let (secret, public) = generated.map_err(Failure::refused)?;
        Ok(Keys { secret, public })
    }
}

/// A signature key pair.
#[derive(Clone)]
pub(super) struct Keys {
    secret: SignatureSecretKey,
    public: SignaturePublicKey,
}

impl Keys {
    pub(super) fn secret(&self) -> SignatureSecretKey {
        self.secret.clone()
    }

    /// The basic credential of `identity`, with this key.
    pub(super) fn signing_identity(&self, identity: &[u8]) -> SigningIdentity {
        SigningIdentity::new(BasicCredential::new(identity.to_vec()).into_credential(), self.public.clone())
    }

    /// The private half as the harness writes it: mls-rs keeps Ed25519 seeds with the public key behind them.
    fn private(&self) -> Vec<u8> {
        let bytes = self.secret.as_bytes();
        bytes.strip_suffix(self.public.as_bytes()).unwrap_or(bytes).to_vec()
    }
}

/// What a client and the groups it is in share.
#[derive(Clone)]
pub(super) struct Stores {
    pub(super) rules: Rules,
    pub(super) key_packages: InMemoryKeyPackageStorage,
    psks: InMemoryPreSharedKeyStorage,
}

impl Stores {
    pub(super) fn store_psk(&mut self, psk: &PreSharedKey) {
        self.psks.insert(ExternalPskId::new(psk.psk_id.clone()), psk.psk_secret.clone().into());
    }
}

/// Who somebody is, before the first group.
pub(super) struct NewClient<C: Crypto> {
    pub(super) client: Client<Config<C>>,
    pub(super) stores: Stores,
    pub(super) identity: Vec<u8>,
    keys: Keys,
}

impl<C: Crypto> NewClient<C> {
    pub(super) fn new(common: &Common<C>, suite: CipherSuite, identity: &[u8]) -> Answer<Self> {
        let keys = common.keys(suite, identity)?;
        let rules = Rules::default();
        let states =
            InMemoryGroupStateStorage::new().with_max_epoch_retention(STORED_EPOCHS).map_err(Failure::refused)?;
        let client = Client::builder()
            .crypto_provider(common.provider.clone())
            .identity_provider(BasicIdentityProvider::new())
            .mls_rules(rules.clone())
            .group_state_storage(states)
            .signing_identity(keys.signing_identity(identity), keys.secret(), suite)
            .build();
        let stores = Stores { rules, key_packages: client.key_package_store(), psks: client.secret_store() };
        Ok(Self { client, stores, identity: identity.to_vec(), keys })
    }

    /// What goes with a key package, which is inside `message`.
    pub(super) fn published(&self, message: &MlsMessage) -> Answer<Published> {
        let (_, package) = self.stores.key_packages.key_packages().pop().ok_or(Failure::Malformed("no key package"))?;
        Ok(Published {
            message: encoded(message)?,
            init_priv: package.init_key.to_vec(),
            encryption_priv: package.leaf_node_key.to_vec(),
            signature_priv: self.keys.private(),
        })
    }
}

/// A client of mls-rs that published a key package.
pub struct MlsRsJoiner<C: Crypto = RustCryptoProvider> {
    pub(super) client: NewClient<C>,
}

impl<C: Crypto> MlsRsJoiner<C> {
    pub(super) fn publish(common: &Common<C>, suite: u16, identity: &[u8]) -> Answer<(Self, Published)> {
        let client = NewClient::new(common, suite.into(), identity)?;
        let (package, leaf) = (ExtensionList::new(), ExtensionList::new());
        let message = client.client.generate_key_package_message(package, leaf, None).map_err(Failure::refused)?;
        let published = client.published(&message)?;
        Ok((Self { client }, published))
    }
}

impl<C: Crypto> fmt::Debug for MlsRsJoiner<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MlsRsJoiner(..)")
    }
}

/// Epochs kept in the store; those that are not written yet come on top.
const STORED_EPOCHS: usize = 4;

pub(super) fn encoded(message: &MlsMessage) -> Answer<Vec<u8>> {
    message.to_bytes().map_err(Failure::refused)
}

pub(super) fn decoded(message: &[u8]) -> Answer<MlsMessage> {
    MlsMessage::from_bytes(message).map_err(Failure::refused)
}

pub(super) fn ratchet_tree(tree: Option<&[u8]>) -> Answer<Option<ExportedTree<'static>>> {
    tree.map(|tree| ExportedTree::from_bytes(tree).map_err(Failure::refused)).transpose()
}

pub(super) fn extensions(list: &[u8]) -> Answer<ExtensionList> {
    ExtensionList::mls_decode(&mut &*list).map_err(Failure::refused)
}

/// The suite of the group of a GroupInfo.
pub(super) fn suite_of(group_info: &MlsMessage) -> Answer<CipherSuite> {
    let info = group_info.as_group_info().ok_or(Failure::Malformed("a GroupInfo"))?;
    Ok(info.group_context().cipher_suite())
}
