//! Places: what is authenticated with each sealed value, so that it opens nowhere else.
//!
//! In: what names the value. Out: `"SPS1" ‖ table 1 ‖ schema 4 ‖ store 16 ‖ ...`, all numbers big-endian.
//! Always: each kind of place has a length of its own after the common part, and a table number of its own.

use crate::{Table, seal::Id};

/// The version of the tables, and of what is sealed in them.
pub(crate) const SCHEMA: u32 = 1;

/// What tells this store from every other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct StoreId(pub(crate) [u8; 16]);

impl StoreId {
    /// Of the row that says where the store is in time.
    pub(crate) fn meta(self, period: u64, revision: u64, pending: u32) -> Vec<u8> {
        self.place(Table::Meta, &[&period.to_be_bytes(), &revision.to_be_bytes(), &pending.to_be_bytes()])
    }

    /// Of a page of keys.
    pub(crate) fn page(self, page: Id) -> Vec<u8> {
        self.place(Table::Pages, &[page.as_slice()])
    }

    /// Of the name and revision of a space.
    pub(crate) fn space(self, space: Id, revision: u64) -> Vec<u8> {
        self.place(Table::Spaces, &[space.as_slice(), &revision.to_be_bytes()])
    }

    /// Of a record; `segment` is its class and epoch.
    pub(crate) fn record(self, space: Id, segment: &[u8], record: Id) -> Vec<u8> {
        self.place(Table::Records, &[space.as_slice(), segment, record.as_slice()])
    }

    /// Of the key of a period.
    pub(crate) fn period(self, period: u64) -> Vec<u8> {
        let mut place = self.start(PERIOD_KEY);
        place.extend_from_slice(&period.to_be_bytes());
        place
    }

    /// Of what sealed the keys of periods before, behind this header.
    pub(crate) fn handover(self, header: &[u8]) -> Vec<u8> {
        let mut place = self.start(HANDOVER);
        place.extend_from_slice(header);
        place
    }

    fn place(self, table: Table, parts: &[&[u8]]) -> Vec<u8> {
        let mut place = self.start(number(table));
        parts.iter().for_each(|part| place.extend_from_slice(part));
        place
    }

    fn start(self, table: u8) -> Vec<u8> {
        let mut place = Vec::with_capacity(128);
        place.extend_from_slice(b"SPS1");
        place.push(table);
        place.extend_from_slice(&SCHEMA.to_be_bytes());
        place.extend_from_slice(&self.0);
        place
    }
}

const PERIOD_KEY: u8 = 0;
const HANDOVER: u8 = 6;

const fn number(table: Table) -> u8 {
    match table {
        Table::Meta => 1,
        Table::Pages => 2,
        Table::Spaces => 3,
        Table::Records => 4,
        Table::Dirty => 5,
    }
}
