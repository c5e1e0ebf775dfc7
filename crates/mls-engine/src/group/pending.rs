//! What a pending commit of ours leads to (RFC 9420, Sections 8.5, 12.4.1 and 14), before anybody has accepted it.
//!
//! In: the name of a pending commit. Out: what a delivery service has to be given together with it.
//! Always: the group does not move, and nothing is derived that the group could not derive once the commit is accepted;
//! once it is accepted, or another commit is, there is nothing here any more.

use mls_crypto::Secret;

use super::{Event, Group, epoch::Candidate, transition::CommitId, welcome::WelcomeParts};
use crate::{codec::encode, error::OperationError, message::MlsMessage, policy::Env, schedule::check_exporter_label};

impl Group {
    /// `MLS-Exporter` (Section 8.5) of the epoch that this commit would begin: `len` bytes, equal to what
    /// [`Group::export_secret`] gives once the commit is accepted.
    ///
    /// # Errors
    /// [`OperationError::NoSuchPendingCommit`]; otherwise as [`Group::export_secret`].
    pub fn pending_export_secret(
        &self,
        commit_id: &CommitId,
        label: &str,
        context: &[u8],
        len: usize,
    ) -> Result<Secret, OperationError> {
        self.check_active()?;
        check_exporter_label(label)?;
        let candidate = self.candidate_of(commit_id)?;
        Ok(candidate.keys.exporter_secret.export(self.suite.as_ref(), label, context, len)?)
    }

    /// A GroupInfo (Section 12.4.3) of the epoch that this commit would begin, an encoded MLSMessage, signed with the key
    /// that our leaf has then (COM-17). It must not be shown to anybody before the commit is accepted, but may travel with
    /// it to a delivery service.
    ///
    /// # Errors
    /// [`OperationError::NoSuchPendingCommit`]; [`OperationError::Rule`] if we are no active member, or signing fails.
    pub fn pending_group_info(
        &self,
        env: &Env<'_>,
        commit_id: &CommitId,
        with_tree: bool,
        with_external_pub: bool,
    ) -> Result<Vec<u8>, OperationError> {
        self.check_active()?;
        let candidate = self.candidate_of(commit_id)?;
        let parts = WelcomeParts {
            suite: self.suite.as_ref(),
            public: &candidate.public,
            keys: &candidate.keys,
            signer: self.own_index(),
            signature_key: candidate.signature_key.as_ref().unwrap_or(&self.signature_key),
            with_tree,
            with_external_pub,
        };
        Ok(encode(&MlsMessage::GroupInfo(Box::new(parts.group_info(env)?)))?)
    }

    /// The Welcome of a pending commit, an encoded MLSMessage, `None` if it adds nobody. COM-22: it may travel with the commit
    /// to a delivery service that releases both together, and to nobody else.
    ///
    /// # Errors
    /// [`OperationError::NoSuchPendingCommit`].
    pub fn pending_welcome(&self, commit_id: &CommitId) -> Result<Option<&[u8]>, OperationError> {
        Ok(self.candidate_of(commit_id)?.welcome.as_deref())
    }

    /// What a pending commit of ours would do, as [`Group::adopt`] says it afterwards, but for the epoch.
    ///
    /// # Errors
    /// [`OperationError::NoSuchPendingCommit`].
    pub fn pending_events(&self, commit_id: &CommitId) -> Result<&[Event], OperationError> {
        Ok(&self.candidate_of(commit_id)?.events)
    }

    fn candidate_of(&self, commit_id: &CommitId) -> Result<&Candidate, OperationError> {
        self.pending.get(commit_id).map(Box::as_ref).ok_or(OperationError::NoSuchPendingCommit)
    }
}
