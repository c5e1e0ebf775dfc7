//! What SQLite's errors mean to us.

use mls_discovery::DiscoveryError;
use rusqlite::{Error, ErrorCode};

/// Why a directory was not opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database cannot be read or written.
    #[error("the directory's database cannot be used: {0}; check the rights of its folder")]
    Database(#[from] Error),
    /// The file belongs to another program.
    #[error("the file is not a directory of groups; choose another")]
    NotOurs,
    /// A newer version of this program wrote it.
    #[error("the directory has schema {found}, and this program knows up to {known}; use the newer program")]
    NewerSchema {
        /// What it has.
        found: i64,
        /// What we know.
        known: i64,
    },
    /// What is in it cannot be read, or randomness failed.
    #[error(transparent)]
    Directory(#[from] DiscoveryError),
}

/// The error of a row.
pub(crate) fn fault(error: Error) -> DiscoveryError {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch,
        ) => DiscoveryError::Damaged,
        Some(_) => DiscoveryError::Unavailable,
        None => DiscoveryError::Damaged,
    }
}
