//! A disk in memory that remembers what is durable and what is not.
//!
//! In: reads and writes, by SQLite or by a test; a fault. Out: bytes or a typed error; another disk, after a reboot.
//! Always: every operation that changes state has a number; after a reboot, what was synced is there, and a name is
//! there if its folder was synced.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) mod locks;
pub(crate) mod lost;
pub(crate) mod state;

pub use state::FileId;

use crate::{
    fault::{DiskError, Failure, Fault, Lost},
    random::Random,
    trace::Trace,
};
use locks::Locks;
use state::{State, Step, folder_of};

/// A disk; clones are the same disk. Names are paths with `/`. Folders need not be made; one that was made can be lost.
#[derive(Clone, Debug)]
pub struct Disk {
    seed: u64,
    inner: Arc<Mutex<Inner>>,
    locks: Arc<Mutex<Locks>>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    operations: u64,
    fault: Option<Fault>,
    /// How many reads go well before one fails.
    read_fault: Option<u64>,
    powered: bool,
    recording: Option<Trace>,
    random: Random,
    clock_ms: i64,
}

impl Disk {
    /// An empty disk. The seed is that of the random numbers it gives to SQLite.
    pub fn new(seed: u64) -> Self {
        Self::holding(State::default(), seed)
    }

    pub(crate) fn holding(state: State, seed: u64) -> Self {
        let inner = Inner {
            state,
            operations: 0,
            fault: None,
            read_fault: None,
            powered: true,
            recording: None,
            random: Random::new(seed),
            clock_ms: NOON_2026,
        };
        Self { seed, inner: Arc::new(Mutex::new(inner)), locks: Arc::default() }
    }

    /// The disk as it is when power comes back, or, with [`Lost::Nothing`], when all processes that used it were killed.
    /// This one stays as it is. Operations count from 0 again.
    #[must_use]
    pub fn reboot(&self, lost: Lost) -> Self {
        Self::holding(lost::after(&self.inner().state, lost), self.seed)
    }

    /// Makes everything durable. That is no operation.
    pub fn settle(&self) {
        self.inner().state.settle();
    }

    /// Files whose name starts like this are written with powersafe overwrite: [`Lost::Noise`] loses of them what
    /// [`Lost::Sectors`] does. That is so on every disk that is made from this one.
    pub fn spare_noise(&self, start: &str) {
        self.inner().state.spared = Some(start.to_owned());
    }

