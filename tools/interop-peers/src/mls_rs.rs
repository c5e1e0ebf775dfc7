//! mls-rs 0.57 as a stack.
//!
//! In: the harness's calls. Out: what mls-rs makes of them, with any cryptography made for it and storage in memory.
//! Always: its interface makes everything but branches whose extensions are not the parent's.

mod change;
mod client;
mod commit;
mod join;
mod member;
mod outside;
mod rules;
mod subgroup;

use std::fmt;

use interop::{
    Answer, Change, CommitParams, Committed, ExternalJoinParams, Invitation, Outside, Published, Stack, SubgroupParams,
    message::{CreateGroupRequest, Extension, PreSharedKey},
};
use mls_rs::CryptoProvider;
use mls_rs_crypto_rustcrypto::RustCryptoProvider;

use self::client::Common;
pub use self::{client::MlsRsJoiner, member::MlsRsMember, outside::MlsRsSigner, subgroup::MlsRsSuccessor};

/// Cryptography that clients of mls-rs can have.
pub trait Crypto: CryptoProvider + Clone + 'static {}

impl<C: CryptoProvider + Clone + 'static> Crypto for C {}

/// mls-rs, as released; with its portable cryptography, unless it is told otherwise.
pub struct MlsRs<C = RustCryptoProvider> {
    common: Common<C>,
}

impl<C: Crypto> MlsRs<C> {
    /// mls-rs with this cryptography, for the suites that it says it has.
    pub fn over(provider: C) -> Self {
        Self { common: Common::new(provider) }
    }
}

impl Default for MlsRs {
    fn default() -> Self {
        Self::over(RustCryptoProvider::default())
    }
}

impl<C> fmt::Debug for MlsRs<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MlsRs(..)")
    }
}

impl<C: Crypto> Stack for MlsRs<C> {
    type Member = MlsRsMember<C>;
    type Joiner = MlsRsJoiner<C>;
    type Successor = MlsRsSuccessor<C>;
    type Signer = MlsRsSigner<C>;

    fn name(&self) -> &str {
        "mls-rs 0.57.0"
    }

    fn cipher_suites(&self) -> Vec<u16> {
        let mut suites: Vec<u16> = self.common.provider.supported_cipher_suites().into_iter().map(u16::from).collect();
        suites.sort_unstable();
        suites
    }

    fn create_group(&self, call: &CreateGroupRequest) -> Answer<MlsRsMember<C>> {
        MlsRsMember::create(&self.common, call)
    }

    fn create_key_package(&self, cipher_suite: u16, identity: &[u8]) -> Answer<(MlsRsJoiner<C>, Published)> {
        MlsRsJoiner::publish(&self.common, cipher_suite, identity)
    }

    fn join(&self, joiner: &mut MlsRsJoiner<C>, invitation: Invitation<'_>, encrypted: bool) -> Answer<MlsRsMember<C>> {
        MlsRsMember::join(joiner, invitation, encrypted)
    }

    fn join_external(&self, params: &ExternalJoinParams<'_>) -> Answer<(MlsRsMember<C>, Vec<u8>)> {
        MlsRsMember::join_external(&self.common, params)
    }

    fn group_info(&self, member: &mut MlsRsMember<C>, external_tree: bool) -> Answer<(Vec<u8>, Vec<u8>)> {
        member.group_info(external_tree)
    }

    fn epoch_authenticator(&self, member: &MlsRsMember<C>) -> Answer<Vec<u8>> {
        member.epoch_authenticator()
    }

    fn export(&self, member: &mut MlsRsMember<C>, label: &str, context: &[u8], len: usize) -> Answer<Vec<u8>> {
        member.export(label, context, len)
    }

    fn protect(&self, member: &mut MlsRsMember<C>, authenticated_data: &[u8], plaintext: &[u8]) -> Answer<Vec<u8>> {
        member.protect(authenticated_data, plaintext)
    }

    fn unprotect(&self, member: &mut MlsRsMember<C>, ciphertext: &[u8]) -> Answer<(Vec<u8>, Vec<u8>)> {
        member.unprotect(ciphertext)
    }

    fn store_psk(&self, member: &mut MlsRsMember<C>, psk: &PreSharedKey) -> Answer<()> {
        member.stores.store_psk(psk);
        Ok(())
    }

    fn store_psk_to_join(&self, joiner: &mut MlsRsJoiner<C>, psk: &PreSharedKey) -> Answer<()> {
        joiner.client.stores.store_psk(psk);
        Ok(())
    }

    fn propose(&self, member: &mut MlsRsMember<C>, change: Change) -> Answer<Vec<u8>> {
        member.propose(change)
    }

    fn commit(&self, member: &mut MlsRsMember<C>, params: CommitParams) -> Answer<Committed> {
        member.commit(params)
    }

    fn handle_pending_commit(&self, member: &mut MlsRsMember<C>) -> Answer<()> {
        member.handle_pending_commit()
    }

    fn handle_commit(&self, member: &mut MlsRsMember<C>, proposals: &[Vec<u8>], commit: &[u8]) -> Answer<()> {
        member.handle_commit(proposals, commit)
    }

    fn begin_reinit(&self, member: MlsRsMember<C>) -> Answer<(MlsRsSuccessor<C>, Vec<u8>)> {
        MlsRsSuccessor::of(&self.common, member)
    }

    fn reinit_welcome(
        &self,
        successor: &mut MlsRsSuccessor<C>,
        params: &SubgroupParams<'_>,
    ) -> Answer<(MlsRsMember<C>, Committed)> {
        successor.found(params)
    }

    fn handle_reinit_welcome(
        &self,
        successor: &mut MlsRsSuccessor<C>,
        invitation: Invitation<'_>,
    ) -> Answer<MlsRsMember<C>> {
        successor.join(invitation)
    }

    fn create_branch(
        &self,
        parent: &mut MlsRsMember<C>,
        place: (&[u8], &[Extension]),
        params: &SubgroupParams<'_>,
    ) -> Answer<(MlsRsMember<C>, Committed)> {
        parent.branch(place, params)
    }

    fn handle_branch(
        &self,
        parent: &mut MlsRsMember<C>,
        joiner: &mut MlsRsJoiner<C>,
        invitation: Invitation<'_>,
    ) -> Answer<MlsRsMember<C>> {
        parent.join_branch(joiner, invitation)
    }

    fn new_member_add_proposal(&self, group_info: &[u8], identity: &[u8]) -> Answer<(MlsRsJoiner<C>, Published)> {
        MlsRsJoiner::propose_self(&self.common, group_info, identity)
    }

    fn create_external_signer(&self, cipher_suite: u16, identity: &[u8]) -> Answer<(MlsRsSigner<C>, Vec<u8>)> {
        MlsRsSigner::new(&self.common, cipher_suite, identity)
    }

    fn external_signer_proposal(&self, signer: &MlsRsSigner<C>, group: Outside<'_>, change: Change) -> Answer<Vec<u8>> {
        signer.propose(group, change)
    }
}
