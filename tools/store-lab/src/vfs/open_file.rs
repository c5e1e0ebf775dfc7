//! What SQLite does with a file, in terms of the disk.
//!
//! In: calls with plain values. Out: result codes of SQLite. Always: as SQLite's own file system for Unix does it, but
//! that a failed sync of a folder is reported.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::ffi::{
    SQLITE_ACCESS_EXISTS, SQLITE_BUSY, SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR_CLOSE, SQLITE_IOERR_DELETE,
    SQLITE_IOERR_DELETE_NOENT, SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ,
    SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE, SQLITE_LOCK_EXCLUSIVE, SQLITE_LOCK_NONE, SQLITE_LOCK_RESERVED,
    SQLITE_LOCK_SHARED, SQLITE_OK, SQLITE_OPEN_CREATE, SQLITE_OPEN_DELETEONCLOSE, SQLITE_OPEN_EXCLUSIVE,
    SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_SUPER_JOURNAL, SQLITE_OPEN_WAL, SQLITE_SHM_LOCK, SQLITE_SHM_SHARED,
};

use super::{Mounted, Slot};
use crate::{
    disk::{
        Disk, FileId,
        locks::{Hold, Holder, Level, Region},
    },
    fault::DiskError,
};

/// A file that a connection has open.
#[derive(Debug)]
pub(super) struct OpenFile {
    slot: &'static Slot,
    disk: Disk,
    file: FileId,
    name: Option<String>,
    holder: Holder,
    delete_on_close: bool,
    /// Whether the next sync makes its name durable too.
    new_name: AtomicBool,
    pub(super) characteristics: i32,
}

impl OpenFile {
    pub(super) fn open(slot: &'static Slot, name: Option<&str>, flags: i32) -> Result<Self, i32> {
        let mounted = slot.mounted().clone();
        let Mounted { disk, characteristics } = mounted.ok_or(SQLITE_CANTOPEN)?;
        let file = find_or_create(&disk, name, flags).map_err(|_| SQLITE_CANTOPEN)?;
        let needs_name = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
        let holder = disk.locks().new_holder();
        slot.open_files.fetch_add(1, Ordering::SeqCst);
        Ok(Self {
            slot,
            file,
            name: name.map(str::to_owned),
            holder,
            delete_on_close: flags & SQLITE_OPEN_DELETEONCLOSE != 0,
            // Whoever made the file may have died before it was synced.
            new_name: AtomicBool::new(flags & SQLITE_OPEN_CREATE != 0 && flags & needs_name != 0),
            characteristics,
            disk,
        })
    }

    pub(super) fn close(self) -> i32 {
        self.disk.locks().unlock(self.file, self.holder, Level::None);
        self.disk.locks().unmap(self.file, self.holder);
        self.slot.open_files.fetch_sub(1, Ordering::SeqCst);
        match &self.name {
            Some(name) if self.delete_on_close => code(self.disk.remove(name), SQLITE_IOERR_CLOSE),
            _ => SQLITE_OK,
        }
    }

    pub(super) fn read(&self, offset: i64, bytes: &mut [u8]) -> i32 {
        bytes.fill(0);
        match self.disk.read(self.file, position(offset), bytes) {
            Ok(count) if count == bytes.len() => SQLITE_OK,
            Ok(_) => SQLITE_IOERR_SHORT_READ,
            Err(_) => SQLITE_IOERR_READ,
        }
    }

    pub(super) fn write(&self, offset: i64, bytes: &[u8]) -> i32 {
        code(self.disk.write(self.file, position(offset), bytes), SQLITE_IOERR_WRITE)
    }

    pub(super) fn truncate(&self, len: i64) -> i32 {
        code(self.disk.resize(self.file, position(len)), SQLITE_IOERR_TRUNCATE)
    }

    pub(super) fn sync(&self) -> i32 {
        if let Err(error) = self.disk.sync_file(self.file) {
            return code(Err(error), SQLITE_IOERR_FSYNC);
        }
        match &self.name {
            Some(name) if self.new_name.load(Ordering::SeqCst) => {
                let synced = self.disk.sync_dir_of(name);
                self.new_name.store(synced.is_err(), Ordering::SeqCst);
                code(synced, SQLITE_IOERR_DIR_FSYNC)
            }
            _ => SQLITE_OK,
        }
    }

