//! A server under test, as the runner sees it.
//!
//! In: an address. Out: its name, its suites, and its calls.

use std::{collections::BTreeSet, time::Duration};

use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use crate::{
    message::{NameRequest, SupportedCiphersuitesRequest},
    server::LARGEST_MESSAGE,
    service::Stub,
};

/// A connection to one server. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Client {
    /// What the server calls itself.
    pub name: String,
    /// Its suites.
    pub suites: BTreeSet<u32>,
    stub: Stub<Channel>,
}

/// Why a server cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Nobody answers there.
    #[error("no server at {address}: {error}")]
    NoServer {
        /// `host:port`.
        address: String,
        /// What went wrong.
        error: tonic::transport::Error,
    },
    /// Somebody answers, but not as the harness wants.
    #[error("{address} is no MLSClient: {status}")]
    NotAClient {
        /// `host:port`.
        address: String,
        /// What it answered.
        status: Box<Status>,
    },
}

impl Client {
    /// Connects to `host:port` and asks who is there.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(address: &str) -> Result<Self, ConnectError> {
        let no_server = |error| ConnectError::NoServer { address: address.to_owned(), error };
        let not_a_client =
            |status: Status| ConnectError::NotAClient { address: address.to_owned(), status: Box::new(status) };
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(no_server)?;
        let channel = endpoint.timeout(PATIENCE).connect().await.map_err(no_server)?;
        let mut stub =
            Stub::new(channel).max_decoding_message_size(LARGEST_MESSAGE).max_encoding_message_size(LARGEST_MESSAGE);
        let name = stub.name(NameRequest {}).await.map_err(not_a_client)?.into_inner().name;
        let suites = stub.supported_ciphersuites(SupportedCiphersuitesRequest {}).await.map_err(not_a_client)?;
        Ok(Self { name, suites: suites.into_inner().ciphersuites.into_iter().collect(), stub })
    }

    /// The same server under a name of our choice, for reports.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// Its calls.
    pub(crate) fn stub(&self) -> Stub<Channel> {
        self.stub.clone()
    }
}

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(120);
