//! Settings of SQLite: made, then read back, because SQLite ignores in silence what it does not know or cannot do.

use rusqlite::{Connection, types::Value};

use crate::OpenError;

/// The oldest SQLite without defects that could lose what was written to the log.
const MIN_SQLITE: i32 = 3_051_003;

/// Name, what is written, and what must be read back.
const SETTINGS: [(&str, &str, Expected); 8] = [
    ("journal_mode", "WAL", Expected::Text("wal")),
    ("synchronous", "FULL", Expected::Number(2)),
    ("temp_store", "MEMORY", Expected::Number(2)),
    ("trusted_schema", "OFF", Expected::Number(0)),
    ("cell_size_check", "ON", Expected::Number(1)),
    ("mmap_size", "0", Expected::Number(0)),
    // Of Apple's systems only, where a plain sync does not reach the medium; set everywhere.
    ("fullfsync", "ON", Expected::Number(1)),
    ("checkpoint_fullfsync", "ON", Expected::Number(1)),
];

#[derive(Clone, Copy)]
enum Expected {
    Text(&'static str),
    Number(i64),
}

/// Makes all settings, and reads them back.
pub(crate) fn apply(connection: &Connection) -> Result<(), OpenError> {
    let found = rusqlite::version_number();
    if found < MIN_SQLITE {
        return Err(OpenError::SqliteTooOld { found, needed: MIN_SQLITE });
    }
    for (name, value, _) in SETTINGS {
        let mut statement = connection.prepare(&format!("PRAGMA {name}={value}"))?;
        let mut rows = statement.query([])?;
        // To the end: the change of journal_mode is written after its row.
        while rows.next()?.is_some() {}
    }
    verify(connection)
}

/// Reads all settings back.
pub(crate) fn verify(connection: &Connection) -> Result<(), OpenError> {
    for (name, _, expected) in SETTINGS {
        let found: Value = connection.pragma_query_value(None, name, |row| row.get(0))?;
        let took = match (&found, expected) {
            (Value::Text(found), Expected::Text(expected)) => found == expected,
            (Value::Integer(found), Expected::Number(expected)) => *found == expected,
            _ => false,
        };
        if !took {
            return Err(OpenError::SettingRefused { name });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
