//! What lets others into a forged group (RFC 9420, Sections 12.4.3 and 12.4.3.1).
//!
//! In: a forged group. Out: a Welcome for its joiner, or a GroupInfo to join by external commit; both by leaf 0, with
//! the tree inside and no GREASE.

use mls_crypto::{Opaque, SealJob, SuiteCrypto, label};
use mls_engine::{
    codec::encode,
    math::LeafIndex,
    message::{
        EncryptedGroupSecrets, ExtensionType, Extensions, ExternalPub, GroupInfo, GroupSecrets, MlsMessage, PathSecret,
        Welcome,
    },
    schedule::PskSecret,
};

use super::Forged;
use crate::network::Host;

impl Forged {
    /// The Welcome for the joiner, an encoded MLSMessage.
    pub fn welcome(&self, host: &Host) -> Vec<u8> {
        let joiner = self.joiner.as_ref().expect("a joiner");
        let suite = host.crypto.suite(self.context.cipher_suite).unwrap();
        let suite = suite.as_ref();
        let mut encrypted_group_info = encode(&self.signed_group_info(suite)).unwrap();
        let welcome_secret = self.joiner_secret.welcome_secret(suite, &PskSecret::none(suite)).unwrap();
        let (key, nonce) = welcome_secret.key_and_nonce(suite).unwrap();
        suite.aead_seal(key.as_slice(), nonce.as_slice(), &[], &mut encrypted_group_info).unwrap();
        let secrets = GroupSecrets {
            joiner_secret: self.joiner_secret.as_secret().duplicate(),
            path_secret: self.first_path_secret.as_ref().map(|secret| PathSecret(secret.duplicate())),
            psks: Vec::new(),
        };
        let plaintext = secrets.encode().unwrap();
        let job = SealJob { public_key: &joiner.init_key, plaintext: plaintext.as_slice() };
        let sealed = label::encrypt_with_label(suite, job, "Welcome", &encrypted_group_info, &host.random).unwrap();
        let entry =
            EncryptedGroupSecrets { new_member: joiner.reference(suite).unwrap(), encrypted_group_secrets: sealed };
        let welcome = Welcome {
            cipher_suite: self.context.cipher_suite,
            secrets: vec![entry],
            encrypted_group_info: Opaque::new(encrypted_group_info),
        };
        encode(&MlsMessage::Welcome(Box::new(welcome))).unwrap()
    }

    /// The GroupInfo, an encoded MLSMessage that allows external commits.
    pub fn group_info(&self, host: &Host) -> Vec<u8> {
        let suite = host.crypto.suite(self.context.cipher_suite).unwrap();
        encode(&MlsMessage::GroupInfo(Box::new(self.signed_group_info(suite.as_ref())))).unwrap()
    }

    fn signed_group_info(&self, suite: &dyn SuiteCrypto) -> GroupInfo {
        let (_, external_pub) = self.epoch_secrets(suite).external_secret.key_pair(suite).unwrap();
        let mut extensions = Extensions::new();
        extensions.set(ExtensionType::RATCHET_TREE, self.tree.encode().unwrap());
        extensions.set_body(ExtensionType::EXTERNAL_PUB, &ExternalPub { external_pub }).unwrap();
        let mut info = GroupInfo {
            group_context: self.context.clone(),
            extensions,
            confirmation_tag: self.confirmation_tag,
            signer: LeafIndex::FIRST,
            signature: Opaque::new(Vec::new()),
        };
        let key = &self.members[0].as_ref().unwrap().signature_key;
        let tbs = info.tbs().unwrap();
        info.signature = Opaque::new(label::sign_with_label(suite, key, GroupInfo::SIGNATURE_LABEL, &tbs).unwrap());
        info
    }
}
