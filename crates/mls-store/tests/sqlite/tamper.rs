//! Whatever is changed in the files is noticed, or makes no difference.

use mls_store::{Mark, SqliteStore, StateStore, StoreError, Table};

use crate::support::{Dir, Files, group, key, open, options, put};

const VALUES: u8 = 6;

fn small_store() -> Files {
    let dir = Dir::new();
    let store = open(&dir);
    for n in 0..VALUES {
        put(&store, &group(&[n % 2]), &key(1, u64::from(n % 3), &[n]), &[n; 40]);
    }
    put(&store, &group(&[0]), &key(1, 0, &[0]), &[0; 40]);
    store.close().unwrap();
    dir.files()
}

/// Reads all; a wrong or missing value is a failure, an error is not.
fn read_all(store: &SqliteStore, what: &str) {
    for n in 0..VALUES {
        if let Ok(found) = store.get(&group(&[n % 2]), &key(1, u64::from(n % 3), &[n])) {
            assert_eq!(found.unwrap_or_else(|| panic!("{what}: missing")).as_slice(), [n; 40], "{what}");
        }
    }
    for space in 0..2 {
        if let Ok(found) = store.scan(&group(&[space]), 1, None) {
            assert_eq!(found.len(), 3, "{what}");
        }
    }
    if let Ok(spaces) = store.spaces(None) {
        assert_eq!(spaces.len(), 2, "{what}");
    }
}

/// The same, of a process that was killed: the last batches are in the log only. Also, how far it had come.
fn killed_store() -> (Files, Mark) {
    let dir = Dir::with(&small_store());
    let store = open(&dir);
    for n in 0..VALUES {
        put(&store, &group(&[n % 2]), &key(1, u64::from(n % 3), &[n]), &[n; 40]);
    }
    store.shred().unwrap();
    put(&store, &group(&[1]), &key(1, 1, &[1]), &[1; 40]);
    (dir.files(), store.mark().unwrap())
}

/// Flips bits of every byte in the long form, and of every `step`th in the short one; says how often that was noticed at
/// opening. Not noticed is only what makes no difference: everything is read then.
fn sweep(files: &Files, mark: Mark, step: impl Fn(&str) -> usize) -> usize {
    let long = std::env::var_os("MLS_STORE_LONG").is_some();
    let (mut noticed, mut tried) = (0, 0);
    for (name, bytes) in files {
        let step = if long { 1 } else { step(name) };
        // Behind each slot there are only zeros, which nobody reads.
        let skipped = |at: &usize| !long && name == "slots" && at % 4_096 >= 130;
        for at in (0..bytes.len()).step_by(step).filter(|at| !skipped(at)) {
            let mut changed = files.clone();
            changed.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            let dir = Dir::with(&changed);
            let what = format!("{name}, byte {at}");
            tried += 1;
            match options().at_least(mark).open(dir.path()) {
                Ok(store) => read_all(&store, &what),
                Err(StoreError::Unavailable | StoreError::TimedOut | StoreError::Unsure) => {
                    panic!("{what}: which error")
                }
                Err(_) => {
                    noticed += 1;
                    let after = dir.files();
                    let kept = ["header", "slots"].iter().all(|name| after[*name] == changed[*name]);
                    assert!(kept, "{what}: something was deleted");
                }
            }
        }
    }
    println!("{tried} bytes flipped, {noticed} noticed at opening");
    noticed
}

/// Every byte of header and slots; of the database every one in the long form, some in the short one.
#[test]
fn each_flipped_byte_is_noticed_or_makes_no_difference() {
    let noticed = sweep(&small_store(), Mark::default(), |name| if name == "store.db" { 97 } else { 1 });
    assert!(noticed > 200, "{noticed}");
}

/// SQLite leaves out the rest of a log that is damaged: the store is then as it was earlier, which only a receipt tells.
#[test]
fn each_flipped_byte_of_a_log_is_noticed_or_makes_no_difference() {
    let (files, mark) = killed_store();
    let step = |name: &str| if name == "store.db-wal" { 397 } else { 2_039 };
    let noticed = sweep(&files, mark, step);
    assert!(noticed > 100, "{noticed}");
    let mut cut = files;
    let log = cut.get_mut("store.db-wal").unwrap();
    let last = log.len() - 100;
    log[last] ^= 1;
    let dir = Dir::with(&cut);
    assert!(matches!(options().at_least(mark).open(dir.path()), Err(StoreError::RolledBack { .. })));
    read_all(&open(&dir), "an older state");
}

