//! What the service keeps its rows in: a folder, or PostgreSQLs that other nodes use too.

use std::sync::Arc;

use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{Clock, DeliveryService, rows::RowError, rules::Rules, shard::Shard, shards::Shards};
use mls_delivery_postgres::{Database, PostgresService};
use mls_delivery_sqlite::SqliteService;

use super::{Trouble, settings::Settings, tls};

/// An open one.
#[derive(Debug)]
pub(crate) enum Store {
    Folder(Arc<SqliteService>),
    Nodes(Arc<PostgresService>),
    Spread(Arc<Shards>, Vec<Arc<PostgresService>>),
}

impl Store {
    /// Opens what the settings name.
    pub(crate) async fn open(settings: &Settings, rules: Rules, clock: Arc<dyn Clock>) -> Result<Self, Trouble> {
        let mut databases = Vec::new();
        for address in &settings.database {
            databases.push(database(settings, address, (rules.clone(), clock.clone())).await?);
        }
        match databases.as_slice() {
            [] => {
                let service = SqliteService::open(&settings.data.join("service"), rules, clock)?;
                Ok(Self::Folder(Arc::new(service)))
            }
            [only] => Ok(Self::Nodes(only.clone())),
            _ => {
                let parts = databases.iter().map(part).collect();
                let shards = Shards::open(rules.crypto, Arc::new(OsRandom), parts).await?;
                Ok(Self::Spread(Arc::new(shards), databases))
            }
        }
    }

    /// The service around it.
    pub(crate) fn service(&self) -> Arc<dyn DeliveryService> {
        match self {
            Self::Folder(service) => service.clone(),
            Self::Nodes(service) => service.clone(),
            Self::Spread(shards, _) => shards.clone(),
        }
    }

    /// Deletes what has had its time; and moves groups to databases that came later.
    pub(crate) async fn sweep(&self) -> Result<(), RowError> {
        match self {
            Self::Folder(service) => service.sweep().await,
            Self::Nodes(service) => service.sweep().await,
            Self::Spread(shards, databases) => {
                for database in databases {
                    database.sweep().await?;
                }
                shards.balance(MOVES).await.map(|_| ()).map_err(|_| RowError::Unavailable)
            }
        }
    }
}

async fn database(
    settings: &Settings,
    address: &str,
    (rules, clock): (Rules, Arc<dyn Clock>),
) -> Result<Arc<PostgresService>, Trouble> {
    let connections = usize::try_from(settings.database_connections).unwrap_or(usize::MAX);
    let database = Database::new(address, tls::believing(settings.database_ca.as_deref())?, connections)?;
    Ok(Arc::new(PostgresService::open(database, rules, (clock, Arc::new(OsRandom))).await?))
}

fn part(database: &Arc<PostgresService>) -> Arc<dyn Shard> {
    let database: Arc<PostgresService> = database.clone();
    database
}

/// How many groups are moved each time.
const MOVES: usize = 1_000;
