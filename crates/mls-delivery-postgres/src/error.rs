//! What PostgreSQL's errors mean to us.

use mls_delivery::rows::RowError;
use tokio_postgres::Error;

/// Why a service was not opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address is not one of PostgreSQL. It is not shown: it may hold a password.
    #[error("the database's address is not understood; it begins with postgres:// and names a host and a database")]
    Address,
    /// What is said to the database could be read on the way.
    #[error(
        "the database is on another machine; add sslmode=require to its address, and say whose certificate to believe"
    )]
    NeedsTls,
    /// The database cannot be reached, or does not do as told.
    #[error("the database cannot be used: {0}")]
    Database(#[from] Error),
    /// No connection to be had.
    #[error("no connection to the database: {0}")]
    Connection(#[from] deadpool_postgres::PoolError),
    /// The pool of connections cannot be made.
    #[error("no pool of connections: {0}")]
    Pool(#[from] deadpool_postgres::BuildError),
    /// A newer version of this program wrote it.
    #[error("the database has schema {found}, and this program knows up to {known}; use the newer program")]
    NewerSchema {
        /// What it has.
        found: i64,
        /// What we know.
        known: i64,
    },
    /// The server is older than what this was made for.
    #[error("the database is PostgreSQL {found}; 15 or newer is needed")]
    TooOld {
        /// Its major version.
        found: i64,
    },
    /// Nodes of one service have one key.
    #[error("the database belongs to a service with another key; give this node the key files of the others")]
    OtherKey,
    /// A setting that durability relies on is off.
    #[error("the database has {name} = {found}, so what it says is durable may get lost; turn it on")]
    SettingRefused {
        /// Which.
        name: &'static str,
        /// What it is.
        found: String,
    },
}

/// Whether another transaction was in the way: class 40 of SQLSTATE, deadlocks and serialization failures. All of this one is
/// rolled back, and may do better a little later.
pub(crate) fn is_conflict(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("40"))
}

/// The error of a row. Classes of SQLSTATE: 22 data, 23 constraints, XX corruption; the rest may be better later.
pub(crate) fn fault(error: &Error) -> RowError {
    let class = error.code().and_then(|code| code.code().get(..2));
    match class {
        Some("22" | "23" | "XX") => RowError::Damaged,
        Some(_) => RowError::Unavailable,
        // A column that is not what it should be, or no connection.
        None if error.is_closed() => RowError::Unavailable,
        None if error.to_string().contains("deserializing") => RowError::Damaged,
        None => RowError::Unavailable,
    }
}
