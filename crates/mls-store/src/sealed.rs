//! One sealed file by itself: a saved group, a backup.
//!
//! In: a passphrase or key, and bytes. Out: a file that only who has the passphrase or key can read or change.
//! Always: `header 43 ‖ tag 32 ‖ wrapped data key ‖ content`. The tag commits to key and header; data key and content are
//! sealed with the header as their place, so that nothing of one file can stand in another. A file is replaced as a whole.

use core::fmt;
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use mls_crypto::Secret;

use crate::{
    KdfParams, StoreError,
    files::{Files, unavailable},
    kdf::{MIN_PASSPHRASE, SALT_LEN, check_new},
    seal::{KEY_LEN, OVERHEAD, derive, mac, new_key, open, random, seal},
};

const MAGIC: &[u8; 8] = b"SPACEMLS";
const VERSION: u16 = 1;
const HEADER_LEN: usize = 43;
const COMMITMENT_LEN: usize = 32;
const COMMITMENT: &[u8] = b"SpacePanda sealed file 1 commitment";
const WRAPPED_LEN: usize = KEY_LEN + OVERHEAD;
const RAW: u8 = 0;
const PASSPHRASE: u8 = 1;

/// What a sealed file holds: a number that the program gives to each of its kinds. A file of one kind opens as no other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileKind(pub u16);

/// What seals and opens files: a passphrase, or a key that a keystore of the platform holds.
///
/// The key of a passphrase is derived once for all files that one value seals, and once for each salt that it opens.
pub struct FileKey {
    root: Root,
    params: KdfParams,
    /// Characters that a passphrase needs to seal.
    least: usize,
    derived: Mutex<Vec<Derived>>,
}

enum Root {
    Passphrase(Secret),
    Raw(Secret),
}

/// A key that was derived before.
struct Derived {
    params: KdfParams,
    salt: [u8; SALT_LEN],
    key: Secret,
}

/// Derived keys that are kept, at most.
const MAX_DERIVED: usize = 8;

impl FileKey {
    /// A passphrase; to seal it needs 12 characters. They are used as they are, in UTF-8.
    ///
    /// ```
    /// # use mls_store::FileKey;
    /// let key = FileKey::passphrase("correct horse battery".to_owned());
    /// assert_eq!(format!("{key:?}"), "FileKey { .. }");
    /// ```
    pub fn passphrase(passphrase: String) -> Self {
        Self::new(Root::Passphrase(Secret::new(passphrase.into_bytes())))
    }

    /// A key of 32 random bytes.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`] if it has another length.
    ///
    /// ```
    /// # use mls_store::{FileKey, FileKind, Secret, StoreError};
    /// let key = FileKey::raw_key(Secret::copy_from(&[7; 32]))?;
    /// let file = key.seal(FileKind(9), &Secret::copy_from(b"hello"))?;
    /// assert_eq!(key.open(FileKind(9), &file)?.as_slice(), b"hello");
    /// assert_eq!(key.open(FileKind(8), &file).unwrap_err(), StoreError::NotASealedFile);
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn raw_key(key: Secret) -> Result<Self, StoreError> {
        if key.len() == KEY_LEN { Ok(Self::new(Root::Raw(key))) } else { Err(StoreError::WrongKey) }
    }

    /// How much work a passphrase shall cost for the files that are sealed from now on; [`KdfParams::DEFAULT`] otherwise.
    #[must_use]
    pub fn kdf(self, params: KdfParams) -> Self {
        Self { params, ..self }
    }

    /// How many characters a passphrase needs to seal, instead of 12: for an application that has a rule of its own. One needs a
    /// character at least.
    ///
    /// ```
    /// # use mls_store::{FileKey, FileKind, KdfParams, Secret, StoreError};
    /// let params = KdfParams::new(19 * 1_024, 2, 1)?;
    /// let key = FileKey::passphrase("4711 0815".to_owned()).kdf(params).passphrase_of_at_least(8);
    /// assert!(key.seal(FileKind(9), &Secret::copy_from(b"hello")).is_ok());
    /// # Ok::<(), StoreError>(())
    /// ```
    #[must_use]
    pub fn passphrase_of_at_least(self, characters: usize) -> Self {
        Self { least: characters, ..self }
    }

