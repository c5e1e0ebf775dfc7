//! Two slots in a file beside the database, overwritten in place.
//!
//! ```text
//! slot:  0 "SPSLOT01" | 8 period u64 | 16 length u8 | 17 entry, zeros after it | 96 SHA-256 of all before it | 128
//! file:  0 slot of even periods, zeros after it | 4096 slot of odd periods, zeros after it | 8192
//! ```
//!
//! Always: the slot that counts is never written, and shares no sector with the one that is: a disk that loses power may
//! spoil the whole sector, of up to 4 KiB, that it was writing; a slot torn by a power failure is as an empty one. A new file holds an
//! empty entry of period 0, so that its counter stays at 0 until a first period was retained.

use core::fmt;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::digest::{SHA256, digest};
use mls_crypto::Secret;

use super::{KeySource, MAX_ENTRY};
use crate::{
    StoreError,
    files::{Files, unavailable},
};

/// Period keys in a file of two blocks of 4 KiB. They are secrets: the store seals them with its root key first.
pub struct FileSlots {
    files: Arc<dyn Files>,
    dir: PathBuf,
    path: PathBuf,
    new: PathBuf,
}

impl FileSlots {
    /// The slots in the file `slots` of this directory, which need not exist yet.
    pub fn new(files: Arc<dyn Files>, dir: &Path) -> Self {
        Self { files, dir: dir.to_owned(), path: dir.join("slots"), new: dir.join("slots.new") }
    }

    /// The slots that hold something; none if there is no file.
    fn slots(&self) -> Result<Vec<Slot>, StoreError> {
        let mut slots = Vec::new();
        if self.files.len(&self.path).map_err(unavailable)?.is_some() {
            for period in 0..2 {
                let mut slot = EMPTY;
                self.files.read_at(&self.path, offset(period), &mut slot).map_err(unavailable)?;
                slots.extend(Slot::read(&slot));
            }
        }
        Ok(slots)
    }

    fn overwrite(&self, period: u64, slot: &[u8; SLOT_LEN]) -> Result<(), StoreError> {
        self.files.write_at(&self.path, offset(period), slot).map_err(unavailable)?;
        self.files.sync(&self.path).map_err(unavailable)
    }

    /// A file appears whole or not at all.
    fn create(&self) -> Result<(), StoreError> {
        let nothing = Slot { period: 0, entry: Secret::zero(0) }.write()?;
        self.files.remove(&self.new).map_err(unavailable)?;
        self.files.create(&self.new).map_err(unavailable)?;
        // In full length: a slot that is written later moves no end of file.
        self.files.write_at(&self.new, 0, &[0; FILE_LEN]).map_err(unavailable)?;
        self.files.write_at(&self.new, offset(0), &nothing).map_err(unavailable)?;
        self.files.sync(&self.new).map_err(unavailable)?;
        self.files.rename(&self.new, &self.path).map_err(unavailable)?;
        self.files.sync_dir(&self.dir).map_err(unavailable)
    }
}

impl fmt::Debug for FileSlots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, dir: _, path: _, new: _ } = self;
        f.debug_struct("FileSlots").field("files", files).finish_non_exhaustive()
    }
}

impl KeySource for FileSlots {
    fn load(&self, period: u64) -> Result<Option<Secret>, StoreError> {
        Ok(self.slots()?.into_iter().find(|slot| slot.period == period).map(|slot| slot.entry))
    }

    fn store(&self, period: u64, key: &Secret) -> Result<(), StoreError> {
        if self.files.len(&self.path).map_err(unavailable)?.is_none() {
            self.create()?;
        }
        self.overwrite(period, &Slot { period, entry: key.duplicate() }.write()?)
    }

    fn retain(&self, period: u64) -> Result<(), StoreError> {
        let spare = period.wrapping_add(1);
        let mut slot = EMPTY;
        self.files.read_at(&self.path, offset(spare), &mut slot).map_err(unavailable)?;
        // What is torn may still hold a key in part: only zeros are nothing.
        if slot == EMPTY { Ok(()) } else { self.overwrite(spare, &EMPTY) }
    }

    /// The lower of two periods: the higher one may never have become current.
    fn counter(&self) -> Result<u64, StoreError> {
        Ok(self.slots()?.iter().map(|slot| slot.period).min().unwrap_or_default())
    }

    fn destroy(&self) -> Result<(), StoreError> {
        let there = self.files.len(&self.path).map_err(unavailable)?.is_some();
        // Where nothing can be written, as on some full disks, the file can still be removed.
        let erased = if there { self.overwrite(0, &EMPTY).and(self.overwrite(1, &EMPTY)) } else { Ok(()) };
        self.files.remove(&self.path).map_err(unavailable)?;
        self.files.remove(&self.new).map_err(unavailable)?;
        self.files.sync_dir(&self.dir).map_err(unavailable)?;
        erased
    }
}

/// One entry of the file.
struct Slot {
    period: u64,
    entry: Secret,
}

impl Slot {
    fn write(&self) -> Result<[u8; SLOT_LEN], StoreError> {
        let Self { period, entry } = self;
        let len = u8::try_from(entry.len()).ok().filter(|len| usize::from(*len) <= MAX_ENTRY);
        let len = len.ok_or(StoreError::NameTooLong { len: entry.len(), limit: MAX_ENTRY })?;
        let padding = vec![0; MAX_ENTRY.saturating_sub(entry.len())];
        let parts: [&[u8]; 5] = [MAGIC, &period.to_be_bytes(), &[len], entry.as_slice(), &padding];
        let mut slot = EMPTY;
        let content = parts.concat();
        let checksum = digest(&SHA256, &content);
        slot.iter_mut().zip(content.iter().chain(checksum.as_ref())).for_each(|(to, from)| *to = *from);
        Ok(slot)
    }

    fn read(slot: &[u8; SLOT_LEN]) -> Option<Self> {
        let (content, checksum) = slot.split_at_checked(CONTENT_LEN)?;
        if digest(&SHA256, content).as_ref() != checksum {
            return None;
        }
        let rest = content.strip_prefix(MAGIC)?;
        let (period, rest) = rest.split_first_chunk()?;
        let (len, rest) = rest.split_first()?;
        let entry = Secret::copy_from(rest.get(..usize::from(*len))?);
        Some(Self { period: u64::from_be_bytes(*period), entry })
    }
}

const fn offset(period: u64) -> u64 {
    if period.is_multiple_of(2) { 0 } else { 4_096 }
}

const MAGIC: &[u8] = b"SPSLOT01";
const CONTENT_LEN: usize = 96;
const SLOT_LEN: usize = 128;
const FILE_LEN: usize = 8_192;
const EMPTY: [u8; SLOT_LEN] = [0; SLOT_LEN];
