//! Rows of records: the real key and the value, sealed with the key of their part of the segment.
//!
//! ```text
//! sealed over: length of id u16 | id | value
//! ```
//!
//! Always: the page of the space is open before a record of it is touched.

use mls_crypto::Secret;
use rusqlite::OptionalExtension;

use super::{fault::fault, names::Segment, pages::Tree};
use crate::{
    Key, StoreError, Table,
    seal::{self, Id},
};

/// The longest id of a record.
const MAX_ID: usize = 1_024;

/// Where a segment is.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) space: Id,
    pub(super) segment: Segment,
    pub(super) id: Id,
}

impl Tree<'_> {
    /// One record.
    pub(super) fn record(&mut self, space: Id, key: &Key) -> Result<Option<Secret>, StoreError> {
        let segment = Segment::of(key);
        let Some(id) = self.open_segment(space, segment)? else { return Ok(None) };
        let record = self.record_id(space, segment, &key.id);
        let mut statement = self
            .connection
            .prepare_cached("SELECT sealed FROM records WHERE segment = ?1 AND id = ?2")
            .map_err(fault)?;
        let row = statement.query_row((id.as_slice(), record.as_slice()), |row| row.get(0));
        let Some(sealed): Option<Vec<u8>> = row.optional().map_err(fault)? else {
            return self.verify_part(Place { space, segment, id }, record.part()).map(|()| None);
        };
        let (_, value) = self.open_record(Place { space, segment, id }, record, &sealed)?;
        Ok(Some(value))
    }

    /// Every record of a segment, in the order of their ids.
    pub(super) fn records(&mut self, space: Id, segment: Segment) -> Result<Vec<(Key, Secret)>, StoreError> {
        let Some(id) = self.open_segment(space, segment)? else { return Ok(Vec::new()) };
        let mut statement =
            self.connection.prepare_cached("SELECT id, sealed FROM records WHERE segment = ?1").map_err(fault)?;
        let mut rows = statement.query([id.as_slice()]).map_err(fault)?;
        let mut records = Vec::new();
        while let Some(row) = rows.next().map_err(fault)? {
            let (record, sealed): (Vec<u8>, Vec<u8>) =
                row.get(0).and_then(|record| Ok((record, row.get(1)?))).map_err(fault)?;
            let (id, value) = self.open_record(Place { space, segment, id }, Id::read(&record)?, &sealed)?;
            records.push((Key { class: segment.class, epoch: segment.epoch, id }, value));
        }
        drop(rows);
        self.expect_records(id, records.len())?;
        records.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(records)
    }

    /// Writes a record; says whether it replaced one, and how many bytes were written.
    pub(super) fn put_record(&mut self, place: Place, id: &[u8], value: &Secret) -> Result<(bool, usize), StoreError> {
        let record = self.record_id(place.space, place.segment, id);
        let content = encode(id, value)?;
        let (key, count) = match self.part(place.id, record.part())? {
            Some(part) => part,
            None => (self.renew_part(place.id, record.part(), 0)?, 0),
        };
        let aad = self.store.record(place.space, &place.segment.name(), record);
        let sealed = seal::seal(&key, &aad, content.as_slice())?;
        let replaced = self.update_record(place.id, record, &sealed)?;
        if !replaced {
            let sql = "INSERT INTO records(segment, id, sealed) VALUES (?1, ?2, ?3)";
            let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
            statement.execute((place.id.as_slice(), record.as_slice(), &sealed)).map_err(fault)?;
            self.set_count(place.id, record.part(), count.checked_add(1).ok_or(DAMAGED)?)?;
        }
        Ok((replaced, sealed.len()))
    }

    /// Deletes a record; says whether it was there.
    pub(super) fn delete_record(&mut self, place: Place, id: &[u8]) -> Result<bool, StoreError> {
        let record = self.record_id(place.space, place.segment, id);
        let sql = "DELETE FROM records WHERE segment = ?1 AND id = ?2";
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        let deleted = statement.execute((place.id.as_slice(), record.as_slice())).map_err(fault)? > 0;
        if deleted {
            let (_, count) = self.part(place.id, record.part())?.ok_or(DAMAGED)?;
            self.set_count(place.id, record.part(), count.checked_sub(1).ok_or(DAMAGED)?)?;
        } else {
            self.verify_part(place, record.part())?;
        }
        Ok(deleted)
    }

    /// Deletes every record of a segment, and its page.
    pub(super) fn delete_segment(&mut self, space: Id, segment: Segment) -> Result<(), StoreError> {
        let id = self.segment_id(space, segment);
        let mut statement = self.connection.prepare_cached("DELETE FROM records WHERE segment = ?1").map_err(fault)?;
        statement.execute([id.as_slice()]).map_err(fault)?;
        self.remove(id, space, &segment.name())
    }

    /// Seals what is left in a part of a segment with a new key; returns how many bytes. A part with nothing left has no
    /// key, and a segment with nothing left has no page.
    pub(super) fn reseal_part(&mut self, place: Place, part: u8) -> Result<usize, StoreError> {
        let Some((key, count)) = self.part(place.id, part)? else { return Ok(0) };
        let mut opened = Vec::new();
        for (record, sealed) in self.rows(place.id, part)? {
            let aad = self.store.record(place.space, &place.segment.name(), record);
            opened.push((record, seal::open(&key, &aad, &sealed).ok_or(DAMAGED)?));
        }
        if u32::try_from(opened.len()) != Ok(count) {
            return Err(DAMAGED);
        }
        if opened.is_empty() {
            self.page(place.id)?.children.remove(&[part][..]);
            return Ok(0);
        }
        let key = self.renew_part(place.id, part, count)?;
        let mut written = 0_usize;
        for (record, content) in opened {
            let aad = self.store.record(place.space, &place.segment.name(), record);
            let sealed = seal::seal(&key, &aad, content.as_slice())?;
            self.update_record(place.id, record, &sealed)?;
            written = written.saturating_add(sealed.len());
        }
        Ok(written)
    }

    /// The rows of a part: their ids share six bits, so they lie side by side.
    fn rows(&self, segment: Id, part: u8) -> Result<Vec<(Id, Vec<u8>)>, StoreError> {
        let sql = "SELECT id, sealed FROM records WHERE segment = ?1 AND id >= ?2 AND id < ?3";
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        let (first, end) = bounds(part);
        let rows = statement.query_map((segment.as_slice(), first, end), |row| Ok((row.get(0)?, row.get(1)?)));
        let rows: Vec<(Vec<u8>, Vec<u8>)> = rows.map_err(fault)?.collect::<Result<_, _>>().map_err(fault)?;
        rows.into_iter().map(|(id, sealed)| Ok((Id::read(&id)?, sealed))).collect()
    }

    /// What is not there was never there: every row of the part is what was written at its place, and none is missing.
    fn verify_part(&mut self, place: Place, part: u8) -> Result<(), StoreError> {
        let rows = self.rows(place.id, part)?;
        for (record, sealed) in &rows {
            self.open_record(place, *record, sealed)?;
        }
        let expected = self.part(place.id, part)?.map_or(0, |(_, count)| count);
        if u32::try_from(rows.len()) == Ok(expected) { Ok(()) } else { Err(DAMAGED) }
    }

    /// No row of the segment is missing.
    fn expect_records(&mut self, segment: Id, found: usize) -> Result<(), StoreError> {
        let counts = self.page(segment)?.children.values().map(|child| u64::from(child.count));
        if u64::try_from(found) == Ok(counts.sum()) { Ok(()) } else { Err(DAMAGED) }
    }

    fn update_record(&self, segment: Id, record: Id, sealed: &[u8]) -> Result<bool, StoreError> {
        let sql = "UPDATE records SET sealed = ?3 WHERE segment = ?1 AND id = ?2";
        let mut statement = self.connection.prepare_cached(sql).map_err(fault)?;
        Ok(statement.execute((segment.as_slice(), record.as_slice(), sealed)).map_err(fault)? > 0)
    }

    fn open_record(&mut self, place: Place, record: Id, sealed: &[u8]) -> Result<(Vec<u8>, Secret), StoreError> {
        let (key, _) = self.part(place.id, record.part())?.ok_or(DAMAGED)?;
        let aad = self.store.record(place.space, &place.segment.name(), record);
        let content = seal::open(&key, &aad, sealed).ok_or(DAMAGED)?;
        let (len, rest) = content.as_slice().split_first_chunk().ok_or(DAMAGED)?;
        let (id, value) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len))).ok_or(DAMAGED)?;
        Ok((id.to_vec(), Secret::copy_from(value)))
    }
}

/// The ids of a part lie from the first to before the second.
fn bounds(part: u8) -> (Vec<u8>, Vec<u8>) {
    let first = part.wrapping_shl(2);
    // Longer than any id, and above all of this part.
    (vec![first], [&[first | 3][..], &[0xFF; 16]].concat())
}

fn encode(id: &[u8], value: &Secret) -> Result<Secret, StoreError> {
    let too_long = StoreError::NameTooLong { len: id.len(), limit: MAX_ID };
    let len = u16::try_from(id.len()).ok().filter(|len| usize::from(*len) <= MAX_ID).ok_or(too_long)?;
    let mut content = Vec::with_capacity(id.len().saturating_add(value.len()).saturating_add(2));
    content.extend_from_slice(&len.to_be_bytes());
    content.extend_from_slice(id);
    content.extend_from_slice(value.as_slice());
    Ok(Secret::new(content))
}

const DAMAGED: StoreError = StoreError::RowDamaged { table: Table::Records };
