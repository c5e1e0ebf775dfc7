//! A member of a group of OpenMLS, and what it does between handshakes.
//!
//! In: secrets to export, data to protect and to open. Out: the same in OpenMLS's words.
//! Always: the members of one process share nothing but signature keys.

use std::{collections::HashMap, fmt};

use interop::{Answer, Failure, message::CreateGroupRequest};
use openmls::ciphersuite::hash_ref::ProposalRef;
use openmls::prelude::{
    BasicCredential, GroupId, LeafNodeIndex, Member, MlsGroup, MlsGroupCreateConfig, OpenMlsProvider,
    ProcessedMessageContent,
};
use tls_codec::Serialize;

use super::client::{
    Client, Keys, PAST_EPOCHS, RESUMPTION_PSKS, capabilities, encoded, protocol_message, ratchets, suite_of,
    wire_format_policy,
};
use crate::wallet::Wallet;

/// One client's state of one group of OpenMLS.
pub struct OpenMlsMember {
    pub(super) client: Client,
    pub(super) group: MlsGroup,
    /// The proposals of this epoch that the group has, by message.
    pub(super) known: HashMap<Vec<u8>, ProposalRef>,
}

impl OpenMlsMember {
    pub(super) fn new(client: Client, group: MlsGroup) -> Self {
        Self { client, group, known: HashMap::new() }
    }

    pub(super) fn create(wallet: &Wallet<Keys>, call: &CreateGroupRequest) -> Answer<Self> {
        let number = u16::try_from(call.cipher_suite).map_err(|_| Failure::Malformed("cipher_suite"))?;
        let client = Client::new(wallet, suite_of(number)?, &call.identity)?;
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(client.suite)
            .wire_format_policy(wire_format_policy(call.encrypt_handshake))
            .max_past_epochs(PAST_EPOCHS)
            .number_of_resumption_psks(RESUMPTION_PSKS)
            .sender_ratchet_configuration(ratchets())
            .use_ratchet_tree_extension(true)
            .capabilities(capabilities())
            .build();
        let (id, credential) = (GroupId::from_slice(&call.group_id), client.credential.clone());
        let group = MlsGroup::new_with_group_id(client.provider(), client.signer(), &config, id, credential);
        Ok(Self::new(client, group.map_err(Failure::refused)?))
    }

    pub(super) fn group_info(&self, external_tree: bool) -> Answer<(Vec<u8>, Vec<u8>)> {
        let (crypto, signer) = (self.client.provider().crypto(), self.client.signer());
        let info = self.group.export_group_info(crypto, signer, !external_tree).map_err(Failure::refused)?;
        let tree = if external_tree { self.ratchet_tree()? } else { Vec::new() };
        Ok((encoded(&info)?, tree))
    }

    pub(super) fn ratchet_tree(&self) -> Answer<Vec<u8>> {
        self.group.export_ratchet_tree().tls_serialize_detached().map_err(Failure::refused)
    }

    pub(super) fn epoch_authenticator(&self) -> Vec<u8> {
        self.group.epoch_authenticator().as_slice().to_vec()
    }

    pub(super) fn export(&self, label: &str, context: &[u8], len: usize) -> Answer<Vec<u8>> {
        self.group.export_secret(self.client.provider().crypto(), label, context, len).map_err(Failure::refused)
    }

    pub(super) fn protect(&mut self, authenticated_data: &[u8], plaintext: &[u8]) -> Answer<Vec<u8>> {
        self.group.set_aad(authenticated_data.to_vec());
        let message = self.group.create_message(self.client.provider(), self.client.signer(), plaintext);
        // Only a message that was made takes the authenticated data with it.
        self.group.set_aad(Vec::new());
        encoded(&message.map_err(Failure::refused)?)
    }

    pub(super) fn unprotect(&mut self, ciphertext: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)> {
        let message = protocol_message(ciphertext)?;
        let processed = self.group.process_message(self.client.provider(), message).map_err(Failure::refused)?;
        let authenticated_data = processed.aad().to_vec();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => Ok((authenticated_data, message.into_bytes())),
            _ => Err(Failure::Malformed("application data")),
        }
    }

    /// The leaf of the member with this identity.
    pub(super) fn leaf_of(&self, identity: &[u8]) -> Answer<LeafNodeIndex> {
        leaf_of(self.group.members(), identity).map(|member| member.index)
    }
}

/// The member with this identity.
pub(super) fn leaf_of(members: impl IntoIterator<Item = Member>, identity: &[u8]) -> Answer<Member> {
    let mut members = members.into_iter();
    let found = members.find(|member| {
        BasicCredential::try_from(member.credential.clone()).is_ok_and(|basic| basic.identity() == identity)
    });
    found.ok_or(Failure::Malformed("no member has this identity"))
}

impl fmt::Debug for OpenMlsMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenMlsMember").field("epoch", &self.group.epoch()).finish_non_exhaustive()
    }
}
