//! A client of OpenMLS: its keys, its storage, its settings, and its key package.
//!
//! In: a suite and an identity. Out: a client; key packages; objects decoded and encoded.
//! Always: clones are the same client.

use std::{fmt, sync::Arc};

use interop::{Answer, Failure, Published, message::PreSharedKey};
use openmls::{
    messages::group_info::VerifiableGroupInfo,
    prelude::{
        BasicCredential, Capabilities, Ciphersuite, CredentialType, CredentialWithKey, KeyPackage, KeyPackageBundle,
        MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroupJoinConfig, MlsMessageBodyIn,
        MlsMessageIn, MlsMessageOut, OpenMlsCrypto, OpenMlsProvider, ProtocolMessage, ProtocolVersion, RatchetTreeIn,
        SenderRatchetConfiguration, WireFormatPolicy,
    },
    schedule::{PreSharedKeyId, Psk, psk::ExternalPsk},
};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use tls_codec::Deserialize;

use crate::wallet::Wallet;

/// A signature key pair, and its private half as the harness writes it.
#[derive(Clone)]
pub(super) struct Keys(Arc<(SignatureKeyPair, Vec<u8>)>);

impl Keys {
    pub(super) fn generate(suite: Ciphersuite) -> Answer<Self> {
        let scheme = suite.signature_algorithm();
        let (private, public) =
            OpenMlsRustCrypto::default().crypto().signature_key_gen(scheme).map_err(Failure::refused)?;
        Ok(Self(Arc::new((SignatureKeyPair::from_raw(scheme, private.clone(), public), private))))
    }

    pub(super) fn signer(&self) -> &SignatureKeyPair {
        &self.0.0
    }

    pub(super) fn private(&self) -> &[u8] {
        &self.0.1
    }

    /// The basic credential of `identity`, with this key.
    pub(super) fn credential(&self, identity: &[u8]) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(identity.to_vec()).into(),
            signature_key: self.signer().to_public_vec().into(),
        }
    }
}

/// Who somebody is, and everything stored.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) suite: Ciphersuite,
    pub(super) keys: Keys,
    pub(super) credential: CredentialWithKey,
    provider: Arc<OpenMlsRustCrypto>,
}

impl Client {
    pub(super) fn new(wallet: &Wallet<Keys>, suite: Ciphersuite, identity: &[u8]) -> Answer<Self> {
        let keys = wallet.key(suite.into(), identity, || Keys::generate(suite))?;
        let credential = keys.credential(identity);
        Ok(Self { suite, keys, credential, provider: Arc::default() })
    }

    pub(super) fn provider(&self) -> &OpenMlsRustCrypto {
        &self.provider
    }

    pub(super) fn signer(&self) -> &SignatureKeyPair {
        self.keys.signer()
    }

    pub(super) fn store_psk(&self, psk: &PreSharedKey) -> Answer<()> {
        let id = self.psk_id(Psk::External(ExternalPsk::new(psk.psk_id.clone())))?;
        id.store(self.provider(), &psk.psk_secret).map_err(Failure::refused)
    }

    /// An id with a fresh nonce.
    pub(super) fn psk_id(&self, psk: Psk) -> Answer<PreSharedKeyId> {
        PreSharedKeyId::new(self.suite, self.provider().rand(), psk).map_err(Failure::refused)
    }

    pub(super) fn key_package(&self) -> Answer<KeyPackageBundle> {
        KeyPackage::builder()
            .leaf_node_capabilities(capabilities())
            .build(self.suite, self.provider(), self.signer(), self.credential.clone())
            .map_err(Failure::refused)
    }

    /// What of a key package and its keys the interface gives away.
    pub(super) fn published(&self, message: &MlsMessageOut, bundle: &KeyPackageBundle) -> Answer<Published> {
        Ok(Published {
            message: encoded(message)?,
            init_priv: bundle.init_private_key().to_vec(),
            // OpenMLS shows it to its own tests only.
            encryption_priv: Vec::new(),
            signature_priv: self.keys.private().to_vec(),
        })
    }
}