    pub(super) fn len(&self) -> Result<i64, DiskError> {
        self.disk.len_of(self.file).map(|len| i64::try_from(len).unwrap_or(i64::MAX))
    }

    pub(super) fn lock(&self, level: i32) -> i32 {
        busy(self.disk.locks().lock(self.file, self.holder, level_of(level)).is_ok())
    }

    pub(super) fn unlock(&self, level: i32) {
        self.disk.locks().unlock(self.file, self.holder, level_of(level));
    }

    pub(super) fn is_reserved(&self) -> bool {
        self.disk.locks().is_reserved(self.file)
    }

    pub(super) fn map(&self, region: Region) -> Option<*mut u64> {
        self.disk.locks().map(self.file, self.holder, region)
    }

    pub(super) fn lock_shared(&self, first: i32, count: i32, flags: i32) -> i32 {
        let slots: Vec<usize> = (position(first.into())..).take(position(count.into())).collect();
        let hold = match (flags & SQLITE_SHM_LOCK != 0, flags & SQLITE_SHM_SHARED != 0) {
            (false, _) => Hold::Free,
            (true, true) => Hold::Shared,
            (true, false) => Hold::Exclusive,
        };
        busy(self.disk.locks().take_slots(self.file, self.holder, &slots, hold).is_ok())
    }

    pub(super) fn unmap(&self) {
        self.disk.locks().unmap(self.file, self.holder);
    }
}

impl Slot {
    pub(super) fn delete(&self, name: &str, sync_folder: bool) -> i32 {
        let Some(Mounted { disk, .. }) = self.mounted().clone() else { return SQLITE_IOERR_DELETE };
        match disk.remove(name) {
            Err(DiskError::NotFound) => SQLITE_IOERR_DELETE_NOENT,
            Err(_) => SQLITE_IOERR_DELETE,
            Ok(()) if sync_folder => code(disk.sync_dir_of(name), SQLITE_IOERR_DIR_FSYNC),
            Ok(()) => SQLITE_OK,
        }
    }

    /// An empty file counts as missing when SQLite asks whether it exists.
    pub(super) fn access(&self, name: &str, flags: i32) -> bool {
        let Some(Mounted { disk, .. }) = self.mounted().clone() else { return false };
        match disk.len(name) {
            Ok(len) => len > 0 || flags != SQLITE_ACCESS_EXISTS,
            Err(_) => false,
        }
    }

    pub(super) fn fill_random(&self, bytes: &mut [u8]) {
        if let Some(Mounted { disk, .. }) = &*self.mounted() {
            disk.fill_random(bytes);
        }
    }

    pub(super) fn clock_ms(&self) -> i64 {
        self.mounted().as_ref().map_or(0, |mounted| mounted.disk.clock_ms())
    }
}

fn find_or_create(disk: &Disk, name: Option<&str>, flags: i32) -> Result<FileId, DiskError> {
    let Some(name) = name else { return disk.create_temporary() };
    match disk.find(name) {
        Ok(_) if flags & SQLITE_OPEN_EXCLUSIVE != 0 => Err(DiskError::Exists),
        Err(DiskError::NotFound) if flags & SQLITE_OPEN_CREATE != 0 => disk.create(name),
        found => found,
    }
}

fn code(result: Result<(), DiskError>, failed: i32) -> i32 {
    match result {
        Ok(()) => SQLITE_OK,
        Err(DiskError::NoSpace) => SQLITE_FULL,
        Err(_) => failed,
    }
}

const fn busy(granted: bool) -> i32 {
    if granted { SQLITE_OK } else { SQLITE_BUSY }
}

const fn level_of(level: i32) -> Level {
    match level {
        SQLITE_LOCK_NONE => Level::None,
        SQLITE_LOCK_SHARED => Level::Shared,
        SQLITE_LOCK_RESERVED => Level::Reserved,
        SQLITE_LOCK_EXCLUSIVE => Level::Exclusive,
        _ => Level::Pending,
    }
}

/// SQLite passes no negative offsets.
fn position(offset: i64) -> usize {
    usize::try_from(offset).unwrap_or(0)
}
