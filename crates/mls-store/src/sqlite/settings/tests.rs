//! Settings that did not take are seen.

use rusqlite::Connection;

use super::{MIN_SQLITE, apply, check_version, verify};
use crate::StoreError;

#[test]
fn a_setting_that_did_not_take_is_named() {
    // A database in memory has no log.
    let connection = Connection::open_in_memory().unwrap();
    assert_eq!(apply(&connection), Err(StoreError::SettingRefused { name: "journal_mode" }));
}

#[test]
fn every_setting_is_read_back() {
    let path = std::env::temp_dir().join(format!("mls-store-settings-{}", std::process::id()));
    let connection = Connection::open(&path).unwrap();
    apply(&connection).unwrap();
    for (name, other) in [("synchronous", "NORMAL"), ("secure_delete", "OFF"), ("trusted_schema", "ON")] {
        connection.pragma_update(None, name, other).unwrap();
        assert_eq!(verify(&connection), Err(StoreError::SettingRefused { name }));
        apply(&connection).unwrap();
    }
    drop(connection);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn an_old_sqlite_is_refused() {
    assert_eq!(check_version(MIN_SQLITE), Ok(()));
    assert_eq!(check_version(3_051_002), Err(StoreError::SqliteTooOld { found: 3_051_002, needed: 3_051_003 }));
    assert_eq!(check_version(rusqlite::version_number()), Ok(()));
}
