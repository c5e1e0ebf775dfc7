//! A service that is killed while it writes has everything that it had acknowledged, once, and one commit per epoch.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use delivery_conformance::{Bench, Device, World};
use mls_delivery::{Clock, DeliveryService, GroupId, Limits, Seq, rules::Rules};
use mls_delivery_sqlite::SqliteService;

const DIR: &str = "MLS_DELIVERY_KILLED_DIR";
const GROUPS: u64 = 4;

/// One directory, whoever opens it.
#[derive(Debug)]
struct Here(PathBuf);

impl Bench for Here {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        Arc::new(SqliteService::open(&self.0, rules, clock).unwrap())
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        panic!("not reopened here")
    }

    fn sweep(&self) {}
}

/// Run by [`killed_while_writing`] in a process of its own: writes to some groups at once, and says what was acknowledged.
#[test]
fn writes_until_killed() {
    let Ok(dir) = env::var(DIR) else { return };
    let mut bench = Here(dir.into());
    let world = World::open(&mut bench, Limits::default());
    let device = world.device(&format!("writer {}", std::process::id()));
    thread::scope(|scope| {
        for n in 0..GROUPS {
            let (world, device) = (&world, &device);
            scope.spawn(move || write(world, device, &format!("{} {n}", std::process::id())));
        }
    });
}

/// Commits and messages by turns, for ever.
fn write(world: &World<'_>, device: &Device, name: &str) {
    let group = world.group(device, name);
    for epoch in 0.. {
        let committed = world.commit(device, &group, epoch);
        let said = world.say(device, &group, epoch + 1, &format!("in epoch {}", epoch + 1));
        let mut out = std::io::stdout().lock();
        for (epoch, seq) in [(epoch, committed.seq), (epoch + 1, said)] {
            writeln!(out, "acknowledged,{name},{epoch},{seq}").unwrap();
        }
        out.flush().unwrap();
    }
}

#[test]
fn killed_while_writing() {
    let dir = env::temp_dir().join(format!("mls-delivery-killed-{}", std::process::id()));
    for round in 0..5_usize {
        let acknowledged = run_and_kill(&dir, 40 + 30 * round);
        verify(&dir, &acknowledged);
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

/// What the writer said before and after it was killed, at some moment after `lines` lines.
fn run_and_kill(dir: &Path, lines: usize) -> Vec<(String, u64, u64)> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["writes_until_killed", "--exact", "--nocapture"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for (at, line) in BufReader::new(child.stdout.take().unwrap()).lines().enumerate() {
        if at == lines {
            child.kill().unwrap();
        }
        // The last line may have been cut by the kill.
        let line = line.unwrap();
        let parts: Vec<&str> = line.split(',').collect();
        if let ["acknowledged", name, epoch, seq] = parts[..]
            && let (Ok(epoch), Ok(seq)) = (epoch.parse(), seq.parse())
        {
            acknowledged.push((name.to_owned(), epoch, seq));
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() > lines / 2, "the writer wrote");
    // The end of the very last line may be missing, and then it says something else.
    acknowledged.pop();
    acknowledged
}

fn verify(dir: &Path, acknowledged: &[(String, u64, u64)]) {
    let database = rusqlite::Connection::open(dir.join("delivery.db")).unwrap();
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    for name in acknowledged.iter().map(|(name, ..)| name).collect::<BTreeSet<_>>() {
        let group = GroupId::new(name.as_bytes());
        let sql = "SELECT seq, epoch, kind FROM log WHERE gid = ?1 ORDER BY seq";
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([group.as_slice()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let log: Vec<(i64, i64, i64)> = rows.unwrap().collect::<Result<_, _>>().unwrap();
        let places: Vec<i64> = log.iter().map(|(seq, ..)| *seq).collect();
        assert_eq!(places, (1..).take(log.len()).collect::<Vec<_>>(), "no gap, nothing twice");
        let commits: Vec<i64> = log.iter().filter(|(.., kind)| *kind == 1).map(|(_, epoch, _)| *epoch).collect();
        assert_eq!(commits, (0..).take(commits.len()).collect::<Vec<_>>(), "one commit per epoch");
        for (_, epoch, seq) in acknowledged.iter().filter(|(of, ..)| of == name) {
            let at = usize::try_from(Seq::new(*seq).previous().get()).unwrap();
            let found = log.get(at).map(|(_, epoch, _)| *epoch);
            assert_eq!(found, i64::try_from(*epoch).ok(), "place {seq} of {} is lost", log.len());
        }
    }
}
