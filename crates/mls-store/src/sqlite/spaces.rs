//! Rows of spaces: name and revision, sealed with the key of the space's page.

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
            (Some((revision, sealed)), true) => self.open_row(space, revision, &sealed).map(Some),
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

    /// Every space, in order.
    pub(super) fn space_rows(&mut self) -> Result<Vec<(Space, Revision)>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id, revision, sealed FROM spaces").map_err(fault)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(fault)?;
        let rows: Vec<(Vec<u8>, i64, Vec<u8>)> = rows.collect::<Result<_, _>>().map_err(fault)?;
        let mut spaces = Vec::with_capacity(rows.len());
        for (id, revision, sealed) in rows {
            let id = Id::read(&id)?;
            if !self.open_space(id)? {
                return Err(DAMAGED);
            }
            let row = self.open_row(id, revision, &sealed)?;
            spaces.push((row.space, row.revision));
        }
        if self.count_spaces()? != spaces.len() {
            return Err(DAMAGED);
        }
        spaces.sort();
        Ok(spaces)
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

    fn open_row(&mut self, id: Id, revision: i64, sealed: &[u8]) -> Result<Row, StoreError> {
        let revision = u64::try_from(revision).map_err(|_| DAMAGED)?;
        let place = self.store.space(id, revision);
        let name = seal::open(&self.page(id)?.key, &place, sealed).ok_or(DAMAGED)?;
        let space = decode_space(name.as_slice()).ok_or(DAMAGED)?;
        Ok(Row { space, revision: Revision::new(revision) })
    }
}

const DAMAGED: StoreError = StoreError::RowDamaged { table: Table::Spaces };
