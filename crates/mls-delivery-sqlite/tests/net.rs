//! The net below the net: a second commit of an epoch cannot be written, whatever the rules say.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use delivery_conformance::{Bench, World};
use mls_delivery::{Clock, DeliveryService, Limits, rules::Rules};
use mls_delivery_sqlite::SqliteService;
use rusqlite::{Connection, ErrorCode};

#[derive(Debug)]
struct Here(std::path::PathBuf);

impl Bench for Here {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        Arc::new(SqliteService::open(&self.0, rules, clock).unwrap())
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        self.open(delivery_conformance::rules(Limits::default()), Arc::new(mls_delivery::SystemClock))
    }

    fn sweep(&self) {}
}

#[test]
fn an_epoch_has_one_commit_in_the_file() {
    let dir = std::env::temp_dir().join(format!("mls-delivery-net-{}", std::process::id()));
    let mut bench = Here(dir.clone());
    let world = World::open(&mut bench, Limits::default());
    let alice = world.device("alice");
    let group = world.group(&alice, "net");
    world.commit(&alice, &group, 0);
    drop(world);
    let database = Connection::open(dir.join("delivery.db")).unwrap();
    let rival =
        "INSERT INTO log SELECT gid, seq + 1, kind, epoch, attempt + ?1, randomblob(32), received, message FROM log";
    let error = database.execute(rival, [0]).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::ConstraintViolation));
    // After a voiding there may be another one.
    assert_eq!(database.execute(rival, [1]).unwrap(), 1);
    drop(database);
    std::fs::remove_dir_all(&dir).unwrap();
}
