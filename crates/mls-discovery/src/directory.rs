//! A directory that many use at once: the trait, and what it answers with (SURF-D).
//!
//! In: records from anywhere. Out: what counts, page by page, and what has changed since somebody looked.
//! Always: a record is verified before it is merged; every answer is bounded; a page tells where the next one begins.

use core::fmt;

use mls_crypto::Opaque;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{DirectoryWatch, DiscoveryError, DiscoveryQuery, GroupPublicInfo, Merged};

/// Records of one page, at most.
pub const MAX_PAGE: usize = 256;

/// Records that one question looks through, at most: a page may end early, and says where to go on.
pub const SCAN: usize = 4_096;

/// Bytes of the records of one page, about: the first is there whatever its size.
pub(crate) const PAGE_BYTES: usize = 1 << 20;

/// A directory. Every method may be called from any thread; none waits for a network.
///
/// The suite of the repository (`tools/discovery-conformance`) says what an implementation must do.
pub trait Directory: Send + Sync + fmt::Debug {
    /// Takes a record in, if it is valid and counts; returns whether anything changed. What it returned is durable, if the
    /// directory is.
    ///
    /// # Errors
    /// As [`GroupPublicInfo::verify`]; [`DiscoveryError::Full`]; [`DiscoveryError::Unavailable`], [`DiscoveryError::Damaged`].
    fn publish(&self, record: GroupPublicInfo) -> Result<bool, DiscoveryError>;

    /// The record of a group that counts; `None` if there is none, or the group is not to be found any more.
    ///
    /// # Errors
    /// [`DiscoveryError::Unavailable`], [`DiscoveryError::Damaged`].
    fn get(&self, group_id: &[u8]) -> Result<Option<GroupPublicInfo>, DiscoveryError>;

    /// Everything that is kept of a group: more than one record is proof of a fork, a tombstone says that it is over.
    ///
    /// # Errors
    /// As [`Directory::get`].
    fn contenders(&self, group_id: &[u8]) -> Result<Vec<GroupPublicInfo>, DiscoveryError>;

    /// Records that match, in [`DiscoveryQuery::order`], from a place on (CAP-69).
    ///
    /// # Errors
    /// As [`Directory::get`].
    fn query(&self, query: &DiscoveryQuery, from: Option<&Place>, limit: usize) -> Result<Found, DiscoveryError>;

    /// What has changed since, tombstones and contenders too: for others to merge.
    ///
    /// # Errors
    /// As [`Directory::get`].
    fn since(&self, since: &Since, limit: usize) -> Result<Changes, DiscoveryError>;

    /// Hints at changes from now on.
    fn watch(&self) -> DirectoryWatch;

    /// Takes in whatever counts of what somebody else has; each record is verified, and those that are not valid leave the
    /// others alone.
    ///
    /// # Errors
    /// [`DiscoveryError::Unavailable`], [`DiscoveryError::Damaged`].
    fn merge(&self, records: Vec<GroupPublicInfo>) -> Result<Merged, DiscoveryError> {
        let mut merged = Merged::default();
        for record in records {
            merged.count(self.publish(record))?;
        }
        Ok(merged)
    }

    /// One record of somebody else, as bytes.
    ///
    /// # Errors
    /// As [`GroupPublicInfo::from_bytes`] and [`Directory::publish`].
    fn merge_remote(&self, bytes: &[u8]) -> Result<bool, DiscoveryError> {
        self.publish(GroupPublicInfo::from_bytes(bytes)?)
    }
}

/// Where a page begins: a key of the query's order, and a group's id.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Place {
    /// In the query's order.
    pub key: Opaque,
    /// Of those with this key.
    pub group_id: Opaque,
}

/// A page of records.
#[derive(Clone, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Found {
    /// Those that match.
    pub records: Vec<GroupPublicInfo>,
    /// Where to go on; `None` after the last.
    pub next: Option<Place>,
}

/// How far somebody has read the changes of a directory.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Since {
    /// Which life of the directory the number belongs to: in another one everything is new.
    pub life: [u8; 16],
    /// The last change that was read.
    pub change: u64,
}

/// A page of changes.
#[derive(Clone, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Changes {
    /// Records that are new, or count still.
    pub records: Vec<GroupPublicInfo>,
    /// How far that is.
    pub upto: Since,
    /// Whether there is more: 0 or 1.
    pub more: u8,
}

impl Place {
    /// The one after this group.
    pub fn after(key: &[u8], group_id: &[u8]) -> Self {
        Self { key: key.into(), group_id: [group_id, &[0]].concat().into() }
    }
}

/// Fills a page until it has so many records or bytes.
#[derive(Debug, Default)]
pub struct PageFiller {
    bytes: usize,
    records: Vec<GroupPublicInfo>,
}

impl PageFiller {
    /// Adds a record, unless the page is full without it; returns whether it was added.
    pub fn add(&mut self, record: GroupPublicInfo, limit: usize) -> bool {
        self.add_all(vec![record], limit)
    }

    /// Adds all or none, so that what belongs to one change is on one page; returns whether they were added.
    pub fn add_all(&mut self, records: Vec<GroupPublicInfo>, limit: usize) -> bool {
        let bytes = records.iter().map(tls_codec::Size::tls_serialized_len).fold(self.bytes, usize::saturating_add);
        let count = self.records.len().saturating_add(records.len());
        let fits = self.records.is_empty() || (count <= limit.clamp(1, MAX_PAGE) && bytes <= PAGE_BYTES);
        if fits {
            self.bytes = bytes;
            self.records.extend(records);
        }
        fits
    }

    /// The records of the page.
    pub fn records(self) -> Vec<GroupPublicInfo> {
        self.records
    }
}
