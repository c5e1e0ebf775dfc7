//! Groups in files of their own, and backups: what comes back can read, and never sends under a key that was used before.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unreachable, reason = "tests")]

use std::{
    path::PathBuf,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
};

use spacepanda_core::core_mls::{
    ApplicationRow, Client, ClientBuilder, CommitOutcome, MlsConfig, MlsError, MlsHandle, Secret, TrustOnFirstUse,
    load_group_from_file, save_group_to_file,
    store::{FileKey, FileKind, KdfParams, MemoryStore, Section, Space, StateStore, StoreError, Write},
};

const PASSPHRASE: &str = "correct horse battery";

/// A path of its own for each test, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("spacepanda-saved-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    fn file(&self) -> PathBuf {
        self.0.join("group.enc")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn key() -> FileKey {
    FileKey::passphrase(PASSPHRASE.to_owned()).kdf(KdfParams::new(19 * 1_024, 2, 1).unwrap())
}

fn builder(name: &[u8]) -> ClientBuilder {
    let mut config = MlsConfig::interop();
    config.external_joins = true;
    Client::builder(name, Arc::new(TrustOnFirstUse::new())).config(config)
}

/// Alice with her store, and Bob, in a group at epoch 1.
fn pair() -> (Arc<dyn StateStore>, MlsHandle, MlsHandle) {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let (alice, bob) = (builder(b"alice").store(Arc::clone(&store)).open().unwrap(), builder(b"bob").open().unwrap());
    let alice = alice.create_group(Some("tea")).unwrap();
    alice.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = alice.commit().unwrap();
    let bob = bob.join_group(&welcomes[0]).unwrap();
    (store, alice, bob)
}

/// CAP-60, CAP-67
#[test]
fn a_loaded_group_reads_at_once_and_sends_after_its_commit() {
    let (scratch, (_, alice, bob)) = (Scratch::new(), pair());
    alice.write_application_rows(vec![ApplicationRow { key: b"draft".to_vec(), value: Some(vec![7]) }]).unwrap();
    let (before, late) = (bob.send_message(b"before").unwrap(), bob.send_message(b"late").unwrap());
    alice.receive_message(&before).unwrap();
    let proposal = bob.propose_update().unwrap();
    alice.receive_proposal(&proposal).unwrap();
    save_group_to_file(scratch.file(), &alice, PASSPHRASE).unwrap();
    // Gone on after the file was made.
    bob.receive_message(&alice.send_message(b"from the store").unwrap_or_else(|_| commit_and_send(&alice, &bob)))
        .unwrap();
    drop(alice);

    let alice = load_group_from_file(scratch.file(), PASSPHRASE, builder(b"alice")).unwrap();
    assert_eq!(alice.group_name().as_deref(), Some("tea"));
    assert_eq!(alice.application_row(b"draft").unwrap(), Some(vec![7]));
    assert_eq!(alice.pending_proposals().unwrap().len(), 1);
    assert!(matches!(alice.receive_message(&before), Err(MlsError::ReplayDetected { .. })));
    assert_eq!(alice.receive_message(&late).unwrap().plaintext, b"late");
    assert!(alice.is_read_only().unwrap());
    assert_eq!(alice.propose_update(), Err(MlsError::ReadOnly));
}

fn commit_and_send(alice: &MlsHandle, bob: &MlsHandle) -> spacepanda_core::core_mls::MlsEnvelope {
    bob.receive_commit(&alice.commit().unwrap().0).unwrap();
    alice.send_message(b"from the store").unwrap()
}

/// CAP-67
#[test]
fn the_commit_of_a_loaded_group_makes_it_a_member_again() {
    let (scratch, (_, alice, bob)) = (Scratch::new(), pair());
    alice.save(&scratch.file(), &key()).unwrap();
    bob.receive_message(&alice.send_message(b"one").unwrap()).unwrap();
    let client = alice.client().clone();
    client.delete_group(&alice.group_id()).unwrap();

    let alice = MlsHandle::load(&client, &scratch.file(), &key()).unwrap();
    assert_eq!(alice.send_message(b"two"), Err(MlsError::ReadOnly));
    // A commit of another member does not help: the state that was deleted may have sent in that epoch.
    alice.receive_commit(&bob.rotate().unwrap()).unwrap();
    assert_eq!(alice.send_message(b"two"), Err(MlsError::ReadOnly));
    let commit = alice.rotate().unwrap();
    let CommitOutcome { committer, .. } = bob.receive_commit(&commit).unwrap();
    assert_eq!(committer, 0);
    bob.receive_message(&alice.send_message(b"two").unwrap()).unwrap();
    alice.receive_message(&bob.send_message(b"three").unwrap()).unwrap();
}

