//! Quotas.

use mls_delivery::{
    Digest,
    rows::{QuotaRows, RowError},
};
use rusqlite::params;

use super::{SqliteRows, get_number, int};

impl QuotaRows for SqliteRows<'_> {
    async fn full_again(&mut self, name: &Digest) -> Result<u64, RowError> {
        let sql = "SELECT full_again FROM quotas WHERE name = ?1";
        Ok(self.one(sql, params![name.as_slice()], |row| get_number(row, 0))?.unwrap_or_default())
    }

    async fn put_full_again(&mut self, name: &Digest, full_again: u64) -> Result<(), RowError> {
        self.execute("INSERT OR REPLACE INTO quotas VALUES(?1, ?2)", params![name.as_slice(), int(full_again)])
    }

    async fn forget_quotas(&mut self, now_ms: u64) -> Result<(), RowError> {
        self.execute("DELETE FROM quotas WHERE full_again <= ?1", params![int(now_ms)])
    }
}
