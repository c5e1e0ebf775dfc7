//! What a staged commit leads to, before it is accepted: what a delivery service has to be given together with it.
//!
//! In: the name of a pending commit. Out: what its epoch would bring.
//! Always: the group does not move, and after a restart the answers are the same.

use mls_crypto::Secret;
use mls_engine::group::CommitId;

use super::MlsHandle;
use crate::core_mls::{
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    types::{MemberInfo, Register},
};

impl MlsHandle {
    /// What [`MlsHandle::export_secret`] will give once this pending commit is accepted: `len` bytes. A delivery service that
    /// knows members by a key of each epoch learns the next one with the commit.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let pending = group.stage_rotation()?;
    /// let early = group.pending_export_secret(&pending.id, "write key", b"", 32)?;
    /// group.apply_pending_commit(&pending.id)?;
    /// assert_eq!(early.as_slice(), group.export_secret("write key", b"", 32)?.as_slice());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NoSuchPendingCommit`]; otherwise as [`MlsHandle::export_secret`].
    pub fn pending_export_secret(&self, id: &CommitId, label: &str, context: &[u8], len: usize) -> MlsResult<Secret> {
        self.look(|group| Ok(group.pending_export_secret(id, label, context, len)?))
    }

    /// The group info of the epoch that this pending commit would begin, an encoded MLSMessage, as
    /// [`MlsHandle::group_info`] gives that of the present one. Give it away only together with the commit.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let pending = group.stage_rotation()?;
    /// assert!(!group.pending_group_info(&pending.id)?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NoSuchPendingCommit`], [`MlsError::NotAMember`], [`MlsError::CryptoError`].
    pub fn pending_group_info(&self, id: &CommitId) -> MlsResult<Vec<u8>> {
        let (env, config) = (self.inner().env(), &self.inner().config);
        self.look(|group| Ok(group.pending_group_info(&env, id, config.tree_in_welcome, config.external_joins)?))
    }

    /// The Welcome of this pending commit, `None` if it adds nobody. Give it only to a delivery service that shows it together
    /// with the commit, or not at all.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let pending = group.stage_rotation()?;
    /// assert_eq!(group.pending_welcome(&pending.id)?, None);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NoSuchPendingCommit`].
    pub fn pending_welcome(&self, id: &CommitId) -> MlsResult<Option<MlsEnvelope>> {
        let welcome = self.look(|group| Ok(group.pending_welcome(id)?.map(<[u8]>::to_vec)))?;
        welcome.map(|welcome| MlsEnvelope::wrap_welcome(&self.cell.id, welcome)).transpose()
    }

    /// The members that the group would have after this pending commit, in the order of their leaves. Who joins is said to
    /// have joined at 0.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let pending = group.stage_rotation()?;
    /// assert_eq!(group.pending_members(&pending.id)?.len(), 1);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::NoSuchPendingCommit`].
    pub fn pending_members(&self, id: &CommitId) -> MlsResult<Vec<MemberInfo>> {
        let public = self.look(|group| group.pending_state(id).cloned().ok_or(MlsError::NoSuchPendingCommit))?;
        let times = self.cell.times();
        let register = Register::new(&public, &times);
        let members = public.tree().members().into_iter();
        Ok(members.map(|(index, leaf)| MemberInfo::new(index, leaf, &register)).collect())
    }
}
