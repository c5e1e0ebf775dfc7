//! The table of C functions that SQLite calls. All `unsafe` of this crate is here.
//!
//! In: raw pointers, under the promises of SQLite's `sqlite3_vfs` and `sqlite3_io_methods`. Out: calls with plain values.
//! Always: `pAppData` is a [`Slot`] that lives for ever; the second word of an open file is an [`OpenFile`] in a box.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    mem::size_of,
    ptr, slice,
    sync::atomic::{Ordering, fence},
    thread,
    time::Duration,
};

use rusqlite::ffi::{
    SQLITE_CANTOPEN, SQLITE_ERROR, SQLITE_FCNTL_MMAP_SIZE, SQLITE_IOERR_FSTAT, SQLITE_NOTFOUND, SQLITE_OK,
    SQLITE_TESTCTRL_PRNG_SEED, sqlite3, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_test_control,
    sqlite3_vfs, sqlite3_vfs_register,
};

use super::{Slot, open_file::OpenFile};
use crate::disk::{locks::Region, lost::SECTOR};

/// What SQLite allocates for each open file.
#[repr(C)]
struct CFile {
    base: sqlite3_file,
    open: *mut OpenFile,
}

/// Registers a file system over `slot`. Result code of SQLite.
pub(super) fn register(name: CString, slot: &'static Slot) -> c_int {
    let vfs = sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<CFile>()).unwrap_or(c_int::MAX),
        mxPathname: 1_024,
        pNext: ptr::null_mut(),
        zName: name.into_raw(),
        pAppData: ptr::from_ref(slot).cast_mut().cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: None,
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: the table and its name are leaked, so SQLite may keep them for as long as the process runs.
    unsafe { sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0) }
}

/// Seeds the random numbers of SQLite itself, which end up in logs and journals. They are one stream for the whole
/// process: disks are the same again only where nothing else uses SQLite at the time.
pub fn seed_sqlite(seed: i32) {
    let no_database: *mut sqlite3 = ptr::null_mut();
    // SAFETY: this control takes a number and a database or null.
    unsafe { sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, seed, no_database) };
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// # Safety
/// `vfs` was given to SQLite by [`register`].
unsafe fn slot_of(vfs: *mut sqlite3_vfs) -> &'static Slot {
    // SAFETY: `register` has set `pAppData` to a leaked `Slot`, and nothing changes it.
    unsafe { &*(*vfs).pAppData.cast::<Slot>() }
}

/// # Safety
/// `open` has returned `SQLITE_OK` for `file`, and `close` was not called; the reference ends before that.
unsafe fn file_of<'a>(file: *mut sqlite3_file) -> &'a OpenFile {
    // SAFETY: `open` has put a box there, which `close` takes away.
    unsafe { &*(*file.cast::<CFile>()).open }
}

