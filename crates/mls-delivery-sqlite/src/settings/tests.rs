//! A setting that did not take is noticed.

use rusqlite::Connection;

use super::{apply, verify};
use crate::OpenError;

#[test]
fn durability_is_not_left_to_defaults() {
    // A database in memory has no write-ahead log, and SQLite does not say so.
    let connection = Connection::open_in_memory().unwrap();
    assert!(matches!(apply(&connection), Err(OpenError::SettingRefused { name: "journal_mode" })));
}

#[test]
fn settings_take_on_a_file_and_are_read_back() {
    let dir = std::env::temp_dir().join(format!("mls-delivery-settings-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let connection = Connection::open(dir.join("x.db")).unwrap();
    apply(&connection).unwrap();
    connection.pragma_update(None, "synchronous", "NORMAL").unwrap();
    assert!(matches!(verify(&connection), Err(OpenError::SettingRefused { name: "synchronous" })));
    drop(connection);
    std::fs::remove_dir_all(&dir).unwrap();
}
