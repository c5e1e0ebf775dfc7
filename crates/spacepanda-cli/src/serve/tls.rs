//! Certificates of the service.

use std::{path::Path, sync::Arc};

use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::Trouble;

/// What TLS needs, from two PEM files.
pub(crate) fn load(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, Trouble> {
    let unusable = |file: &Path, error: &dyn core::fmt::Display| Trouble::Tls {
        file: file.display().to_string(),
        reason: error.to_string(),
    };
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
