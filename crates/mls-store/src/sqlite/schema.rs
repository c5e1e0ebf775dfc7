//! The tables, and how an older file becomes a current one.
//!
//! Always: a file has exactly the tables of its version, or it is damaged: nobody smuggles in a trigger. A migration
//! happens in one transaction.

use rusqlite::Connection;

use super::fault::fault;
use crate::{StoreError, place::SCHEMA};

/// "SPMS": tells our files from others.
pub(super) const APPLICATION_ID: u32 = 0x5350_4D53;

/// From the version that is its place in the list to the next one.
pub(super) type Migration = fn(&Connection) -> Result<(), StoreError>;

/// All migrations; the first makes the tables.
pub(super) const MIGRATIONS: [Migration; 1] = [create];

const TABLES: [(&str, &str); 5] = [
    (
        "meta",
        "CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one=1), period INTEGER NOT NULL, \
         revision INTEGER NOT NULL, pending INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT",
    ),
    ("pages", "CREATE TABLE pages(id BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID"),
    (
        "spaces",
        "CREATE TABLE spaces(id BLOB PRIMARY KEY, revision INTEGER NOT NULL, sealed BLOB NOT NULL) \
         STRICT, WITHOUT ROWID",
    ),
    (
        "records",
        "CREATE TABLE records(segment BLOB NOT NULL, id BLOB NOT NULL, sealed BLOB NOT NULL, \
         PRIMARY KEY(segment, id)) STRICT, WITHOUT ROWID",
    ),
    ("dirty", "CREATE TABLE dirty(place BLOB PRIMARY KEY) STRICT, WITHOUT ROWID"),
];

/// What a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// There is nothing in it.
    Empty,
    /// Tables of this version.
    Version(u32),
}

/// What a file is; refuses those of others and of the future.
pub(super) fn inspect(connection: &Connection) -> Result<Found, StoreError> {
    let number = |name| -> Result<u32, StoreError> {
        let number: i64 = connection.pragma_query_value(None, name, |row| row.get(0)).map_err(fault)?;
        u32::try_from(number).map_err(|_| StoreError::NotAStore)
    };
    let (application, version) = (number("application_id")?, number("user_version")?);
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fault)?;
    if (application, version, objects) == (0, 0, 0) {
        return Ok(Found::Empty);
    }
    if application != APPLICATION_ID || version == 0 {
        return Err(StoreError::NotAStore);
    }
    if version > SCHEMA {
        return Err(StoreError::NewerSchema { found: version, known: SCHEMA });
    }
    Ok(Found::Version(version))
}

/// Brings a file from one version to the last of the list, inside the caller's transaction.
pub(super) fn migrate(connection: &Connection, from: u32, migrations: &[Migration]) -> Result<(), StoreError> {
    let done = usize::try_from(from).map_err(|_| StoreError::Damaged)?;
    for migration in migrations.iter().skip(done) {
        migration(connection)?;
    }
    let version = u32::try_from(migrations.len()).map_err(|_| StoreError::Damaged)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(fault)?;
    connection.pragma_update(None, "user_version", version).map_err(fault)
}

/// Whether the file has exactly the tables of the current version.
pub(super) fn verify(connection: &Connection) -> Result<(), StoreError> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema").map_err(fault)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(fault)?;
    let found: Vec<(String, String)> = rows.collect::<Result<_, _>>().map_err(fault)?;
    let ours = |(name, sql): &(String, String)| TABLES.contains(&(name, sql));
    if found.len() == TABLES.len() && found.iter().all(ours) { Ok(()) } else { Err(StoreError::Damaged) }
}

fn create(connection: &Connection) -> Result<(), StoreError> {
    TABLES.iter().try_for_each(|(_, sql)| connection.execute_batch(sql).map_err(fault))
}

#[cfg(test)]
mod tests;
