//! Settings of SQLite: made, then read back, because SQLite ignores in silence what it does not know or cannot do.
//!
//! Always: a store whose settings did not take is not opened.

use rusqlite::{Connection, types::Value};

use super::fault::fault;
use crate::StoreError;

/// The oldest SQLite without defects that could lose what was written to the log.
pub(super) const MIN_SQLITE: i32 = 3_051_003;

/// Name, what is written, and what must be read back.
const SETTINGS: [(&str, &str, Expected); 12] = [
    ("journal_mode", "WAL", Expected::Text("wal")),
    ("synchronous", "FULL", Expected::Number(2)),
    ("secure_delete", "ON", Expected::Number(1)),
    ("foreign_keys", "ON", Expected::Number(1)),
    ("temp_store", "MEMORY", Expected::Number(2)),
    ("trusted_schema", "OFF", Expected::Number(0)),
    ("cell_size_check", "ON", Expected::Number(1)),
    ("mmap_size", "0", Expected::Number(0)),
    ("journal_size_limit", "0", Expected::Number(0)),
    // Of Apple's systems only, where a plain sync does not reach the medium; set everywhere.
    ("fullfsync", "ON", Expected::Number(1)),
    ("checkpoint_fullfsync", "ON", Expected::Number(1)),
    ("recursive_triggers", "OFF", Expected::Number(0)),
];

#[derive(Clone, Copy)]
enum Expected {
    Text(&'static str),
    Number(i64),
}

/// Refuses a SQLite that is too old.
pub(super) fn check_version(found: i32) -> Result<(), StoreError> {
    if found < MIN_SQLITE {
        return Err(StoreError::SqliteTooOld { found, needed: MIN_SQLITE });
    }
    Ok(())
}

/// Makes all settings, and reads them back.
pub(super) fn apply(connection: &Connection) -> Result<(), StoreError> {
    for (name, value, _) in SETTINGS {
        let mut statement = connection.prepare(&format!("PRAGMA {name}={value}")).map_err(fault)?;
        let mut rows = statement.query([]).map_err(fault)?;
        // To the end: the change of journal_mode is written after its row. If that fails, SQLite says "wal" all the same.
        while rows.next().map_err(fault)?.is_some() {}
    }
    verify(connection)
}

/// Reads all settings back.
pub(super) fn verify(connection: &Connection) -> Result<(), StoreError> {
    for (name, _, expected) in SETTINGS {
        let found: Value = connection.pragma_query_value(None, name, |row| row.get(0)).map_err(fault)?;
        let took = match (&found, expected) {
            (Value::Text(found), Expected::Text(expected)) => found == expected,
            (Value::Integer(found), Expected::Number(expected)) => *found == expected,
            _ => false,
        };
        if !took {
            return Err(StoreError::SettingRefused { name });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
