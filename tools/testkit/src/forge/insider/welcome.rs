//! Welcomes into an epoch of the insider's own making (RFC 9420, Sections 12.4.3 and 12.4.3.1).

use mls_crypto::{Hash, Opaque, Random, SealJob, Secret, SignaturePrivateKey, SuiteCrypto, Tag, label};
use mls_engine::{
    codec::encode,
    math::LeafIndex,
    message::{
        EncryptedGroupSecrets, ExtensionType, Extensions, GroupContext, GroupInfo, GroupSecrets, KeyPackage,
        MlsMessage, PathSecret, PreSharedKeyId, Welcome,
    },
    schedule::{JoinerSecret, confirmation_tag, psk_secret},
    tree::{Node, RatchetTree},
};

use crate::network::Host;

/// A Welcome before it is sealed. Every part may be changed; what depends on it follows when it is sealed.
#[derive(Debug)]
pub struct ForgedWelcome {
    /// The epoch. Its tree hash is made to fit `nodes`, unless `tree_hash` says otherwise.
    pub context: GroupContext,
    /// The ratchet tree.
    pub nodes: Vec<Option<Node>>,
    /// In place of the right one.
    pub tree_hash: Option<Hash>,
    /// Whether the tree is inside.
    pub with_tree: bool,
    /// Further GroupInfo extensions.
    pub extensions: Extensions,
    /// Who signs the GroupInfo.
    pub signer: LeafIndex,
    /// With which key.
    pub signature_key: SignaturePrivateKey,
    /// Who joins.
    pub key_package: KeyPackage,
    /// What it gets of the path.
    pub path_secret: Option<Vec<u8>>,
    /// Pre-shared keys.
    pub psks: Vec<(PreSharedKeyId, Vec<u8>)>,
    /// In place of the right one.
    pub confirmation_tag: Option<Tag>,
    /// How many entries the joiner has.
    pub entries: usize,
    /// Suite in clear.
    pub cipher_suite: mls_crypto::CipherSuite,
}

impl ForgedWelcome {
    /// Into a group of this context and tree, by the member at `signer`.
    pub fn new(
        (context, tree): (&GroupContext, &RatchetTree),
        (signer, signature_key): (LeafIndex, &SignaturePrivateKey),
        key_package: &KeyPackage,
    ) -> Self {
        Self {
            cipher_suite: context.cipher_suite,
            context: context.clone(),
            nodes: tree.nodes(),
            tree_hash: None,
            with_tree: true,
            extensions: Extensions::new(),
            signer,
            signature_key: signature_key.duplicate(),
            key_package: key_package.clone(),
            path_secret: None,
            psks: Vec::new(),
            confirmation_tag: None,
            entries: 1,
        }
    }

    /// The encoded `ratchet_tree`.
    pub fn tree_bytes(&self) -> Vec<u8> {
        encode(&self.nodes).unwrap()
    }

    /// The signed GroupInfo of a joiner secret.
    pub fn group_info(&self, host: &Host, joiner: &JoinerSecret) -> GroupInfo {
        let suite = host.crypto.suite(self.key_package.cipher_suite).unwrap();
        let suite = suite.as_ref();
        let mut context = self.context.clone();
        let fitting = RatchetTree::decode(suite, &self.tree_bytes()).map(|tree| tree.tree_hash());
        context.tree_hash = self.tree_hash.or(fitting.ok()).unwrap_or(context.tree_hash);
        let (_, epoch) = joiner.welcome_and_epoch(suite, &self.psk_secret(suite), &encode(&context).unwrap()).unwrap();
        let key = epoch.split(suite).unwrap().confirmation_key;
        let tag = confirmation_tag(suite, &key, &context.confirmed_transcript_hash);
        let mut extensions = self.extensions.clone();
        if self.with_tree {
            extensions.set(ExtensionType::RATCHET_TREE, self.tree_bytes());
        }
        let mut info = GroupInfo {
            group_context: context,
            extensions,
            confirmation_tag: self.confirmation_tag.unwrap_or(tag),
            signer: self.signer,
            signature: Opaque::new(Vec::new()),
        };
        let tbs = info.tbs().unwrap();
        let signature = label::sign_with_label(suite, &self.signature_key, GroupInfo::SIGNATURE_LABEL, &tbs).unwrap();
        info.signature = Opaque::new(signature);
        info
    }

    fn psk_secret(&self, suite: &dyn SuiteCrypto) -> mls_engine::schedule::PskSecret {
        let secrets: Vec<_> = self.psks.iter().map(|(id, secret)| (id, Secret::copy_from(secret))).collect();
        let pairs: Vec<_> = secrets.iter().map(|(id, secret)| (*id, secret)).collect();
        psk_secret(suite, &pairs).unwrap()
    }

    /// A fresh joiner secret.
    pub fn joiner_secret(&self, host: &Host) -> JoinerSecret {
        let suite = host.crypto.suite(self.key_package.cipher_suite).unwrap();
        let mut secret = Secret::zero(suite.hash_len());
        host.random.fill(secret.as_mut_slice()).unwrap();
        JoinerSecret::from_secret(secret)
    }

    /// The GroupInfo as an MLSMessage, as it would be published.
    pub fn group_info_message(&self, host: &Host) -> Vec<u8> {
        let info = self.group_info(host, &self.joiner_secret(host));
        encode(&MlsMessage::GroupInfo(Box::new(info))).unwrap()
    }

    /// The Welcome with this GroupInfo and these GroupSecrets bytes.
    pub fn seal_parts(&self, host: &Host, joiner: &JoinerSecret, info: &[u8], secrets: &[u8]) -> Welcome {
        let suite = host.crypto.suite(self.key_package.cipher_suite).unwrap();
        let suite = suite.as_ref();
        let welcome_secret = joiner.welcome_secret(suite, &self.psk_secret(suite)).unwrap();
        let (key, nonce) = welcome_secret.key_and_nonce(suite).unwrap();
        let mut sealed = info.to_vec();
        suite.aead_seal(key.as_slice(), nonce.as_slice(), &[], &mut sealed).unwrap();
        let job = SealJob { public_key: &self.key_package.init_key, plaintext: secrets };
        let entry = || EncryptedGroupSecrets {
            new_member: self.key_package.reference(suite).unwrap(),
            encrypted_group_secrets: label::encrypt_with_label(suite, job, "Welcome", &sealed, &host.random).unwrap(),
        };
        Welcome {
            cipher_suite: self.cipher_suite,
            secrets: (0..self.entries).map(|_| entry()).collect(),
            encrypted_group_info: Opaque::new(sealed.clone()),
        }
    }

    /// The encoded GroupSecrets of a joiner secret.
    pub fn group_secrets(&self, joiner: &JoinerSecret) -> Vec<u8> {
        let secrets = GroupSecrets {
            joiner_secret: joiner.as_secret().duplicate(),
            path_secret: self.path_secret.as_ref().map(|secret| PathSecret(Secret::copy_from(secret))),
            psks: self.psks.iter().map(|(id, _)| id.clone()).collect(),
        };
        secrets.encode().unwrap().as_slice().to_vec()
    }

    /// The Welcome, an encoded MLSMessage.
    pub fn seal(&self, host: &Host) -> Vec<u8> {
        let joiner = self.joiner_secret(host);
        let info = encode(&self.group_info(host, &joiner)).unwrap();
        let welcome = self.seal_parts(host, &joiner, &info, &self.group_secrets(&joiner));
        encode(&MlsMessage::Welcome(Box::new(welcome))).unwrap()
    }
}