    fn new(root: Root) -> Self {
        Self { root, params: KdfParams::DEFAULT, least: MIN_PASSPHRASE, derived: Mutex::new(Vec::new()) }
    }

    /// A sealed file of this kind.
    ///
    /// # Errors
    /// [`StoreError::WeakPassphrase`] under 12 characters; [`StoreError::KdfTooCostly`] if the machine has too little memory;
    /// [`StoreError::Unavailable`] if randomness fails.
    pub fn seal(&self, kind: FileKind, content: &Secret) -> Result<Vec<u8>, StoreError> {
        if let Root::Passphrase(passphrase) = &self.root {
            check_new(passphrase, self.least)?;
        }
        let header = Header { kind, kdf: self.sealing()? };
        let bytes = header.encode();
        let (key, data_key) = (self.key(&header)?, new_key()?);
        let mut file = bytes.clone();
        file.extend(mac(&derive(&key, COMMITMENT, &[])?, &[&bytes]).as_ref());
        file.extend(seal(&key, &bytes, data_key.as_slice())?);
        file.extend(seal(&data_key, &bytes, content.as_slice())?);
        Ok(file)
    }

    /// The content of a sealed file.
    ///
    /// # Errors
    /// [`StoreError::NotASealedFile`] if it is none of this kind, or cut short; [`StoreError::NewerSchema`];
    /// [`StoreError::WrongKind`] if it is sealed by a passphrase and this is a key, or the other way round;
    /// [`StoreError::KdfTooWeak`], [`StoreError::KdfTooCostly`] before anything is derived; [`StoreError::WrongKey`] if
    /// passphrase or key are wrong, or the header was changed; [`StoreError::Damaged`].
    pub fn open(&self, kind: FileKind, file: &[u8]) -> Result<Secret, StoreError> {
        let (bytes, rest) = file.split_first_chunk::<HEADER_LEN>().ok_or(StoreError::NotASealedFile)?;
        let header = Header::decode(bytes)?;
        let (commitment, rest) = rest.split_first_chunk::<COMMITMENT_LEN>().ok_or(StoreError::NotASealedFile)?;
        let (wrapped, content) = rest.split_first_chunk::<WRAPPED_LEN>().ok_or(StoreError::NotASealedFile)?;
        if header.kind != kind {
            return Err(StoreError::NotASealedFile);
        }
        let key = self.key(&header)?;
        let expected = mac(&derive(&key, COMMITMENT, &[])?, &[bytes]);
        verify_slices_are_equal(commitment, expected.as_ref()).map_err(|_| StoreError::WrongKey)?;
        let data_key = open(&key, bytes, wrapped).ok_or(StoreError::Damaged)?;
        open(&data_key, bytes, content).ok_or(StoreError::Damaged)
    }

    /// Parameters and salt for new files: those of before, as long as they are the same.
    fn sealing(&self) -> Result<Option<(KdfParams, [u8; SALT_LEN])>, StoreError> {
        match &self.root {
            Root::Raw(_) => Ok(None),
            Root::Passphrase(_) => {
                let derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
                let known = derived.iter().find(|known| known.params == self.params).map(|known| known.salt);
                Ok(Some((self.params, known.map_or_else(random, Ok)?)))
            }
        }
    }

    /// The key of a file.
    fn key(&self, header: &Header) -> Result<Secret, StoreError> {
        let (passphrase, params, salt) = match (&self.root, header.kdf) {
            (Root::Raw(key), None) => return Ok(key.duplicate()),
            (Root::Passphrase(passphrase), Some((params, salt))) => (passphrase, params, salt),
            _ => return Err(StoreError::WrongKind),
        };
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = derived.iter().find(|known| known.params == params && known.salt == salt) {
            return Ok(known.key.duplicate());
        }
        let key = params.derive(passphrase, &salt)?;
        if derived.len() >= MAX_DERIVED {
            derived.remove(0);
        }
        derived.push(Derived { params, salt, key: key.duplicate() });
        Ok(key)
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileKey").finish_non_exhaustive()
    }
}

