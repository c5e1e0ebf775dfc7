//! Where state lives: one folder, and what opens the stores in it.
//!
//! In: options. Out: open stores, each in a folder of its own.
//! Always: a home opens either with its key file or with a passphrase, as it was made; nothing is made anew over what
//! cannot be opened.
//!
//! ```text
//! HOME/key                        32 random bytes, unless there is a passphrase
//! HOME/lock                       locked by the program that opens the home
//! HOME/sync.lock                  locked by the program that talks to the service
//! HOME/me/                        the store of the person whose home it is
//! HOME/demo/SUITE-MEMBERS/NAME/   the store of one member of the demo
//! ```

mod change;

use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    process,
};

use etcetera::{BaseStrategy, choose_base_strategy};
use spacepanda_core::core_mls::{
    OsRandom, Random, Secret,
    store::{
        OpenOptions, SqliteStore, StoreError, Unlock,
        files::{Disk, Files},
    },
};

use crate::cli::HomeOptions;

/// A folder with stores in it.
#[derive(Debug)]
pub(crate) struct Home {
    dir: PathBuf,
    key: Key,
    /// Lets the next one in when it is dropped.
    _lock: File,
}

/// What opens the stores of a home. Each store derives keys of its own from it.
enum Key {
    File(Secret),
    Passphrase(Secret),
}

impl Home {
    /// Finds the folder and what opens it; a new one gets a key file, unless there is a passphrase. If another program
    /// uses the home, `waiting` is called, and then it is waited for.
    pub(crate) fn open(options: &HomeOptions, waiting: impl FnOnce()) -> Result<Self, HomeError> {
        let dir = folder(options)?;
        make_dir(&dir).map_err(HomeError::Folder)?;
        let lock = lock(&dir.join("lock"), waiting).map_err(HomeError::Folder)?;
        let file = dir.join("key");
        let (has_key, has_stores) = (file.exists(), ["demo", "me"].iter().any(|stores| dir.join(stores).exists()));
        if options.wants_passphrase() {
            if has_key {
                return Err(HomeError::HasKeyFile);
            }
            let key = Key::Passphrase(passphrase(options, !has_stores)?);
            return Ok(Self { dir, key, _lock: lock });
        }
        if !has_key {
            if has_stores {
                return Err(HomeError::NeedsPassphrase);
            }
            make_key(&dir, &file).map_err(HomeError::Key)?;
        }
        let key = fs::read(&file).map_err(HomeError::Key)?;
        Ok(Self { dir, key: Key::File(Secret::new(key)), _lock: lock })
    }

    /// Whether there is a store at this place.
    pub(crate) fn has(options: &HomeOptions, place: &str) -> Result<bool, HomeError> {
        Ok(folder(options)?.join(place).exists())
    }

    /// Waits until no other program talks to the service from this home; ends when the file is dropped, or the process ends.
    pub(crate) fn turn(options: &HomeOptions) -> Result<File, HomeError> {
        lock(&folder(options)?.join("sync.lock"), || ()).map_err(HomeError::Folder)
    }

    /// Opens a store, or makes it.
    pub(crate) fn store(&self, place: &str) -> Result<SqliteStore, HomeError> {
        let unlock = match &self.key {
            Key::File(key) => Unlock::raw_key(key.duplicate())?,
            Key::Passphrase(text) => Unlock::passphrase(String::from_utf8_lossy(text.as_slice()).into_owned()),
        };
        Ok(OpenOptions::new(unlock).open(&self.dir.join(place))?)
    }

    /// Destroys a store if there is one: its keys, then its files.
    pub(crate) fn wipe(&self, place: &str) -> Result<(), HomeError> {
        if self.dir.join(place).exists() { Ok(self.store(place)?.wipe()?) } else { Ok(()) }
    }
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File(..)",
            Self::Passphrase(_) => "Passphrase(..)",
        })
    }
}

