//! Rows in SQLite, inside a transaction that somebody else begins and ends.

mod devices;
mod groups;
mod logs;
mod mail;
mod passes;
mod places;
mod quotas;

use mls_crypto::Opaque;
use mls_delivery::{DeviceId, Digest, GroupId, Seq, rows::RowError};
use rusqlite::{CachedStatement, Connection, Params, Row};

use crate::error::fault;

/// The rows that a connection sees.
#[derive(Debug)]
pub(crate) struct SqliteRows<'a>(pub(crate) &'a Connection);

impl SqliteRows<'_> {
    fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, RowError> {
        self.0.prepare_cached(sql).map_err(fault)
    }

    fn execute(&self, sql: &str, params: impl Params) -> Result<(), RowError> {
        self.statement(sql)?.execute(params).map(|_| ()).map_err(fault)
    }

    /// The one row there is, or none.
    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, RowError> {
        match self.statement(sql)?.query_row(params, read) {
            Ok(value) => Ok(Some(value)),
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, RowError> {
        let mut statement = self.statement(sql)?;
        let rows = statement.query_map(params, read).map_err(fault)?;
        rows.collect::<Result<_, _>>().map_err(fault)
    }

    /// As many rows as fit a page; the row that does not fit is the last that is read.
    fn page<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<(T, u64), rusqlite::Error>,
        limit: u64,
    ) -> Result<Vec<T>, RowError> {
        let mut statement = self.statement(sql)?;
        let mut taken = Vec::new();
        let mut bytes: u64 = 0;
        for row in statement.query_map(params, read).map_err(fault)? {
            let (row, length) = row.map_err(fault)?;
            bytes = bytes.saturating_add(length);
            if bytes > limit && !taken.is_empty() {
                break;
            }
            taken.push(row);
        }
        Ok(taken)
    }
}

/// A number for SQLite, which counts to 2^63. What is beyond is beyond everything that is stored.
fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn place(seq: Seq) -> i64 {
    int(seq.get())
}

fn get_number(row: &Row<'_>, at: usize) -> Result<u64, rusqlite::Error> {
    let number: i64 = row.get(at)?;
    u64::try_from(number).map_err(|_| unknown(at, number))
}

fn get_maybe_seq(row: &Row<'_>, at: usize) -> Result<Option<Seq>, rusqlite::Error> {
    match row.get::<_, Option<i64>>(at)? {
        Some(_) => Ok(Some(get_seq(row, at)?)),
        None => Ok(None),
    }
}

fn get_seq(row: &Row<'_>, at: usize) -> Result<Seq, rusqlite::Error> {
    Ok(Seq::new(get_number(row, at)?))
}

fn get_digest(row: &Row<'_>, at: usize) -> Result<Digest, rusqlite::Error> {
    Ok(Digest::new(row.get(at)?))
}

fn get_device(row: &Row<'_>, at: usize) -> Result<DeviceId, rusqlite::Error> {
    Ok(DeviceId::new(get_digest(row, at)?))
}

fn get_group(row: &Row<'_>, at: usize) -> Result<GroupId, rusqlite::Error> {
    Ok(GroupId::new(get_bytes(row, at)?))
}

fn get_bytes(row: &Row<'_>, at: usize) -> Result<Opaque, rusqlite::Error> {
    Ok(row.get::<_, Vec<u8>>(at)?.into())
}

fn get_maybe_bytes(row: &Row<'_>, at: usize) -> Result<Option<Opaque>, rusqlite::Error> {
    Ok(row.get::<_, Option<Vec<u8>>>(at)?.map(Opaque::from))
}

/// A number that stands for nothing.
fn unknown(at: usize, number: i64) -> rusqlite::Error {
    rusqlite::Error::IntegralValueOutOfRange(at, number)
}