/// `magic 8 ‖ version 2 ‖ kind 2 ‖ kdf 1 ‖ KiB 4 ‖ passes 4 ‖ lanes 4 ‖ salt 16 ‖ 0 2`
struct Header {
    kind: FileKind,
    kdf: Option<(KdfParams, [u8; SALT_LEN])>,
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_be_bytes());
        bytes.extend(self.kind.0.to_be_bytes());
        let (kdf, numbers, salt) = match self.kdf {
            Some((params, salt)) => (PASSPHRASE, [params.memory_kib, params.passes, params.lanes], salt),
            None => (RAW, [0; 3], [0; SALT_LEN]),
        };
        bytes.push(kdf);
        numbers.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
        bytes.extend(salt);
        bytes.resize(HEADER_LEN, 0);
        bytes
    }

    fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, StoreError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(StoreError::NotASealedFile)?;
        let (version, rest) = take::<2>(rest)?;
        let found = u16::from_be_bytes(version);
        if found == 0 {
            return Err(StoreError::NotASealedFile);
        }
        if found > VERSION {
            return Err(StoreError::NewerSchema { found: found.into(), known: VERSION.into() });
        }
        let (kind, rest) = take::<2>(rest)?;
        let ([kdf], rest) = take::<1>(rest)?;
        let (memory_kib, rest) = take::<4>(rest)?;
        let (passes, rest) = take::<4>(rest)?;
        let (lanes, rest) = take::<4>(rest)?;
        let (salt, _) = take(rest)?;
        let [memory_kib, passes, lanes] = [memory_kib, passes, lanes].map(u32::from_be_bytes);
        let kdf = match kdf {
            RAW => None,
            // Refused before anything is derived: somebody may have written less, or more, than we ever would.
            PASSPHRASE => Some((KdfParams::new(memory_kib, passes, lanes)?, salt)),
            _ => return Err(StoreError::NotASealedFile),
        };
        Ok(Self { kind: FileKind(u16::from_be_bytes(kind)), kdf })
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), StoreError> {
    bytes.split_first_chunk().map(|(taken, rest)| (*taken, rest)).ok_or(StoreError::NotASealedFile)
}

/// Puts a file in the place of the one that is there, if any: at every moment one of the two is there, whole. Durable on
/// return.
///
/// # Errors
/// [`StoreError::Unavailable`] as the medium fails; the old file is there then, unless only its directory could not be synced.
pub fn write_file(files: &dyn Files, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let new = beside(path)?;
    let write = || {
        files.create(&new)?;
        files.write_at(&new, 0, bytes)?;
        files.sync(&new)?;
        files.rename(&new, path)
    };
    if let Err(error) = write() {
        // What is left of it is sealed, and in nobody's way.
        let _ = files.remove(&new);
        return Err(unavailable(error));
    }
    path.parent().map_or(Ok(()), |dir| files.sync_dir(dir)).map_err(unavailable)
}

/// A file, whole.
///
/// # Errors
/// [`StoreError::NotASealedFile`] if there is none; [`StoreError::Unavailable`] as the medium fails.
pub fn read_file(files: &dyn Files, path: &Path) -> Result<Vec<u8>, StoreError> {
    let len = files.len(path).map_err(unavailable)?.ok_or(StoreError::NotASealedFile)?;
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| StoreError::NotASealedFile)?];
    match files.read_at(path, 0, &mut bytes) {
        Ok(read) if read == bytes.len() => Ok(bytes),
        Ok(_) => Err(StoreError::NotASealedFile),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::NotASealedFile),
        Err(error) => Err(unavailable(error)),
    }
}

/// A name in the same directory that no other call uses.
fn beside(path: &Path) -> Result<PathBuf, StoreError> {
    let number = u64::from_be_bytes(random()?);
    let mut name = path.file_name().ok_or(StoreError::Unavailable)?.to_owned();
    name.push(format!(".{number:016x}.new"));
    Ok(path.with_file_name(name))
}

#[cfg(test)]
mod tests;
