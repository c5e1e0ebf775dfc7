//! mls-rs 0.57 as a stack.
//!
//! In: the harness's calls. Out: what mls-rs makes of them, with its portable cryptography and storage in memory.
//! Always: its interface makes everything but branches whose extensions are not the parent's.

mod change;
mod client;
mod commit;
mod join;
mod member;
mod outside;
mod rules;
mod subgroup;

use interop::{
    Answer, Change, CommitParams, Committed, ExternalJoinParams, Invitation, Outside, Published, Stack, SubgroupParams,
    message::{CreateGroupRequest, Extension, PreSharedKey},
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;

use self::client::Keys;
pub use self::{client::MlsRsJoiner, member::MlsRsMember, outside::MlsRsSigner, subgroup::MlsRsSuccessor};
use crate::wallet::Wallet;

/// mls-rs, as released.
#[derive(Debug, Default)]
pub struct MlsRs {
    wallet: Wallet<Keys>,
}

impl Stack for MlsRs {
    type Member = MlsRsMember;
    type Joiner = MlsRsJoiner;
    type Successor = MlsRsSuccessor;
    type Signer = MlsRsSigner;

    fn name(&self) -> &str {
        "mls-rs 0.57.0"
    }

    fn cipher_suites(&self) -> Vec<u16> {
        let mut suites: Vec<u16> =
            RustCryptoProvider::all_supported_cipher_suites().into_iter().map(u16::from).collect();
        suites.sort_unstable();
        suites
    }

    fn create_group(&self, call: &CreateGroupRequest) -> Answer<MlsRsMember> {
        MlsRsMember::create(&self.wallet, call)
    }

    fn create_key_package(&self, cipher_suite: u16, identity: &[u8]) -> Answer<(MlsRsJoiner, Published)> {
        MlsRsJoiner::publish(&self.wallet, cipher_suite, identity)
    }

    fn join(&self, joiner: &mut MlsRsJoiner, invitation: Invitation<'_>, encrypted: bool) -> Answer<MlsRsMember> {
        MlsRsMember::join(joiner, invitation, encrypted)
    }

    fn join_external(&self, params: &ExternalJoinParams<'_>) -> Answer<(MlsRsMember, Vec<u8>)> {
        MlsRsMember::join_external(&self.wallet, params)
    }

    fn group_info(&self, member: &mut MlsRsMember, external_tree: bool) -> Answer<(Vec<u8>, Vec<u8>)> {
        member.group_info(external_tree)
    }

    fn epoch_authenticator(&self, member: &MlsRsMember) -> Answer<Vec<u8>> {
        member.epoch_authenticator()
    }

    fn export(&self, member: &mut MlsRsMember, label: &str, context: &[u8], len: usize) -> Answer<Vec<u8>> {
        member.export(label, context, len)
    }

    fn protect(&self, member: &mut MlsRsMember, authenticated_data: &[u8], plaintext: &[u8]) -> Answer<Vec<u8>> {
        member.protect(authenticated_data, plaintext)
    }

    fn unprotect(&self, member: &mut MlsRsMember, ciphertext: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)> {
        member.unprotect(ciphertext)
    }

    fn store_psk(&self, member: &mut MlsRsMember, psk: &PreSharedKey) -> Answer<()> {
        member.stores.store_psk(psk);
        Ok(())
    }

    fn store_psk_to_join(&self, joiner: &mut MlsRsJoiner, psk: &PreSharedKey) -> Answer<()> {
        joiner.client.stores.store_psk(psk);
        Ok(())
    }

    fn propose(&self, member: &mut MlsRsMember, change: Change) -> Answer<Vec<u8>> {
        member.propose(change)
    }

    fn commit(&self, member: &mut MlsRsMember, params: CommitParams) -> Answer<Committed> {
        member.commit(params)
    }

    fn handle_pending_commit(&self, member: &mut MlsRsMember) -> Answer<()> {
        member.handle_pending_commit()
    }

    fn handle_commit(&self, member: &mut MlsRsMember, proposals: &[Vec<u8>], commit: &[u8]) -> Answer<()> {
        member.handle_commit(proposals, commit)
    }

    fn begin_reinit(&self, member: MlsRsMember) -> Answer<(MlsRsSuccessor, Vec<u8>)> {
        MlsRsSuccessor::of(&self.wallet, member)
    }

    fn reinit_welcome(
        &self,
        successor: &mut MlsRsSuccessor,
        params: &SubgroupParams<'_>,
    ) -> Answer<(MlsRsMember, Committed)> {
        successor.found(params)
    }

    fn handle_reinit_welcome(&self, successor: &mut MlsRsSuccessor, invitation: Invitation<'_>) -> Answer<MlsRsMember> {
        successor.join(invitation)
    }

    fn create_branch(
        &self,
        parent: &mut MlsRsMember,
        place: (&[u8], &[Extension]),
        params: &SubgroupParams<'_>,
    ) -> Answer<(MlsRsMember, Committed)> {
        parent.branch(place, params)
    }

    fn handle_branch(
        &self,
        parent: &mut MlsRsMember,
        joiner: &mut MlsRsJoiner,
        invitation: Invitation<'_>,
    ) -> Answer<MlsRsMember> {
        parent.join_branch(joiner, invitation)
    }

    fn new_member_add_proposal(&self, group_info: &[u8], identity: &[u8]) -> Answer<(MlsRsJoiner, Published)> {
        MlsRsJoiner::propose_self(&self.wallet, group_info, identity)
    }

    fn create_external_signer(&self, cipher_suite: u16, identity: &[u8]) -> Answer<(MlsRsSigner, Vec<u8>)> {
        MlsRsSigner::new(cipher_suite, identity)
    }

    fn external_signer_proposal(&self, signer: &MlsRsSigner, group: Outside<'_>, change: Change) -> Answer<Vec<u8>> {
        signer.propose(group, change)
    }
}
