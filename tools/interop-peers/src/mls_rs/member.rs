//! A member of a group of mls-rs, and what it does between handshakes.
//!
//! In: secrets to export, data to protect and to open. Out: the same in mls-rs's words.
//! Always: past epochs are written out a few at a time: mls-rs keeps them in memory until then.

use std::{collections::HashMap, fmt};

use interop::{Answer, Failure, message::CreateGroupRequest};
use mls_rs::{
    CipherSuite, ExtensionList, Group,
    group::{CommitEffect, ReceivedMessage},
    mls_rules::ProposalRef,
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;

use super::{
    Crypto,
    client::{Common, Config, NewClient, Stores, decoded, encoded},
};

/// One client's state of one group of mls-rs.
pub struct MlsRsMember<C: Crypto = RustCryptoProvider> {
    pub(super) group: Group<Config<C>>,
    pub(super) stores: Stores,
    pub(super) identity: Vec<u8>,
    /// The proposals of this epoch that the group has, by message.
    pub(super) known: HashMap<Vec<u8>, ProposalRef>,
    /// The suite of the group that continues this one, which has ended.
    pub(super) next_suite: Option<CipherSuite>,
    unwritten: usize,
}

impl<C: Crypto> MlsRsMember<C> {
    pub(super) fn new(group: Group<Config<C>>, stores: Stores, identity: Vec<u8>) -> Self {
        Self { group, stores, identity, known: HashMap::new(), next_suite: None, unwritten: 0 }
    }

    pub(super) fn create(common: &Common<C>, call: &CreateGroupRequest) -> Answer<Self> {
        let suite = u16::try_from(call.cipher_suite).map_err(|_| Failure::Malformed("cipher_suite"))?;
        let NewClient { client, stores, identity, .. } = NewClient::new(common, suite.into(), &call.identity)?;
        stores.rules.encrypt(call.encrypt_handshake);
        let (context, leaf) = (ExtensionList::new(), ExtensionList::new());
        let group = client.create_group_with_id(call.group_id.clone(), context, leaf, None);
        Ok(Self::new(group.map_err(Failure::refused)?, stores, identity))
    }

    pub(super) fn group_info(&self, external_tree: bool) -> Answer<(Vec<u8>, Vec<u8>)> {
        let info = self.group.group_info_message_allowing_ext_commit(!external_tree).map_err(Failure::refused)?;
        let tree = if external_tree { self.ratchet_tree()? } else { Vec::new() };
        Ok((encoded(&info)?, tree))
    }

    pub(super) fn ratchet_tree(&self) -> Answer<Vec<u8>> {
        self.group.export_tree().to_bytes().map_err(Failure::refused)
    }

    pub(super) fn epoch_authenticator(&self) -> Answer<Vec<u8>> {
        Ok(self.group.epoch_authenticator().map_err(Failure::refused)?.to_vec())
    }

    pub(super) fn export(&self, label: &str, context: &[u8], len: usize) -> Answer<Vec<u8>> {
        Ok(self.group.export_secret(label.as_bytes(), context, len).map_err(Failure::refused)?.to_vec())
    }

    pub(super) fn protect(&mut self, authenticated_data: &[u8], plaintext: &[u8]) -> Answer<Vec<u8>> {
        let message = self.group.encrypt_application_message(plaintext, authenticated_data.to_vec());
        encoded(&message.map_err(Failure::refused)?)
    }

    pub(super) fn unprotect(&mut self, ciphertext: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)> {
        match self.group.process_incoming_message(decoded(ciphertext)?).map_err(Failure::refused)? {
            ReceivedMessage::ApplicationMessage(message) => {
                let plaintext = message.data().to_vec();
                Ok((message.authenticated_data, plaintext))
            }
            _ => Err(Failure::Malformed("application data")),
        }
    }

    /// What follows from a commit that was applied.
    pub(super) fn moved(&mut self, effect: CommitEffect) -> Answer<()> {
        self.known.clear();
        if let CommitEffect::ReInit(reinit) = effect {
            self.next_suite = Some(reinit.proposal.new_cipher_suite());
        }
        self.unwritten = self.unwritten.saturating_add(1);
        if self.unwritten >= WRITTEN_TOGETHER {
            self.group.write_to_storage().map_err(Failure::refused)?;
            self.unwritten = 0;
        }
        Ok(())
    }

    /// The leaf of the member with this identity.
    pub(super) fn leaf_of(&self, identity: &[u8]) -> Answer<u32> {
        let member = self.group.member_with_identity(identity);
        member.map(|member| member.index).map_err(|_| Failure::Malformed("no member has this identity"))
    }
}

/// Epochs written out together: a write takes as long as the group is large.
const WRITTEN_TOGETHER: usize = 4;

impl<C: Crypto> fmt::Debug for MlsRsMember<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MlsRsMember").field("epoch", &self.group.current_epoch()).finish_non_exhaustive()
    }
}
