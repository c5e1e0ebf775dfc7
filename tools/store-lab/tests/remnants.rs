//! Nothing that a member stores is ever on the disk in clear: not in a database, log, journal or slot, at any moment of its
//! life, however often it is written over and deleted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

use std::{
    collections::{BTreeSet, HashSet},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use mls_store::{
    Key, Lease, Leases, OpenOptions, Revision, Secret, Section, Space, SqliteStore, StateStore, StoreError, Unlock,
    Write,
};
use spacepanda_core::core_mls::{
    ApplicationRow, Client, MlsConfig, MlsEnvelope, MlsError, MlsHandle, StoredTrustOnFirstUse, TrustOnFirstUse,
    store::FileKey,
};
use store_lab::{Disk, Vfs};

/// So many bytes in a row are no accident.
const WINDOW: usize = 16;
type Needle = [u8; WINDOW];

/// Remembers whatever was put.
#[derive(Debug)]
struct Watched {
    store: Arc<SqliteStore>,
    seen: Mutex<HashSet<Needle>>,
    classes: Mutex<BTreeSet<u8>>,
}

impl Watched {
    fn see(&self, class: u8, bytes: &[u8]) {
        let mut seen = self.seen.lock().unwrap();
        // One of the windows at every eighth byte lies in each 24 bytes of a value that are in clear.
        for window in bytes.windows(WINDOW).step_by(8) {
            // Lengths and zeros are everywhere.
            if window.iter().collect::<BTreeSet<_>>().len() > 8 {
                seen.insert(window.try_into().unwrap());
                self.classes.lock().unwrap().insert(class);
            }
        }
    }
}

impl Leases for Watched {
    fn lease(&self, space: &Space, patience: Duration) -> Result<Lease, StoreError> {
        self.store.lease(space, patience)
    }
}

impl StateStore for Watched {
    fn apply(&self, batch: &[Section<'_>]) -> Result<Revision, StoreError> {
        for section in batch {
            if let Space::Group(id) | Space::Application(id) = &section.space {
                self.see(0, id);
            }
            for write in &section.writes {
                if let Write::Put(key, value) = write {
                    self.see(key.class, &key.id);
                    self.see(key.class, value.as_slice());
                }
            }
        }
        self.store.apply(batch)
    }

    fn get(&self, space: &Space, key: &Key) -> Result<Option<Secret>, StoreError> {
        self.store.get(space, key)
    }

    fn scan(&self, space: &Space, class: u8, epoch: Option<u64>) -> Result<Vec<(Key, Secret)>, StoreError> {
        self.store.scan(space, class, epoch)
    }

    fn spaces(&self, only: Option<&Space>) -> Result<Vec<(Space, Revision)>, StoreError> {
        self.store.spaces(only)
    }

    fn delete(&self, space: &Space, expected: Revision) -> Result<(), StoreError> {
        self.store.delete(space, expected)
    }
}

fn bob() -> Client {
    let builder = Client::builder(b"bob, who is known", Arc::new(TrustOnFirstUse::new()));
    builder.config(MlsConfig::interop()).open().unwrap()
}

fn hear(group: &MlsHandle, envelope: &MlsEnvelope) {
    let rows = |text: &[u8]| vec![ApplicationRow { key: text.to_vec(), value: Some(text.to_vec()) }];
    group.receive_message_with(envelope, |message| rows(&message.plaintext)).unwrap();
}

/// Every kind of operation, several times, to the end of the group.
fn live(alice: &Client) -> Result<(), MlsError> {
    let bob = bob();
    alice.store_psk(b"the key of the notary", &Secret::copy_from(b"a key that was agreed on elsewhere"))?;
    bob.store_psk(b"the key of the notary", &Secret::copy_from(b"a key that was agreed on elsewhere"))?;
    alice.replenish_key_packages(None)?;
    let group = alice.create_group(Some("a name that nobody may read"))?;
    group.propose_add(&bob.generate_key_package()?, b"bob, who is known")?;
    let pending = group.stage_commit()?;
    let outcome = group.apply_pending_commit(&pending.id)?;
    let other = bob.join_group(&outcome.welcomes()?[0])?;
    for round in 0..4 {
        let said =
            group.send_message_with(format!("a secret of round {round}").as_bytes(), b"and what is beside it")?;
        other.receive_message(&said)?;
        group.receive_message(&said)?;
        hear(&group, &other.send_message(format!("an answer in round {round}").as_bytes())?);
        let early = (other.rotate()?, other.send_message(b"a message that comes too early")?);
        group.handle_incoming(&early.1)?;
        group.handle_incoming(&early.0)?;
        let proposals = [group.propose_update()?, group.set_group_name("another name, in its place")?];
        for proposal in &proposals {
            other.handle_incoming(proposal)?;
        }
        let psk = other.propose_psk(b"the key of the notary")?;
        group.receive_proposal(&psk)?;
        other.receive_commit(&group.commit()?.0)?;
        let lost = group.stage_rotation()?;
        group.clear_pending_commit(&lost.id)?;
        let sent: Vec<_> = group.outbox()?.iter().map(|entry| entry.id).collect();
        group.mark_sent(&sent)?;
        group.expire()?;
    }
    let key = FileKey::raw_key(Secret::copy_from(&[9; 32]))?;
    alice.export_backup(&key)?;
    alice.delete_psk(b"the key of the notary")?;
    alice.delete_group(&group.group_id())
}

#[test]
fn nothing_is_on_the_disk_in_clear() {
    let disk = Disk::new(1);
    let vfs = Vfs::register(&disk).unwrap();
    disk.record();
    let options = OpenOptions::new(Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap());
    let store = options.files(Arc::new(disk.clone())).vfs(vfs.name()).open(Path::new("home/store")).unwrap();
    let store = Arc::new(Watched { store: Arc::new(store), seen: Mutex::default(), classes: Mutex::default() });
    let policy = Arc::new(StoredTrustOnFirstUse::open(Arc::<Watched>::clone(&store)).unwrap());
    let builder = Client::builder(b"alice, who is known", policy).config(MlsConfig::interop());
    let alice = builder.store(Arc::<Watched>::clone(&store)).open().unwrap();
    live(&alice).unwrap();
    assert!(alice.groups().unwrap().is_empty());
    drop(alice);
    let Watched { seen, classes, store } = Arc::try_unwrap(store).map_err(drop).unwrap();
    store.maintain().unwrap();
    drop(store);
    let (seen, classes) = (seen.into_inner().unwrap(), classes.into_inner().unwrap());
    // All the classes that hold secrets were there, and what is looked for.
    for class in [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 140, 142, 143] {
        assert!(classes.contains(&class), "class {class} is not among {classes:?}");
    }
    assert!(seen.len() > 1_000, "{}", seen.len());

    let trace = disk.recording().unwrap();
    let (mut bytes, mut found, mut magic) = (0, Vec::new(), 0);
    trace.each_write(&mut |written| {
        bytes += written.bytes.len();
        for window in written.bytes.windows(WINDOW) {
            if seen.contains(window) {
                found.push(written.name.to_owned());
            }
            if window.starts_with(b"SQLite format 3") {
                magic += 1;
            }
        }
    });
    assert_eq!(found, Vec::<String>::new());
    // Looking finds what is there.
    assert!(magic > 0 && bytes > 1_000_000, "{bytes} bytes, {magic} times");
    println!("{} parts of values in none of {bytes} bytes", seen.len());
}
