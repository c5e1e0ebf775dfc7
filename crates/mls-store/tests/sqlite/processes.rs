//! Two processes on one store: no update is lost, no revision is used twice, and nobody sees a lock but as a time-out.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use mls_store::{OpenOptions, Secret, Section, SqliteStore, StateStore, StoreError, Write};

use crate::support::{Dir, apply, group, key, open, options, put, raw, revision};

const STORE: &str = "MLS_STORE_CHILD";
/// Of a process that opens the store, and ends.
const MAKER: &str = "MLS_STORE_MAKER";
/// Of a process that goes on until it is killed.
const DOOMED: &str = "MLS_STORE_DOOMED";
const CHILDREN: u64 = 2;

/// Per process; 10,000 in the long form.
fn operations() -> u64 {
    if env::var_os("MLS_STORE_LONG").is_some() { 10_000 } else { 1_000 }
}

fn open_at(dir: &str) -> SqliteStore {
    let options = OpenOptions::new(raw()).timeout(Duration::from_secs(60));
    options.shred_after(16, Duration::from_secs(1)).open(&PathBuf::from(dir)).unwrap()
}

fn number(store: &SqliteStore) -> u64 {
    let value = store.get(&group(b"g"), &key(1, 0, b"counter")).unwrap();
    value.map_or(0, |value| u64::from_be_bytes(value.as_slice().try_into().unwrap()))
}

