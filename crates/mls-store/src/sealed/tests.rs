use std::path::Path;

use mls_crypto::Secret;

use super::{FileKey, FileKind, HEADER_LEN, read_file, write_file};
use crate::{
    KdfParams, StoreError,
    files::{Files, MemoryFiles},
};

const KIND: FileKind = FileKind(1);

fn cheap() -> KdfParams {
    KdfParams::new(19 * 1_024, 2, 1).unwrap()
}

fn key(passphrase: &str) -> FileKey {
    FileKey::passphrase(passphrase.to_owned()).kdf(cheap())
}

fn content() -> Secret {
    Secret::copy_from(b"what is in the file")
}

/// CAP-61
#[test]
fn only_the_passphrase_opens_it() {
    let file = key("correct horse battery").seal(KIND, &content()).unwrap();
    assert_eq!(&file[..12], b"SPACEMLS\0\x01\0\x01");
    assert!(key("correct horse battery").open(KIND, &file).unwrap().ct_eq(&content()));
    assert_eq!(key("correct horse batterz").open(KIND, &file).unwrap_err(), StoreError::WrongKey);
    let raw = FileKey::raw_key(Secret::copy_from(&[7; 32])).unwrap();
    assert_eq!(raw.open(KIND, &file).unwrap_err(), StoreError::WrongKind);
    assert_eq!(raw.open(KIND, &raw.seal(FileKind(2), &content()).unwrap()).unwrap_err(), StoreError::NotASealedFile);
}

#[test]
fn short_passphrases_seal_nothing() {
    assert!(matches!(
        key("short").seal(KIND, &content()),
        Err(StoreError::WeakPassphrase { characters: 5, needed: 12 })
    ));
    // DEP-60: unless the application has a rule of its own.
    assert!(key("short").passphrase_of_at_least(5).seal(KIND, &content()).is_ok());
    let long = key("twelve chars").passphrase_of_at_least(13).seal(KIND, &content()).unwrap_err();
    assert_eq!(long, StoreError::WeakPassphrase { characters: 12, needed: 13 });
}

/// CAP-66: derived once; each file has a data key of its own all the same.
#[test]
fn files_of_one_key_share_only_its_salt() {
    let key = key("correct horse battery");
    let (first, second) = (key.seal(KIND, &content()).unwrap(), key.seal(KIND, &content()).unwrap());
    assert_eq!(first[..75], second[..75]);
    assert!(first[75..].iter().zip(&second[75..]).filter(|(a, b)| a == b).count() < 20);
    assert_eq!(key.derived.lock().unwrap().len(), 1);
}

#[test]
fn every_changed_bit_is_found() {
    let key = FileKey::raw_key(Secret::copy_from(&[7; 32])).unwrap();
    let file = key.seal(KIND, &content()).unwrap();
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(key.open(KIND, &changed).is_err(), "byte {at}");
    }
    for len in 0..file.len() {
        assert!(key.open(KIND, &file[..len]).is_err(), "length {len}");
    }
    assert!(key.open(KIND, &[&file[..], b"0"].concat()).is_err());
}

#[test]
fn weaker_and_dearer_parameters_are_refused() {
    let key = key("correct horse battery");
    let file = key.seal(KIND, &content()).unwrap();
    let with = |at: usize, number: u32| {
        let mut changed = file.clone();
        changed[at..at + 4].copy_from_slice(&number.to_be_bytes());
        key.open(KIND, &changed).unwrap_err()
    };
    assert!(matches!(with(13, 1_024), StoreError::KdfTooWeak { memory_kib: 1_024, .. }));
    assert!(matches!(with(13, u32::MAX), StoreError::KdfTooCostly { memory_kib: u32::MAX, .. }));
    assert!(matches!(with(17, 1), StoreError::KdfTooWeak { passes: 1, .. }));
    // Other parameters within the bounds make another key.
    assert_eq!(with(17, 3), StoreError::WrongKey);
    assert_eq!(with(8, 2 << 16 | 1), StoreError::NewerSchema { found: 2, known: 1 });
}

/// CAP-63
#[test]
fn a_file_is_replaced_as_a_whole() {
    let (files, path) = (MemoryFiles::new(), Path::new("group.enc"));
    assert_eq!(read_file(&files, path), Err(StoreError::NotASealedFile));
    write_file(&files, path, b"one").unwrap();
    write_file(&files, path, b"two and more").unwrap();
    assert_eq!(read_file(&files, path).unwrap(), b"two and more");
    assert_eq!(write_file(&files, Path::new("/"), b"three"), Err(StoreError::Unavailable));
    assert_eq!(files.len(path).unwrap(), Some(12));
}

#[test]
fn a_header_is_as_long_as_it_says() {
    assert_eq!(8 + 2 + 2 + 1 + 12 + 16 + 2, HEADER_LEN);
}
