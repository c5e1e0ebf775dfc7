//! Rows in PostgreSQL, inside a transaction that somebody else begins and ends.

mod devices;
mod groups;
mod logs;
mod mail;
mod passes;
mod places;
mod quotas;

use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::Transaction;
use mls_crypto::Opaque;
use mls_delivery::{DeviceId, Digest, GroupId, Seq, rows::RowError};
use tokio_postgres::{
    Error, Row,
    types::{FromSql, ToSql},
};

use crate::error::{fault, is_conflict};

/// The rows that a transaction sees.
pub(crate) struct PostgresRows<'a, 'c> {
    transaction: &'a Transaction<'c>,
    /// Told when another transaction was in the way, so that this one has to begin anew.
    conflict: Option<&'a AtomicBool>,
}

/// What a statement is told.
type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

impl<'a, 'c> PostgresRows<'a, 'c> {
    /// For reading, which is in nobody's way.
    pub(crate) const fn reading(transaction: &'a Transaction<'c>) -> Self {
        Self { transaction, conflict: None }
    }

    /// For writing. `conflict` is told when another transaction was in the way.
    pub(crate) const fn writing(transaction: &'a Transaction<'c>, conflict: &'a AtomicBool) -> Self {
        Self { transaction, conflict: Some(conflict) }
    }
}

impl PostgresRows<'_, '_> {
    async fn execute(&self, sql: &str, params: Params<'_>) -> Result<(), RowError> {
        let statement = self.transaction.prepare_cached(sql).await.map_err(|error| self.fault(&error))?;
        self.transaction.execute(&statement, params).await.map(|_| ()).map_err(|error| self.fault(&error))
    }

    async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, RowError> {
        let statement = self.transaction.prepare_cached(sql).await.map_err(|error| self.fault(&error))?;
        self.transaction.query(&statement, params).await.map_err(|error| self.fault(&error))
    }

    fn fault(&self, error: &Error) -> RowError {
        if let Some(conflict) = self.conflict.filter(|_| is_conflict(error)) {
            conflict.store(true, Ordering::Relaxed);
        }
        fault(error)
    }

    /// The one row there is, or none.
    async fn one<T>(
        &self,
        sql: &str,
        params: Params<'_>,
        read: impl FnOnce(&Row) -> Result<T, RowError>,
    ) -> Result<Option<T>, RowError> {
        self.query(sql, params).await?.first().map(read).transpose()
    }

    async fn all<T>(
        &self,
        sql: &str,
        params: Params<'_>,
        read: impl FnMut(&Row) -> Result<T, RowError>,
    ) -> Result<Vec<T>, RowError> {
        self.query(sql, params).await?.iter().map(read).collect()
    }
}

/// A number for PostgreSQL, which counts to 2^63. What is beyond is beyond everything that is stored.
fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn place(seq: Seq) -> i64 {
    int(seq.get())
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Result<T, RowError> {
    row.try_get(at).map_err(|_| RowError::Damaged)
}

fn get_number<T: TryFrom<i64>>(row: &Row, at: usize) -> Result<T, RowError> {
    T::try_from(get::<i64>(row, at)?).map_err(|_| RowError::Damaged)
}

fn get_seq(row: &Row, at: usize) -> Result<Seq, RowError> {
    Ok(Seq::new(get_number(row, at)?))
}

fn get_maybe_seq(row: &Row, at: usize) -> Result<Option<Seq>, RowError> {
    match get::<Option<i64>>(row, at)? {
        Some(_) => Ok(Some(get_seq(row, at)?)),
        None => Ok(None),
    }
}

fn get_digest(row: &Row, at: usize) -> Result<Digest, RowError> {
    let bytes: &[u8] = get(row, at)?;
    Ok(Digest::new(bytes.try_into().map_err(|_| RowError::Damaged)?))
}

fn get_device(row: &Row, at: usize) -> Result<DeviceId, RowError> {
    Ok(DeviceId::new(get_digest(row, at)?))
}

fn get_group(row: &Row, at: usize) -> Result<GroupId, RowError> {
    Ok(GroupId::new(get_bytes(row, at)?))
}

fn get_bytes(row: &Row, at: usize) -> Result<Opaque, RowError> {
    Ok(get::<Vec<u8>>(row, at)?.into())
}

fn get_maybe_bytes(row: &Row, at: usize) -> Result<Option<Opaque>, RowError> {
    Ok(get::<Option<Vec<u8>>>(row, at)?.map(Opaque::from))
}
