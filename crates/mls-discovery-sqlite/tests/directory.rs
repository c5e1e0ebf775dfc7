//! The directory on SQLite keeps the contract, and what it was given.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use discovery_conformance::{OTHER, SERVICE, crypto, directory_conformance, metadata, public, record, witnessed};
use mls_crypto_aws_lc::OsRandom;
use mls_discovery::{Bounds, Directory, DiscoveryQuery, Since, Trust};
use mls_discovery_sqlite::{OpenError, SqliteDirectory};
use rusqlite::Connection;

/// A folder that is removed at the end.
struct Folder(PathBuf, AtomicU32);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mls-discovery-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path, AtomicU32::new(0))
    }

    fn next(&self) -> PathBuf {
        self.0.join(format!("{}.db", self.1.fetch_add(1, Ordering::SeqCst)))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn open(file: &std::path::Path, trust: Trust) -> Result<SqliteDirectory, OpenError> {
    SqliteDirectory::open(file, (crypto(), trust), Bounds::default(), &OsRandom)
}

fn trust() -> Trust {
    Trust::nobody().in_service(&public(SERVICE)).in_peer(&public(OTHER))
}

#[test]
fn sqlite_directory_conforms() {
    let folder = Folder::new("conforms");
    directory_conformance(&|trust, bounds| {
        Arc::new(SqliteDirectory::open(&folder.next(), (crypto(), trust), bounds, &OsRandom).unwrap())
    });
}

#[test]
fn records_outlive_the_process() {
    let folder = Folder::new("outlive");
    let file = folder.next();
    let first = record(b"1", &metadata("tea", 1));
    let upto = {
        let directory = open(&file, trust()).unwrap();
        directory.publish(first.clone()).unwrap();
        directory.publish(record(b"2", &metadata("tea", 1))).unwrap();
        directory.since(&Since::default(), 10).unwrap().upto
    };
    let directory = open(&file, trust()).unwrap();
    assert_eq!(directory.get(b"1").unwrap(), Some(first));
    let again = directory.since(&upto, 10).unwrap();
    assert_eq!((again.records.len(), again.upto), (0, upto));
    directory.publish(record(b"3", &metadata("tea", 1))).unwrap();
    assert_eq!(directory.since(&upto, 10).unwrap().records.len(), 1);
}

/// A peer that is not trusted any more takes with it what it vouched for, and nothing else.
#[test]
fn what_rests_on_others_is_deleted() {
    let folder = Folder::new("trust");
    let file = folder.next();
    let own = record(b"1", &metadata("tea", 1));
    {
        let directory = open(&file, trust()).unwrap();
        directory.publish(own.clone()).unwrap();
        directory.publish(witnessed((b"2", &metadata("tea", 1)), 1, OTHER)).unwrap();
    }
    let directory = open(&file, Trust::nobody().in_service(&public(SERVICE))).unwrap();
    assert_eq!(directory.get(b"2").unwrap(), None);
    assert!(directory.contenders(b"2").unwrap().is_empty());
    let found = directory.query(&DiscoveryQuery::default(), None, 10).unwrap();
    assert_eq!(found.records, [own]);
}

#[test]
fn files_of_others_are_refused() {
    let folder = Folder::new("others");
    let file = folder.next();
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE other(a)").unwrap();
    assert!(matches!(open(&file, trust()), Err(OpenError::NotOurs)));
    let file = folder.next();
    drop(open(&file, trust()).unwrap());
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 2).unwrap();
    assert!(matches!(open(&file, trust()), Err(OpenError::NewerSchema { found: 2, known: 1 })));
}
