//! A number in a database, in one row and all over three long ones, that is raised in transactions.

use rusqlite::Connection;
use store_lab::{BoxError, Disk, History, Scenario, Vfs};

/// How the database is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    pub(crate) journal: &'static str,
    pub(crate) synchronous: &'static str,
    pub(crate) raises: u32,
    /// What the device promises.
    pub(crate) characteristics: i32,
    /// Checkpoints come this often, in pages.
    pub(crate) checkpoint: u32,
}

impl Counter {
    pub(crate) const fn new(journal: &'static str, synchronous: &'static str) -> Self {
        Self { journal, synchronous, raises: 12, characteristics: 0, checkpoint: 10 }
    }

    pub(crate) fn open(self, vfs: &Vfs) -> rusqlite::Result<Connection> {
        let connection = vfs.open("folder/db")?;
        let mode: String =
            connection.query_row(&format!("PRAGMA journal_mode={}", self.journal), [], |row| row.get(0))?;
        assert_eq!(mode, self.journal);
        connection.execute_batch(&format!(
            "PRAGMA synchronous={}; PRAGMA wal_autocheckpoint={};",
            self.synchronous, self.checkpoint
        ))?;
        Ok(connection)
    }
}

impl Scenario for Counter {
    type State = u32;

    fn prepare(&self, disk: &Disk) -> Result<u32, BoxError> {
        let vfs = Vfs::with_characteristics(disk, self.characteristics)?;
        let mut connection = self.open(&vfs)?;
        connection.execute_batch(
            "CREATE TABLE number (n); INSERT INTO number VALUES (0);
             CREATE TABLE long (id INTEGER PRIMARY KEY, bytes); INSERT INTO long VALUES (1, 0), (2, 0), (3, 0);",
        )?;
        raise(&mut connection, 0)?;
        Ok(0)
    }

    fn run(&self, disk: &Disk, history: &mut History<u32>) -> Result<(), BoxError> {
        let vfs = Vfs::with_characteristics(disk, self.characteristics)?;
        let Ok(mut connection) = self.open(&vfs) else { return Ok(()) };
        for _ in 0..self.raises {
            let Ok(now) = read(&connection)? else { continue };
            history.attempt(now + 1);
            if raise(&mut connection, now + 1).is_ok() {
                history.acknowledge();
            }
        }
        Ok(())
    }

    fn check(&self, disk: &Disk, allowed: &[&u32]) -> Result<(), BoxError> {
        let vfs = Vfs::with_characteristics(disk, self.characteristics)?;
        let connection = vfs.open("folder/db")?;
        let health: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        if health != "ok" {
            return Err(health.into());
        }
        let number = read(&connection)??;
        if allowed.contains(&&number) { Ok(()) } else { Err(format!("{number}, not of {allowed:?}").into()) }
    }
}

pub(crate) fn raise(connection: &mut Connection, to: u32) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute("UPDATE number SET n = ?", [to])?;
    for id in 1..=3 {
        transaction.execute("UPDATE long SET bytes = ? WHERE id = ?", (long(to), id))?;
    }
    transaction.commit()
}

/// Long bytes that belong to a number; the length changes too, so that pages come and go.
///
/// They are noise on purpose. The checksums of SQLite's log are sums: with regular bytes, a frame that is torn in just the
/// right places passes for a whole one, about once in 65,536 times.
fn long(number: u32) -> Vec<u8> {
    let mut word = number.wrapping_mul(0x9E37_79B9) | 1;
    let noise = || {
        word ^= word << 13;
        word ^= word >> 17;
        word ^= word << 5;
        Some(word)
    };
    let words = std::iter::from_fn(noise).take(400 + usize::try_from(number % 7 * 200).unwrap());
    words.flat_map(u32::to_be_bytes).collect()
}

/// The number, or why SQLite cannot read it. An error of its own is a number that is not the same everywhere.
pub(crate) fn read(connection: &Connection) -> Result<rusqlite::Result<u32>, BoxError> {
    let all = || -> rusqlite::Result<(u32, Vec<Vec<u8>>)> {
        let transaction = connection.unchecked_transaction()?;
        let number = transaction.query_row("SELECT n FROM number", [], |row| row.get(0))?;
        let mut statement = transaction.prepare("SELECT bytes FROM long")?;
        let rows = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok((number, rows))
    };
    match all() {
        Err(error) => Ok(Err(error)),
        Ok((number, rows)) => {
            if rows == [long(number), long(number), long(number)] {
                Ok(Ok(number))
            } else {
                Err(format!("half of {number}").into())
            }
        }
    }
}
