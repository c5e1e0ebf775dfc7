//! A member of a group: messages (RFC 9420, Section 15), exporter, GroupInfo.

use std::collections::BTreeMap;

use mls_engine::{
    group::{CommitId, Framing, Group, MessageOptions, Processed, Step},
    message::ProposalRef,
};

use super::client::Client;
use crate::stack::{Answer, Failure};

/// One client's state of one group.
#[derive(Debug)]
pub struct Member {
    pub(super) client: Client,
    pub(super) group: Group,
    pub(super) encrypt_handshake: bool,
    /// Proposals of this epoch that are cached, by message.
    pub(super) known: BTreeMap<Vec<u8>, ProposalRef>,
    pub(super) pending: Option<CommitId>,
}

impl Member {
    pub(super) fn new(client: Client, group: Group, encrypt_handshake: bool) -> Self {
        Self { client, group, encrypt_handshake, known: BTreeMap::new(), pending: None }
    }

    /// Nothing is stored here, so a step is durable at once.
    pub(super) fn adopt(&mut self, step: Step) -> Answer<()> {
        self.group.adopt(&self.client.host.env(), step).map(drop).map_err(Failure::refused)
    }

    /// How our handshakes are framed.
    pub(super) fn handshake_options(&self) -> MessageOptions {
        let framing = if self.encrypt_handshake { Framing::Private } else { Framing::Public };
        MessageOptions { framing, ..MessageOptions::default() }
    }

    pub(super) fn group_info(&self, external_tree: bool) -> Answer<(Vec<u8>, Vec<u8>)> {
        let env = self.client.host.env();
        let group_info = self.group.group_info(&env, !external_tree, true).map_err(Failure::refused)?;
        let tree = if external_tree { self.group.ratchet_tree().map_err(Failure::refused)? } else { Vec::new() };
        Ok((group_info, tree))
    }

    pub(super) fn protect(&mut self, authenticated_data: &[u8], plaintext: &[u8]) -> Answer<Vec<u8>> {
        let options = MessageOptions { authenticated_data: authenticated_data.to_vec(), ..MessageOptions::default() };
        let sealed = self.group.send(&self.client.host.env(), plaintext, &options).map_err(Failure::refused)?;
        self.adopt(sealed.step)?;
        Ok(sealed.message)
    }

    pub(super) fn unprotect(&mut self, ciphertext: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)> {
        let env = self.client.host.env();
        let opened = match self.group.process(&env, ciphertext).map_err(Failure::refused)? {
            Processed::Application(opened) => opened,
            other => return Err(Failure::refused(other)),
        };
        let step = self.group.record(&env, opened.spent).map_err(Failure::refused)?;
        self.adopt(step)?;
        Ok((opened.authenticated_data, opened.plaintext))
    }
}
