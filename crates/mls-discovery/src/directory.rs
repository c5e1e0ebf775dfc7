//! The directory: a join-semilattice of records (a state-based CRDT).
//!
//! In: records of others, or whole directories. Out: the record of each group that counts, and those that contend with it.
//! Always: of each group only the records of the highest [`Rank`] are kept, by their content, the least [`MAX_FORKS`] of them;
//! of one content the least proof. Each of these is a choice that does not depend on the order in which it is made.

use std::collections::BTreeMap;

use crate::{DirectoryCrypto, DiscoveryError, DiscoveryQuery, GroupPublicInfo, Rank, Trust, crypto::HASH_LEN};

/// Contending records of one group that are kept, at most.
pub const MAX_FORKS: usize = 4;

/// Records of groups, each checked.
#[derive(Clone, Debug)]
pub struct Directory {
    crypto: DirectoryCrypto,
    trust: Trust,
    max_groups: usize,
    groups: BTreeMap<Vec<u8>, Contenders>,
}

/// The records of one group that count most.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Contenders {
    rank: Rank,
    records: BTreeMap<[u8; HASH_LEN], GroupPublicInfo>,
}

/// What came of merging.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Merged {
    /// Records that changed something.
    pub taken: usize,
    /// Records that were known, or count less than what is.
    pub known: usize,
    /// Why others do not count.
    pub refused: Vec<DiscoveryError>,
}

impl Directory {
    /// An empty directory that believes whom `trust` names, of 100,000 groups at most.
    pub fn new(crypto: DirectoryCrypto, trust: Trust) -> Self {
        Self { crypto, trust, max_groups: 100_000, groups: BTreeMap::new() }
    }

    /// Of so many groups at most; those that are there stay.
    #[must_use]
    pub fn max_groups(mut self, max_groups: usize) -> Self {
        self.max_groups = max_groups;
        self
    }

    /// Takes a record in, if it is valid and counts; returns whether anything changed.
    ///
    /// # Errors
    /// As [`GroupPublicInfo::verify`]; [`DiscoveryError::Full`] for a group that is not there.
    pub fn insert(&mut self, record: GroupPublicInfo) -> Result<bool, DiscoveryError> {
        let rank = record.verify(&self.crypto, &self.trust)?;
        let content = record.content(&self.crypto)?;
        let known = self.groups.len();
        let entry = match self.groups.get_mut(record.group_id()) {
            Some(contenders) => contenders,
            None if known >= self.max_groups => return Err(DiscoveryError::Full(self.max_groups)),
            None => {
                self.groups.entry(record.group_id().to_vec()).or_insert(Contenders { rank, records: BTreeMap::new() })
            }
        };
        Ok(entry.insert(rank, content, record))
    }

    /// Takes in whatever counts of what somebody else has; each record is checked.
    pub fn merge(&mut self, records: impl IntoIterator<Item = GroupPublicInfo>) -> Merged {
        let mut merged = Merged::default();
        for record in records {
            match self.insert(record) {
                Ok(true) => merged.taken = merged.taken.saturating_add(1),
                Ok(false) => merged.known = merged.known.saturating_add(1),
                Err(error) => merged.refused.push(error),
            }
        }
        merged
    }

    /// Everything, for others to merge.
    pub fn records(&self) -> impl Iterator<Item = &GroupPublicInfo> {
        self.groups.values().flat_map(|contenders| contenders.records.values())
    }

    /// The record of a group that counts; `None` if there is none, or the group is not to be found any more.
    pub fn get(&self, group_id: &[u8]) -> Option<&GroupPublicInfo> {
        self.groups.get(group_id).and_then(Contenders::head)
    }

    /// Records of a group that contend with each other: more than one is proof that its epoch was ended twice, or that a key
    /// is in two hands.
    pub fn forks(&self, group_id: &[u8]) -> Vec<&GroupPublicInfo> {
        let records = self.groups.get(group_id).map(|contenders| contenders.records.values().collect::<Vec<_>>());
        records.filter(|records| records.len() > 1).unwrap_or_default()
    }

    /// The records that count, of the groups that match, in the order of their ids (CAP-69).
    pub fn find<'a>(&'a self, query: &'a DiscoveryQuery) -> impl Iterator<Item = &'a GroupPublicInfo> {
        self.all().filter(|record| query.matches(record))
    }

    /// Every record that counts, in the order of group ids.
    pub fn all(&self) -> impl Iterator<Item = &GroupPublicInfo> {
        self.groups.values().filter_map(Contenders::head)
    }
}

/// Two directories are equal if they hold the same records.
impl PartialEq for Directory {
    fn eq(&self, other: &Self) -> bool {
        self.groups == other.groups
    }
}

impl Contenders {
    fn insert(&mut self, rank: Rank, content: [u8; HASH_LEN], record: GroupPublicInfo) -> bool {
        if rank < self.rank {
            return false;
        }
        if rank > self.rank {
            *self = Self { rank, records: BTreeMap::new() };
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

    /// Of several the least content: nobody chooses it.
    fn head(&self) -> Option<&GroupPublicInfo> {
        self.records.values().next().filter(|record| !record.is_tombstone())
    }
}
