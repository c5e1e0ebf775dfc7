//! A key in a file of its own, sealed: for master keys, which are kept apart from the devices (RFC 9420, Section 5.1.2).
//!
//! In: a passphrase or key of a platform's keystore. Out: a signer.
//! Always: the key is in clear in memory alone, and is wiped there; a file is never written over.

use std::{fs, io, path::Path, sync::Arc};

use mls_crypto::{CryptoError, KeySigner, Secret, SignaturePrivateKey, SignaturePublicKey, Signer, SuiteCrypto};
use spacepanda_core::core_mls::store::{FileKey, FileKind, StoreError, files::Disk, read_file, write_file};

const KIND: FileKind = FileKind(16);

/// Why a key is not written, or not opened.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// A file is there already.
    #[error("there is a file of this name, which may hold a key; choose another name")]
    Exists,
    /// The file cannot be written, read or opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key is none of the suite.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Signs with the key of a file.
#[derive(Debug)]
pub struct KeyFile(KeySigner);

impl KeyFile {
    /// Writes a key to a new file, sealed.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`]; [`KeyFileError::Store`] with [`StoreError::WeakPassphrase`] or [`StoreError::Unavailable`];
    /// [`KeyFileError::Crypto`] if it is no key of the suite. No file has come then.
    pub fn create(
        path: &Path,
        key: &FileKey,
        suite: Arc<dyn SuiteCrypto>,
        private: SignaturePrivateKey,
    ) -> Result<Self, KeyFileError> {
        let sealed = key.seal(KIND, private.secret())?;
        let signer = KeySigner::new(suite, private)?;
        // The name is taken first: of two who create one file, one is told.
        match fs::OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(KeyFileError::Exists),
            Err(_) => return Err(StoreError::Unavailable.into()),
        }
        if let Err(error) = write_file(&Disk, path, &sealed) {
            let _empty = fs::remove_file(path);
            return Err(error.into());
        }
        Ok(Self(signer))
    }

    /// Opens what [`KeyFile::create`] wrote.
    ///
    /// # Errors
    /// [`KeyFileError::Store`] with [`StoreError::WrongKey`], [`StoreError::NotASealedFile`], [`StoreError::Damaged`] or
    /// [`StoreError::Unavailable`]; [`KeyFileError::Crypto`] if the key is of another suite.
    pub fn open(path: &Path, key: &FileKey, suite: Arc<dyn SuiteCrypto>) -> Result<Self, KeyFileError> {
        let private: Secret = key.open(KIND, &read_file(&Disk, path)?)?;
        Ok(Self(KeySigner::new(suite, SignaturePrivateKey::new(private))?))
    }
}

impl Signer for KeyFile {
    fn public_key(&self) -> &SignaturePublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.0.sign(message)
    }
}
