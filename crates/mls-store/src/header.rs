//! The header: how a store is unlocked. Not secret, but authenticated.
//!
//! ```text
//!  0 "SPANDAMS" | 8 format u32 | 12 kind u8 | 13 source u8 | 14 zeros | 16 store id
//! 32 memory u32 | 36 passes u32 | 40 lanes u32 | 44 salt 16 | 60 zeros | 64 tag 32 | 96
//! ```
//!
//! While what unlocks the store changes, what sealed the keys of periods before follows, sealed with the new root key.
//!
//!
//! Always: the tag is HMAC-SHA-256 over the first 64 bytes under a key derived from the root key, so that exactly one
//! root key fits a header and nobody else can change it. Where there is no root key it is the SHA-256 of them.

use std::path::{Path, PathBuf};

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use mls_crypto::Secret;

use crate::{
    StoreError,
    files::{Files, unavailable},
    kdf::{KdfParams, SALT_LEN, check_new},
    place::StoreId,
    seal::{KEY_LEN, OVERHEAD, derive, mac, open, random, seal},
    unlock::{Root, Unlock},
};

/// What the header file says.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) store: StoreId,
    kind: u8,
    /// Whether the keys of periods are in a key source of the host, and not in the slots beside the database.
    source: bool,
    params: Option<KdfParams>,
    salt: [u8; SALT_LEN],
}

/// A header, and what it takes to unlock the store.
pub(crate) struct Unlocked {
    pub(crate) header: Header,
    /// What the file holds.
    pub(crate) bytes: Vec<u8>,
    /// What seals the keys of periods, where the key source does not protect them by itself.
    pub(crate) wrap: Option<Secret>,
    /// What sealed them before, if the change from it was not finished.
    pub(crate) old: Option<Secret>,
}

impl Header {
    /// Of a new store.
    pub(crate) fn create(unlock: &Unlock) -> Result<Unlocked, StoreError> {
        Self::renew(unlock, StoreId(random()?), None)
    }

    /// Of a store that is to be unlocked by something new; while the change lasts, with what sealed its keys before.
    pub(crate) fn renew(unlock: &Unlock, store: StoreId, old: Option<Secret>) -> Result<Unlocked, StoreError> {
        let params = match &unlock.root {
            Root::Passphrase(passphrase) => {
                check_new(passphrase, unlock.least)?;
                Some(unlock.params)
            }
            Root::Raw(_) | Root::Source => None,
        };
        let salt = if params.is_some() { random()? } else { [0; SALT_LEN] };
        let header = Self { store, kind: kind(&unlock.root), source: unlock.source.is_some(), params, salt };
        // Derived once: it may take a second.
        let root = header.root(unlock)?;
        let mut bytes = header.encode(root.as_ref())?;
        if let (Some(old), Some(root)) = (&old, &root) {
            let place = header.store.handover(&bytes);
            bytes.extend(seal(&derive(root, HANDOVER_KEY, &store.0)?, &place, old.as_slice())?);
        }
        let wrap = header.wrap(root.as_ref())?;
        Ok(Unlocked { header, bytes, wrap, old })
    }

    /// Of a store that is there.
    pub(crate) fn open(files: &dyn Files, dir: &Path, unlock: &Unlock) -> Result<Unlocked, StoreError> {
        let bytes = read(files, dir)?;
        if bytes.starts_with(WIPED) {
            return Err(StoreError::Wiped);
        }
        let (fixed, handover) = bytes.split_first_chunk::<HEADER_LEN>().ok_or(StoreError::NotAStore)?;
        let header = Self::decode(fixed)?;
        if header.kind != kind(&unlock.root) || header.source != unlock.source.is_some() {
            return Err(StoreError::WrongKind);
        }
        let root = header.root(unlock)?;
        let expected = header.encode(root.as_ref())?;
        verify_slices_are_equal(fixed, &expected).map_err(|_| StoreError::WrongKey)?;
        let old = match (&root, handover) {
            (_, []) => None,
            (Some(root), sealed) => {
                let key = derive(root, HANDOVER_KEY, &header.store.0)?;
                Some(open(&key, &header.store.handover(fixed), sealed).ok_or(StoreError::NotAStore)?)
            }
            (None, _) => return Err(StoreError::NotAStore),
        };
        let wrap = header.wrap(root.as_ref())?;
        Ok(Unlocked { header, bytes, wrap, old })
    }

    fn wrap(&self, root: Option<&Secret>) -> Result<Option<Secret>, StoreError> {
        root.map(|root| derive(root, WRAP_KEY, &self.store.0)).transpose()
    }

    fn root(&self, unlock: &Unlock) -> Result<Option<Secret>, StoreError> {
        match &unlock.root {
            Root::Passphrase(passphrase) => {
                self.params.ok_or(StoreError::NotAStore)?.derive(passphrase, &self.salt).map(Some)
            }
            Root::Raw(key) => Ok(Some(key.duplicate())),
            Root::Source => Ok(None),
        }
    }

