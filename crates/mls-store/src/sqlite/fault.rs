//! What SQLite's errors mean to us.

use rusqlite::{Error, ErrorCode};

use crate::StoreError;

/// The error of a store.
pub(super) fn fault(error: Error) -> StoreError {
    match error {
        Error::SqliteFailure(error, _) => match error.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::TimedOut,
            ErrorCode::NotADatabase => StoreError::NotAStore,
            // `Unknown` is a statement that does not fit the tables.
            ErrorCode::DatabaseCorrupt
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::Unknown => StoreError::Damaged,
            _ => StoreError::Unavailable,
        },
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::QueryReturnedNoRows
        | Error::SqlInputError { .. }
        | Error::Utf8Error(..) => StoreError::Damaged,
        _ => StoreError::Unavailable,
    }
}
