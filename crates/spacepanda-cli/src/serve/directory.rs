//! The directory of groups in the folder, and the services whose directories it follows.

use std::{path::PathBuf, sync::Arc, time::Duration};

use mls_crypto::SignaturePrivateKey;
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_delivery_client::{DirectoryClient, Replica};
use mls_delivery_server::{Desk, DeskQuotas};
use mls_discovery::{Bounds, Directory, DirectoryCrypto, Trust};
use mls_discovery_sqlite::SqliteDirectory;
use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::ClientConfig;

use super::{Trouble, settings::Settings, tls};

/// A service whose directory is followed.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PeerSetting {
    /// `https://host:port`, or `http://` to this machine.
    address: String,
    /// Its service key, in hexadecimal digits: it is believed where our own service has seen nothing.
    service_key: String,
    /// Whose certificate to believe, PEM; else whom the system believes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<PathBuf>,
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct Public {
    directory: Arc<dyn Directory>,
    peers: Vec<(String, ClientConfig)>,
}

impl Public {
    /// Opens the directory of the folder. It believes the own service, by its public key, and the peers.
    pub(crate) fn open(settings: &Settings, service_key: &[u8]) -> Result<Self, Trouble> {
        let mut trust = Trust::nobody().in_service(service_key);
        let mut peers = Vec::new();
        for peer in &settings.peers {
            trust = trust.in_peer(&peer.key()?);
            peers.push((peer.address.clone(), tls::trusting(peer.ca.as_deref())?));
        }
        let crypto = DirectoryCrypto::new(&AwsLc::default())?;
        let file = settings.data.join("directory.db");
        let directory = SqliteDirectory::open(&file, (crypto, trust), Bounds::default(), &OsRandom)?;
        Ok(Self { directory: Arc::new(directory), peers })
    }

    /// Where members publish; `key` is that of the service.
    pub(crate) fn desk(&self, key: SignaturePrivateKey) -> Result<Desk, Trouble> {
        let crypto = DirectoryCrypto::new(&AwsLc::default())?;
        Ok(Desk::new(self.directory.clone(), (crypto, key), DeskQuotas::default()))
    }

    /// Follows every peer, until the runtime ends.
    pub(crate) fn follow(self) {
        for (address, tls) in self.peers {
            let replica = Replica::new(DirectoryClient::new(&address, tls));
            tokio::spawn(replica.follow(self.directory.clone(), PERIOD, |_| ()));
        }
    }
}

impl PeerSetting {
    fn key(&self) -> Result<Vec<u8>, Trouble> {
        let digits = self.service_key.as_bytes().chunks(2);
        let bytes = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        let key: Option<Vec<u8>> = bytes.collect();
        key.filter(|key| key.len() == super::KEY_LEN).ok_or_else(|| Trouble::PeerKey(self.address.clone()))
    }
}

/// Between two rounds.
const PERIOD: Duration = Duration::from_secs(30);