/// CAP-67
#[test]
fn a_receipt_proves_that_a_file_is_the_newest() {
    let (scratch, (_, alice, bob)) = (Scratch::new(), pair());
    alice.save(&scratch.file(), &key()).unwrap();
    let receipt = alice.receipt().unwrap();
    let load = |receipt| {
        let client = builder(b"alice").not_older_than([receipt]);
        load_group_from_file(scratch.file(), PASSPHRASE, client).unwrap()
    };
    assert!(!load(receipt.clone()).is_read_only().unwrap());
    bob.receive_message(&alice.send_message(b"one").unwrap()).unwrap();
    assert!(load(alice.receipt().unwrap()).is_read_only().unwrap());
    bob.receive_message(&load(receipt).send_message(b"not there").unwrap()).unwrap_err();
}

/// CAP-60: a commit that waited is there, and does not count as new.
#[test]
fn a_commit_that_waits_is_saved_with_the_group() {
    let (scratch, (_, alice, bob)) = (Scratch::new(), pair());
    let pending = alice.stage_rotation().unwrap();
    alice.save(&scratch.file(), &key()).unwrap();
    bob.receive_commit(&pending.commit).unwrap();
    let alice = load_group_from_file(scratch.file(), PASSPHRASE, builder(b"alice")).unwrap();
    assert_eq!(alice.outbox().unwrap().last().unwrap().envelope, pending.commit);
    alice.apply_pending_commit(&pending.id).unwrap();
    assert_eq!(alice.receive_message(&bob.send_message(b"hello").unwrap()).unwrap().plaintext, b"hello");
    assert_eq!(alice.send_message(b"two"), Err(MlsError::ReadOnly));
}

#[test]
fn only_its_own_client_loads_a_group() {
    let (scratch, (store, alice, bob)) = (Scratch::new(), pair());
    alice.save(&scratch.file(), &key()).unwrap();
    let load = |client: &Client| MlsHandle::load(client, &scratch.file(), &key()).err();
    assert_eq!(load(bob.client()), Some(MlsError::IdentityMismatch));
    assert_eq!(load(&builder(b"alice").open().unwrap()), Some(MlsError::IdentityMismatch));
    assert_eq!(load(alice.client()), Some(MlsError::GroupExists));
    let refused = load_group_from_file(scratch.file(), PASSPHRASE, builder(b"mallory"));
    assert_eq!(refused.err(), Some(MlsError::IdentityMismatch));
    let refused = load_group_from_file(scratch.file(), "incorrect horse", builder(b"alice"));
    assert_eq!(refused.err(), Some(MlsError::Store(StoreError::WrongKey)));
    let weak = save_group_to_file(scratch.file(), &alice, "short");
    assert_eq!(weak, Err(MlsError::Store(StoreError::WeakPassphrase { characters: 5, needed: 12 })));
    // The old file is still there.
    drop(store);
    load_group_from_file(scratch.file(), PASSPHRASE, builder(b"alice")).unwrap();
}

/// Sealed by somebody who has the passphrase: not a group of that id, or not a group at all.
#[test]
fn what_is_no_group_is_not_loaded() {
    let (scratch, (_, alice, _)) = (Scratch::new(), pair());
    alice.save(&scratch.file(), &key()).unwrap();
    let content = key().open(FileKind(1), &std::fs::read(scratch.file()).unwrap()).unwrap();
    let id = alice.group_id();
    let at = content.as_slice().windows(id.len()).position(|window| window == id).unwrap();
    alice.client().delete_group(&id).unwrap();
    let load = |content: &[u8]| {
        let file = key().seal(FileKind(1), &Secret::copy_from(content)).unwrap();
        std::fs::write(scratch.file(), file).unwrap();
        MlsHandle::load(alice.client(), &scratch.file(), &key()).err()
    };
    let mut other = content.as_slice().to_vec();
    other[at] ^= 1;
    assert_eq!(load(&other), Some(MlsError::InvalidRecord));
    assert_eq!(load(&content.as_slice()[..content.len() - 1]), Some(MlsError::InvalidRecord));
    assert_eq!(load(&[content.as_slice(), &[0]].concat()), Some(MlsError::InvalidRecord));
    let mut newer = content.as_slice().to_vec();
    newer[7] = 2;
    assert_eq!(load(&newer), Some(MlsError::UnsupportedVersion(2)));
    assert!(alice.client().groups().unwrap().is_empty());
    assert_eq!(load(content.as_slice()), None);
}

