//! What is to be sent, across restarts.
//!
//! In: what was delivered. Out: what was not, and what to do with it.
//! Always: an envelope is listed from the batch that made it on; a Welcome only once its commit was accepted (COM-22).

use mls_engine::group::CommitId;

use super::MlsHandle;
use crate::core_mls::{
    envelope::{MessageType, MlsEnvelope},
    error::MlsResult,
    outbox::{OutboxEntry, OutboxState},
    passing::{Beside, hash, numbered, ordered},
    records::{OUTGOING, RELEASED, key},
    welcome,
};

impl MlsHandle {
    /// Our envelopes that are not marked as sent, oldest first: messages, proposals and commits, in exactly the bytes to
    /// send. Bounded by [`crate::core_mls::MlsConfig::outbox_messages`]; commits have room of their own.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, OutboxState, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let pending = group.stage_rotation()?;
    /// assert_eq!(group.outbox()?[0].state, OutboxState::Pending);
    /// group.apply_pending_commit(&pending.id)?;
    /// assert_eq!(group.outbox()?[0].state, OutboxState::Accepted);
    /// group.mark_sent(&[pending.id])?;
    /// assert!(group.outbox()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Store`]; [`crate::core_mls::MlsError::UnknownGroup`] after the group was deleted.
    pub fn outbox(&self) -> MlsResult<Vec<OutboxEntry>> {
        // Nobody changes the group meanwhile.
        let mut serial = self.cell.serial();
        self.cell.refresh(self.inner(), &mut serial)?;
        let (pending, current) = self.cell.look(|group| Ok((group.pending_commits(), group.epoch())))?;
        let (store, space) = (self.inner().store.as_ref(), self.cell.space());
        let mut entries = Vec::new();
        for (name, record) in ordered(store.scan(&space, OUTGOING, None)?)? {
            let (id, (epoch, bytes)) = (hash(&name)?, numbered(record.as_slice())?);
            let envelope = MlsEnvelope::from_bytes_within(bytes, usize::MAX)?;
            let released = store.get(&space, &key(RELEASED, &name.id))?;
            let state = match envelope.message_type() {
                MessageType::Commit if released.is_some() => OutboxState::Accepted,
                MessageType::Commit if pending.contains(&id) => OutboxState::Pending,
                MessageType::Application if epoch == current || !self.inner().config.strict_epoch_check => {
                    OutboxState::Unsent
                }
                MessageType::Proposal if epoch == current => OutboxState::Unsent,
                _ => OutboxState::Superseded,
            };
            let welcomes = match released.filter(|welcome| !welcome.is_empty()) {
                Some(bytes) => welcome::split(&MlsEnvelope::wrap_welcome(&self.cell.id, bytes.as_slice().to_vec())?)?,
                None => Vec::new(),
            };
            entries.push(OutboxEntry { id, epoch, envelope, state, welcomes });
        }
        Ok(entries)
    }

    /// These were delivered, or are not wanted any more: they leave the outbox. Unknown names are fine. A commit that waits
    /// stays until it was applied or cleared: with it come its Welcomes.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.send_message(b"hello")?;
    /// let sent: Vec<_> = group.outbox()?.iter().map(|entry| entry.id).collect();
    /// group.mark_sent(&sent)?;
    /// assert!(group.outbox()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Store`].
    pub fn mark_sent(&self, ids: &[CommitId]) -> MlsResult<()> {
        let mut serial = self.cell.serial();
        self.cell.note(self.inner(), &mut serial, || {
            let waiting = self.cell.look(|group| Ok(group.pending_commits())).unwrap_or_default();
            let sent = ids.iter().filter(|id| !waiting.contains(id)).copied().collect();
            Beside { sent, ..Beside::default() }
        })
    }
}