/// # Safety
/// `name` is null or a C string that outlives the result.
unsafe fn text_of<'a>(name: *const c_char) -> Option<&'a str> {
    if name.is_null() {
        return None;
    }
    // SAFETY: not null, so it is a C string.
    unsafe { CStr::from_ptr(name) }.to_str().ok()
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes its own table, a name or null, room for a `CFile`, and null or room for the flags.
    unsafe {
        let place = file.cast::<CFile>();
        // Without methods, SQLite does not close a file that could not be opened.
        (*place).base.pMethods = ptr::null();
        let text = text_of(name);
        if text.is_none() && !name.is_null() {
            return SQLITE_CANTOPEN;
        }
        match OpenFile::open(slot_of(vfs), text, flags) {
            Ok(opened) => (*place).open = Box::into_raw(Box::new(opened)),
            Err(code) => return code,
        }
        (*place).base.pMethods = &raw const METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    SQLITE_OK
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the box that `open` has made; SQLite does not use the file again.
    let opened = unsafe { Box::from_raw((*file.cast::<CFile>()).open) };
    opened.close()
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, count: c_int, offset: sqlite3_int64) -> c_int {
    // SAFETY: an open file, and a buffer of `count` bytes, which SQLite does not read while we write it.
    let (file, bytes) =
        unsafe { (file_of(file), slice::from_raw_parts_mut(to.cast::<u8>(), usize::try_from(count).unwrap_or(0))) };
    file.read(offset, bytes)
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, count: c_int, offset: sqlite3_int64) -> c_int {
    // SAFETY: an open file, and `count` bytes.
    let (file, bytes) =
        unsafe { (file_of(file), slice::from_raw_parts(from.cast::<u8>(), usize::try_from(count).unwrap_or(0))) };
    file.write(offset, bytes)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    unsafe { file_of(file) }.truncate(len)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: an open file.
    unsafe { file_of(file) }.sync()
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    let Ok(len) = unsafe { file_of(file) }.len() else { return SQLITE_IOERR_FSTAT };
    // SAFETY: SQLite passes room for the size.
    unsafe { *size = len };
    SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    unsafe { file_of(file) }.lock(level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    unsafe { file_of(file) }.unlock(level);
    SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, reserved: *mut c_int) -> c_int {
    // SAFETY: an open file, and room for the answer.
    unsafe { *reserved = file_of(file).is_reserved().into() };
    SQLITE_OK
}

unsafe extern "C" fn file_control(_file: *mut sqlite3_file, operation: c_int, value: *mut c_void) -> c_int {
    if operation != SQLITE_FCNTL_MMAP_SIZE {
        return SQLITE_NOTFOUND;
    }
    // SAFETY: for this operation SQLite passes the address of a number. Nothing of a file is ever mapped.
    unsafe { *value.cast::<sqlite3_int64>() = 0 };
    SQLITE_OK
}

unsafe extern "C" fn sector_size(_file: *mut sqlite3_file) -> c_int {
    c_int::try_from(SECTOR).unwrap_or(c_int::MAX)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: an open file.
    unsafe { file_of(file) }.characteristics
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    index: c_int,
    bytes: c_int,
    extend: c_int,
    place: *mut *mut c_void,
) -> c_int {
    let count = |number| usize::try_from(number).unwrap_or(0);
    let region = Region { index: count(index), bytes: count(bytes), extend: extend != 0 };
    // SAFETY: an open file, and room for a pointer. The region stays until the last `shm_unmap` or `close`.
    unsafe { *place = file_of(file).map(region).map_or(ptr::null_mut(), <*mut u64>::cast) };
    SQLITE_OK
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, first: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: an open file.
    unsafe { file_of(file) }.lock_shared(first, count, flags)
}

unsafe extern "C" fn shm_barrier(_file: *mut sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: an open file.
    unsafe { file_of(file) }.unmap();
    SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: SQLite passes its own table and a name.
    let (slot, name) = unsafe { (slot_of(vfs), text_of(name)) };
    name.map_or(SQLITE_ERROR, |name| slot.delete(name, sync_folder != 0))
}

unsafe extern "C" fn access(vfs: *mut sqlite3_vfs, name: *const c_char, flags: c_int, there: *mut c_int) -> c_int {
    // SAFETY: SQLite passes its own table, a name, and room for the answer.
    unsafe { *there = text_of(name).is_some_and(|name| slot_of(vfs).access(name, flags)).into() };
    SQLITE_OK
}

unsafe extern "C" fn full_pathname(_: *mut sqlite3_vfs, name: *const c_char, room: c_int, to: *mut c_char) -> c_int {
    // SAFETY: a C string, which the disk takes as it is.
    let name = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if name.len() > usize::try_from(room).unwrap_or(0) {
        return SQLITE_CANTOPEN;
    }
    // SAFETY: there is room for the name and its zero, and SQLite passes two places that do not overlap.
    unsafe { ptr::copy_nonoverlapping(name.as_ptr(), to.cast::<u8>(), name.len()) };
    SQLITE_OK
}

unsafe extern "C" fn randomness(vfs: *mut sqlite3_vfs, count: c_int, to: *mut c_char) -> c_int {
    // SAFETY: SQLite passes its own table and a buffer of `count` bytes.
    let (slot, bytes) =
        unsafe { (slot_of(vfs), slice::from_raw_parts_mut(to.cast::<u8>(), usize::try_from(count).unwrap_or(0))) };
    slot.fill_random(bytes);
    count
}

unsafe extern "C" fn sleep(_: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    // Connections in other threads get their turn.
    thread::sleep(Duration::from_micros(u64::try_from(microseconds).unwrap_or(0)));
    microseconds
}

unsafe extern "C" fn last_error(_: *mut sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    SQLITE_OK
}

unsafe extern "C" fn current_time(vfs: *mut sqlite3_vfs, milliseconds: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes its own table and room for the time.
    unsafe { *milliseconds = slot_of(vfs).clock_ms() };
    SQLITE_OK
}
