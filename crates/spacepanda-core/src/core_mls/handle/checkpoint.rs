//! The state of a group before a commit, to go back to when another commit turns out to be the group's.
//!
//! In: a group. Out: its state beside it in the store, or the group as it was.
//! Always: going back uses no key twice: until its next epoch the group reads and does not send, and what was handled stays
//! handled. A checkpoint holds every secret of its epoch: forward secrecy begins only when it is forgotten.

use mls_crypto::Secret;
use mls_engine::group::CommitId;

use super::MlsHandle;
use crate::core_mls::{
    archive::GroupArchive,
    chronicle::epoch_of,
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    passing::Beside,
    records::{self, CHECKPOINT, key},
    standing::Standing,
    store::Key,
};

impl MlsHandle {
    /// Keeps the state of the group as it is now, in the store, in place of an earlier one of the same epoch. For groups whose
    /// commits nothing puts in order; it costs what it keeps: whoever takes the store can read the epoch.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.keep_checkpoint()?;
    /// group.rotate()?;
    /// group.go_back(0)?;
    /// assert_eq!(group.epoch(), 0);
    /// assert_eq!(group.send_message(b"hello"), Err(MlsError::ReadOnly));
    /// group.rotate()?;
    /// group.send_message(b"hello")?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`], [`MlsError::UnknownGroup`].
    pub fn keep_checkpoint(&self) -> MlsResult<()> {
        let (inner, space) = (self.inner(), self.cell.space());
        let mut serial = self.cell.serial();
        let (epoch, state) = self.cell.read_stored(inner, &mut serial, || {
            let mut records = Vec::new();
            for class in records::state_classes() {
                records.extend(inner.store.scan(&space, class, None)?);
            }
            let (group_id, identity) = (self.cell.id.clone(), Secret::new(Vec::new()));
            let state = GroupArchive { group_id, identity, records, rows: Vec::new() }.encode()?;
            Ok((self.cell.public().context().epoch, state))
        })?;
        self.cell.note(inner, &mut serial, || {
            let more = vec![(checkpoint_key(epoch), Some(state.duplicate()))];
            Beside { more, ..Beside::default() }
        })
    }

    /// Puts the state of an earlier epoch in place, as [`MlsHandle::keep_checkpoint`] kept it. Messages handled since stay
    /// handled; rows of the application stay as they are. The group reads, and sends again in its next epoch.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// assert_eq!(group.go_back(7), Err(MlsError::EpochMismatch { expected: 0, actual: 7 }));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::EpochMismatch`] if there is no state of this epoch; [`MlsError::InvalidRecord`], [`MlsError::Store`].
    /// Nothing has changed then.
    pub fn go_back(&self, epoch: u64) -> MlsResult<()> {
        let (inner, space) = (self.inner(), self.cell.space());
        let mut serial = self.cell.serial();
        self.cell.refresh(inner, &mut serial)?;
        let expected = self.cell.public().context().epoch;
        let kept = inner.store.get(&space, &checkpoint_key(epoch))?;
        let archive = GroupArchive::decode(&kept.ok_or(MlsError::EpochMismatch { expected, actual: epoch })?)?;
        let mut gone = Vec::new();
        for class in records::state_classes() {
            gone.extend(inner.store.scan(&space, class, None)?.into_iter().map(|(key, _)| key));
        }
        self.cell.note(inner, &mut serial, || {
            let mut more: Vec<_> = gone.iter().map(|key| (key.clone(), None)).collect();
            let back = archive.records.iter();
            more.extend(back.map(|(key, record)| (key.clone(), Some(record.duplicate()))));
            // What it would send in this epoch, it may have sent before.
            Beside { more, standing: Some(Standing::until_after(epoch)), ..Beside::default() }
        })?;
        self.cell.reread(inner, &mut serial)
    }

    /// Forgets the states of all epochs before this one, and every secret in them.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.keep_checkpoint()?;
    /// group.forget_checkpoints(1)?;
    /// assert!(group.go_back(0).is_err());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`].
    pub fn forget_checkpoints(&self, before: u64) -> MlsResult<()> {
        let mut serial = self.cell.serial();
        self.cell.refresh(self.inner(), &mut serial)?;
        let kept = self.inner().store.scan(&self.cell.space(), CHECKPOINT, None)?;
        let is_old = |key: &Key| epoch_of(key).is_none_or(|epoch| epoch < before);
        let old: Vec<_> = kept.into_iter().map(|(key, _)| key).filter(is_old).collect();
        if old.is_empty() {
            return Ok(());
        }
        self.cell.note(self.inner(), &mut serial, || {
            let more = old.iter().map(|key| (key.clone(), None)).collect();
            Beside { more, ..Beside::default() }
        })
    }

    /// What names a message, whoever made it: the hash of its bytes. Every member names it alike; of a commit of ours, it is
    /// the [`CommitId`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// let pending = group.stage_rotation()?;
    /// assert_eq!(group.name_of(&pending.commit), pending.id);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn name_of(&self, envelope: &MlsEnvelope) -> CommitId {
        self.cell.message_id(envelope.payload())
    }
}

fn checkpoint_key(epoch: u64) -> Key {
    key(CHECKPOINT, &epoch.to_be_bytes())
}
