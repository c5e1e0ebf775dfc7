//! How far somebody has looked at what was said: kept with the group, so that what is new is new in every program of a home.

use mls_delivery::Seq;
use spacepanda_core::core_mls::MlsHandle;

use crate::{
    Account, SyncResult,
    rows::{Rows, put_seen},
};

impl Account {
    /// The last place of the history that was looked at; none if nothing was.
    ///
    /// # Errors
    /// [`crate::SyncError::Group`], [`crate::SyncError::InvalidRow`].
    pub fn seen(&self, group: &MlsHandle) -> SyncResult<Option<Seq>> {
        Rows(group).seen()
    }

    /// Somebody has looked at the history up to this place. It never goes back.
    ///
    /// # Errors
    /// [`crate::SyncError::Group`], [`crate::SyncError::InvalidRow`].
    pub fn mark_seen(&self, group: &MlsHandle, seq: Seq) -> SyncResult<()> {
        let rows = Rows(group);
        if rows.seen()?.is_some_and(|seen| seen >= seq) { Ok(()) } else { rows.write(vec![put_seen(seq)?]) }
    }

    /// The last place of the log that was processed: when it is another one, the history may be too.
    ///
    /// # Errors
    /// [`crate::SyncError::Group`], [`crate::SyncError::InvalidRow`].
    pub fn processed(&self, group: &MlsHandle) -> SyncResult<Option<Seq>> {
        Rows(group).cursor()
    }
}
