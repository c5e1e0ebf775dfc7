//! The one row that says where the store is in time.
//!
//! Always: it is sealed with the key of its period, over the sum of the marks; period, revision and count are authenticated
//! with it.

use mls_crypto::Secret;
use rusqlite::{Connection, OptionalExtension};

use super::fault::fault;
use crate::{
    StoreError, Table,
    place::StoreId,
    seal::{self, ID_LEN},
};

/// Where the store is in time.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Meta {
    /// How often keys were forgotten, plus one.
    pub(super) period: u64,
    /// Of the last batch.
    pub(super) revision: u64,
    /// Batches since the last time keys were forgotten that left something to forget.
    pub(super) pending: u32,
    /// The sum of what is to be forgotten, so that nobody takes a mark away.
    pub(super) marks: Marks,
}

/// The sum, bit by bit, of keyed hashes of marks.
pub(super) type Marks = [u8; ID_LEN];

/// Adds a mark to a sum.
pub(super) fn add_mark(sum: &mut Marks, lookup: &Secret, place: &[u8]) {
    let hash = seal::row_id(lookup, b"mark", &[place]);
    sum.iter_mut().zip(hash.0).for_each(|(to, from)| *to ^= from);
}

/// A row that is not verified yet: its key depends on what it says.
#[derive(Debug)]
pub(super) struct Row {
    meta: Meta,
    sealed: Vec<u8>,
}

impl Row {
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let mut statement =
            connection.prepare_cached("SELECT period, revision, pending, sealed FROM meta").map_err(fault)?;
        let row = statement.query_row([], |row| {
            let (period, revision, pending): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((period, revision, pending, row.get(3)?))
        });
        let (period, revision, pending, sealed) = row.optional().map_err(fault)?.ok_or(DAMAGED)?;
        let (period, revision) = (period.try_into().map_err(|_| DAMAGED)?, revision.try_into().map_err(|_| DAMAGED)?);
        let pending = pending.try_into().map_err(|_| DAMAGED)?;
        Ok(Self { meta: Meta { period, revision, pending, ..Meta::default() }, sealed })
    }

    /// Which key it takes.
    pub(super) const fn period(&self) -> u64 {
        self.meta.period
    }

    /// What it says, if it was sealed with this key.
    pub(super) fn verify(self, store: StoreId, key: &Secret) -> Result<Meta, StoreError> {
        let Meta { period, revision, pending, marks: _ } = self.meta;
        let marks = seal::open(key, &store.meta(period, revision, pending), &self.sealed).ok_or(DAMAGED)?;
        let marks = marks.as_slice().try_into().map_err(|_| DAMAGED)?;
        Ok(Meta { marks, ..self.meta })
    }
}

impl Meta {
    pub(super) fn write(self, connection: &Connection, store: StoreId, key: &Secret) -> Result<(), StoreError> {
        let Self { period, revision, pending, marks } = self;
        let sealed = seal::seal(key, &store.meta(period, revision, pending), &marks)?;
        let sql = "INSERT INTO meta(one, period, revision, pending, sealed) VALUES (1, ?1, ?2, ?3, ?4) \
                   ON CONFLICT DO UPDATE SET period = ?1, revision = ?2, pending = ?3, sealed = ?4";
        let mut statement = connection.prepare_cached(sql).map_err(fault)?;
        let (period, revision) = (to_sql(period)?, to_sql(revision)?);
        statement.execute((period, revision, pending, sealed)).map_err(fault)?;
        Ok(())
    }
}

/// SQLite counts with a sign.
pub(super) fn to_sql(number: u64) -> Result<i64, StoreError> {
    number.try_into().map_err(|_| StoreError::Damaged)
}

const DAMAGED: StoreError = StoreError::RowDamaged { table: Table::Meta };
