//! What comes back from outside the store: a saved group, and a client after the loss of its device.
//!
//! In: archives. Out: records in the store, and what is to be done.
//! Always: what may be old does not send; a restored client joins its groups again.

use mls_crypto::Secret;
use mls_engine::group::Group;

use super::{Client, ClientBuilder, Inner, StoredRecords};
use crate::core_mls::{
    MlsHandle,
    archive::{BACKUP_FILE, Backup, GroupArchive, decode_lost, encode_lost},
    error::{MlsError, MlsResult},
    records::{self, Identity, LOST},
    standing::Standing,
    store::{FileKey, Key, MemoryStore, Revision, Section, Space, StateStore, Write},
    times::Notes,
    types::LostGroup,
};

impl Client {
    /// A sealed backup: who we are, pre-shared keys, the application's rows, and which groups we are in. It holds no key of
    /// any group, so nobody can read a message with it, and a client that is restored from it joins its groups again
    /// (CAP-67, DEP-33).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, store::FileKey};
    /// # let policy = Arc::new(TrustOnFirstUse::new());
    /// let alice = Client::new(b"alice", policy.clone())?;
    /// alice.create_group(Some("tea"))?;
    /// let key = FileKey::passphrase("correct horse battery".to_owned());
    /// let backup = alice.export_backup(&key)?;
    ///
    /// let restored = Client::builder(b"alice", policy).restore_backup(&backup, &key)?;
    /// assert_eq!(restored.signature_key(), alice.signature_key());
    /// assert!(restored.groups()?.is_empty());
    /// assert_eq!(restored.groups_to_rejoin()?[0].name.as_deref(), Some("tea"));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`], also for a passphrase under 12 characters; [`MlsError::InvalidRecord`].
    pub fn export_backup(&self, key: &FileKey) -> MlsResult<Vec<u8>> {
        let mut groups = self.groups_to_rejoin()?;
        for id in self.groups()? {
            groups.push(match self.group(&id) {
                Ok(group) => LostGroup { name: group.group_name(), epoch: group.epoch(), id },
                // A damaged group is one to join again all the more.
                Err(MlsError::InvalidRecord) => LostGroup { id, name: None, epoch: 0 },
                Err(error) => return Err(error),
            });
        }
        let backup = Backup::collect(self.inner.store.as_ref(), groups)?;
        Ok(key.seal(BACKUP_FILE, &backup.encode()?)?)
    }

    /// Groups of the backup that this client was restored from, and is not in again. Fetch the group info of each from where
    /// it is published and [`Client::join_external`], or ask a member to remove the old device and invite this one.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert!(alice.groups_to_rejoin()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`], [`MlsError::InvalidRecord`].
    pub fn groups_to_rejoin(&self) -> MlsResult<Vec<LostGroup>> {
        let records = self.inner.store.scan(&Space::Client, LOST, None)?;
        records.iter().map(|(_, record)| decode_lost(record)).collect()
    }