/// CAP-67, DEP-33
#[test]
fn a_restored_client_has_no_key_of_a_group_and_joins_again() {
    let (store, alice, bob) = pair();
    alice.write_application_rows(vec![ApplicationRow { key: b"history".to_vec(), value: Some(vec![7]) }]).unwrap();
    alice.client().store_psk(b"notary", &Secret::copy_from(&[9; 32])).unwrap();
    let pending = alice.stage_rotation().unwrap();
    alice.receive_message(&bob.send_message(b"skips nothing").unwrap()).unwrap();
    let backup = alice.client().export_backup(&key()).unwrap();

    // Nothing of the records with keys of the group is in it: not 16 bytes in a row.
    let content = key().open(FileKind(2), &backup).unwrap();
    let space = Space::Group(alice.group_id());
    let mut looked_at = 0;
    for class in 3..=11 {
        for (_, record) in store.scan(&space, class, None).unwrap() {
            let record = record.as_slice();
            for secret in record.windows(16).filter(|secret| secret.iter().any(|byte| *byte != 0)) {
                looked_at += 1;
                let id = alice.group_id();
                let public = id.windows(8).any(|part| secret.windows(8).any(|window| window == part));
                let found = content.as_slice().windows(16).any(|window| window == secret);
                assert!(public || !found, "class {class}");
            }
        }
    }
    assert!(looked_at > 1_000);
    drop((alice, pending));

    let fresh: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let restored = builder(b"alice").store(Arc::clone(&fresh)).restore_backup(&backup, &key()).unwrap();
    assert!(restored.groups().unwrap().is_empty());
    let lost = restored.groups_to_rejoin().unwrap();
    assert_eq!((lost.len(), lost[0].epoch, lost[0].name.as_deref()), (1, 1, Some("tea")));
    let join = restored.join_external(&bob.group_info().unwrap(), None).unwrap();
    bob.receive_commit(join.commit()).unwrap();
    let alice = join.accepted().unwrap();
    assert!(restored.groups_to_rejoin().unwrap().is_empty());
    assert_eq!((alice.group_id(), alice.member_count()), (lost[0].id.clone(), 2));
    bob.receive_message(&alice.send_message(b"back").unwrap()).unwrap();
    assert_eq!(alice.application_row(b"history").unwrap(), Some(vec![7]));
    bob.client().store_psk(b"notary", &Secret::copy_from(&[9; 32])).unwrap();
    bob.receive_proposal(&alice.propose_psk(b"notary").unwrap()).unwrap();
    bob.receive_commit(&alice.commit().unwrap().0).unwrap();
}

#[test]
fn a_backup_is_restored_into_a_store_of_the_same_client_only() {
    let (store, alice, bob) = pair();
    let backup = alice.client().export_backup(&key()).unwrap();
    let other = builder(b"bob").restore_backup(&backup, &key());
    assert_eq!(other.err(), Some(MlsError::IdentityMismatch));
    let used: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    builder(b"alice").store(Arc::clone(&used)).open().unwrap();
    let refused = builder(b"alice").store(used).restore_backup(&backup, &key());
    assert_eq!(refused.err(), Some(MlsError::IdentityMismatch));
    assert_eq!(bob.epoch(), 1);
    drop(store);
}

/// A group that cannot be read keeps no backup from being made, and is one of those to be joined again.
#[test]
fn a_damaged_group_is_in_the_backup() {
    let (store, alice, _) = pair();
    let client = alice.client().clone();
    let (space, id) = (Space::Group(alice.group_id()), alice.group_id());
    drop(alice);
    let (header, _) = store.scan(&space, 1, None).unwrap().remove(0);
    let expected = store.spaces(Some(&space)).unwrap()[0].1;
    store.apply(&[Section { space, expected, writes: vec![Write::Delete(header)] }]).unwrap();
    drop(client);
    let client = builder(b"alice").store(Arc::clone(&store)).open().unwrap();
    assert_eq!(client.group(&id).err(), Some(MlsError::InvalidRecord));
    let backup = client.export_backup(&key()).unwrap();
    let restored = builder(b"alice").restore_backup(&backup, &key()).unwrap();
    assert_eq!(restored.groups_to_rejoin().unwrap()[0].id, id);
}
