//! Devices, invites and key packages in memory.

use mls_crypto::CipherSuite;

use super::MemoryRows;
use crate::{
    DeviceId, Digest, Timestamp, UserId,
    rows::{DeviceRow, DeviceRows, KeyPackageRow, RowError},
};

impl DeviceRows for MemoryRows {
    async fn device(&mut self, device: &DeviceId) -> Result<Option<DeviceRow>, RowError> {
        Ok(self.devices.get(device).cloned())
    }

    async fn put_device(&mut self, device: &DeviceId, row: &DeviceRow) -> Result<(), RowError> {
        self.users.insert((row.user.clone(), *device));
        self.devices.insert(*device, row.clone());
        Ok(())
    }

    async fn devices(&mut self, user: &UserId) -> Result<Vec<DeviceId>, RowError> {
        let from = (user.clone(), DeviceId::new(Digest::new([0; 32])));
        let theirs = self.users.range(from..).take_while(|(other, _)| other == user);
        Ok(theirs.map(|(_, device)| *device).collect())
    }

    async fn invite_uses(&mut self, token: &Digest) -> Result<u64, RowError> {
        Ok(self.invites.get(token).copied().unwrap_or_default())
    }

    async fn put_invite_uses(&mut self, token: &Digest, uses: u64) -> Result<(), RowError> {
        self.invites.insert(*token, uses);
        Ok(())
    }

    async fn put_key_package(&mut self, device: &DeviceId, row: &KeyPackageRow) -> Result<(), RowError> {
        let packages = self.key_packages.entry(*device).or_default();
        if packages.iter().all(|package| package.digest != row.digest) {
            packages.push(row.clone());
        }
        Ok(())
    }

    async fn count_key_packages(&mut self, device: &DeviceId) -> Result<(u64, u64), RowError> {
        let packages = self.key_packages.get(device).map(Vec::as_slice).unwrap_or_default();
        let last = packages.iter().filter(|package| package.last_resort).count();
        let number = |count| u64::try_from(count).map_err(|_| RowError::Damaged);
        Ok((number(packages.len().saturating_sub(last))?, number(last)?))
    }

    async fn take_key_package(
        &mut self,
        device: &DeviceId,
        suite: CipherSuite,
        now: Timestamp,
    ) -> Result<Option<KeyPackageRow>, RowError> {
        let Some(packages) = self.key_packages.get_mut(device) else { return Ok(None) };
        let fits =
            |package: &KeyPackageRow| !package.last_resort && package.cipher_suite == suite && package.expires > now;
        let candidates = packages.iter().enumerate().filter(|(_, package)| fits(package));
        let first = candidates.min_by_key(|(_, package)| (package.expires, package.digest)).map(|(at, _)| at);
        Ok(first.map(|at| packages.remove(at)))
    }

    async fn last_resort(
        &mut self,
        device: &DeviceId,
        suite: CipherSuite,
        now: Timestamp,
    ) -> Result<Option<KeyPackageRow>, RowError> {
        let packages = self.key_packages.get(device).map(Vec::as_slice).unwrap_or_default();
        let fits =
            |package: &&KeyPackageRow| package.last_resort && package.cipher_suite == suite && package.expires > now;
        Ok(packages.iter().find(fits).cloned())
    }

    async fn delete_last_resort(&mut self, device: &DeviceId, suite: CipherSuite) -> Result<(), RowError> {
        if let Some(packages) = self.key_packages.get_mut(device) {
            packages.retain(|package| !(package.last_resort && package.cipher_suite == suite));
        }
        Ok(())
    }

    async fn expire_key_packages(&mut self, now: Timestamp) -> Result<(), RowError> {
        for packages in self.key_packages.values_mut() {
            packages.retain(|package| package.expires > now);
        }
        Ok(())
    }
}