    /// Whose backup this is: the identity that [`ClientBuilder::restore_backup`] needs. Nothing is restored.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, store::FileKey};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let key = FileKey::passphrase("correct horse battery".to_owned());
    /// assert_eq!(Client::identity_in_backup(&alice.export_backup(&key)?, &key)?, b"alice");
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`]: not a backup, a wrong passphrase, or damaged; [`MlsError::InvalidRecord`].
    pub fn identity_in_backup(backup: &[u8], key: &FileKey) -> MlsResult<Vec<u8>> {
        Ok(Identity::decode(&Backup::decode(&key.open(BACKUP_FILE, backup)?)?.identity)?.identity)
    }

    /// Every group may be an old one, unless a receipt says otherwise.
    pub(super) fn distrust_groups(&self) -> MlsResult<()> {
        for id in self.groups()? {
            match self.inner.cell(&id) {
                // With a mark, opening the group found out.
                Ok(cell) if self.inner.mark_of(&id).is_none() => cell.distrust(&self.inner)?,
                // A damaged group sends nothing.
                Ok(_) | Err(MlsError::InvalidRecord) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Puts a saved group into the store.
    pub(crate) fn load_group(&self, archive: GroupArchive) -> MlsResult<MlsHandle> {
        let inner = &self.inner;
        inner.check_own(&archive.identity)?;
        let GroupArchive { group_id, identity: _, records, rows } = archive;
        let space = Space::Group(group_id.clone());
        let notes = inner.examine(&space, &records)?;
        let rows_space = Space::Application(group_id.clone());
        let lost = inner.store.get(&Space::Client, &records::key(LOST, &group_id))?;
        let rows_before = inner.revision_of(&rows_space)?;
        inner.again(|client| {
            if inner.revision_of(&space)? != Revision::NONE {
                return Err(MlsError::GroupExists);
            }
            let mut writes = puts(&records);
            writes.extend(notes.writes());
            let own = Section {
                space: Space::Client,
                expected: client,
                writes: vec![Write::Delete(records::key(LOST, &group_id))],
            };
            let group = Section { space: space.clone(), expected: Revision::NONE, writes };
            let mut batch = vec![own, group];
            if !rows.is_empty() {
                let expected = inner.revision_of(&rows_space)?;
                batch.push(Section { space: rows_space.clone(), expected, writes: puts(&rows) });
            }
            Ok(inner.store.apply(&batch)?)
        })?;
        match self.group(&group_id) {
            // Whoever has the key made up records that the group cannot be opened with.
            Err(error) if !matches!(error, MlsError::Store(_)) => {
                let rows = (rows_before == Revision::NONE).then_some(&rows_space);
                inner.take_back(&[Some(&space), rows], lost.map(|lost| (records::key(LOST, &group_id), lost)))?;
                Err(error)
            }
            opened => opened,
        }
    }
}

impl ClientBuilder {
    /// Opens a client in a new store out of a backup; see [`Client::export_backup`]. Publish new key packages then, and join
    /// the groups again ([`Client::groups_to_rejoin`]).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse, store::{FileKey, StoreError}};
    /// # let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new()));
    /// let key = FileKey::passphrase("correct horse battery".to_owned());
    /// let refused = builder.restore_backup(b"something else", &key);
    /// assert_eq!(refused.err(), Some(MlsError::Store(StoreError::NotASealedFile)));
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Store`]: not a backup, a wrong passphrase, or damaged; [`MlsError::IdentityMismatch`] if it is another
    /// identity's, or the store is in use by another client; and as [`ClientBuilder::open`].
    pub fn restore_backup(self, backup: &[u8], key: &FileKey) -> MlsResult<Client> {
        let Backup { identity, psks, groups, rows } = Backup::decode(&key.open(BACKUP_FILE, backup)?)?;
        let client = self.open_as(&identity)?;
        let inner = &client.inner;
        let lost: Vec<_> = groups
            .iter()
            .map(|group| Ok((records::key(LOST, &group.id), encode_lost(group)?)))
            .collect::<MlsResult<_>>()?;
        inner.again(|expected| {
            let mut writes = puts(&psks);
            writes.extend(puts(&lost));
            let mut batch = vec![Section { space: Space::Client, expected, writes }];
            for (id, rows) in &rows {
                let space = Space::Application(id.clone());
                let expected = inner.revision_of(&space)?;
                batch.push(Section { space, expected, writes: puts(rows) });
            }
            Ok(inner.store.apply(&batch)?)
        })?;
        Ok(client)
    }
}

impl Inner {
    /// Whether a record of identity is ours.
    pub(super) fn check_own(&self, identity: &Secret) -> MlsResult<()> {
        let identity = Identity::decode(identity)?;
        let suite = self.crypto.suite(identity.cipher_suite)?;
        let public = suite.signature_public_key(&identity.signature_key)?;
        if identity.identity == self.identity && public.as_slice() == self.own.public() {
            Ok(())
        } else {
            Err(MlsError::IdentityMismatch)
        }
    }

    /// Undoes what loading a group did: spaces that were new, and the note that the group is to be joined again.
    fn take_back(&self, spaces: &[Option<&Space>], lost: Option<(Key, Secret)>) -> MlsResult<()> {
        for space in spaces.iter().flatten() {
            match self.revision_of(space)? {
                Revision::NONE => {}
                revision => self.store.delete(space, revision)?,
            }
        }
        if let Some((key, lost)) = lost {
            self.again(|expected| {
                let writes = vec![Write::Put(key.clone(), &lost)];
                Ok(self.store.apply(&[Section { space: Space::Client, expected, writes }])?)
            })?;
        }
        Ok(())
    }

    /// Whether records make the group they should; returns what is to be noted with them.
    fn examine(&self, space: &Space, records: &[(Key, Secret)]) -> MlsResult<Notes> {
        let store = MemoryStore::new();
        store.apply(&[Section { space: space.clone(), expected: Revision::NONE, writes: puts(records) }])?;
        let group = Group::load(&self.env(), &StoredRecords::new(&store, space))?;
        if *space != Space::Group(group.group_id().to_vec()) {
            return Err(MlsError::InvalidRecord);
        }
        let mut notes = Notes::default();
        // With a mark, opening the group finds out.
        if self.mark_of(group.group_id()).is_none() {
            Standing::unknown(&group).note(&mut notes)?;
        }
        Ok(notes)
    }
}

fn puts(records: &[(Key, Secret)]) -> Vec<Write<'_>> {
    records.iter().map(|(key, value)| Write::Put(key.clone(), value)).collect()
}