    fn encode(&self, root: Option<&Secret>) -> Result<Vec<u8>, StoreError> {
        let Self { store, kind, source, params, salt } = self;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_be_bytes());
        bytes.extend([*kind, u8::from(*source), 0, 0]);
        bytes.extend(store.0);
        let numbers = params.map_or([0; 3], |params| [params.memory_kib, params.passes, params.lanes]);
        numbers.iter().for_each(|number| bytes.extend(number.to_be_bytes()));
        bytes.extend(salt);
        bytes.extend([0; 4]);
        match root {
            Some(root) => {
                let tag = mac(&derive(root, TAG_KEY, &store.0)?, &[&bytes]);
                bytes.extend(tag.as_ref());
            }
            None => bytes.extend(digest(&SHA256, &bytes).as_ref().to_vec()),
        }
        Ok(bytes)
    }

    fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, StoreError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(StoreError::NotAStore)?;
        let mut rest = Rest(rest);
        let found = rest.number()?;
        if found == 0 {
            return Err(StoreError::NotAStore);
        }
        if found > FORMAT {
            return Err(StoreError::NewerSchema { found, known: FORMAT });
        }
        let [kind, source, _, _] = rest.take()?;
        let store = StoreId(rest.take()?);
        let (memory_kib, passes, lanes) = (rest.number()?, rest.number()?, rest.number()?);
        // Refused before anything is derived: somebody may have written less, or more, than we ever would.
        let params = if kind == PASSPHRASE { Some(KdfParams::new(memory_kib, passes, lanes)?) } else { None };
        Ok(Self { store, kind, source: source == 1, params, salt: rest.take()? })
    }
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(StoreError::NotAStore)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u32, StoreError> {
        self.take().map(u32::from_be_bytes)
    }
}

/// The file as it is.
pub(crate) fn read(files: &dyn Files, dir: &Path) -> Result<Vec<u8>, StoreError> {
    let len = files.len(&path(dir)).map_err(unavailable)?.and_then(|len| usize::try_from(len).ok());
    let len = len.filter(|len| [HEADER_LEN, HANDOVER_LEN].contains(len)).ok_or(StoreError::NotAStore)?;
    let mut bytes = vec![0; len];
    let found = files.read_at(&path(dir), 0, &mut bytes).map_err(unavailable)?;
    if found == len { Ok(bytes) } else { Err(StoreError::NotAStore) }
}

/// The fixed part of a header, without what is there while a change lasts.
pub(crate) fn without_handover(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().take(HEADER_LEN).copied().collect()
}

/// Whether a header is that of a store, whole or wiped in part.
pub(crate) fn is_ours(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) || bytes.starts_with(WIPED)
}

/// Refuses a store that somebody began to wipe.
pub(crate) fn refuse_wiped(files: &dyn Files, dir: &Path) -> Result<(), StoreError> {
    match read(files, dir) {
        Ok(bytes) if bytes.starts_with(WIPED) => Err(StoreError::Wiped),
        // Whatever else it is, it is looked at in its turn.
        Err(StoreError::NotAStore) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Says that the store is being wiped; durable on return. Where there is no room for a new header the old one is overwritten.
pub(crate) fn write_wiped(files: &dyn Files, dir: &Path) -> Result<(), StoreError> {
    let mut bytes = WIPED.to_vec();
    bytes.resize(HEADER_LEN, 0);
    let overwrite = || {
        files.write_at(&path(dir), 0, &bytes)?;
        files.sync(&path(dir))
    };
    write(files, dir, &bytes).or_else(|_| overwrite().map_err(unavailable))
}

/// Whether the keys of periods are in a key source of the host.
pub(crate) fn has_source(bytes: &[u8]) -> bool {
    bytes.get(13) == Some(&1)
}

/// Durable on return; an old header is replaced as a whole.
pub(crate) fn write(files: &dyn Files, dir: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let new = dir.join("header.new");
    let write = || {
        files.remove(&new)?;
        files.create(&new)?;
        files.write_at(&new, 0, bytes)?;
        files.sync(&new)?;
        files.rename(&new, &path(dir))?;
        files.sync_dir(dir)
    };
    write().map_err(unavailable)
}

pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join("header")
}

const fn kind(root: &Root) -> u8 {
    match root {
        Root::Raw(_) => 0,
        Root::Passphrase(_) => PASSPHRASE,
        Root::Source => 2,
    }
}

const MAGIC: &[u8] = b"SPANDAMS";
const WIPED: &[u8] = b"SPANDEND";
const FORMAT: u32 = 1;
const PASSPHRASE: u8 = 1;
const HEADER_LEN: usize = 96;
const HANDOVER_LEN: usize = HEADER_LEN + KEY_LEN + OVERHEAD;
const TAG_KEY: &[u8] = b"SpacePanda store 1 header";
const WRAP_KEY: &[u8] = b"SpacePanda store 1 period key";
const HANDOVER_KEY: &[u8] = b"SpacePanda store 1 handover";
