//! Our new signature key in one group: a commit whose path brings it (RFC 9420, Section 12.4.1).

use mls_engine::group::{CommitOptions, LeafChange, SignatureKeyPair};

use super::MlsHandle;
use crate::core_mls::{
    envelope::MlsEnvelope, error::MlsResult, outbox::Outgoing, passing::Beside, types::PendingCommit,
};

impl MlsHandle {
    /// Stages a commit that brings the client's signature key and certificate, as they are in force, to our leaf, together
    /// with the proposals that wait. As after [`MlsHandle::stage_commit`], the epoch moves with
    /// [`MlsHandle::apply_pending_commit`]; until then, and for the commit itself, the group knows us by the old key.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// alice.begin_identity_rotation(|_| Ok(None))?;
    /// let pending = group.stage_identity_rotation()?;
    /// group.apply_pending_commit(&pending.id)?;
    /// assert_eq!(group.members()[0].signature_key, alice.signature_key());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::stage_commit`], but for having nothing to commit.
    pub fn stage_identity_rotation(&self) -> MlsResult<PendingCommit> {
        let inner = self.inner();
        let own = inner.own.current();
        let suite = inner.crypto.suite(inner.config.cipher_suite)?;
        let leaf = LeafChange {
            credential: Some(inner.credential()),
            capabilities: Some(inner.capabilities()),
            extensions: Some(own.leaf_extensions()?),
            signature_key: Some(SignatureKeyPair::new(suite.as_ref(), own.private.duplicate())?),
        };
        let tree_in_welcome = inner.config.tree_in_welcome;
        let ((id, commit, welcome), _) = self.change(|group, env| {
            let message = group.commit_options(self.handshake_options());
            let options = CommitOptions { leaf: leaf.clone(), message, tree_in_welcome, ..CommitOptions::default() };
            let pending = group.commit(env, options)?;
            let (id, commit) = (pending.commit_id, MlsEnvelope::wrap_commit(pending.commit)?);
            let outgoing = Some(Outgoing { id, epoch: group.epoch(), envelope: commit.clone() });
            Ok(((id, commit, pending.welcome), pending.step, Beside { outgoing, ..Beside::default() }))
        })?;
        let welcome = welcome.map(|welcome| MlsEnvelope::wrap_welcome(&self.cell.id, welcome)).transpose()?;
        Ok(PendingCommit { id, commit, welcome })
    }

    /// The same at once: what was staged either moves the group or leaves no trace.
    pub(crate) fn rotate_own_key(&self) -> MlsResult<MlsEnvelope> {
        let pending = self.stage_identity_rotation()?;
        self.apply_pending_commit(&pending.id).inspect_err(|_| {
            // If the store fails here too, the commit stays listed in `pending_commits`.
            let _ = self.clear_pending_commit(&pending.id);
        })?;
        Ok(pending.commit)
    }
}