/// A row that was written by us, somewhere else.
#[test]
fn swapped_rows_are_noticed() {
    let swap = |table: &str, column: &str, error: StoreError| {
        let dir = Dir::with(&small_store());
        let connection = rusqlite::Connection::open(dir.file("store.db")).unwrap();
        let sql = format!(
            "CREATE TEMP TABLE two AS SELECT {column} AS id, sealed FROM {table} ORDER BY {column} DESC LIMIT 2; \
             UPDATE {table} SET sealed = (SELECT sealed FROM two WHERE two.id <> {table}.{column}) \
             WHERE {column} IN (SELECT id FROM two)"
        );
        connection.execute_batch(&sql).unwrap();
        drop(connection);
        let store = options().open(dir.path()).unwrap();
        let keys = (0..VALUES).map(|n| (group(&[n % 2]), key(1, u64::from(n % 3), &[n])));
        let mut results: Vec<_> = keys.map(|(space, key)| store.get(&space, &key).map(|_| ())).collect();
        results.push(store.spaces(None).map(|_| ()));
        assert!(results.contains(&Err(error)), "{table}: {results:?}");
        read_all(&store, table);
    };
    swap("records", "id", StoreError::RowDamaged { table: Table::Records });
    swap("pages", "id", StoreError::RowDamaged { table: Table::Pages });
    swap("spaces", "id", StoreError::RowDamaged { table: Table::Spaces });
}

#[test]
fn a_missing_row_is_noticed() {
    for (table, damaged) in [("records", Table::Records), ("pages", Table::Pages), ("spaces", Table::Spaces)] {
        let dir = Dir::with(&small_store());
        let connection = rusqlite::Connection::open(dir.file("store.db")).unwrap();
        let first = format!("DELETE FROM {table} WHERE sealed = (SELECT max(sealed) FROM {table})");
        assert_eq!(connection.execute(&first, []).unwrap(), 1);
        drop(connection);
        match options().open(dir.path()) {
            Ok(store) => {
                let scan = |n| store.scan(&group(&[n]), 1, None).map(|_| ());
                let results = [scan(0), scan(1), store.spaces(None).map(|_| ())];
                assert!(results.contains(&Err(StoreError::RowDamaged { table: damaged })), "{table}: {results:?}");
                read_all(&store, table);
            }
            Err(error) => assert_eq!(error, StoreError::RowDamaged { table: damaged }),
        }
    }
}

/// A record of another store, under the same key and the same names.
#[test]
fn rows_of_another_store_are_noticed() {
    let (one, other) = (small_store(), small_store());
    for name in ["store.db", "slots", "header"] {
        let mut mixed = one.clone();
        mixed.insert(name.to_owned(), other[name].clone());
        let error = options().open(Dir::with(&mixed).path()).unwrap_err();
        let expected = matches!(error, StoreError::KeyLost { .. } | StoreError::RowDamaged { table: Table::Meta });
        assert!(expected, "{name}: {error:?}");
    }
}

/// Whoever takes a mark away, or points it elsewhere, would keep old versions readable.
#[test]
fn a_mark_that_is_missing_is_noticed() {
    for sql in ["DELETE FROM dirty", "UPDATE dirty SET place = zeroblob(16)", "INSERT INTO dirty VALUES (zeroblob(16))"]
    {
        let dir = Dir::new();
        let store = open(&dir);
        put(&store, &group(b"g"), &key(1, 0, b"id"), b"old");
        put(&store, &group(b"g"), &key(1, 0, b"id"), b"new");
        rusqlite::Connection::open(dir.file("store.db")).unwrap().execute_batch(sql).unwrap();
        assert_eq!(store.shred(), Err(StoreError::RowDamaged { table: Table::Dirty }), "{sql}");
        assert!(store.get(&group(b"g"), &key(1, 0, b"id")).unwrap().is_some());
    }
}

/// A trigger would be carried out by our own statements.
#[test]
fn a_trigger_is_noticed() {
    let dir = Dir::with(&small_store());
    let sql = "CREATE TRIGGER t BEFORE DELETE ON dirty BEGIN SELECT RAISE(IGNORE); END";
    rusqlite::Connection::open(dir.file("store.db")).unwrap().execute_batch(sql).unwrap();
    let before = dir.files()["slots"].clone();
    assert_eq!(options().open(dir.path()).unwrap_err(), StoreError::Damaged);
    assert_eq!(dir.files()["slots"], before);
}
