//! OpenMLS 0.9 as a stack.
//!
//! In: the harness's calls. Out: what OpenMLS makes of them, with its portable cryptography and storage in memory.
//! Always: its interface makes no ReInit, no branch, and no PSK or ReInit of an external sender.

mod client;
mod commit;
mod join;
mod member;
mod outside;
mod propose;

use core::convert::Infallible;

use interop::{
    Answer, Change, CommitParams, Committed, ExternalJoinParams, Invitation, Outside, Published, Stack,
    message::{CreateGroupRequest, PreSharedKey},
};

use self::client::{Keys, SUITES};
pub use self::{client::OpenMlsJoiner, member::OpenMlsMember, outside::OpenMlsSigner};
use crate::wallet::Wallet;

/// OpenMLS, as released.
#[derive(Debug, Default)]
pub struct OpenMls {
    wallet: Wallet<Keys>,
}

impl Stack for OpenMls {
    type Member = OpenMlsMember;
    type Joiner = OpenMlsJoiner;
    type Successor = Infallible;
    type Signer = OpenMlsSigner;

    fn name(&self) -> &str {
        "OpenMLS 0.9.2"
    }

    fn cipher_suites(&self) -> Vec<u16> {
        SUITES.into_iter().map(u16::from).collect()
    }

    fn create_group(&self, call: &CreateGroupRequest) -> Answer<OpenMlsMember> {
        OpenMlsMember::create(&self.wallet, call)
    }

    fn create_key_package(&self, cipher_suite: u16, identity: &[u8]) -> Answer<(OpenMlsJoiner, Published)> {
        OpenMlsJoiner::publish(&self.wallet, cipher_suite, identity)
    }

    fn join(&self, joiner: &mut OpenMlsJoiner, invitation: Invitation<'_>, encrypted: bool) -> Answer<OpenMlsMember> {
        OpenMlsMember::join(joiner, invitation, encrypted)
    }

    fn join_external(&self, params: &ExternalJoinParams<'_>) -> Answer<(OpenMlsMember, Vec<u8>)> {
        OpenMlsMember::join_external(&self.wallet, params)
    }

    fn group_info(&self, member: &mut OpenMlsMember, external_tree: bool) -> Answer<(Vec<u8>, Vec<u8>)> {
        member.group_info(external_tree)
    }

    fn epoch_authenticator(&self, member: &OpenMlsMember) -> Answer<Vec<u8>> {
        Ok(member.epoch_authenticator())
    }

    fn export(&self, member: &mut OpenMlsMember, label: &str, context: &[u8], len: usize) -> Answer<Vec<u8>> {
        member.export(label, context, len)
    }

    fn protect(&self, member: &mut OpenMlsMember, authenticated_data: &[u8], plaintext: &[u8]) -> Answer<Vec<u8>> {
        member.protect(authenticated_data, plaintext)
    }

    fn unprotect(&self, member: &mut OpenMlsMember, ciphertext: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)> {
        member.unprotect(ciphertext)
    }

    fn store_psk(&self, member: &mut OpenMlsMember, psk: &PreSharedKey) -> Answer<()> {
        member.client.store_psk(psk)
    }

    fn store_psk_to_join(&self, joiner: &mut OpenMlsJoiner, psk: &PreSharedKey) -> Answer<()> {
        joiner.client.store_psk(psk)
    }

    fn propose(&self, member: &mut OpenMlsMember, change: Change) -> Answer<Vec<u8>> {
        member.propose(change)
    }

    fn commit(&self, member: &mut OpenMlsMember, params: CommitParams) -> Answer<Committed> {
        member.commit(params)
    }

    fn handle_pending_commit(&self, member: &mut OpenMlsMember) -> Answer<()> {
        member.handle_pending_commit()
    }

    fn handle_commit(&self, member: &mut OpenMlsMember, proposals: &[Vec<u8>], commit: &[u8]) -> Answer<()> {
        member.handle_commit(proposals, commit)
    }

    fn new_member_add_proposal(&self, group_info: &[u8], identity: &[u8]) -> Answer<(OpenMlsJoiner, Published)> {
        OpenMlsJoiner::propose_self(&self.wallet, group_info, identity)
    }

    fn create_external_signer(&self, cipher_suite: u16, identity: &[u8]) -> Answer<(OpenMlsSigner, Vec<u8>)> {
        OpenMlsSigner::new(cipher_suite, identity)
    }

    fn external_signer_proposal(&self, signer: &OpenMlsSigner, group: Outside<'_>, change: Change) -> Answer<Vec<u8>> {
        signer.propose(group, change)
    }
}