/// Counts up, from what it read; returns the revision, and how often somebody else was first.
fn count_up(store: &SqliteStore) -> (u64, u64) {
    let mut lost = 0;
    loop {
        let expected = revision(store, &group(b"g"));
        let next = Secret::copy_from(&(number(store) + 1).to_be_bytes());
        // The counter may be newer than the revision; then the batch is refused.
        let writes = vec![Write::Put(key(1, 0, b"counter"), &next)];
        match store.apply(&[Section { space: group(b"g"), expected, writes }]) {
            Ok(revision) => return (revision.get(), lost),
            Err(StoreError::Conflict { .. }) => lost += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn spawn(test: &str, variable: &str, dir: &Dir) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).env(variable, dir.path()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// Not a test of its own: what the processes of the next one do.
#[test]
fn child() {
    let Ok(dir) = env::var(STORE) else { return };
    let store = open_at(&dir);
    for n in 0..operations() {
        let (revision, lost) = count_up(&store);
        writeln!(std::io::stdout(), "revision {revision} {lost}").unwrap();
        if n % 100 == 50 {
            store.maintain().unwrap();
        }
    }
}

/// Not a test of its own: counts up until it is killed.
#[test]
fn doomed_child() {
    let Ok(dir) = env::var(DOOMED) else { return };
    let store = open_at(&dir);
    loop {
        count_up(&store);
        writeln!(std::io::stdout(), "counted {}", number(&store)).unwrap();
    }
}

/// 200 times in the long form.
#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let dir = Dir::new();
    let rounds = if env::var_os("MLS_STORE_LONG").is_some() { 200 } else { 12 };
    let mut last = 0;
    for round in 0..rounds {
        let mut child = spawn("processes::doomed_child", DOOMED, &dir);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // How far it comes before it dies differs from round to round.
        let mut acknowledged = last;
        for line in
            lines.by_ref().map(|line| line.unwrap()).filter(|line| line.contains("counted")).take(1 + round * 7 % 40)
        {
            acknowledged = line.rsplit(' ').next().unwrap().parse().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let rest = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("counted ")?.parse().ok());
        acknowledged = rest.fold(acknowledged, u64::max);
        let found = number(&open(&dir));
        assert!((acknowledged..=acknowledged + 1).contains(&found), "round {round}: {found}, not {acknowledged}");
        last = found;
    }
    assert!(open(&dir).mark().unwrap().period > 2);
}

/// On a busy machine one may be through before the other begins.
#[test]
fn two_processes_lose_no_update() {
    assert!((0..20).any(|_| two_processes_count() > 0), "the processes never met");
}

/// How often one was overtaken by the other.
fn two_processes_count() -> u64 {
    let dir = Dir::new();
    let children: Vec<_> = (0..CHILDREN).map(|_| spawn("processes::child", STORE, &dir)).collect();
    let (mut revisions, mut crossed) = (BTreeSet::new(), 0);
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter_map(|line| line.split_once("revision ")?.1.split_once(' '));
        let mut last = 0;
        for (revision, lost) in lines {
            let revision: u64 = revision.parse().unwrap();
            assert!(revision > last && revisions.insert(revision), "revision {revision} twice, or not in order");
            (last, crossed) = (revision, crossed + lost.parse::<u64>().unwrap());
        }
    }
    let store = open(&dir);
    assert_eq!(revisions.len() as u64, CHILDREN * operations());
    assert_eq!(number(&store), CHILDREN * operations());
    assert!(store.mark().unwrap().period > 10, "both processes forgot");
    crossed
}

#[test]
fn a_lock_is_seen_as_a_time_out() {
    let dir = Dir::new();
    let store = options().timeout(Duration::from_millis(20)).open(dir.path()).unwrap();
    put(&store, &group(b"g"), &key(1, 0, b"id"), b"first");
    let other = rusqlite::Connection::open(dir.file("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let value = Secret::copy_from(b"second");
    let second = || apply(&store, &group(b"g"), vec![Write::Put(key(1, 0, b"id"), &value)]);
    assert_eq!(second(), Err(StoreError::TimedOut));
    let late = options().timeout(Duration::from_millis(20)).open(dir.path()).map(|_| ());
    assert_eq!(late, Err(StoreError::TimedOut));
    other.execute_batch("ROLLBACK").unwrap();
    second().unwrap();
}

/// Where there is no log yet, SQLite reports a lock at once, however long it was told to wait.
#[test]
fn a_store_in_the_making_is_waited_for() {
    let dir = Dir::new();
    std::fs::create_dir_all(dir.path()).unwrap();
    let other = rusqlite::Connection::open(dir.file("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let opening = scope.spawn(|| options().timeout(Duration::from_secs(60)).open(dir.path()).map(|_| ()));
        std::thread::sleep(Duration::from_millis(100));
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(opening.join().unwrap(), Ok(()));
    });
}

/// One forgets; the other notices, and goes on with the new key.
#[test]
fn one_process_notices_that_another_forgot() {
    let dir = Dir::new();
    let (one, other) = (open(&dir), open(&dir));
    for n in 0..5_u8 {
        put(&one, &group(b"g"), &key(1, 0, b"id"), &[n]);
        one.shred().unwrap();
        assert_eq!(crate::support::get(&other, &group(b"g"), &key(1, 0, b"id")), Some(vec![n]));
        put(&other, &group(b"g"), &key(1, 0, b"id"), &[n, n]);
        other.shred().unwrap();
        assert_eq!(crate::support::get(&one, &group(b"g"), &key(1, 0, b"id")), Some(vec![n, n]));
    }
    assert!(one.mark().unwrap().period > 8);
}

/// A reader looks at the database, then at the slots; in between, a writer may have moved on.
#[test]
fn a_reader_never_meets_half_a_step() {
    let dir = Dir::new();
    let (writer, reader) = (open(&dir), open(&dir));
    put(&writer, &group(b"g"), &key(1, 0, b"id"), b"value");
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for _ in 0..300 {
                put(&writer, &group(b"g"), &key(1, 0, b"id"), b"value");
                writer.shred().unwrap();
            }
        });
        while !writing.is_finished() {
            let value = reader.get(&group(b"g"), &key(1, 0, b"id")).unwrap();
            assert_eq!(value.unwrap().as_slice(), b"value");
        }
    });
}

/// Not a test of its own: opens a store, which may have to be made.
#[test]
fn maker() {
    let Ok(dir) = env::var(MAKER) else { return };
    count_up(&open_at(&dir));
}

#[test]
fn processes_may_make_a_store_at_once() {
    for round in 0..3 {
        let dir = Dir::new();
        let makers: Vec<_> = (0..4).map(|_| spawn("processes::maker", MAKER, &dir)).collect();
        for maker in makers {
            assert!(maker.wait_with_output().unwrap().status.success(), "round {round}");
        }
        assert_eq!(number(&open(&dir)), 4, "round {round}");
    }
}
