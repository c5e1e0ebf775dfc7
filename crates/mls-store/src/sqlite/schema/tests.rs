//! Migrations run in order, once each, and as a whole.

use rusqlite::Connection;

use super::{Found, MIGRATIONS, Migration, create, inspect, migrate, verify};
use crate::{StoreError, sqlite::fault::fault};

fn second(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch("ALTER TABLE meta ADD COLUMN two INTEGER").map_err(fault)
}

fn fails(_: &Connection) -> Result<(), StoreError> {
    Err(StoreError::Unavailable)
}

fn version(connection: &Connection) -> u32 {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[test]
fn an_empty_file_gets_the_tables() {
    let connection = Connection::open_in_memory().unwrap();
    assert_eq!(inspect(&connection), Ok(Found::Empty));
    migrate(&connection, 0, &MIGRATIONS).unwrap();
    assert_eq!(inspect(&connection), Ok(Found::Version(1)));
    assert_eq!(verify(&connection), Ok(()));
}

#[test]
fn an_old_file_gets_what_it_lacks() {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, 0, &MIGRATIONS).unwrap();
    let migrations: [Migration; 2] = [create, second];
    migrate(&connection, 1, &migrations).unwrap();
    assert_eq!(version(&connection), 2);
    assert_eq!(inspect(&connection), Err(StoreError::NewerSchema { found: 2, known: 1 }));
}

#[test]
fn a_migration_that_fails_changes_nothing() {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate(&connection, 0, &MIGRATIONS).unwrap();
    let transaction = connection.transaction().unwrap();
    let migrations: [Migration; 3] = [create, second, fails];
    assert_eq!(migrate(&transaction, 1, &migrations), Err(StoreError::Unavailable));
    drop(transaction);
    assert_eq!((version(&connection), verify(&connection)), (1, Ok(())));
}

#[test]
fn nobody_smuggles_in_a_trigger() {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, 0, &MIGRATIONS).unwrap();
    connection.execute_batch("CREATE TRIGGER t AFTER DELETE ON dirty BEGIN SELECT 1; END").unwrap();
    assert_eq!(verify(&connection), Err(StoreError::Damaged));
}
