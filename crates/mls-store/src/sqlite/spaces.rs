//! Rows of spaces: name and revision, sealed with the key of the space's page.

use mls_crypto::Secret;
use rusqlite::OptionalExtension;

use super::{
    fault::fault,
    meta::to_sql,
    names::{decode_space, encode_space},
    pages::Tree,
};
use crate::{
    Revision, Space, StoreError, Table,
    seal::{self, Id},
};

/// A row, opened.
pub(super) struct Row {
    pub(super) space: Space,
    pub(super) revision: Revision,
}

impl Tree<'_> {
    /// The row of a space; `None` if there is no such space. Its page is open afterwards.
    pub(super) fn space_row(&mut self, space: Id) -> Result<Option<Row>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT revision, sealed FROM spaces WHERE id = ?1").map_err(fault)?;
        let row = statement.query_row([space.as_slice()], |row| Ok((row.get(0)?, row.get(1)?)));
        let row: Option<(i64, Vec<u8>)> = row.optional().map_err(fault)?;
        match (row, self.open_space(space)?) {
            (None, false) => Ok(None),
            (Some((revision, sealed)), true) => {
                let key = self.page(space)?.key.duplicate();
                self.open_row(&key, space, revision, &sealed).map(Some)
            }
            // One without the other: somebody removed a row.
            _ => Err(DAMAGED),
        }
    }

    /// Writes the row of a space whose page is open; returns how many bytes.
    pub(super) fn write_space_row(&mut self, id: Id, row: &Row) -> Result<usize, StoreError> {
        let revision = row.revision.get();
        let place = self.store.space(id, revision);
        let sealed = seal::seal(&self.page(id)?.key, &place, &encode_space(&row.space))?;
        let sql = "INSERT INTO spaces(id, revision, sealed) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO UPDATE SET revision = ?2, sealed = ?3";
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        statement.execute((id.as_slice(), to_sql(revision)?, &sealed)).map_err(fault)?;
        Ok(sealed.len())
    }

    pub(super) fn remove_space_row(&mut self, space: Id) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached("DELETE FROM spaces WHERE id = ?1").map_err(fault)?;
        statement.execute([space.as_slice()]).map_err(fault)?;
        Ok(())
    }

    /// The revision of a space; `None` if there is no such space. Only the pages above its own are read.
    pub(super) fn space_revision(&mut self, space: &Space) -> Result<Option<Revision>, StoreError> {
        let id = self.space_id(space);
        let mut statement =
            self.connection.prepare_cached("SELECT revision, sealed FROM spaces WHERE id = ?1").map_err(fault)?;
        let row = statement.query_row([id.as_slice()], |row| Ok((row.get(0)?, row.get(1)?)));
        let row: Option<(i64, Vec<u8>)> = row.optional().map_err(fault)?;
        match (row, self.space_key(id)?) {
            (None, None) => Ok(None),
            (Some((revision, sealed)), Some(key)) => Ok(Some(self.open_row(&key, id, revision, &sealed)?.revision)),
            _ => Err(DAMAGED),
        }
    }

    /// Every space.
    pub(super) fn space_rows(&mut self) -> Result<Vec<(Space, Revision)>, StoreError> {
        let spaces = self.space_rows_after(Revision::NONE)?;
        if self.count_spaces()? == spaces.len() { Ok(spaces) } else { Err(DAMAGED) }
    }

    /// The spaces that were changed after this revision.
    pub(super) fn space_rows_after(&mut self, revision: Revision) -> Result<Vec<(Space, Revision)>, StoreError> {
        let sql = "SELECT id, revision, sealed FROM spaces WHERE revision > ?1";
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        let rows = statement.query_map([to_sql(revision.get())?], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let rows: Vec<(Vec<u8>, i64, Vec<u8>)> = rows.map_err(fault)?.collect::<Result<_, _>>().map_err(fault)?;
        let mut spaces = Vec::with_capacity(rows.len());
        for (id, revision, sealed) in rows {
            let id = Id::read(&id)?;
            let key = self.space_key(id)?.ok_or(DAMAGED)?;
            let row = self.open_row(&key, id, revision, &sealed)?;
            spaces.push((row.space, row.revision));
        }
        Ok(spaces)
    }

    /// How many rows there are.
    pub(super) fn count_space_rows(&self) -> Result<usize, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT count(*) FROM spaces").map_err(fault)?;
        let count: i64 = statement.query_row([], |row| row.get(0)).map_err(fault)?;
        usize::try_from(count).map_err(|_| DAMAGED)
    }

    /// The key of the page of a space, from the page above; `None` if there is no such space.
    fn space_key(&mut self, id: Id) -> Result<Option<Secret>, StoreError> {
        if !self.open_shard(id.part())? {
            return Ok(None);
        }
        let shard = self.shard_id(id.part());
        Ok(self.page(shard)?.children.get(id.as_slice()).map(|child| child.key.duplicate()))
    }

    /// How many spaces the pages of the shards know.
    fn count_spaces(&mut self) -> Result<usize, StoreError> {
        let mut count = 0_usize;
        for shard in 0..64 {
            if self.open_shard(shard)? {
                count = count.saturating_add(self.page(self.shard_id(shard))?.children.len());
            }
        }
        Ok(count)
    }

    fn open_row(&self, key: &Secret, id: Id, revision: i64, sealed: &[u8]) -> Result<Row, StoreError> {
        let revision = u64::try_from(revision).map_err(|_| DAMAGED)?;
        let place = self.store.space(id, revision);
        let name = seal::open(key, &place, sealed).ok_or(DAMAGED)?;
        let space = decode_space(name.as_slice()).ok_or(DAMAGED)?;
        Ok(Row { space, revision: Revision::new(revision) })
    }
}

const DAMAGED: StoreError = StoreError::RowDamaged { table: Table::Spaces };
