//! What the service keeps its rows in: a folder, or a PostgreSQL that other nodes use too.

use std::sync::Arc;

use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{Clock, DeliveryService, rows::RowError, rules::Rules};
use mls_delivery_postgres::{Database, PostgresService};
use mls_delivery_sqlite::SqliteService;

use super::{Trouble, settings::Settings, tls};

/// An open one.
#[derive(Debug)]
pub(crate) enum Store {
    Folder(Arc<SqliteService>),
    Nodes(Arc<PostgresService>),
}

impl Store {
    /// Opens what the settings name.
    pub(crate) async fn open(settings: &Settings, rules: Rules, clock: Arc<dyn Clock>) -> Result<Self, Trouble> {
        let Some(address) = &settings.database else {
            let service = SqliteService::open(&settings.data.join("service"), rules, clock)?;
            return Ok(Self::Folder(Arc::new(service)));
        };
        let connections = usize::try_from(settings.database_connections).unwrap_or(usize::MAX);
        let database = Database::new(address, tls::believing(settings.database_ca.as_deref())?, connections)?;
        let service = PostgresService::open(database, rules, (clock, Arc::new(OsRandom))).await?;
        Ok(Self::Nodes(Arc::new(service)))
    }

    /// The service around it.
    pub(crate) fn service(&self) -> Arc<dyn DeliveryService> {
        match self {
            Self::Folder(service) => service.clone(),
            Self::Nodes(service) => service.clone(),
        }
    }

    /// Deletes what has had its time.
    pub(crate) async fn sweep(&self) -> Result<(), RowError> {
        match self {
            Self::Folder(service) => service.sweep().await,
            Self::Nodes(service) => service.sweep().await,
        }
    }
}
