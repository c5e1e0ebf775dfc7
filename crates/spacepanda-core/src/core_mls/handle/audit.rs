//! The log of who did what.

use super::MlsHandle;
use crate::core_mls::{
    audit::{AuditAct, AuditEntry, AuditHead, Log, broken},
    error::MlsResult,
};

impl MlsHandle {
    /// How many entries the log of the group has: one for each commit since we are in it, and one for how we came.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.rotate()?;
    /// assert_eq!(group.audit_len()?, 2);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Store`], [`crate::core_mls::MlsError::InvalidRecord`].
    pub fn audit_len(&self) -> MlsResult<u64> {
        Ok(AuditHead::load(self.inner().store.as_ref(), &self.cell.space())?.count)
    }

    /// Entries of the log from this number on, at most `len` and never more than 256. Each is checked against the one
    /// before; [`MlsHandle::verify_audit`] checks all.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{AuditAct, Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(Some("tea"))?;
    /// group.set_group_name("coffee")?;
    /// group.commit()?;
    /// let log = group.audit_log(0, 256)?;
    /// assert_eq!((log[0].epoch, &log[0].acts[..]), (0, &[AuditAct::Created][..]));
    /// assert_eq!((log[1].epoch, &log[1].identity[..]), (1, &b"alice"[..]));
    /// assert!(log[1].acts.contains(&AuditAct::Renamed { name: Some("coffee".to_owned()) }));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::AuditBroken`] names the first entry that is not as it was written;
    /// [`crate::core_mls::MlsError::Store`], [`crate::core_mls::MlsError::InvalidRecord`].
    pub fn audit_log(&self, from: u64, len: u64) -> MlsResult<Vec<AuditEntry>> {
        // One state of the store.
        let mut serial = self.cell.serial();
        self.cell.refresh(self.inner(), &mut serial)?;
        self.with_log(|log| log.page(from, len.min(MAX_PAGE)))
    }

    /// Checks the whole log: that every entry is as it was written and where it was written, that none is missing, and that
    /// it ends with the epoch and the members that the group has.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.rotate()?;
    /// group.verify_audit()?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::audit_log`].
    pub fn verify_audit(&self) -> MlsResult<()> {
        let mut serial = self.cell.serial();
        self.cell.refresh(self.inner(), &mut serial)?;
        let (mut number, mut last) = (0, None);
        loop {
            let page = self.with_log(|log| log.page(number, MAX_PAGE))?;
            let Some(end) = page.last() else { break };
            number = end.number.saturating_add(1);
            last = Some(end.clone());
        }
        let last = last.ok_or(broken(0))?;
        let state = self.cell.public();
        let ours = last.acts.contains(&AuditAct::WeWereRemoved)
            || (last.epoch == state.context().epoch && last.tree_hash == state.tree().tree_hash().as_slice());
        if ours { Ok(()) } else { Err(broken(number)) }
    }

    /// Whether nobody has come since this epoch, as far as the log goes back.
    pub(super) fn nobody_came_since(&self, epoch: u64) -> MlsResult<bool> {
        let head = AuditHead::load(self.inner().store.as_ref(), &self.cell.space())?;
        let from = head.count.saturating_sub(MAX_PAGE);
        let page = self.with_log(|log| log.page(from, MAX_PAGE))?;
        let came = |entry: &AuditEntry| entry.acts.iter().any(|act| matches!(act, AuditAct::Added { .. }));
        Ok(page.first().is_some_and(|first| first.epoch <= epoch)
            && !page.iter().any(|entry| entry.epoch > epoch && came(entry)))
    }

    fn with_log<T>(&self, read: impl FnOnce(Log<'_>) -> MlsResult<T>) -> MlsResult<T> {
        let space = self.cell.space();
        read(Log { store: self.inner().store.as_ref(), space: &space, suite: self.cell.suite() })
    }
}

/// Entries that are read at once.
const MAX_PAGE: u64 = 256;
