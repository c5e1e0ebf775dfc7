//! What SQLite's errors mean to us.

use mls_delivery::rows::RowError;
use rusqlite::{Error, ErrorCode};

/// Why a service was not opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory cannot be made or used.
    #[error("the data directory cannot be used: {0}")]
    Directory(#[from] std::io::Error),
    /// The database cannot be read or written.
    #[error("the database cannot be used: {0}")]
    Database(#[from] Error),
    /// The file belongs to another program.
    #[error("the file is not a delivery service's")]
    NotOurs,
    /// A newer version of this program wrote it.
    #[error("the database has schema {found}, and this program knows up to {known}; use the newer program")]
    NewerSchema {
        /// What it has.
        found: i64,
        /// What we know.
        known: i64,
    },
    /// The SQLite in use has known defects.
    #[error("SQLite {found} is older than {needed}")]
    SqliteTooOld {
        /// Its version number.
        found: i32,
        /// The oldest that will do.
        needed: i32,
    },
    /// A setting that durability relies on did not take.
    #[error("setting {name} did not take")]
    SettingRefused {
        /// Which.
        name: &'static str,
    },
}

/// The error of a row.
pub(crate) fn fault(error: Error) -> RowError {
    match error {
        Error::SqliteFailure(error, _) => match error.code {
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::Unknown => RowError::Damaged,
            _ => RowError::Unavailable,
        },
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::QueryReturnedNoRows
        | Error::SqlInputError { .. }
        | Error::Utf8Error(..) => RowError::Damaged,
        _ => RowError::Unavailable,
    }
}
