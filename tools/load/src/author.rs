//! Makes devices, groups and messages, and clients for them.

use std::sync::Arc;

use delivery_conformance::{Bench, Device, World};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{Clock, DeliveryService, Limits, MemoryService, Rejection, ask, request::Enrol, rules::Rules};
use mls_delivery_client::{Backoff, Connect, Identity, Remote};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

/// A workshop for what is sent to another service.
#[derive(Debug, Default)]
pub struct Author;

impl Bench for Author {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        Arc::new(MemoryService::new(rules, clock))
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        panic!("not reopened here")
    }

    fn sweep(&self) {}
}

impl Author {
    /// The workshop, open.
    pub fn world(&mut self) -> World<'_> {
        World::open(self, Limits::default())
    }
}

/// A name of this run's own: a database may have seen others.
pub fn name(name: &str) -> String {
    format!("{name} of {}", std::process::id())
}

/// A client of a new device, enrolled at the service.
///
/// # Errors
/// [`Rejection`].
pub async fn client(world: &World<'_>, address: &str, user: &str) -> Result<(Device, Remote), Rejection> {
    let device = world.stranger(&name(user));
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let versions = builder.with_safe_default_protocol_versions().unwrap();
    let connect = Connect {
        address: address.to_owned(),
        service: b"load".to_vec(),
        service_key: None,
        tls: versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
        crypto: world.rules.crypto.clone(),
        random: Arc::new(OsRandom),
        backoff: Backoff::default(),
    };
    let identity = Identity { key: device.key.clone(), private_key: device.private_key.duplicate() };
    let remote = Remote::connect(connect, identity).await?;
    let (user, key) = (device.user.clone(), device.key.clone());
    ask(&remote, device.id, Enrol { user, key, invite: b"".into(), voucher: None }).await?;
    Ok((device, remote))
}