    /// Plans a fault, in place of the one that was planned; `None` plans none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        self.inner().fault = fault;
    }

    /// Plans that a read fails, once, after so many that go well; asking for a length is one too. `None` plans none.
    pub fn set_read_fault(&self, after: Option<u64>) {
        self.inner().read_fault = after;
    }

    /// Whether a read that was planned to fail is still to come.
    pub fn read_fault_is_due(&self) -> bool {
        self.inner().read_fault.is_some()
    }

    /// How many operations there were that changed state, failed ones included.
    pub fn operations(&self) -> u64 {
        self.inner().operations
    }

    /// Whether the power is on.
    pub fn is_powered(&self) -> bool {
        self.inner().powered
    }

    /// Keeps every image from here on; forgets what was recorded before.
    pub fn record(&self) {
        let mut inner = self.inner();
        inner.recording = Some(Trace::new(inner.state.clone()));
    }

    /// What happened since [`Disk::record`].
    pub fn recording(&self) -> Option<Trace> {
        self.inner().recording.clone()
    }

    /// The files and what is in them now, durable or not.
    pub fn image(&self) -> BTreeMap<String, Vec<u8>> {
        let inner = self.inner();
        let content = |file: &FileId| inner.state.node(*file).map(|node| node.now.clone()).unwrap_or_default();
        let files = inner.state.names.iter().filter(|(name, _)| !name.ends_with('/'));
        files.map(|(name, file)| (name.clone(), content(file))).collect()
    }

    /// The memory that connections share beside each database in WAL mode, by the name of the database.
    /// It is whole only while no connection is at work.
    pub fn shared_memory(&self) -> Vec<(String, Vec<u8>)> {
        let images = self.locks().shared_images();
        let inner = self.inner();
        let name = |file| inner.state.node(file).map(|node| node.name.clone()).unwrap_or_default();
        images.into_iter().map(|(file, image)| (name(file), image)).collect()
    }

    pub(crate) fn locks(&self) -> MutexGuard<'_, Locks> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fill_random(&self, bytes: &mut [u8]) {
        self.inner().random.fill(bytes);
    }

    /// Milliseconds of Julian days, as SQLite counts time. It passes only when someone asks.
    pub(crate) fn clock_ms(&self) -> i64 {
        let mut inner = self.inner();
        inner.clock_ms = inner.clock_ms.saturating_add(1);
        inner.clock_ms
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Files by name, as a program beside SQLite uses them.
impl Disk {
    /// Whether there is a file of this name.
    pub fn exists(&self, name: &str) -> bool {
        self.inner().state.names.contains_key(name)
    }

    /// Length of a file in bytes.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn len(&self, name: &str) -> Result<usize, DiskError> {
        self.len_of(self.find(name)?)
    }

    /// Reads into `bytes` and returns how many there were.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn read_at(&self, name: &str, offset: usize, bytes: &mut [u8]) -> Result<usize, DiskError> {
        self.read(self.find(name)?, offset, bytes)
    }

    /// Makes an empty file.
    ///
    /// # Errors
    /// [`DiskError::Exists`] if the name is taken.
    pub fn create(&self, name: &str) -> Result<FileId, DiskError> {
        let mut inner = self.inner();
        if inner.state.names.contains_key(name) {
            return Err(DiskError::Exists);
        }
        inner.create(Some(name.to_owned()))
    }

    /// Makes a folder, unless it is there. It is durable, and with it what is in it, when the folder around it is synced.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn create_dir(&self, folder: &str) -> Result<(), DiskError> {
        match self.create(&format!("{folder}/")) {
            Ok(_) | Err(DiskError::Exists) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes bytes, with zeros before them where the file was shorter.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn write_at(&self, name: &str, offset: usize, bytes: &[u8]) -> Result<(), DiskError> {
        self.write(self.find(name)?, offset, bytes)
    }

    /// Cuts a file, or adds zeros to it.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn set_len(&self, name: &str, len: usize) -> Result<(), DiskError> {
        self.resize(self.find(name)?, len)
    }

    /// Makes the content of a file durable, but not its name.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn sync(&self, name: &str) -> Result<(), DiskError> {
        self.sync_file(self.find(name)?)
    }

    /// Gives a file another name, in place of a file that had it.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn rename(&self, from: &str, to: &str) -> Result<(), DiskError> {
        self.find(from)?;
        self.inner().perform(Step::Rename { from: from.to_owned(), to: to.to_owned() })
    }

    /// Takes a name away.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn remove(&self, name: &str) -> Result<(), DiskError> {
        self.find(name)?;
        self.inner().perform(Step::Remove { name: name.to_owned() })
    }

    /// Makes the names in a folder durable; `""` is the folder of names without `/`.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn sync_dir(&self, folder: &str) -> Result<(), DiskError> {
        self.inner().perform(Step::SyncFolder { folder: folder.to_owned() })
    }

    /// Makes the names beside this one durable.
    pub(crate) fn sync_dir_of(&self, name: &str) -> Result<(), DiskError> {
        self.sync_dir(folder_of(name))
    }
}

/// Files by id: they outlive their names, as open files do.
impl Disk {
    pub(crate) fn find(&self, name: &str) -> Result<FileId, DiskError> {
        let inner = self.inner();
        inner.check_power()?;
        inner.state.names.get(name).copied().ok_or(DiskError::NotFound)
    }

    pub(crate) fn create_temporary(&self) -> Result<FileId, DiskError> {
        self.inner().create(None)
    }

