//! What a sequencer knows, in rows of the application.
//!
//! ```text
//! seq c EPOCH NAME     a commit
//! seq x EPOCH NAME     that commit does not fit on the way we are on
//! seq a EPOCH          the name of the commit that the epoch followed; holds for epochs before the group's
//! ```
//!
//! Epochs are 8 bytes, so that rows are in order.

use mls_crypto::Hash;
use spacepanda_core::core_mls::{ApplicationRow, MlsEnvelope, MlsError, MlsHandle, MlsResult};

/// A commit that is known.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) name: Hash,
    pub(crate) commit: MlsEnvelope,
    pub(crate) refused: bool,
}

pub(crate) struct Rows<'a>(pub(crate) &'a MlsHandle);

impl Rows<'_> {
    /// The commits of an epoch, lowest first.
    pub(crate) fn known(&self, epoch: u64) -> MlsResult<Vec<Known>> {
        let (commits, refused) = (key(COMMIT, epoch, &[]), self.names(REFUSED, epoch)?);
        let mut known = Vec::new();
        for row in self.0.application_rows()? {
            let (Some(name), Some(value)) = (row.key.strip_prefix(commits.as_slice()), row.value) else { continue };
            let name = Hash::from_slice(name).ok_or(MlsError::InvalidRecord)?;
            let commit = MlsEnvelope::from_bytes_within(&value, usize::MAX)?;
            known.push(Known { name, commit, refused: refused.contains(&name) });
        }
        known.sort_by(|a, b| a.name.as_slice().cmp(b.name.as_slice()));
        Ok(known)
    }

    pub(crate) fn keep(&self, epoch: u64, name: &Hash, commit: &MlsEnvelope) -> MlsResult<()> {
        self.write(vec![put(key(COMMIT, epoch, name.as_slice()), commit.to_bytes()?)])
    }

    pub(crate) fn refuse(&self, epoch: u64, name: &Hash) -> MlsResult<()> {
        self.write(vec![put(key(REFUSED, epoch, name.as_slice()), Vec::new())])
    }

    /// The commit that an epoch before the group's followed.
    pub(crate) fn followed(&self, epoch: u64) -> MlsResult<Option<Hash>> {
        let row = self.0.application_row(&key(FOLLOWED, epoch, &[]))?;
        row.map(|name| Hash::from_slice(&name).ok_or(MlsError::InvalidRecord)).transpose()
    }

    /// The group is about to follow this commit.
    pub(crate) fn begin(&self, epoch: u64, name: &Hash) -> MlsResult<()> {
        self.write(vec![put(key(FOLLOWED, epoch, &[]), name.as_slice().to_vec())])
    }

    pub(crate) fn forget_refusals_after(&self, epoch: u64) -> MlsResult<()> {
        self.delete(|kind, of| kind == REFUSED && of > epoch)
    }

    /// What cannot be taken back any more is gone, with its secrets.
    pub(crate) fn forget_before(&self, epoch: u64) -> MlsResult<()> {
        self.delete(|_, of| of < epoch)
    }

    fn names(&self, kind: u8, epoch: u64) -> MlsResult<Vec<Hash>> {
        let prefix = key(kind, epoch, &[]);
        let rows = self.0.application_rows()?;
        let names = rows.iter().filter_map(|row| row.key.strip_prefix(prefix.as_slice()));
        names.map(|name| Hash::from_slice(name).ok_or(MlsError::InvalidRecord)).collect()
    }

    fn delete(&self, chosen: impl Fn(u8, u64) -> bool) -> MlsResult<()> {
        let of_ours = |row: &ApplicationRow| {
            let (kind, rest) = row.key.strip_prefix(PREFIX)?.split_first()?;
            let epoch = u64::from_be_bytes(*rest.first_chunk()?);
            Some((*kind, epoch))
        };
        let rows = self.0.application_rows()?.into_iter();
        let gone = rows.filter(|row| of_ours(row).is_some_and(|(kind, epoch)| chosen(kind, epoch)));
        let gone: Vec<_> = gone.map(|row| ApplicationRow { key: row.key, value: None }).collect();
        if gone.is_empty() { Ok(()) } else { self.write(gone) }
    }

    fn write(&self, rows: Vec<ApplicationRow>) -> MlsResult<()> {
        self.0.write_application_rows(rows)
    }
}

fn key(kind: u8, epoch: u64, name: &[u8]) -> Vec<u8> {
    [PREFIX, &[kind], &epoch.to_be_bytes(), name].concat()
}

const fn put(key: Vec<u8>, value: Vec<u8>) -> ApplicationRow {
    ApplicationRow { key, value: Some(value) }
}

const PREFIX: &[u8] = b"seq ";
const COMMIT: u8 = b'c';
const REFUSED: u8 = b'x';
const FOLLOWED: u8 = b'a';
