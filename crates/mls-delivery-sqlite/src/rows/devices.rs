//! Devices, invites and key packages.

use mls_crypto::{CipherSuite, SignaturePublicKey};
use mls_delivery::{
    DeviceId, DeviceKey, Digest, Timestamp, UserId,
    rows::{DeviceRow, DeviceRows, KeyPackageRow, RowError},
};
use rusqlite::{Error, Row, params};

use super::{SqliteRows, get_bytes, get_device, get_digest, get_number, int};

impl DeviceRows for SqliteRows<'_> {
    async fn device(&mut self, device: &DeviceId) -> Result<Option<DeviceRow>, RowError> {
        let sql = "SELECT user, suite, public_key, enrolled FROM devices WHERE device = ?1";
        self.one(sql, params![device.as_slice()], |row| {
            let public_key = SignaturePublicKey::new(row.get(2)?);
            let key = DeviceKey { cipher_suite: CipherSuite(row.get(1)?), public_key };
            Ok(DeviceRow { user: UserId::new(get_bytes(row, 0)?), key, enrolled: get_number(row, 3)? })
        })
    }

    async fn put_device(&mut self, device: &DeviceId, row: &DeviceRow) -> Result<(), RowError> {
        let DeviceRow { user, key: DeviceKey { cipher_suite, public_key }, enrolled } = row;
        self.execute(
            "INSERT INTO devices VALUES(?1, ?2, ?3, ?4, ?5)",
            params![device.as_slice(), user.as_slice(), cipher_suite.0, public_key.as_slice(), int(*enrolled)],
        )
    }

    async fn devices(&mut self, user: &UserId) -> Result<Vec<DeviceId>, RowError> {
        let sql = "SELECT device FROM devices WHERE user = ?1 ORDER BY device";
        self.all(sql, params![user.as_slice()], |row| get_device(row, 0))
    }

    async fn invite_uses(&mut self, token: &Digest) -> Result<u64, RowError> {
        let sql = "SELECT uses FROM invites WHERE token = ?1";
        Ok(self.one(sql, params![token.as_slice()], |row| get_number(row, 0))?.unwrap_or_default())
    }

    async fn put_invite_uses(&mut self, token: &Digest, uses: u64) -> Result<(), RowError> {
        self.execute("INSERT OR REPLACE INTO invites VALUES(?1, ?2)", params![token.as_slice(), int(uses)])
    }

    async fn put_key_package(&mut self, device: &DeviceId, row: &KeyPackageRow) -> Result<(), RowError> {
        let KeyPackageRow { digest, cipher_suite, last_resort, expires, key_package } = row;
        let (device, digest, package) = (device.as_slice(), digest.as_slice(), key_package.as_slice());
        self.execute(
            "INSERT OR IGNORE INTO key_packages VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
            params![device, digest, cipher_suite.0, last_resort, int(*expires), package],
        )
    }

    async fn count_key_packages(&mut self, device: &DeviceId) -> Result<(u64, u64), RowError> {
        let sql = "SELECT count(*) FILTER (WHERE last_resort = 0), count(*) FILTER (WHERE last_resort = 1) \
                   FROM key_packages WHERE device = ?1";
        let counts = self.one(sql, params![device.as_slice()], |row| Ok((get_number(row, 0)?, get_number(row, 1)?)))?;
        Ok(counts.unwrap_or_default())
    }

    async fn take_key_package(
        &mut self,
        device: &DeviceId,
        suite: CipherSuite,
        now: Timestamp,
    ) -> Result<Option<KeyPackageRow>, RowError> {
        let sql = "DELETE FROM key_packages WHERE rowid = (SELECT rowid FROM key_packages \
                   WHERE device = ?1 AND suite = ?2 AND last_resort = 0 AND expires > ?3 \
                   ORDER BY expires, digest LIMIT 1) \
                   RETURNING digest, suite, last_resort, expires, key_package";
        // All rows of a RETURNING are read, or the deletion is not complete.
        let taken = self.all(sql, params![device.as_slice(), suite.0, int(now)], key_package_row)?;
        Ok(taken.into_iter().next())
    }

    async fn last_resort(
        &mut self,
        device: &DeviceId,
        suite: CipherSuite,
        now: Timestamp,
    ) -> Result<Option<KeyPackageRow>, RowError> {
        let sql = "SELECT digest, suite, last_resort, expires, key_package FROM key_packages \
                   WHERE device = ?1 AND suite = ?2 AND last_resort = 1 AND expires > ?3";
        self.one(sql, params![device.as_slice(), suite.0, int(now)], key_package_row)
    }

    async fn delete_last_resort(&mut self, device: &DeviceId, suite: CipherSuite) -> Result<(), RowError> {
        let sql = "DELETE FROM key_packages WHERE device = ?1 AND suite = ?2 AND last_resort = 1";
        self.execute(sql, params![device.as_slice(), suite.0])
    }

    async fn expire_key_packages(&mut self, now: Timestamp) -> Result<(), RowError> {
        self.execute("DELETE FROM key_packages WHERE expires <= ?1", params![int(now)])
    }
}

fn key_package_row(row: &Row<'_>) -> Result<KeyPackageRow, Error> {
    Ok(KeyPackageRow {
        digest: get_digest(row, 0)?,
        cipher_suite: CipherSuite(row.get(1)?),
        last_resort: row.get(2)?,
        expires: get_number(row, 3)?,
        key_package: get_bytes(row, 4)?,
    })
}
