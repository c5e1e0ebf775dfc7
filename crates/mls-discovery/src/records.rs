//! Records of many groups: a join-semilattice (a state-based CRDT), as a value.
//!
//! In: records of others, or all that somebody has. Out: the record of each group that counts, and those that contend with it.
//! Always: of each group what [`Contenders`] keeps, whatever the order in which it came.

use std::collections::BTreeMap;

use crate::{
    Bounds, Checked, Contenders, DirectoryCrypto, DiscoveryError, DiscoveryQuery, GroupPublicInfo, Trust, Usage,
};

/// Records of groups, each checked.
#[derive(Clone, Debug)]
pub struct Records {
    crypto: DirectoryCrypto,
    trust: Trust,
    bounds: Bounds,
    groups: BTreeMap<Vec<u8>, Contenders>,
    bytes: u64,
    /// How many groups each publisher has.
    publishers: BTreeMap<Vec<u8>, u64>,
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

impl Merged {
    /// Counts the outcome of one record. What failed in the store, and not in the record, is an error.
    ///
    /// # Errors
    /// [`DiscoveryError::Unavailable`], [`DiscoveryError::Damaged`].
    pub fn count(&mut self, outcome: Result<bool, DiscoveryError>) -> Result<(), DiscoveryError> {
        match outcome {
            Ok(true) => self.taken = self.taken.saturating_add(1),
            Ok(false) => self.known = self.known.saturating_add(1),
            Err(error @ (DiscoveryError::Unavailable | DiscoveryError::Damaged)) => return Err(error),
            Err(error) => self.refused.push(error),
        }
        Ok(())
    }
}

impl Records {
    /// None yet. Those whom `trust` names are believed, within the default [`Bounds`].
    pub fn new(crypto: DirectoryCrypto, trust: Trust) -> Self {
        let (bounds, groups, publishers) = (Bounds::default(), BTreeMap::new(), BTreeMap::new());
        Self { crypto, trust, bounds, groups, bytes: 0, publishers }
    }

    /// Within other bounds; what is there stays.
    #[must_use]
    pub const fn bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Takes a record in, if it is valid and counts; returns whether anything changed.
    ///
    /// # Errors
    /// As [`GroupPublicInfo::verify`]; [`DiscoveryError::Full`].
    pub fn insert(&mut self, record: GroupPublicInfo) -> Result<bool, DiscoveryError> {
        let checked = record.check(&self.crypto, &self.trust)?;
        self.join(checked)
    }

    fn join(&mut self, checked: Checked) -> Result<bool, DiscoveryError> {
        let (id, authority) = (checked.record().group_id().to_vec(), checked.rank().authority());
        let known = self.groups.get(&id);
        let mut next = known.cloned().unwrap_or_default();
        if !next.insert(checked) {
            return Ok(false);
        }
        let (old, new) = (known.and_then(Contenders::publisher), next.publisher().unwrap_or_default());
        let of_publisher = self.publishers.get(new).copied().unwrap_or(0);
        let groups = u64::try_from(self.groups.len()).unwrap_or(u64::MAX);
        let before = Usage { groups, bytes: self.bytes, groups_of_publisher: of_publisher };
        let bytes = self.bytes.saturating_sub(known.map_or(0, Contenders::bytes)).saturating_add(next.bytes());
        let after = Usage {
            groups: groups.saturating_add(u64::from(known.is_none())),
            bytes,
            groups_of_publisher: of_publisher.saturating_add(u64::from(old != Some(new))),
        };
        self.bounds.check(&before, &after, authority)?;
        let (old, new) = (old.map(<[u8]>::to_vec), new.to_vec());
        let count = self.publishers.entry(new).or_default();
        *count = count.saturating_add(1);
        if let Some(old) = old {
            let left = self.publishers.get(&old).copied().unwrap_or(0).saturating_sub(1);
            match left {
                0 => self.publishers.remove(&old),
                left => self.publishers.insert(old, left),
            };
        }
        self.bytes = bytes;
        self.groups.insert(id, next);
        Ok(true)
    }

    /// Takes in whatever counts of what somebody else has; each record is checked.
    pub fn merge(&mut self, records: impl IntoIterator<Item = GroupPublicInfo>) -> Merged {
        let mut merged = Merged::default();
        for record in records {
            let outcome = self.insert(record);
            if let Err(error) = merged.count(outcome) {
                merged.refused.push(error);
            }
        }
        merged
    }

    /// Everything, for others to merge.
    pub fn records(&self) -> impl Iterator<Item = &GroupPublicInfo> {
        self.groups.values().flat_map(Contenders::records)
    }

    /// What is kept of a group.
    pub fn contenders(&self, group_id: &[u8]) -> Option<&Contenders> {
        self.groups.get(group_id)
    }

    /// The record of a group that counts; `None` if there is none, or the group is not to be found any more.
    pub fn get(&self, group_id: &[u8]) -> Option<&GroupPublicInfo> {
        self.groups.get(group_id).and_then(Contenders::head)
    }

    /// Records of a group that contend with each other: more than one is proof that its epoch was ended twice, or that a key
    /// is in two hands.
    pub fn forks(&self, group_id: &[u8]) -> Vec<&GroupPublicInfo> {
        let records = self.groups.get(group_id).map(|contenders| contenders.records().collect::<Vec<_>>());
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

/// Two are equal if they hold the same records.
impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        self.groups == other.groups
    }
}
