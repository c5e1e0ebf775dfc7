//! The same seed, operation and loss give the same disk, byte by byte. Alone in its process, because of SQLite's seed.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use store_lab::{Disk, Failure, Fault, Lost, Vfs, seed_sqlite};

fn left(journal: &str, seed: u64, at: u64, lost: Lost) -> BTreeMap<String, Vec<u8>> {
    seed_sqlite(7);
    let disk = Disk::new(seed);
    disk.set_fault(Some(Fault { at, failure: Failure::PowerLoss }));
    let vfs = Vfs::register(&disk).unwrap();
    let connection = vfs.open("db").unwrap();
    // Each fails once the power is gone.
    drop(connection.query_row(&format!("PRAGMA journal_mode={journal}"), [], |_| Ok(())));
    drop(connection.execute_batch("CREATE TABLE t (at, noise)"));
    for _ in 0..10 {
        drop(connection.execute("INSERT INTO t VALUES (datetime(), randomblob(3000))", []));
    }
    assert!(!disk.is_powered());
    disk.reboot(lost).image()
}

#[test]
fn replays_bit_by_bit() {
    let mut different = 0;
    for journal in ["wal", "delete"] {
        for at in (1..60).step_by(7) {
            for lost in Lost::all(at) {
                let image = left(journal, 1, at, lost);
                assert_eq!(image, left(journal, 1, at, lost), "{journal} {at} {lost:?}");
                different += usize::from(image != left(journal, 1, at, lost.reseed(at + 1)));
            }
        }
    }
    assert!(different > 10, "{different}");
}
