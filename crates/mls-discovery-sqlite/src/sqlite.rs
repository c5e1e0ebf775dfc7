//! The directory: one connection, which whoever asks takes in turn.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mls_crypto::Random;
use mls_discovery::{
    Bell, Bounds, Changes, Checked, Contenders, Directory, DirectoryCrypto, DirectoryWatch, DiscoveryError,
    DiscoveryQuery, Found, GroupPublicInfo, Order, PageFiller, Place, SCAN, Since, Trust, Usage,
};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use crate::{OpenError, error::fault, plan::Plan, schema};

/// A directory in one file.
#[derive(Debug)]
pub struct SqliteDirectory {
    connection: Mutex<Connection>,
    crypto: DirectoryCrypto,
    trust: Trust,
    bounds: Bounds,
    bell: Bell,
    life: [u8; 16],
}

/// The row of the whole.
struct Whole {
    change: i64,
    groups: u64,
    bytes: u64,
}

impl SqliteDirectory {
    /// Opens the directory in this file, or makes it. It believes whom `trust` names; what rests on the word of others is
    /// deleted.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        file: &Path,
        (crypto, trust): (DirectoryCrypto, Trust),
        bounds: Bounds,
        random: &dyn Random,
    ) -> Result<Self, OpenError> {
        let mut connection = Connection::open(file)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(32);
        for setting in ["journal_mode=WAL", "synchronous=FULL", "trusted_schema=OFF", "cell_size_check=ON"] {
            let mut statement = connection.prepare(&format!("PRAGMA {setting}"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
        }
        schema::prepare(&mut connection, random)?;
        let (life, change): (Vec<u8>, i64) =
            connection.query_row("SELECT life, change FROM state", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let life = life.try_into().map_err(|_| DiscoveryError::Damaged)?;
        let bell = Bell::new(change.unsigned_abs());
        let directory = Self { connection: connection.into(), crypto, trust, bounds, bell, life };
        directory.believe()?;
        Ok(directory)
    }

    /// What was believed under another trust is checked anew, once.
    fn believe(&self) -> Result<(), DiscoveryError> {
        let trust = self.trust.to_bytes();
        let mut connection = self.connection();
        let known: Vec<u8> = connection.query_row("SELECT trust FROM state", [], |row| row.get(0)).map_err(fault)?;
        if known == trust {
            return Ok(());
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
        let groups: Vec<Vec<u8>> = {
            let mut statement = transaction.prepare("SELECT DISTINCT group_id FROM records").map_err(fault)?;
            let rows = statement.query_map([], |row| row.get(0)).map_err(fault)?;
            rows.collect::<Result<_, _>>().map_err(fault)?
        };
        for group_id in groups {
            let mut next = Contenders::default();
            for checked in self.kept(&transaction, &group_id)? {
                if let Ok(checked) = checked.record().clone().check(&self.crypto, &self.trust) {
                    next.insert(checked);
                }
            }
            self.replace(&transaction, &group_id, &next)?;
        }
        transaction.execute("UPDATE state SET trust = ?1", [trust]).map_err(fault)?;
        transaction.commit().map_err(fault)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self, connection: &Connection, group_id: &[u8]) -> Result<Vec<Checked>, DiscoveryError> {
        let mut statement = connection.prepare_cached(KEPT).map_err(fault)?;
        let mut rows = statement.query([group_id]).map_err(fault)?;
        let mut kept = Vec::new();
        while let Some(row) = rows.next().map_err(fault)? {
            let (record, rank) = (bytes(row, 0)?, bytes(row, 1)?);
            kept.push(Checked::restore(&self.crypto, &record, &rank)?);
        }
        Ok(kept)
    }

    /// Writes what is kept of a group, as a change; returns its number, and what the whole was and is.
    fn replace(
        &self,
        connection: &Connection,
        group_id: &[u8],
        next: &Contenders,
    ) -> Result<(i64, Whole, Whole), DiscoveryError> {
        let whole = connection.query_row(WHOLE, [], |row| {
            Ok(Whole { change: row.get(0)?, groups: number(row, 1)?, bytes: number(row, 2)? })
        });
        let before = whole.map_err(fault)?;
        let change = before.change.checked_add(1).ok_or(DiscoveryError::Damaged)?;
        let old: u64 = connection.query_row(BYTES, [group_id], |row| number(row, 0)).map_err(fault)?;
        let gone = connection.prepare_cached(DELETE).and_then(|mut statement| statement.execute([group_id]));
        let (was, is) = (u64::from(gone.map_err(fault)? > 0), u64::from(next.rank().is_some()));
        let rank = next.rank().map(mls_discovery::Rank::to_bytes).transpose()?;
        for record in next.records() {
            let found = next.head() == Some(record);
            let key = |order: Order| order.key(record);
            let mut statement = connection.prepare_cached(INSERT).map_err(fault)?;
            let row = params![
                group_id,
                record.content(&self.crypto)?,
                change,
                found,
                record.publisher(),
                rank,
                key(Order::Name),
                key(Order::Members),
                key(Order::Created),
                record.to_bytes()?
            ];
            statement.execute(row).map_err(fault)?;
        }
        let after = Whole {
            change,
            groups: before.groups.saturating_sub(was).saturating_add(is),
            bytes: before.bytes.saturating_sub(old).saturating_add(next.bytes()),
        };
        connection.execute(UPDATE, params![change, column(after.groups), column(after.bytes)]).map_err(fault)?;
        Ok((change, before, after))
    }
}

impl Directory for SqliteDirectory {
    fn publish(&self, record: GroupPublicInfo) -> Result<bool, DiscoveryError> {
        let checked = record.check(&self.crypto, &self.trust)?;
        let (group_id, authority) = (checked.record().group_id().to_vec(), checked.rank().authority());
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
        let mut next = Contenders::default();
        for kept in self.kept(&transaction, &group_id)? {
            next.insert(kept);
        }
        if !next.insert(checked) {
            return Ok(false);
        }
        let publisher = next.publisher().unwrap_or_default();
        let count = || transaction.query_row(PUBLISHED, [publisher], |row| number(row, 0)).map_err(fault);
        let published: u64 = count()?;
        let (change, before, after) = self.replace(&transaction, &group_id, &next)?;
        let usage = |whole: &Whole, groups_of_publisher| Usage {
            groups: whole.groups,
            bytes: whole.bytes,
            groups_of_publisher,
        };
        // A transaction that is dropped has changed nothing.
        self.bounds.check(&usage(&before, published), &usage(&after, count()?), authority)?;
        transaction.commit().map_err(fault)?;
        drop(connection);
        self.bell.ring(change.unsigned_abs());
        Ok(true)
    }

    fn get(&self, group_id: &[u8]) -> Result<Option<GroupPublicInfo>, DiscoveryError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(GET).map_err(fault)?;
        let found = statement.query_row([group_id], |row| row.get::<_, Vec<u8>>(0)).optional().map_err(fault)?;
        found.map(|bytes| record(&bytes)).transpose()
    }

    fn contenders(&self, group_id: &[u8]) -> Result<Vec<GroupPublicInfo>, DiscoveryError> {
        let kept = self.kept(&self.connection(), group_id)?;
        Ok(kept.into_iter().map(|checked| checked.record().clone()).collect())
    }

    fn query(&self, query: &DiscoveryQuery, from: Option<&Place>, limit: usize) -> Result<Found, DiscoveryError> {
        let plan = Plan::of(query, from);
        let connection = self.connection();
        let mut statement = connection.prepare_cached(plan.sql).map_err(fault)?;
        let mut rows = match plan.below {
            Some(below) => statement.query(params![plan.from.0, plan.from.1, below]),
            None => statement.query(params![plan.from.0]),
        }
        .map_err(fault)?;
        let mut page = PageFiller::default();
        let mut looked = 0_usize;
        while let Some(row) = rows.next().map_err(fault)? {
            let here =
                || Ok::<_, DiscoveryError>(Place { key: bytes(row, 0)?.into(), group_id: bytes(row, 1)?.into() });
            let record = record(&bytes(row, 2)?)?;
            if looked >= SCAN || (query.matches(&record) && !page.add(record, limit)) {
                return Ok(Found { records: page.records(), next: Some(here()?) });
            }
            looked = looked.saturating_add(1);
        }
        Ok(Found { records: page.records(), next: None })
    }

    fn since(&self, since: &Since, limit: usize) -> Result<Changes, DiscoveryError> {
        let mut upto = Since { life: self.life, change: if since.life == self.life { since.change } else { 0 } };
        let connection = self.connection();
        let mut statement = connection.prepare_cached(SINCE).map_err(fault)?;
        let after = i64::try_from(upto.change).unwrap_or(i64::MAX);
        let mut rows = statement.query([after]).map_err(fault)?;
        let (mut page, mut group) = (PageFiller::default(), (upto.change, Vec::new()));
        loop {
            let row = rows.next().map_err(fault)?;
            let next = match row {
                Some(row) => Some((number(row, 0).map_err(fault)?, record(&bytes(row, 1)?)?)),
                None => None,
            };
            if next.as_ref().is_none_or(|(change, _)| *change != group.0) {
                let (change, records) = core::mem::take(&mut group);
                if !records.is_empty() && !page.add_all(records, limit) {
                    return Ok(Changes { records: page.records(), upto, more: 1 });
                }
                upto.change = change;
            }
            let Some((change, record)) = next else { break };
            group.0 = change;
            group.1.push(record);
        }
        Ok(Changes { records: page.records(), upto, more: 0 })
    }

    fn watch(&self) -> DirectoryWatch {
        self.bell.watch()
    }
}

fn bytes(row: &Row<'_>, column: usize) -> Result<Vec<u8>, DiscoveryError> {
    row.get(column).map_err(fault)
}

/// Counts are not negative.
fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}

fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn record(bytes: &[u8]) -> Result<GroupPublicInfo, DiscoveryError> {
    GroupPublicInfo::from_bytes(bytes).map_err(|_| DiscoveryError::Damaged)
}

const KEPT: &str = "SELECT record, rank FROM records WHERE group_id = ?1 ORDER BY content";
const BYTES: &str = "SELECT coalesce(sum(length(record)), 0) FROM records WHERE group_id = ?1";
const DELETE: &str = "DELETE FROM records WHERE group_id = ?1";
const INSERT: &str =
    "INSERT INTO records(group_id, content, change, head, publisher, rank, name, members, created, record)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const WHOLE: &str = "SELECT change, groups, bytes FROM state";
const UPDATE: &str = "UPDATE state SET change = ?1, groups = ?2, bytes = ?3";
const PUBLISHED: &str = "SELECT count(DISTINCT group_id) FROM records WHERE publisher = ?1";
const GET: &str = "SELECT record FROM records WHERE group_id = ?1 AND head = 1";
const SINCE: &str = "SELECT change, record FROM records WHERE change > ?1 ORDER BY change, content";
