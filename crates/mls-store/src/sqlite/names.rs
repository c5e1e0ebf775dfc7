//! What rows are called: keyed hashes of spaces, segments and records.
//!
//! ```text
//! space    HMAC(lookup, "space"   ‖ kind ‖ id)                       [..16]   shard: its first six bits
//! segment  HMAC(lookup, "segment" ‖ space ‖ class ‖ epoch)           [..16]
//! record   HMAC(lookup, "record"  ‖ space ‖ class ‖ epoch ‖ id)      [..16]   part: its first six bits
//! ```

use super::pages::{ROOT, Tree};
use crate::{
    Key, Space, StoreError,
    seal::{Id, row_id},
};

/// A class and an epoch: the records that live about equally long.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Segment {
    pub(super) class: u8,
    pub(super) epoch: u64,
}

impl Segment {
    pub(super) fn of(key: &Key) -> Self {
        Self { class: key.class, epoch: key.epoch }
    }

    /// `class 1 ‖ epoch 8`.
    pub(super) fn name(self) -> [u8; 9] {
        let mut name = [self.class; 9];
        name.iter_mut().skip(1).zip(self.epoch.to_be_bytes()).for_each(|(to, from)| *to = from);
        name
    }

    pub(super) fn read(name: &[u8]) -> Result<Self, StoreError> {
        let (class, epoch) = name.split_first().ok_or(StoreError::Damaged)?;
        let epoch = epoch.try_into().map_err(|_| StoreError::Damaged)?;
        Ok(Self { class: *class, epoch: u64::from_be_bytes(epoch) })
    }
}

/// `kind 1 ‖ id`.
pub(super) fn encode_space(space: &Space) -> Vec<u8> {
    let (kind, id): (u8, &[u8]) = match space {
        Space::Client => (0, &[]),
        Space::Group(id) => (1, id),
        Space::Application(id) => (2, id),
    };
    [&[kind], id].concat()
}

pub(super) fn decode_space(bytes: &[u8]) -> Option<Space> {
    match bytes.split_first()? {
        (0, []) => Some(Space::Client),
        (1, id) => Some(Space::Group(id.to_vec())),
        (2, id) => Some(Space::Application(id.to_vec())),
        _ => None,
    }
}

impl Tree<'_> {
    pub(super) fn shard_id(&self, shard: u8) -> Id {
        row_id(&self.lookup, b"shard", &[&[shard]])
    }

    pub(super) fn space_id(&self, space: &Space) -> Id {
        row_id(&self.lookup, b"space", &[&encode_space(space)])
    }

    pub(super) fn segment_id(&self, space: Id, segment: Segment) -> Id {
        row_id(&self.lookup, b"segment", &[space.as_slice(), &segment.name()])
    }

    pub(super) fn record_id(&self, space: Id, segment: Segment, id: &[u8]) -> Id {
        row_id(&self.lookup, b"record", &[space.as_slice(), &segment.name(), id])
    }

    /// Opens the page of a shard; `false` if there is none.
    pub(super) fn open_shard(&mut self, shard: u8) -> Result<bool, StoreError> {
        self.find(self.shard_id(shard), ROOT, &[shard])
    }

    /// Opens the page of a space; `false` if there is none.
    pub(super) fn open_space(&mut self, space: Id) -> Result<bool, StoreError> {
        let shard = space.part();
        Ok(self.open_shard(shard)? && self.find(space, self.shard_id(shard), space.as_slice())?)
    }

    /// Opens the page of a space, or makes it.
    pub(super) fn make_space(&mut self, space: Id) -> Result<(), StoreError> {
        let shard = space.part();
        let shard_id = self.shard_id(shard);
        self.find_or_add(shard_id, ROOT, &[shard])?;
        self.find_or_add(space, shard_id, space.as_slice())
    }

    /// Removes the page of a space; those of its segments must be gone.
    pub(super) fn remove_space(&mut self, space: Id) -> Result<(), StoreError> {
        self.remove(space, self.shard_id(space.part()), space.as_slice())
    }

    /// Opens the page of a segment of an open space; its id, or `None` if there is no such page.
    pub(super) fn open_segment(&mut self, space: Id, segment: Segment) -> Result<Option<Id>, StoreError> {
        let id = self.segment_id(space, segment);
        Ok(self.find(id, space, &segment.name())?.then_some(id))
    }

    /// Opens the page of a segment of an open space, or makes it.
    pub(super) fn make_segment(&mut self, space: Id, segment: Segment) -> Result<Id, StoreError> {
        let id = self.segment_id(space, segment);
        self.find_or_add(id, space, &segment.name())?;
        Ok(id)
    }

    /// The segments of an open space, in order.
    pub(super) fn segments(&mut self, space: Id) -> Result<Vec<Segment>, StoreError> {
        self.page(space)?.children.keys().map(|name| Segment::read(name)).collect()
    }
}
