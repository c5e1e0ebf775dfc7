//! Key packages of those who are to be added (RFC 9420, Section 10).
//!
//! Always: a key package is of the user it was asked for, or is not used; what was claimed is kept with the wish, so that a race
//! that is lost does not use up more.

use mls_crypto::Opaque;
use mls_delivery::{DeviceId, UserId, ask, request::ClaimKeyPackages};
use mls_engine::{
    codec::decode_exact,
    message::{KeyPackage, MlsMessage},
};
use spacepanda_core::core_mls::{GroupChange, MlsError, MlsHandle};

use crate::{
    Account, SyncError, SyncResult,
    account::device_key,
    queue::{WishForm, WishKind},
    rows::{Rows, put_wish},
};

impl Account {
    /// What adds those devices of a user that are not in.
    pub(crate) async fn add_user(
        &self,
        group: &MlsHandle,
        number: u64,
        (user, claimed): (&[u8], Option<&[Opaque]>),
    ) -> SyncResult<Vec<GroupChange>> {
        let packages = match claimed {
            Some(packages) => packages.to_vec(),
            None => {
                let claim = ClaimKeyPackages { user: UserId::new(user), cipher_suite: group.ciphersuite() };
                let found = ask(self.service().as_ref(), self.device(), claim).await?;
                let packages: Vec<Opaque> = found.devices.into_iter().filter_map(|device| device.key_package).collect();
                if packages.is_empty() {
                    return Err(SyncError::NoKeyPackages);
                }
                for package in &packages {
                    let identity = key_package(package.as_slice())?;
                    if identity.leaf_node.credential.identity() != Some(user) {
                        return Err(SyncError::Group(MlsError::IdentityMismatch));
                    }
                }
                let wish = WishForm { kind: WishKind::Add(user.into()), claimed: Some(packages.clone()) };
                Rows(group).write(vec![put_wish(number, &wish)?])?;
                packages
            }
        };
        self.add_packages(group, &packages)
    }

    /// What adds those of these devices that are not in.
    pub(crate) fn add_packages(&self, group: &MlsHandle, packages: &[Opaque]) -> SyncResult<Vec<GroupChange>> {
        let members = group.members();
        let mut changes = Vec::new();
        for package in packages {
            let key = key_package(package.as_slice())?.leaf_node.signature_key;
            if !members.iter().any(|member| member.signature_key == key.as_slice()) {
                changes.push(GroupChange::Add(package.as_slice().to_vec()));
            }
        }
        Ok(changes)
    }

    /// What puts a device in place of the one with its key (RFC 9420, Section 12.2: an Add beside the Remove of the same client).
    pub(crate) fn replacement(&self, group: &MlsHandle, package: &Opaque) -> SyncResult<Vec<GroupChange>> {
        let key = key_package(package.as_slice())?.leaf_node.signature_key;
        let old = group.members().into_iter().find(|member| member.signature_key == key.as_slice());
        let removed = old.map(|member| GroupChange::Remove(member.leaf_index));
        Ok(removed.into_iter().chain([GroupChange::Add(package.as_slice().to_vec())]).collect())
    }

    /// The device that this commit of ours puts in place of an older state of itself.
    pub(crate) fn replaced(&self, group: &MlsHandle, commit: &[u8]) -> SyncResult<Option<DeviceId>> {
        let digest = self.crypto().digest(commit);
        for (_, wish) in Rows(group).wishes()? {
            let by_this = wish.claimed.iter().flatten().any(|claimed| claimed.as_slice() == digest.as_slice());
            if let (WishKind::Replace(package), true) = (&wish.kind, by_this) {
                let package = key_package(package.as_slice())?;
                let key = device_key(package.cipher_suite, package.leaf_node.signature_key.as_slice());
                return Ok(Some(key.device(self.crypto())?));
            }
        }
        Ok(None)
    }
}

pub(crate) fn key_package(message: &[u8]) -> SyncResult<KeyPackage> {
    match decode_exact(message) {
        Ok(MlsMessage::KeyPackage(package)) => Ok(*package),
        _ => Err(SyncError::NoKeyPackages),
    }
}
