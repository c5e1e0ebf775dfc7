//! Certificates: the service's own, and whose it believes.

use std::{path::Path, sync::Arc};

use tokio_rustls::rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::Trouble;

/// What TLS needs, from two PEM files.
pub(crate) fn load(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, Trouble> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| unusable(certificate, &error))?;
    let private_key = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, &error))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let versions = builder.with_safe_default_protocol_versions().map_err(|error| unusable(key, &error))?;
    let built = versions.with_no_client_auth().with_single_cert(chain, private_key);
    let mut config = built.map_err(|error| unusable(certificate, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// What TLS to a peer needs: the PEM file of whoever signed its certificate; without a file, whom the system believes.
pub(crate) fn trusting(file: Option<&Path>) -> Result<ClientConfig, Trouble> {
    if file.is_some() {
        return believing(file);
    }
    let mut roots = RootCertStore::empty();
    // Those that cannot be read are missed when a certificate is not believed.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    configured(None, roots)
}

/// What TLS to a database needs: the PEM file of whoever signed its certificate. Without a file nobody is believed.
pub(crate) fn believing(file: Option<&Path>) -> Result<ClientConfig, Trouble> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = file {
        let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
        for certificate in found.map_err(|error| unusable(file, &error))? {
            roots.add(certificate).map_err(|error| unusable(file, &error))?;
        }
    }
    configured(file, roots)
}

fn configured(file: Option<&Path>, roots: RootCertStore) -> Result<ClientConfig, Trouble> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let versions = builder.with_safe_default_protocol_versions().map_err(|error| Trouble::Tls {
        file: file.map(|file| file.display().to_string()).unwrap_or_default(),
        reason: error.to_string(),
    })?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

fn unusable(file: &Path, error: &dyn core::fmt::Display) -> Trouble {
    Trouble::Tls { file: file.display().to_string(), reason: error.to_string() }
}
