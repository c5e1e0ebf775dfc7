//! One transaction's changes to records, and what they leave to be forgotten.
//!
//! In: sections of a batch. Out: rows, and marks in `dirty` for what old copies still hold.
//! Always: whatever replaces or deletes a secret leaves a mark in the same transaction, so that no crash keeps it.
//!
//! ```text
//! mark:  shard 1  |  space 16  |  space 16 ‖ segment 16 ‖ part 1
//! ```

use super::{
    PublicClasses,
    fault::fault,
    meta::{Marks, add_mark},
    names::Segment,
    pages::Tree,
    records::Place,
    spaces::Row,
};
use crate::{Key, Revision, Section, Space, StoreError, Write, seal::Id};

/// A transaction's changes.
pub(super) struct Change<'c> {
    pub(super) tree: Tree<'c>,
    pub(super) public: PublicClasses,
    /// Whether something is to be forgotten.
    pub(super) dirty: bool,
    /// The sum of all marks.
    pub(super) marks: Marks,
    /// Bytes in rows.
    pub(super) written: usize,
}

impl Change<'_> {
    /// Carries out a section, if the space is where the caller thinks.
    pub(super) fn section(&mut self, section: &Section<'_>, revision: Revision) -> Result<(), StoreError> {
        let id = self.tree.space_id(&section.space);
        self.expect(id, section.expected)?;
        self.tree.make_space(id)?;
        for write in &section.writes {
            self.write(&section.space, id, write)?;
        }
        let written = self.tree.write_space_row(id, &Row { space: section.space.clone(), revision })?;
        self.wrote(written);
        Ok(())
    }

    /// Removes a space, if it is where the caller thinks; `false` if there is none.
    pub(super) fn remove(&mut self, space: &Space, expected: Revision) -> Result<bool, StoreError> {
        let id = self.tree.space_id(space);
        if self.expect(id, expected)? == Revision::NONE {
            return Ok(false);
        }
        for segment in self.tree.segments(id)? {
            self.tree.delete_segment(id, segment)?;
        }
        self.tree.remove_space_row(id)?;
        self.tree.remove_space(id)?;
        self.mark(&[id.part()])?;
        Ok(true)
    }

    fn expect(&mut self, space: Id, expected: Revision) -> Result<Revision, StoreError> {
        let actual = self.tree.space_row(space)?.map_or(Revision::NONE, |row| row.revision);
        if actual != expected {
            return Err(StoreError::Conflict { expected: expected.get(), actual: actual.get() });
        }
        Ok(actual)
    }

    fn write(&mut self, space: &Space, id: Id, write: &Write<'_>) -> Result<(), StoreError> {
        match write {
            Write::Put(key, value) => {
                let place = self.place(id, Segment::of(key))?;
                let (replaced, written) = self.tree.put_record(place, &key.id, value)?;
                self.wrote(written);
                if replaced { self.mark_record(space, place, key) } else { Ok(()) }
            }
            Write::Delete(key) => {
                let segment = Segment::of(key);
                let Some(page) = self.tree.open_segment(id, segment)? else { return Ok(()) };
                let place = Place { space: id, segment, id: page };
                let deleted = self.tree.delete_record(place, &key.id)?;
                if deleted { self.mark_record(space, place, key) } else { Ok(()) }
            }
            Write::DeleteEpoch { class, epoch } => {
                self.delete_segment(space, id, Segment { class: *class, epoch: *epoch })
            }
            Write::Clear => {
                let segments = self.tree.segments(id)?;
                segments.into_iter().try_for_each(|segment| self.delete_segment(space, id, segment))
            }
        }
    }

    fn place(&mut self, space: Id, segment: Segment) -> Result<Place, StoreError> {
        let id = self.tree.make_segment(space, segment)?;
        Ok(Place { space, segment, id })
    }

    fn delete_segment(&mut self, space: &Space, id: Id, segment: Segment) -> Result<(), StoreError> {
        if self.tree.open_segment(id, segment)?.is_none() {
            return Ok(());
        }
        self.tree.delete_segment(id, segment)?;
        if (self.public)(space, segment.class) { Ok(()) } else { self.mark(id.as_slice()) }
    }

    fn mark_record(&mut self, space: &Space, place: Place, key: &Key) -> Result<(), StoreError> {
        if (self.public)(space, key.class) {
            return Ok(());
        }
        let part = self.tree.record_id(place.space, place.segment, &key.id).part();
        self.mark(&[place.space.as_slice(), place.id.as_slice(), &[part]].concat())
    }

    fn mark(&mut self, place: &[u8]) -> Result<(), StoreError> {
        self.dirty = true;
        let sql = "INSERT INTO dirty(place) VALUES (?1) ON CONFLICT DO NOTHING";
        let mut statement = self.tree.connection.prepare_cached(sql).map_err(fault)?;
        if statement.execute([place]).map_err(fault)? > 0 {
            add_mark(&mut self.marks, &self.tree.lookup, place);
        }
        Ok(())
    }

    fn wrote(&mut self, bytes: usize) {
        self.written = self.written.saturating_add(bytes);
    }
}