/// A client of OpenMLS that published a key package.
pub struct OpenMlsJoiner {
    pub(super) client: Client,
}

impl OpenMlsJoiner {
    pub(super) fn publish(wallet: &Wallet<Keys>, suite: u16, identity: &[u8]) -> Answer<(Self, Published)> {
        let client = Client::new(wallet, suite_of(suite)?, identity)?;
        let bundle = client.key_package()?;
        let published = client.published(&MlsMessageOut::from(bundle.key_package().clone()), &bundle)?;
        Ok((Self { client }, published))
    }
}

impl fmt::Debug for OpenMlsJoiner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenMlsJoiner(..)")
    }
}

/// What the portable cryptography has.
pub(super) const SUITES: [Ciphersuite; 3] = [
    Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519,
    Ciphersuite::MLS_128_DHKEMP256_AES128GCM_SHA256_P256,
    Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
];

/// A suite that the portable cryptography has.
pub(super) fn suite_of(number: u16) -> Answer<Ciphersuite> {
    let known = SUITES.into_iter().find(|suite| u16::from(*suite) == number);
    known.ok_or(Failure::Unsupported("this cipher suite"))
}

/// Every extension type of the scripts is a default one, which is not listed.
pub(super) fn capabilities() -> Capabilities {
    Capabilities::new(None, Some(&SUITES), None, None, Some(&[CredentialType::Basic]))
}

/// Settings of one who joins.
pub(super) fn join_config(encrypted: bool) -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(wire_format_policy(encrypted))
        .max_past_epochs(PAST_EPOCHS)
        .number_of_resumption_psks(RESUMPTION_PSKS)
        .sender_ratchet_configuration(ratchets())
        .use_ratchet_tree_extension(true)
        .build()
}

/// How a member sends handshakes; it accepts both kinds.
pub(super) fn wire_format_policy(encrypted: bool) -> WireFormatPolicy {
    if encrypted { MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY } else { MIXED_PLAINTEXT_WIRE_FORMAT_POLICY }
}

/// Messages that may come late, and how far a sender may run ahead.
pub(super) fn ratchets() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(32, 1_000)
}

/// Epochs whose messages can still be read.
pub(super) const PAST_EPOCHS: usize = 3;

/// Epochs whose resumption PSK is kept; the scripts go back three.
pub(super) const RESUMPTION_PSKS: usize = 8;

pub(super) fn encoded(message: &MlsMessageOut) -> Answer<Vec<u8>> {
    message.to_bytes().map_err(Failure::refused)
}

pub(super) fn decoded(message: &[u8]) -> Answer<MlsMessageBodyIn> {
    Ok(MlsMessageIn::tls_deserialize_exact(message).map_err(Failure::refused)?.extract())
}

/// A message for a group.
pub(super) fn protocol_message(message: &[u8]) -> Answer<ProtocolMessage> {
    match decoded(message)? {
        MlsMessageBodyIn::PublicMessage(message) => Ok(message.into()),
        MlsMessageBodyIn::PrivateMessage(message) => Ok(message.into()),
        _ => Err(Failure::Malformed("a message for a group")),
    }
}

pub(super) fn key_package(message: &[u8]) -> Answer<KeyPackage> {
    let MlsMessageBodyIn::KeyPackage(key_package) = decoded(message)? else {
        return Err(Failure::Malformed("a key package"));
    };
    key_package.validate(OpenMlsRustCrypto::default().crypto(), ProtocolVersion::Mls10).map_err(Failure::refused)
}

pub(super) fn group_info(message: &[u8]) -> Answer<VerifiableGroupInfo> {
    match decoded(message)? {
        MlsMessageBodyIn::GroupInfo(info) => Ok(info),
        _ => Err(Failure::Malformed("a GroupInfo")),
    }
}

pub(super) fn ratchet_tree(tree: Option<&[u8]>) -> Answer<Option<RatchetTreeIn>> {
    tree.map(|tree| RatchetTreeIn::tls_deserialize_exact(tree).map_err(Failure::refused)).transpose()
}
