//! Several connections on one disk, in one thread and in two.

use std::{thread, time::Duration};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use store_lab::{Disk, Lost, Vfs};

use crate::counter::Counter;

fn number(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("SELECT n FROM number", [], |row| row.get(0))
}

fn with_number(counter: Counter, vfs: &Vfs) -> Connection {
    let connection = counter.open(vfs).unwrap();
    connection.execute_batch("CREATE TABLE number (n); INSERT INTO number VALUES (0)").unwrap();
    connection
}

fn is_busy(result: rusqlite::Result<usize>) -> bool {
    result.unwrap_err().sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

#[test]
fn in_wal_mode_readers_keep_their_snapshot() {
    let (disk, wal) = (Disk::new(1), Counter::new("wal", "FULL"));
    let vfs = Vfs::register(&disk).unwrap();
    let (one, mut two) = (with_number(wal, &vfs), wal.open(&vfs).unwrap());
    two.busy_timeout(Duration::ZERO).unwrap();
    let snapshot = two.transaction().unwrap();
    assert_eq!(number(&snapshot), Ok(0));
    one.execute("UPDATE number SET n = 1", []).unwrap();
    assert_eq!((number(&snapshot), number(&one)), (Ok(0), Ok(1)));
    // A writer that has read what is old now may not write.
    assert!(is_busy(snapshot.execute("UPDATE number SET n = 7", [])));
    drop(snapshot);
    assert_eq!(number(&two), Ok(1));
    assert!(disk.shared_memory().iter().any(|(name, bytes)| name == "folder/db" && bytes.len() == 32_768));
    drop((one, two));
    assert!(disk.shared_memory().is_empty() && !disk.exists("folder/db-wal"));
}

#[test]
fn with_a_journal_readers_and_writers_wait() {
    let (disk, delete) = (Disk::new(1), Counter::new("delete", "FULL"));
    let vfs = Vfs::register(&disk).unwrap();
    let (one, mut two) = (with_number(delete, &vfs), delete.open(&vfs).unwrap());
    for connection in [&one, &two] {
        connection.busy_timeout(Duration::ZERO).unwrap();
    }
    let reading = two.transaction().unwrap();
    assert_eq!(number(&reading), Ok(0));
    // RESERVED beside SHARED is fine, EXCLUSIVE is not; PENDING keeps new readers out.
    assert!(is_busy(one.execute("UPDATE number SET n = 1", [])));
    one.execute_batch("BEGIN; UPDATE number SET n = 1").unwrap();
    assert!(is_busy(reading.execute("UPDATE number SET n = 2", [])));
    assert!(is_busy(one.execute("COMMIT", [])));
    let three = delete.open(&vfs);
    assert!(three.is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)));
    drop(reading);
    one.execute_batch("COMMIT").unwrap();
    assert_eq!(number(&two), Ok(1));
}

#[test]
fn threads_take_turns() {
    for journal in ["wal", "delete"] {
        let (disk, counter) = (Disk::new(1), Counter::new(journal, "EXTRA"));
        let vfs = Vfs::register(&disk).unwrap();
        drop(with_number(counter, &vfs));
        let raise = || {
            let mut connection = counter.open(&vfs).unwrap();
            connection.busy_timeout(Duration::from_secs(30)).unwrap();
            for _ in 0..100 {
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
                let now = number(&transaction).unwrap();
                transaction.execute("UPDATE number SET n = ?", [now + 1]).unwrap();
                transaction.commit().unwrap();
            }
        };
        thread::scope(|scope| {
            scope.spawn(raise);
            scope.spawn(raise);
        });
        let rebooted = disk.reboot(Lost::Everything);
        let vfs = Vfs::register(&rebooted).unwrap();
        assert_eq!(number(&vfs.open("folder/db").unwrap()), Ok(200), "{journal}");
    }
}

#[test]
fn a_file_system_is_used_again_only_when_nothing_is_open() {
    let disk = Disk::new(1);
    let vfs = Vfs::register(&disk).unwrap();
    let (name, connection) = (vfs.name().to_owned(), vfs.open("db").unwrap());
    drop(vfs);
    connection.execute_batch("PRAGMA user_version").unwrap();
    let others: Vec<_> = (0..50).map(|_| Vfs::register(&Disk::new(2)).unwrap()).collect();
    assert!(others.iter().all(|other| other.name() != name));
}
