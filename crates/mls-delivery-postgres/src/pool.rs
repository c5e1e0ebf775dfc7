//! Connections: how they are made, and what is asked of them.

use std::{net::IpAddr, str::FromStr, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::ClientConfig;

use crate::OpenError;

/// Where the database is, and how to talk to it.
#[derive(Clone)]
pub struct Database {
    config: Config,
    tls: ClientConfig,
    connections: usize,
}

impl Database {
    /// From an address such as `postgres://user:password@first,second/name?sslmode=require`. Of several hosts, the one that
    /// takes writes is used: after a failover, that is another one. `tls` says whose certificate to believe, and
    /// `connections` is how many one node has at most, beside one that listens.
    ///
    /// # Errors
    /// [`OpenError::Address`]; [`OpenError::NeedsTls`] for a host that is not this machine, without `sslmode=require`.
    pub fn new(address: &str, tls: ClientConfig, connections: usize) -> Result<Self, OpenError> {
        let mut config = Config::from_str(address).map_err(|_| OpenError::Address)?;
        if config.get_hosts().is_empty() || config.get_dbname().is_none() {
            return Err(OpenError::Address);
        }
        if config.get_ssl_mode() != SslMode::Require && !config.get_hosts().iter().all(is_here) {
            return Err(OpenError::NeedsTls);
        }
        config
            .application_name("spacepanda-delivery")
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(CONNECT)
            .keepalives_idle(KEEPALIVE)
            .tcp_user_timeout(SILENCE);
        Ok(Self { config, tls, connections: connections.max(MIN_CONNECTIONS) })
    }

    pub(crate) fn pool(&self) -> Result<Pool, OpenError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(self.config.clone(), self.connector(), recycling);
        let timeouts = Timeouts { wait: Some(WAIT), create: Some(WAIT), recycle: Some(WAIT) };
        let builder = Pool::builder(manager).max_size(self.connections).runtime(Runtime::Tokio1).timeouts(timeouts);
        Ok(builder.build()?)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn connector(&self) -> MakeRustlsConnect {
        MakeRustlsConnect::new(self.tls.clone())
    }
}

impl core::fmt::Debug for Database {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The configuration may hold a password.
        let Self { config: _, tls: _, connections } = self;
        f.debug_struct("Database").field("connections", connections).finish_non_exhaustive()
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// The writers need one each, and something has to be left for reading.
const MIN_CONNECTIONS: usize = 8;

const CONNECT: Duration = Duration::from_secs(5);
const KEEPALIVE: Duration = Duration::from_secs(10);
/// How long a peer may be silent that has something to acknowledge.
const SILENCE: Duration = Duration::from_secs(15);
/// How long a request waits for a connection.
const WAIT: Duration = Duration::from_secs(10);
