//! The application's own rows, written with the group's in one batch.
//!
//! In: names and values. Out: the values. Always: a row is sealed as everything in the store, and ends with the group.

use super::MlsHandle;
use crate::core_mls::{
    error::MlsResult,
    passing::{ApplicationRow, Beside},
    records::{ROW, key},
};

impl MlsHandle {
    /// Writes rows: all, or none.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{ApplicationRow, Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.write_application_rows(vec![ApplicationRow { key: b"cursor".to_vec(), value: Some(vec![7]) }])?;
    /// assert_eq!(group.application_row(b"cursor")?, Some(vec![7]));
    /// group.write_application_rows(vec![ApplicationRow { key: b"cursor".to_vec(), value: None }])?;
    /// assert_eq!(group.application_rows()?, []);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Store`].
    pub fn write_application_rows(&self, rows: Vec<ApplicationRow>) -> MlsResult<()> {
        let mut serial = self.cell.serial();
        self.cell.note(self.inner(), &mut serial, || Beside { rows: rows.clone(), ..Beside::default() })
    }

    /// The value of a row; `None` if there is no such row.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.application_row(b"cursor")?, None);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Store`].
    pub fn application_row(&self, name: &[u8]) -> MlsResult<Option<Vec<u8>>> {
        let row = self.inner().store.get(&self.cell.rows_space(), &key(ROW, name))?;
        Ok(row.map(|row| row.as_slice().to_vec()))
    }

    /// Every row, in the order of their names.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.application_rows()?, []);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Store`].
    pub fn application_rows(&self) -> MlsResult<Vec<ApplicationRow>> {
        let rows = self.inner().store.scan(&self.cell.rows_space(), ROW, None)?;
        let row = |(key, value): (crate::core_mls::store::Key, mls_crypto::Secret)| ApplicationRow {
            key: key.id,
            value: Some(value.as_slice().to_vec()),
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
