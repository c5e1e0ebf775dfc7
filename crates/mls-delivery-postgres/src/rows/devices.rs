//! Devices, invites and key packages.

use mls_crypto::{CipherSuite, SignaturePublicKey};
use mls_delivery::{
    DeviceId, DeviceKey, Digest, Timestamp, UserId,
    rows::{DeviceRow, DeviceRows, KeyPackageRow, RowError},
};
use tokio_postgres::Row;

use super::{PostgresRows, get, get_bytes, get_device, get_digest, get_number, int};

impl DeviceRows for PostgresRows<'_, '_> {
    async fn device(&mut self, device: &DeviceId) -> Result<Option<DeviceRow>, RowError> {
        let sql = "SELECT owner, suite, public_key, enrolled FROM devices WHERE device = $1";
        let read = |row: &Row| {
            let public_key = SignaturePublicKey::new(get(row, 2)?);
            let key = DeviceKey { cipher_suite: CipherSuite(get_number(row, 1)?), public_key };
            Ok(DeviceRow { user: UserId::new(get_bytes(row, 0)?), key, enrolled: get_number(row, 3)? })
        };
        self.one(sql, &[&device.as_slice()], read).await
    }

    async fn put_device(&mut self, device: &DeviceId, row: &DeviceRow) -> Result<(), RowError> {
        let DeviceRow { user, key: DeviceKey { cipher_suite, public_key }, enrolled } = row;
        let (suite, key, enrolled) = (i64::from(cipher_suite.0), public_key.as_slice(), int(*enrolled));
        let sql = "INSERT INTO devices VALUES($1, $2, $3, $4, $5)";
        self.execute(sql, &[&device.as_slice(), &user.as_slice(), &suite, &key, &enrolled]).await
    }

    async fn devices(&mut self, user: &UserId) -> Result<Vec<DeviceId>, RowError> {
        let sql = "SELECT device FROM devices WHERE owner = $1 ORDER BY device";
        self.all(sql, &[&user.as_slice()], |row| get_device(row, 0)).await
    }

    async fn invite_uses(&mut self, token: &Digest) -> Result<u64, RowError> {
        let sql = "SELECT uses FROM invites WHERE token = $1";
        Ok(self.one(sql, &[&token.as_slice()], |row| get_number(row, 0)).await?.unwrap_or_default())
    }

    async fn put_invite_uses(&mut self, token: &Digest, uses: u64) -> Result<(), RowError> {
        let sql = "INSERT INTO invites VALUES($1, $2) ON CONFLICT (token) DO UPDATE SET uses = $2";
        self.execute(sql, &[&token.as_slice(), &int(uses)]).await
    }

    async fn put_key_package(&mut self, device: &DeviceId, row: &KeyPackageRow) -> Result<(), RowError> {
        let KeyPackageRow { digest, cipher_suite, last_resort, expires, key_package } = row;
        let (device, digest, package) = (device.as_slice(), digest.as_slice(), key_package.as_slice());
        let (suite, expires) = (i64::from(cipher_suite.0), int(*expires));
        let sql = "INSERT INTO key_packages VALUES($1, $2, $3, $4, $5, $6) ON CONFLICT (device, digest) DO NOTHING";
        self.execute(sql, &[&device, &digest, &suite, last_resort, &expires, &package]).await
    }

    async fn count_key_packages(&mut self, device: &DeviceId) -> Result<(u64, u64), RowError> {
        let sql = "SELECT count(*) FILTER (WHERE NOT last_resort), count(*) FILTER (WHERE last_resort) \
                   FROM key_packages WHERE device = $1";
        let read = |row: &Row| Ok((get_number(row, 0)?, get_number(row, 1)?));
        Ok(self.one(sql, &[&device.as_slice()], read).await?.unwrap_or_default())
    }

    async fn take_key_package(
        &mut self,
        device: &DeviceId,
        suite: CipherSuite,
        now: Timestamp,
    ) -> Result<Option<KeyPackageRow>, RowError> {
        // One that somebody else is about to take is left to them.
        let sql = "DELETE FROM key_packages WHERE device = $1 AND digest = (SELECT digest FROM key_packages \
                   WHERE device = $1 AND suite = $2 AND NOT last_resort AND expires > $3 \
                   ORDER BY expires, digest LIMIT 1 FOR UPDATE SKIP LOCKED) \
                   RETURNING digest, suite, last_resort, expires, key_package";
        self.one(sql, &[&device.as_slice(), &i64::from(suite.0), &int(now)], key_package_row).await
    }

    async fn last_resort(
        &mut self,
        device: &DeviceId,
        suite: CipherSuite,
        now: Timestamp,
    ) -> Result<Option<KeyPackageRow>, RowError> {
        let sql = "SELECT digest, suite, last_resort, expires, key_package FROM key_packages \
                   WHERE device = $1 AND suite = $2 AND last_resort AND expires > $3";
        self.one(sql, &[&device.as_slice(), &i64::from(suite.0), &int(now)], key_package_row).await
    }

    async fn delete_last_resort(&mut self, device: &DeviceId, suite: CipherSuite) -> Result<(), RowError> {
        let sql = "DELETE FROM key_packages WHERE device = $1 AND suite = $2 AND last_resort";
        self.execute(sql, &[&device.as_slice(), &i64::from(suite.0)]).await
    }

    async fn expire_key_packages(&mut self, now: Timestamp) -> Result<(), RowError> {
        self.execute("DELETE FROM key_packages WHERE expires <= $1", &[&int(now)]).await
    }
}

fn key_package_row(row: &Row) -> Result<KeyPackageRow, RowError> {
    Ok(KeyPackageRow {
        digest: get_digest(row, 0)?,
        cipher_suite: CipherSuite(get_number(row, 1)?),
        last_resort: get(row, 2)?,
        expires: get_number(row, 3)?,
        key_package: get_bytes(row, 4)?,
    })
}