    pub(crate) fn len_of(&self, file: FileId) -> Result<usize, DiskError> {
        let mut inner = self.inner();
        inner.begin_read()?;
        inner.state.node(file).map(|node| node.now.len()).ok_or(DiskError::NotFound)
    }

    pub(crate) fn read(&self, file: FileId, offset: usize, bytes: &mut [u8]) -> Result<usize, DiskError> {
        let mut inner = self.inner();
        inner.begin_read()?;
        let node = inner.state.node(file).ok_or(DiskError::NotFound)?;
        let there = node.now.get(offset..).unwrap_or_default();
        let count = there.len().min(bytes.len());
        for (to, from) in bytes.iter_mut().zip(there) {
            *to = *from;
        }
        Ok(count)
    }

    pub(crate) fn write(&self, file: FileId, offset: usize, bytes: &[u8]) -> Result<(), DiskError> {
        self.inner().perform(Step::Write { file, offset, bytes: bytes.into() })
    }

    pub(crate) fn resize(&self, file: FileId, len: usize) -> Result<(), DiskError> {
        self.inner().perform(Step::SetLen { file, len })
    }

    pub(crate) fn sync_file(&self, file: FileId) -> Result<(), DiskError> {
        self.inner().perform(Step::Sync { file })
    }
}

impl Inner {
    const fn check_power(&self) -> Result<(), DiskError> {
        if self.powered { Ok(()) } else { Err(DiskError::PowerLost) }
    }

    fn begin_read(&mut self) -> Result<(), DiskError> {
        self.check_power()?;
        match self.read_fault.take() {
            Some(0) => Err(DiskError::Io),
            left => {
                self.read_fault = left.map(|left| left.saturating_sub(1));
                Ok(())
            }
        }
    }

    fn create(&mut self, name: Option<String>) -> Result<FileId, DiskError> {
        let file = self.state.next_id();
        self.perform(Step::Create { name })?;
        Ok(file)
    }

    /// The one door through which state changes.
    fn perform(&mut self, step: Step) -> Result<(), DiskError> {
        self.check_power()?;
        let number = self.operations;
        self.operations = number.saturating_add(1);
        match self.fault.filter(|fault| fault.at <= number) {
            None => self.apply(step),
            Some(fault) => return self.fail(step, fault.failure),
        }
        Ok(())
    }

    fn fail(&mut self, step: Step, failure: Failure) -> Result<(), DiskError> {
        match failure {
            Failure::PowerLoss => {
                self.powered = false;
                // A change may get through; a sync has not ended, and promises nothing.
                if !step.is_sync() {
                    self.apply(step);
                }
                return Err(DiskError::PowerLost);
            }
            Failure::DiskFull if step.grows() => return Err(DiskError::NoSpace),
            Failure::NoSpace if step.grows() => {
                self.fault = None;
                return Err(DiskError::NoSpace);
            }
            Failure::Io => {
                self.fault = None;
                return Err(DiskError::Io);
            }
            Failure::IoForever => return Err(DiskError::Io),
            Failure::SyncForgets => {
                if let Step::Sync { file } = step {
                    self.fault = None;
                    self.state.forget(file);
                    return Err(DiskError::Io);
                }
                self.apply(step);
            }
            Failure::ShortWrite => {
                if let Step::Write { file, offset, bytes } = step {
                    self.fault = None;
                    let (half, _) = bytes.split_at(bytes.len().wrapping_div(2));
                    self.apply(Step::Write { file, offset, bytes: half.into() });
                    return Err(DiskError::NoSpace);
                }
                self.apply(step);
            }
            Failure::DiskFull | Failure::NoSpace => self.apply(step),
        }
        Ok(())
    }

    fn apply(&mut self, step: Step) {
        self.state.apply(&step);
        if let Some(recording) = &mut self.recording {
            recording.push(step);
        }
    }
}

/// 2026-11-24 12:00 in milliseconds since noon of day 0 of the Julian calendar.
const NOON_2026: i64 = 2_461_369 * 86_400_000;
