//! Joining without an invitation, by external commit (RFC 9420, Section 12.4.3.2; CAP-07).
//!
//! In: a published group info. Out: a commit, and a group to hold once it was accepted.
//! Always: EXT-14: nothing is stored before the caller says that the group has accepted the commit.

use mls_engine::{
    group::{Change, ExternalJoinParams, Group, Observer},
    math::LeafIndex,
    message::PskKind,
};

use super::{Client, Inner, groups::Beginning};
use crate::core_mls::{
    MlsHandle,
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
};

/// A group we are about to join. Dropping it changes nothing.
#[derive(Debug)]
#[must_use = "submit the commit, then call `accepted`"]
pub struct ExternalJoin {
    client: Client,
    commit: MlsEnvelope,
    group: Group,
    changes: Vec<Change>,
    keeps_past: bool,
}

impl Client {
    /// Works out an external commit that adds us, from what [`MlsHandle::group_info`] gave. If we are a member already,
    /// with this very key, our old leaf is replaced: a way back after losing state.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsConfig, MlsError, TrustOnFirstUse};
    /// let mut config = MlsConfig::default();
    /// config.external_joins = true;
    /// # let alice = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(config.clone()).open()?;
    /// # let bob = Client::builder(b"bob", Arc::new(TrustOnFirstUse::new())).config(config).open()?;
    /// let group = alice.create_group(None)?;
    /// let join = bob.join_external(&group.group_info()?, None)?;
    /// group.receive_commit(join.commit())?;
    /// assert_eq!(join.accepted()?.epoch_authenticator()?, group.epoch_authenticator()?);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::ExternalJoinsDisabled`] unless the configuration allows it; [`MlsError::TreeNeeded`] if neither the
    /// group info nor `tree` holds the ratchet tree; others if the group info breaks a rule.
    pub fn join_external(&self, group_info: &[u8], tree: Option<&[u8]>) -> MlsResult<ExternalJoin> {
        self.join_external_with(group_info, tree, Vec::new())
    }

    /// [`Client::join_external`], proving with these keys what we held before.
    fn join_external_with(
        &self,
        group_info: &[u8],
        tree: Option<&[u8]>,
        psks: Vec<PskKind>,
    ) -> MlsResult<ExternalJoin> {
        let inner = &self.inner;
        if !inner.config.external_joins {
            return Err(MlsError::ExternalJoinsDisabled);
        }
        let own = inner.own.current();
        let params = ExternalJoinParams {
            credential: inner.credential(),
            signature_key: &own.private,
            capabilities: inner.capabilities(),
            leaf_extensions: own.leaf_extensions()?,
            remove: inner.own_old_leaf(group_info, tree)?,
            psks,
            authenticated_data: Vec::new(),
        };
        let join = Group::join_external(&inner.env(), group_info, tree, params)?;
        let commit = MlsEnvelope::wrap_commit(join.commit)?;
        Ok(ExternalJoin { client: self.clone(), commit, group: join.group, changes: join.changes, keeps_past: false })
    }

    /// A way back into a group that we are in: what can be read stays readable, and what was never sent is kept.
    pub(crate) fn rejoin(&self, group_info: &[u8], tree: Option<&[u8]>, psks: Vec<PskKind>) -> MlsResult<ExternalJoin> {
        Ok(ExternalJoin { keeps_past: true, ..self.join_external_with(group_info, tree, psks)? })
    }
}

impl ExternalJoin {
    /// The commit, to be submitted.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MessageType, MlsConfig, MlsError, TrustOnFirstUse};
    /// # let mut config = MlsConfig::default();
    /// # config.external_joins = true;
    /// # let alice = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(config.clone()).open()?;
    /// # let bob = Client::builder(b"bob", Arc::new(TrustOnFirstUse::new())).config(config).open()?;
    /// let join = bob.join_external(&alice.create_group(None)?.group_info()?, None)?;
    /// assert_eq!(join.commit().message_type(), MessageType::Commit);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub const fn commit(&self) -> &MlsEnvelope {
        &self.commit
    }

    /// The group info of the epoch that the commit begins, an encoded MLSMessage: for the next to join. Give it away only
    /// together with the commit.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsConfig, MlsError, TrustOnFirstUse};
    /// # let mut config = MlsConfig::default();
    /// # config.external_joins = true;
    /// # let alice = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(config.clone()).open()?;
    /// # let bob = Client::builder(b"bob", Arc::new(TrustOnFirstUse::new())).config(config.clone()).open()?;
    /// # let carol = Client::builder(b"carol", Arc::new(TrustOnFirstUse::new())).config(config).open()?;
    /// let join = bob.join_external(&alice.create_group(None)?.group_info()?, None)?;
    /// let next = carol.join_external(&join.group_info()?, None)?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::CryptoError`] if signing fails.
    pub fn group_info(&self) -> MlsResult<Vec<u8>> {
        let (env, config) = (self.client.inner.env(), &self.client.inner.config);
        Ok(self.group.group_info(&env, config.tree_in_welcome, config.external_joins)?)
    }

    /// The group accepted the commit: we are a member. State of this group from before is replaced.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsConfig, MlsError, TrustOnFirstUse};
    /// # let mut config = MlsConfig::default();
    /// # config.external_joins = true;
    /// # let alice = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(config.clone()).open()?;
    /// # let bob = Client::builder(b"bob", Arc::new(TrustOnFirstUse::new())).config(config).open()?;
    /// let join = bob.join_external(&alice.create_group(None)?.group_info()?, None)?;
    /// assert_eq!(join.accepted()?.member_count(), 2);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`].
    pub fn accepted(self) -> MlsResult<MlsHandle> {
        let Self { client, commit: _, group, changes, keeps_past } = self;
        client.begin(Beginning { group, changes, key_package: None, replaces: |_| true, keeps_past })
    }
}

impl Inner {
    /// EXT-17: the leaf that holds our signature key already.
    fn own_old_leaf(&self, group_info: &[u8], tree: Option<&[u8]>) -> MlsResult<Option<LeafIndex>> {
        let observer = Observer::new(&self.env(), group_info, tree)?;
        let members = observer.public().tree().members();
        let own = members.iter().find(|(_, leaf)| leaf.signature_key.as_slice() == self.own.public());
        Ok(own.map(|(index, _)| *index))
    }
}

mod export;
