//! Power loss and errors at every operation, against the settings of SQLite that promise to survive them, and controls.

use rusqlite::ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE;
use store_lab::{Broken, Disk, Failure, Fault, Lost, Plan, Report, Vfs, explore, replay};

use crate::counter::{Counter, raise};

/// The short form; `STORE_LAB_POINTS` sets another.
const POINTS: u64 = 400;
/// Until a control breaks.
const ENOUGH: u64 = 1_200;

fn points() -> u64 {
    std::env::var("STORE_LAB_POINTS").map_or(POINTS, |number| number.parse().unwrap())
}

fn explored(counter: Counter, plan: &Plan) -> Report {
    explore(&counter, plan, &mut |_, _| ()).unwrap()
}

fn holds(counter: Counter, failures: &[Failure]) {
    let report = explored(counter, &Plan::new(1, points()).failures(failures));
    println!("{counter:?}: {} points over {} operations", report.points, report.operations);
    assert!(report.broken.is_none(), "{}", report.broken.unwrap());
    assert!(report.operations > 100 && report.points >= points(), "{report:?}");
}

fn breaks(counter: Counter) -> Broken {
    explored(counter, &Plan::new(1, ENOUGH)).broken.unwrap()
}

/// All failures but the one that may leave a hole in the log, see below.
#[test]
fn wal_survives() {
    let failures = Failure::ERRORS.into_iter().filter(|failure| *failure != Failure::SyncForgets);
    holds(Counter::new("wal", "FULL"), &failures.collect::<Vec<_>>());
}

#[test]
fn delete_survives() {
    holds(Counter::new("delete", "EXTRA"), &Failure::ERRORS);
}

#[test]
fn truncate_survives() {
    holds(Counter::new("truncate", "FULL"), &Failure::ERRORS);
}

#[test]
fn persist_survives() {
    holds(Counter::new("persist", "FULL"), &Failure::ERRORS);
}

/// Control: without syncs, what was acknowledged is lost.
#[test]
fn notices_that_off_loses() {
    for journal in ["wal", "delete"] {
        let broken = breaks(Counter::new(journal, "OFF"));
        assert_eq!(broken.fault.failure, Failure::PowerLoss);
        assert!(replay(&Counter::new(journal, "OFF"), &broken).is_err());
    }
}

/// Control: with FULL the removal of the journal is not durable at commit, and the journal may come back.
#[test]
fn notices_that_a_removed_journal_comes_back() {
    let broken = breaks(Counter::new("delete", "FULL"));
    assert!(broken.message.contains(", not of ["), "{broken}");
}

/// Control: in WAL mode NORMAL does not sync at commit. The database is whole, but older than promised.
#[test]
fn notices_that_normal_forgets() {
    let broken = breaks(Counter::new("wal", "NORMAL"));
    assert!(broken.message.contains(", not of ["), "{broken}");
}

/// Control: without a journal, a transaction is there in parts.
#[test]
fn notices_that_no_journal_tears() {
    breaks(Counter::new("off", "FULL"));
}

/// Control: where a write may harm the rest of its sector, SQLite fills the last sector of the log after the sync. If the
/// next sync fails and forgets that, the log has a hole for ever, and what is acknowledged later lies behind it.
#[test]
fn notices_that_a_filled_log_may_get_a_hole() {
    let plan = Plan::new(1, 2_000).failures(&[Failure::SyncForgets]);
    let counter = Counter { checkpoint: 0, ..Counter::new("wal", "FULL") };
    let broken = explored(counter, &plan).broken.unwrap();
    assert_eq!(broken.fault.failure, Failure::SyncForgets);
    let promised = Counter { characteristics: SQLITE_IOCAP_POWERSAFE_OVERWRITE, ..counter };
    let report = explored(promised, &plan.losses(&[Lost::Everything, Lost::Nothing, Lost::Sectors(0)]));
    assert!(report.broken.is_none(), "{}", report.broken.unwrap());
}

#[test]
fn errors_surface() {
    for (failure, code) in [(Failure::DiskFull, "disk is full"), (Failure::IoForever, "disk I/O error")] {
        let disk = Disk::new(1);
        let vfs = Vfs::register(&disk).unwrap();
        let mut connection = Counter::new("wal", "FULL").open(&vfs).unwrap();
        let tables = "CREATE TABLE number (n); INSERT INTO number VALUES (0); CREATE TABLE long (id, bytes)";
        connection.execute_batch(tables).unwrap();
        disk.set_fault(Some(Fault { at: 0, failure }));
        let error = raise(&mut connection, 1).unwrap_err().to_string();
        assert!(error.contains(code), "{error}");
        disk.set_fault(None);
        raise(&mut connection, 2).unwrap();
    }
}

/// The lab does not find what it is told not to look for.
#[test]
fn a_killed_process_loses_nothing() {
    let plan = Plan::new(1, 300).losses(&[Lost::Nothing]).failures(&[]);
    let report = explored(Counter::new("wal", "OFF"), &plan);
    assert!(report.broken.is_none(), "{}", report.broken.unwrap());
}
