//! Quotas.

use mls_delivery::{
    Digest,
    rows::{QuotaRows, RowError},
};

use super::{PostgresRows, get_number, int};

impl QuotaRows for PostgresRows<'_, '_> {
    async fn full_again(&mut self, name: &Digest) -> Result<u64, RowError> {
        let sql = "SELECT full_again FROM quotas WHERE name = $1";
        Ok(self.one(sql, &[&name.as_slice()], |row| get_number(row, 0)).await?.unwrap_or_default())
    }

    async fn put_full_again(&mut self, name: &Digest, full_again: u64) -> Result<(), RowError> {
        let sql = "INSERT INTO quotas VALUES($1, $2) ON CONFLICT (name) DO UPDATE SET full_again = $2";
        self.execute(sql, &[&name.as_slice(), &int(full_again)]).await
    }

    async fn forget_quotas(&mut self, now_ms: u64) -> Result<(), RowError> {
        self.execute("DELETE FROM quotas WHERE full_again <= $1", &[&int(now_ms)]).await
    }
}
