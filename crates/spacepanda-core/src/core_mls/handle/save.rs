//! A group in a file of its own (CAP-60).
//!
//! In: a group, or a file. Out: a file, or the group.
//! Always: a file is replaced as a whole (CAP-63), and opens as a whole or not at all; what is loaded reads at once, and
//! sends only where nothing can have been sent before (CAP-67).

use std::path::Path;

use super::MlsHandle;
use crate::core_mls::{
    archive::{GROUP_FILE, GroupArchive},
    client::{Client, ClientBuilder},
    error::MlsResult,
    store::{FileKey, files::Disk, read_file, write_file},
};

impl MlsHandle {
    /// Saves the group to a sealed file, in place of one that is there: its keys, proposals and commits that wait, what is to
    /// be sent, the application's rows, and who the client is. Messages of the rest of the last block of 32 are not sent from
    /// the file.
    ///
    /// Whoever has file and passphrase is this member. The store is the better place for a group: it forgets used keys, and a
    /// file that lies about does not.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, MlsHandle, TrustOnFirstUse, store::FileKey};
    /// # let path = std::env::temp_dir().join(format!("spacepanda-doc-save-{}", std::process::id()));
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(Some("tea"))?;
    /// group.save(&path, &FileKey::passphrase("correct horse battery".to_owned()))?;
    /// # std::fs::remove_file(&path).ok();
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Store`]: a passphrase under 12 characters, or the medium fails; the old file is there
    /// then.
    pub fn save(&self, path: &Path, key: &FileKey) -> MlsResult<()> {
        let inner = self.inner();
        let archive = self.cell.read_stored(inner, &mut self.cell.serial(), || {
            GroupArchive::collect(inner.store.as_ref(), &self.cell.id)
        })?;
        Ok(write_file(&Disk, path, &key.seal(GROUP_FILE, &archive.encode()?)?)?)
    }

    /// Loads a group from a file that this client saved, into its store. It reads at once, and is read-only
    /// ([`MlsHandle::is_read_only`]) unless the client was told by [`ClientBuilder::not_older_than`] that nothing newer was
    /// ever there.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, MlsHandle, TrustOnFirstUse, store::FileKey};
    /// # let path = std::env::temp_dir().join(format!("spacepanda-doc-load-{}", std::process::id()));
    /// # let key = FileKey::passphrase("correct horse battery".to_owned());
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// group.save(&path, &key)?;
    /// alice.delete_group(&group.group_id())?;
    /// let group = MlsHandle::load(&alice, &path, &key)?;
    /// assert_eq!(group.send_message(b"hello"), Err(MlsError::ReadOnly));
    /// group.rotate()?;
    /// group.send_message(b"hello")?;
    /// # std::fs::remove_file(&path).ok();
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::Store`]: no such file, a wrong passphrase, or a damaged file;
    /// [`crate::core_mls::MlsError::IdentityMismatch`] if another client saved it;
    /// [`crate::core_mls::MlsError::GroupExists`]; [`crate::core_mls::MlsError::InvalidRecord`].
    pub fn load(client: &Client, path: &Path, key: &FileKey) -> MlsResult<Self> {
        client.load_group(GroupArchive::decode(&key.open(GROUP_FILE, &read_file(&Disk, path)?)?)?)
    }
}

/// Saves a group under a passphrase: [`MlsHandle::save`], deriving the key each time.
///
/// ```
/// # use std::sync::Arc;
/// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, load_group_from_file, save_group_to_file};
/// # let path = std::env::temp_dir().join(format!("spacepanda-doc-file-{}", std::process::id()));
/// let policy = Arc::new(TrustOnFirstUse::new());
/// let group = Client::new(b"alice", policy.clone())?.create_group(Some("tea"))?;
/// save_group_to_file(&path, &group, "correct horse battery")?;
/// drop(group);
/// let group = load_group_from_file(&path, "correct horse battery", Client::builder(b"alice", policy))?;
/// assert_eq!(group.group_name().as_deref(), Some("tea"));
/// # std::fs::remove_file(&path).ok();
/// # Ok::<(), MlsError>(())
/// ```
///
/// # Errors
/// As there.
pub fn save_group_to_file(path: impl AsRef<Path>, group: &MlsHandle, passphrase: &str) -> MlsResult<()> {
    group.save(path.as_ref(), &FileKey::passphrase(passphrase.to_owned()))
}

/// Opens a client out of a file with a saved group, and loads the group: [`MlsHandle::load`]. A new store gets the identity
/// in the file.
///
/// ```
/// # use std::sync::Arc;
/// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, load_group_from_file, store::StoreError};
/// let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new()));
/// let missing = load_group_from_file("no such file", "correct horse battery", builder);
/// assert_eq!(missing.err(), Some(MlsError::Store(StoreError::NotASealedFile)));
/// ```
///
/// # Errors
/// As there, and as [`ClientBuilder::open`].
pub fn load_group_from_file(path: impl AsRef<Path>, passphrase: &str, client: ClientBuilder) -> MlsResult<MlsHandle> {
    let key = FileKey::passphrase(passphrase.to_owned());
    let archive = GroupArchive::decode(&key.open(GROUP_FILE, &read_file(&Disk, path.as_ref())?)?)?;
    client.open_as(&archive.identity)?.load_group(archive)
}
