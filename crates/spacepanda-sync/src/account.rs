//! A device of a user, and the service it talks to.

use core::fmt;
use std::sync::Arc;

use mls_crypto::{CipherSuite, Random, SignaturePublicKey};
use mls_delivery::{
    DeliveryService, DeviceId, DeviceKey, GroupId, Rejection, ServiceCrypto, UserId,
    access::{WRITE_KEY_LABEL, WRITE_KEY_LEN, WriteKey},
    ask,
    auth::Voucher,
    request::{CreateGroup, Enrol, EpochStart, Mode, PublishKeyPackages},
};
use mls_roles::GroupPolicy;
use spacepanda_core::core_mls::{Client, MlsError, MlsHandle};

use crate::{
    SyncError, SyncResult,
    rows::{HistoryEntry, Rows, put_made},
};

/// A client, the service it talks to, and what it keeps for that. Cheap to clone.
#[derive(Clone)]
pub struct Account {
    client: Client,
    service: Arc<dyn DeliveryService>,
    crypto: ServiceCrypto,
    random: Arc<dyn Random>,
    device: DeviceId,
}

impl Account {
    /// A device whose name at the service is that of the client's signature key.
    ///
    /// # Errors
    /// [`SyncError::Service`] for a key that cannot be named.
    pub fn new(
        client: Client,
        service: Arc<dyn DeliveryService>,
        crypto: ServiceCrypto,
        random: Arc<dyn Random>,
    ) -> SyncResult<Self> {
        let key = device_key(client.config().cipher_suite, client.signature_key());
        let device = key.device(&crypto)?;
        Ok(Self { client, service, crypto, random, device })
    }

    /// The client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The service.
    pub fn service(&self) -> &Arc<dyn DeliveryService> {
        &self.service
    }

    /// Our name at the service.
    pub const fn device(&self) -> DeviceId {
        self.device
    }

    /// Makes the device known at the service, and publishes key packages. May be repeated.
    ///
    /// # Errors
    /// [`SyncError::Service`], as [`mls_delivery::Rejection::VoucherNeeded`] for a further device of a user.
    pub async fn enrol(&self, invite: &[u8], voucher: Option<Voucher>) -> SyncResult<()> {
        let user = UserId::new(self.client.identity());
        let key = device_key(self.client.config().cipher_suite, self.client.signature_key());
        let enrol = Enrol { user, key, invite: invite.into(), voucher };
        ask(self.service.as_ref(), self.device, enrol).await?;
        self.publish_key_packages().await
    }

    /// Says that another device is of the same user, so that the service takes it.
    ///
    /// # Errors
    /// [`SyncError::Group`] if signing fails.
    pub fn vouch(&self, device: DeviceId) -> SyncResult<Voucher> {
        let key = device_key(self.client.config().cipher_suite, self.client.signature_key());
        let user = UserId::new(self.client.identity());
        Ok(Voucher::sign(&self.crypto, (&key, &self.client.signature_private_key()), &user, device)?)
    }

    /// Keeps enough key packages at the service.
    ///
    /// # Errors
    /// [`SyncError::Service`], [`SyncError::Group`].
    pub async fn publish_key_packages(&self) -> SyncResult<()> {
        let stock = ask(self.service.as_ref(), self.device, PublishKeyPackages::default()).await?;
        let new = self.client.replenish_key_packages(usize::try_from(stock.single_use).ok())?;
        if new.key_packages.is_empty() && new.last_resort.is_none() {
            return Ok(());
        }
        let key_packages = new.key_packages.into_iter().map(Into::into).collect();
        let publish = PublishKeyPackages { key_packages, last_resort: new.last_resort.map(Into::into) };
        ask(self.service.as_ref(), self.device, publish).await?;
        Ok(())
    }

    /// Founds a group. It is made known to the service when it is first brought into step.
    ///
    /// # Errors
    /// [`SyncError::Group`].
    pub fn create_group(&self, name: &str) -> SyncResult<MlsHandle> {
        Ok(self.client.create_group(Some(name))?)
    }

    /// Founds a group with roles: we own it, and the table of [`GroupPolicy::new`] says who may do what.
    ///
    /// # Errors
    /// [`SyncError::Group`].
    pub fn create_group_with_roles(&self, name: &str) -> SyncResult<MlsHandle> {
        let policy = GroupPolicy::new(self.client.identity());
        Ok(self.client.create_group_with_policy(Some(name), &policy)?)
    }

    /// The messages of a group, in its order: the same at every member for the time that both were in.
    ///
    /// # Errors
    /// [`SyncError::Group`], [`SyncError::InvalidRow`].
    pub fn history(&self, group: &MlsHandle) -> SyncResult<Vec<HistoryEntry>> {
        Rows(group).history()
    }

    /// The name of a member's device at the service.
    ///
    /// # Errors
    /// [`SyncError::Service`].
    pub fn device_of(&self, group: &MlsHandle, signature_key: &[u8]) -> SyncResult<DeviceId> {
        Ok(device_key(group.ciphersuite(), signature_key).device(&self.crypto)?)
    }

    /// Whether we are in the group.
    pub fn is_member(&self, group: &MlsHandle) -> bool {
        group.epoch_authenticator().is_ok()
    }

    pub(crate) fn check_member(&self, group: &MlsHandle) -> SyncResult<()> {
        if self.is_member(group) { Ok(()) } else { Err(SyncError::NotAMember) }
    }

    pub(crate) fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    pub(crate) const fn crypto(&self) -> &ServiceCrypto {
        &self.crypto
    }

    pub(crate) fn draw<const N: usize>(&self) -> SyncResult<[u8; N]> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The key that all members of the present epoch write with.
    pub(crate) fn write_key(&self, group: &MlsHandle) -> SyncResult<WriteKey> {
        let exported = group.export_secret(WRITE_KEY_LABEL, b"", WRITE_KEY_LEN)?;
        Ok(WriteKey::new(&self.crypto, exported)?)
    }

    /// A group that we founded is made known to the service, once.
    pub(crate) async fn make_known(&self, group: &MlsHandle) -> SyncResult<()> {
        let rows = Rows(group);
        if rows.is_made()? {
            return Ok(());
        }
        let write_key = self.write_key(group)?.public_key().clone();
        let join_token = self.join_digest(|label| group.export_secret(label, b"", WRITE_KEY_LEN))?;
        let start = EpochStart { write_key, join_token, group_info: None, ratchet_tree: None };
        let group_id = GroupId::new(group.group_id());
        let create = CreateGroup { group_id, epoch: group.epoch(), mode: Mode::Private, start };
        match ask(self.service.as_ref(), self.device, create).await {
            // Somebody else made it, and we joined.
            Ok(()) | Err(Rejection::GroupExists) => rows.write(vec![put_made()]),
            Err(rejection) => Err(rejection.into()),
        }
    }

    pub(crate) fn group(&self, id: &[u8]) -> SyncResult<Option<MlsHandle>> {
        match self.client.group(id) {
            Ok(group) => Ok(Some(group)),
            Err(MlsError::UnknownGroup) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("service", &self.service).finish_non_exhaustive()
    }
}

pub(crate) fn device_key(cipher_suite: CipherSuite, signature_key: &[u8]) -> DeviceKey {
    DeviceKey { cipher_suite, public_key: SignaturePublicKey::new(signature_key.to_vec()) }
}
