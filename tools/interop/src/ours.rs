//! Our engine, as an implementation under test.
//!
//! In: a crypto provider. Out: a [`Stack`] of its suites.
//! Always: keys are random and the clock is real; every basic credential is believed, as the harness asks.

mod client;
mod commit;
mod external;
mod host;
mod join;
mod member;
mod proposal;
mod reinit;

use std::sync::Arc;

use mls_crypto::{CipherSuite, CryptoProvider};
use mls_engine::group::Group;

pub use external::Signer;
pub use join::Joiner;
pub use member::Member;
pub use reinit::Successor;

use crate::{
    message::{CreateGroupRequest, Extension, PreSharedKey},
    stack::{
        Answer, Change, CommitParams, Committed, ExternalJoinParams, Failure, Invitation, Outside, Published, Stack,
        SubgroupParams,
    },
};
use client::Client;

/// Our engine over one provider.
#[derive(Debug)]
pub struct Ours {
    name: String,
    provider: Arc<dyn CryptoProvider>,
    grease_extensions: bool,
}

impl Ours {
    /// The engine over this provider. Clients send GREASE wherever it may be.
    pub fn new(name: &str, provider: Arc<dyn CryptoProvider>) -> Self {
        Self { name: name.to_owned(), provider, grease_extensions: true }
    }

    /// Leaves GREASE *extensions* out, for groups with clients that refuse them (OpenMLS up to 0.9.2).
    #[must_use]
    pub fn without_grease_extensions(self) -> Self {
        Self { grease_extensions: false, ..self }
    }

    fn client(&self, cipher_suite: u16, identity: &[u8]) -> Answer<Client> {
        let host = host::Host::new(Arc::clone(&self.provider), self.grease_extensions);
        Client::new(host, CipherSuite(cipher_suite), identity)
    }
}

impl Stack for Ours {
    type Member = Member;
    type Joiner = Joiner;
    type Successor = Successor;
    type Signer = Signer;

    fn name(&self) -> &str {
        &self.name
    }

    fn cipher_suites(&self) -> Vec<u16> {
        self.provider.cipher_suites().into_iter().map(|suite| suite.0).collect()
    }

    fn create_group(&self, call: &CreateGroupRequest) -> Answer<Member> {
        let client = self.client(crate::stack::suite_of(call.cipher_suite)?, &call.identity)?;
        let created = Group::create(&client.host.env(), client.create_params(call.group_id.clone()));
        let group = created.map_err(Failure::refused)?.group;
        Ok(Member::new(client, group, call.encrypt_handshake))
    }

    fn create_key_package(&self, cipher_suite: u16, identity: &[u8]) -> Answer<(Joiner, Published)> {
        Joiner::new(self.client(cipher_suite, identity)?)
    }

    fn join(&self, joiner: &mut Joiner, invitation: Invitation<'_>, encrypt_handshake: bool) -> Answer<Member> {
        joiner.join(invitation, encrypt_handshake)
    }

    fn join_external(&self, params: &ExternalJoinParams<'_>) -> Answer<(Member, Vec<u8>)> {
        let suite = external::context(params.group_info)?.cipher_suite;
        Member::join_external(self.client(suite.0, params.identity)?, params)
    }

    fn group_info(&self, member: &mut Member, external_tree: bool) -> Answer<(Vec<u8>, Vec<u8>)> {
        member.group_info(external_tree)
    }

    fn epoch_authenticator(&self, member: &Member) -> Answer<Vec<u8>> {
        Ok(member.group.epoch_authenticator().as_slice().to_vec())
    }

    fn export(&self, member: &mut Member, label: &str, context: &[u8], len: usize) -> Answer<Vec<u8>> {
        let exported = member.group.export_secret(label, context, len).map_err(Failure::refused)?;
        Ok(exported.as_slice().to_vec())
    }

    fn protect(&self, member: &mut Member, authenticated_data: &[u8], plaintext: &[u8]) -> Answer<Vec<u8>> {
        member.protect(authenticated_data, plaintext)
    }

    fn unprotect(&self, member: &mut Member, ciphertext: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)> {
        member.unprotect(ciphertext)
    }

    fn store_psk(&self, member: &mut Member, psk: &PreSharedKey) -> Answer<()> {
        member.client.host.add_psk(psk);
        Ok(())
    }

    fn store_psk_to_join(&self, joiner: &mut Joiner, psk: &PreSharedKey) -> Answer<()> {
        joiner.client.host.add_psk(psk);
        Ok(())
    }

    fn propose(&self, member: &mut Member, change: Change) -> Answer<Vec<u8>> {
        member.propose(change)
    }

    fn commit(&self, member: &mut Member, params: CommitParams) -> Answer<Committed> {
        member.commit(params)
    }

    fn handle_pending_commit(&self, member: &mut Member) -> Answer<()> {
        member.handle_pending_commit()
    }

    fn handle_commit(&self, member: &mut Member, proposals: &[Vec<u8>], commit: &[u8]) -> Answer<()> {
        member.handle_commit(proposals, commit)
    }

    fn begin_reinit(&self, member: Member) -> Answer<(Successor, Vec<u8>)> {
        Successor::new(member)
    }

    fn reinit_welcome(&self, successor: &mut Successor, params: &SubgroupParams<'_>) -> Answer<(Member, Committed)> {
        successor.welcome(params)
    }

    fn handle_reinit_welcome(&self, successor: &mut Successor, invitation: Invitation<'_>) -> Answer<Member> {
        successor.join(invitation)
    }

    fn create_branch(
        &self,
        parent: &mut Member,
        (group_id, extensions): (&[u8], &[Extension]),
        params: &SubgroupParams<'_>,
    ) -> Answer<(Member, Committed)> {
        let suite = parent.group.cipher_suite();
        let client = self.client(suite.0, &parent.client.identity)?;
        parent.create_branch(client, (group_id, extensions), params)
    }

    fn handle_branch(&self, parent: &mut Member, joiner: &mut Joiner, invitation: Invitation<'_>) -> Answer<Member> {
        joiner.client.host.remember(&parent.group);
        joiner.join(invitation, parent.encrypt_handshake)
    }

    fn new_member_add_proposal(&self, group_info: &[u8], identity: &[u8]) -> Answer<(Joiner, Published)> {
        let suite = external::context(group_info)?.cipher_suite;
        Joiner::ask_to_join(self.client(suite.0, identity)?, group_info)
    }

    fn create_external_signer(&self, cipher_suite: u16, identity: &[u8]) -> Answer<(Signer, Vec<u8>)> {
        Signer::new(self.client(cipher_suite, identity)?)
    }

    fn external_signer_proposal(&self, signer: &Signer, group: Outside<'_>, change: Change) -> Answer<Vec<u8>> {
        signer.propose(group, change)
    }
}
