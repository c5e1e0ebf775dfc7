//! What a directory keeps of one group.
//!
//! Always: only records of the highest [`Rank`], by their content, the least [`MAX_FORKS`] of them; of one content the least
//! proof. Each of these is a choice that does not depend on the order in which it is made.

use std::collections::BTreeMap;

use crate::{Checked, GroupPublicInfo, Rank, crypto::HASH_LEN};

/// Contending records of one group that are kept, at most.
pub const MAX_FORKS: usize = 4;

/// The records of one group that count most: a join-semilattice by itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Contenders {
    rank: Option<Rank>,
    records: BTreeMap<[u8; HASH_LEN], GroupPublicInfo>,
}

impl Contenders {
    /// Takes a record in, if it counts; returns whether anything changed.
    pub fn insert(&mut self, checked: Checked) -> bool {
        let Checked { rank, content, record } = checked;
        if self.rank.is_some_and(|known| rank < known) {
            return false;
        }
        if self.rank.is_none_or(|known| rank > known) {
            *self = Self { rank: Some(rank), records: BTreeMap::new() };
        }
        if self.records.get(&content).is_some_and(|known| *known <= record) {
            return false;
        }
        self.records.insert(content, record);
        while self.records.len() > MAX_FORKS {
            if self.records.pop_last().is_some_and(|(gone, _)| gone == content) {
                return false;
            }
        }
        true
    }

    /// The record that counts, of several the one of the least content: nobody chooses it. `None` if the group is not to be
    /// found any more.
    pub fn head(&self) -> Option<&GroupPublicInfo> {
        self.records.values().next().filter(|record| !record.is_tombstone())
    }

    /// All of them, in the order of their contents.
    pub fn records(&self) -> impl Iterator<Item = &GroupPublicInfo> {
        self.records.values()
    }

    /// How much they count; `None` if there are none.
    pub const fn rank(&self) -> Option<Rank> {
        self.rank
    }

    /// Bytes of the records, encoded.
    pub fn bytes(&self) -> u64 {
        let len =
            |record: &GroupPublicInfo| u64::try_from(tls_codec::Size::tls_serialized_len(record)).unwrap_or(u64::MAX);
        self.records().map(len).fold(0, u64::saturating_add)
    }

    /// Who signed the record that counts, or the tombstone.
    pub fn publisher(&self) -> Option<&[u8]> {
        self.records.values().next().map(GroupPublicInfo::publisher)
    }
}
