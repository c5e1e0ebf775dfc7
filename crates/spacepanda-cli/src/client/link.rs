//! The service, as this home knows it; or the lack of it.

use std::{path::Path, sync::Arc};

use mls_crypto::SignaturePublicKey;
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    BoxFuture, Capabilities, DeliveryService, DeviceId, DeviceKey, Limits, Rejection, ServiceCrypto, Watch, hub::Topic,
    reply::Reply, request::Request,
};
use mls_delivery_client::{Backoff, Connect, Identity, Remote};
use spacepanda_core::core_mls::Client;
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::{Trouble, printer::text, profile::Profile};

/// Connects to the service of a profile. It need not know us.
pub(crate) async fn connect(profile: &Profile, client: &Client, crypto: &ServiceCrypto) -> Result<Remote, Trouble> {
    let key = DeviceKey {
        cipher_suite: client.config().cipher_suite,
        public_key: SignaturePublicKey::new(client.signature_key().to_vec()),
    };
    let identity = Identity { key, private_key: client.signature_private_key() };
    let connect = Connect {
        address: text(profile.address.as_slice()),
        service: profile.service_name.as_slice().to_vec(),
        service_key: profile.service_key.as_ref().map(|key| SignaturePublicKey::new(key.as_slice().to_vec())),
        tls: tls(&text(profile.ca.as_slice()))?,
        crypto: crypto.clone(),
        random: Arc::new(OsRandom),
        backoff: Backoff { tries: 4, ..Backoff::default() },
    };
    Ok(Remote::connect(connect, identity).await?)
}

/// The host of an address; on this machine the service calls itself `localhost`. What travels in the open may go no further than
/// this machine.
pub(crate) fn service_name(address: &str) -> Result<String, Trouble> {
    let (scheme, rest) = address.split_once("://").ok_or(Trouble::NotAnAddress)?;
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match (scheme, here) {
        _ if host.is_empty() => Err(Trouble::NotAnAddress),
        ("http" | "https", true) => Ok("localhost".to_owned()),
        ("https", false) => Ok(host.to_owned()),
        ("http", false) => Err(Trouble::Plain),
        _ => Err(Trouble::NotAnAddress),
    }
}

fn tls(ca: &str) -> Result<ClientConfig, Trouble> {
    let mut roots = RootCertStore::empty();
    let unreadable = |error: &dyn core::fmt::Display| Trouble::Input {
        name: ca.to_owned(),
        error: std::io::Error::other(error.to_string()),
    };
    if ca.is_empty() {
        // Those that cannot be read are missed when a certificate is not believed.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    } else {
        let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(Path::new(ca)).and_then(Iterator::collect);
        roots.add_parsable_certificates(found.map_err(|error| unreadable(&error))?);
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let versions = builder.with_safe_default_protocol_versions().map_err(|error| unreadable(&error))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

/// What is there while the service cannot be reached: nothing, for the same reason each time.
#[derive(Debug)]
pub(crate) struct Unreachable(pub(crate) Rejection);

impl DeliveryService for Unreachable {
    fn call(&self, _: DeviceId, _: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        let rejection = self.0.clone();
        Box::pin(async move { Err(rejection) })
    }

    fn watch(&self, _: Vec<Topic>) -> Box<dyn Watch> {
        Box::new(Silence)
    }

    fn capabilities(&self) -> Capabilities {
        let service_key = SignaturePublicKey::new(Vec::new());
        Capabilities { total_order: 0, durable: 0, limits: Limits::default(), service_key }
    }
}

#[derive(Debug)]
struct Silence;

impl Watch for Silence {
    fn next(&mut self) -> BoxFuture<'_, Vec<Topic>> {
        Box::pin(core::future::pending())
    }
}

#[cfg(test)]
mod tests;
