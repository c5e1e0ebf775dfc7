//! GroupInfo and Welcome (RFC 9420, Sections 12.4.3 and 12.4.3.1): the committer's side.
//!
//! In: a next epoch, and the members it adds. Out: one Welcome for all of them, or a GroupInfo to publish.
//! Always: COM-18: every added member has exactly one entry; WEL-25: GREASE is in every GroupInfo.

use mls_crypto::{Opaque, SealJob, SignaturePrivateKey, SuiteCrypto, label};

use super::{Group, PublicState, epoch::EpochKeys};
use crate::{
    codec::encode,
    error::{OperationError, ProcessError},
    math::LeafIndex,
    message::{
        EncryptedGroupSecrets, ExtensionType, Extensions, ExternalPub, Grease, GroupInfo, GroupSecrets, KeyPackage,
        MlsMessage, PreSharedKeyId, Welcome,
    },
    policy::Env,
    schedule::{JoinerSecret, WelcomeSecret},
    tree::{PathCreated, seal_in_parallel},
};

/// Label of Section 12.4.3.1.
pub(super) const WELCOME_LABEL: &str = "Welcome";

/// The epoch that is described, and who describes it.
pub(super) struct WelcomeParts<'a> {
    pub(super) suite: &'a dyn SuiteCrypto,
    pub(super) public: &'a PublicState,
    pub(super) keys: &'a EpochKeys,
    pub(super) signer: LeafIndex,
    pub(super) signature_key: &'a SignaturePrivateKey,
    pub(super) with_tree: bool,
    pub(super) with_external_pub: bool,
}

/// The members a commit adds.
pub(super) struct NewMembers<'a> {
    pub(super) added: &'a [(LeafIndex, KeyPackage)],
    pub(super) psks: &'a [PreSharedKeyId],
    pub(super) path: Option<&'a PathCreated>,
}

impl WelcomeParts<'_> {
    /// A signed GroupInfo of the epoch.
    pub(super) fn group_info(&self, env: &Env<'_>) -> Result<GroupInfo, ProcessError> {
        let mut extensions = Extensions::new();
        if self.with_tree {
            extensions.set(ExtensionType::RATCHET_TREE, self.public.tree().encode()?);
        }
        if self.with_external_pub {
            let (_, external_pub) = self.keys.external_secret.key_pair(self.suite)?;
            extensions.set_body(ExtensionType::EXTERNAL_PUB, &ExternalPub { external_pub })?;
        }
        Grease::draw(env.random)?.group_info_extension(&mut extensions);
        let mut info = GroupInfo {
            group_context: self.public.context().clone(),
            extensions,
            confirmation_tag: *self.public.confirmation_tag(),
            signer: self.signer,
            signature: Opaque::new(Vec::new()),
        };
        let tbs = info.tbs()?;
        let signature = label::sign_with_label(self.suite, self.signature_key, GroupInfo::SIGNATURE_LABEL, &tbs)?;
        info.signature = Opaque::new(signature);
        Ok(info)
    }

    /// One Welcome for all new members, an encoded MLSMessage.
    pub(super) fn welcome(
        &self,
        env: &Env<'_>,
        new: &NewMembers<'_>,
        joiner_secret: JoinerSecret,
        welcome_secret: WelcomeSecret,
    ) -> Result<Vec<u8>, ProcessError> {
        let mut encrypted_group_info = encode(&self.group_info(env)?)?;
        let (key, nonce) = welcome_secret.key_and_nonce(self.suite)?;
        self.suite.aead_seal(key.as_slice(), nonce.as_slice(), &[], &mut encrypted_group_info)?;
        let secrets = new
            .added
            .iter()
            .map(|(index, _)| {
                GroupSecrets {
                    // COM-19
                    joiner_secret: joiner_secret.as_secret().duplicate(),
                    path_secret: new.path.and_then(|path| path.secret_for(*index)),
                    // COM-16
                    psks: new.psks.to_vec(),
                }
                .encode()
            })
            .collect::<Result<Vec<_>, _>>()?;
        let jobs: Vec<_> = new
            .added
            .iter()
            .zip(&secrets)
            .map(|((_, package), secrets)| SealJob { public_key: &package.init_key, plaintext: secrets.as_slice() })
            .collect();
        // WEL-03: the context is the encrypted GroupInfo, hashed once for all.
        let sealed = seal_in_parallel(env, self.suite, &jobs, WELCOME_LABEL, &encrypted_group_info)?;
        let secrets = new
            .added
            .iter()
            .zip(sealed)
            .map(|((_, package), encrypted_group_secrets)| {
                Ok(EncryptedGroupSecrets { new_member: package.reference(self.suite)?, encrypted_group_secrets })
            })
            .collect::<Result<Vec<_>, ProcessError>>()?;
        let welcome = Welcome {
            cipher_suite: self.suite.cipher_suite(),
            secrets,
            encrypted_group_info: Opaque::new(encrypted_group_info),
        };
        Ok(encode(&MlsMessage::Welcome(Box::new(welcome)))?)
    }
}

impl Group {
    /// A GroupInfo of this epoch to publish, an encoded MLSMessage.
    ///
    /// # Errors
    /// [`OperationError::Rule`] if we are no active member, or signing fails.
    pub fn group_info(
        &self,
        env: &Env<'_>,
        with_tree: bool,
        with_external_pub: bool,
    ) -> Result<Vec<u8>, OperationError> {
        self.check_active()?;
        let parts = WelcomeParts {
            suite: self.suite.as_ref(),
            public: &self.public,
            keys: &self.keys,
            signer: self.own_index(),
            signature_key: &self.signature_key,
            with_tree,
            with_external_pub,
        };
        Ok(encode(&MlsMessage::GroupInfo(Box::new(parts.group_info(env)?)))?)
    }
}
