//! Beginning a group that continues another (RFC 9420, Sections 11.2 and 11.3).

use mls_crypto::CipherSuite;
use mls_engine::{
    group::{BranchParams, CommitOptions, Group, MessageOptions, Pending, Successor, SuccessorParams},
    message::Extensions,
};

use super::{
    Client, Inner, OwnKey,
    groups::{Beginning, GROUP_ID_LEN},
};
use crate::core_mls::{GROUP_NAME, MlsHandle, cell::GroupCell, error::MlsResult};

impl Client {
    /// A key package of another suite than configured, for one use: for a group that is about to go on under it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{CipherSuite, Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let key_package = alice.generate_key_package_for(CipherSuite::X25519_AES128)?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::CryptoError`] if we do not have the suite, or our key is none of its kind;
    /// [`crate::core_mls::MlsError::Store`].
    pub fn generate_key_package_for(&self, cipher_suite: CipherSuite) -> MlsResult<Vec<u8>> {
        self.inner.generate_one_for(cipher_suite)
    }

    /// The group that a ReInit named.
    pub(crate) fn succeed(&self, old: &GroupCell, key_packages: &[Vec<u8>]) -> MlsResult<(MlsHandle, Pending)> {
        let inner = &self.inner;
        let own = inner.own.current();
        let params = inner.successor(&own, key_packages)?;
        let successor = old.look(|group| Ok(group.create_reinit(&inner.env(), params)?))?;
        self.begin_successor(successor)
    }

    /// A group of some of the members.
    pub(crate) fn branch(
        &self,
        old: &GroupCell,
        name: Option<&str>,
        key_packages: &[Vec<u8>],
    ) -> MlsResult<(MlsHandle, Pending)> {
        let inner = &self.inner;
        let mut extensions = Extensions::new();
        if let Some(name) = name {
            extensions.set(GROUP_NAME, name.as_bytes().to_vec());
        }
        let own = inner.own.current();
        let (group_id, successor) = (inner.new_group_id()?, inner.successor(&own, key_packages)?);
        let params = BranchParams { group_id, extensions, successor };
        self.begin_successor(old.look(|group| Ok(group.create_branch(&inner.env(), params)?))?)
    }

    fn begin_successor(&self, successor: Successor) -> MlsResult<(MlsHandle, Pending)> {
        let Successor { group, changes, pending } = successor;
        // One that nobody else is in yet was begun before.
        let replaces = |group: &Group| group.epoch() == 0 && group.member_count() == 1;
        let handle = self.begin(Beginning { group, changes, key_package: None, replaces, keeps_past: false })?;
        Ok((handle, pending))
    }
}

impl Inner {
    /// GRP-03
    pub(crate) fn new_group_id(&self) -> MlsResult<Vec<u8>> {
        let mut group_id = vec![0; GROUP_ID_LEN];
        self.random.fill(&mut group_id)?;
        Ok(group_id)
    }

    fn successor<'a>(&self, own: &'a OwnKey, key_packages: &[Vec<u8>]) -> MlsResult<SuccessorParams<'a>> {
        let message = MessageOptions { padding: self.config.padding, ..MessageOptions::default() };
        let tree_in_welcome = self.config.tree_in_welcome;
        Ok(SuccessorParams {
            credential: self.credential(),
            signature_key: &own.private,
            capabilities: self.capabilities(),
            lifetime: self.lifetime(),
            leaf_extensions: own.leaf_extensions()?,
            key_packages: key_packages.to_vec(),
            commit: CommitOptions { message, tree_in_welcome, ..CommitOptions::default() },
        })
    }
}