/// Why state cannot be had, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HomeError {
    #[error("no folder for data is known here; give --home DIR, set PANDA_HOME, or use --memory")]
    NoFolder,
    #[error("cannot use the folder: {0}; check its rights, or choose another --home DIR")]
    Folder(#[source] io::Error),
    #[error("this home has a key file and no passphrase; leave the passphrase away, or choose another --home DIR")]
    HasKeyFile,
    #[error("this home has no key file; give its passphrase with --passphrase-file FILE or --passphrase")]
    NeedsPassphrase,
    #[error("cannot read or write the key file: {0}; check the folder, or choose another --home DIR")]
    Key(#[source] io::Error),
    #[error("cannot read the passphrase: {0}; give --passphrase-file FILE")]
    Passphrase(#[source] io::Error),
    #[error("the two passphrases differ; try again")]
    PassphrasesDiffer,
    #[error("{0}; {next}", next = next(*.0))]
    Store(#[from] StoreError),
}

const fn next(error: StoreError) -> &'static str {
    match error {
        StoreError::TimedOut => "wait until the other process has ended, then try again",
        StoreError::WrongKey => "give the passphrase, or put back the key file, that the home was made with",
        StoreError::WrongKind => "open the home as it was made: with its key file, or with its passphrase",
        StoreError::WeakPassphrase { .. } => "choose a longer passphrase",
        StoreError::NewerSchema { .. } => "update this program",
        StoreError::Unavailable | StoreError::Unsure => "check the disk and the rights of the folder, then try again",
        _ => "keep the folder for analysis, and go on with another --home DIR",
    }
}

fn folder(options: &HomeOptions) -> Result<PathBuf, HomeError> {
    if let Some(dir) = &options.home {
        return Ok(dir.clone());
    }
    match env::var_os("PANDA_HOME").filter(|dir| !dir.is_empty()) {
        Some(dir) => Ok(dir.into()),
        None => Ok(choose_base_strategy().map_err(|_| HomeError::NoFolder)?.data_dir().join("spacepanda")),
    }
}

/// From the file, without the end of its first line; or from whoever sits there, twice if it is new.
fn passphrase(options: &HomeOptions, new: bool) -> Result<Secret, HomeError> {
    let descriptor = options.passphrase_fd.map(|number| PathBuf::from(format!("/dev/fd/{number}")));
    if let Some(file) = options.passphrase_file.as_ref().or(descriptor.as_ref()) {
        let text = fs::read_to_string(file).map_err(HomeError::Passphrase)?;
        return Ok(Secret::new(text.lines().next().unwrap_or_default().as_bytes().to_vec()));
    }
    let ask = |prompt| rpassword::prompt_password(prompt).map_err(HomeError::Passphrase);
    let text = ask("passphrase: ")?;
    if new && ask("the same passphrase again: ")? != text {
        return Err(HomeError::PassphrasesDiffer);
    }
    Ok(Secret::new(text.into_bytes()))
}

/// Makes what is missing of a folder, for its owner only.
pub(crate) fn make_dir(dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        dir.ancestors().take_while(|level| !level.as_os_str().is_empty() && !level.exists()).collect();
    for level in missing.into_iter().rev() {
        match Disk.create_dir(level) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn lock(file: &Path, waiting: impl FnOnce()) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(file)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            waiting();
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    Ok(file)
}

/// The file appears whole or not at all; if another process was first, its key stays.
pub(crate) fn make_key(dir: &Path, file: &Path) -> io::Result<()> {
    let mut key = Secret::zero(32);
    OsRandom.fill(key.as_mut_slice()).map_err(|_| io::Error::other("no randomness"))?;
    let new = dir.join(format!("key.{}", process::id()));
    Disk.remove(&new)?;
    Disk.create(&new)?;
    Disk.write_at(&new, 0, key.as_slice())?;
    Disk.sync(&new)?;
    match fs::hard_link(&new, file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    Disk.remove(&new)?;
    Disk.sync_dir(dir)
}
