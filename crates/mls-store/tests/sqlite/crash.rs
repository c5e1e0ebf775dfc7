//! The order of a shred step, and what is left when it stops in the middle.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use mls_store::{
    FileSlots, KeySource, Secret, SqliteStore, StateStore, StoreError,
    files::{Disk, Files},
};

use crate::{
    attacker::Attacker,
    support::{Dir, Files as Image, RAW, get, group, key, options, put},
};

/// The files of the disk, with an image of all before every operation, and one operation that fails.
struct Watched {
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    operations: Vec<(&'static str, String)>,
    images: Vec<Image>,
    /// How many operations are still to succeed.
    fails_in: Option<usize>,
    /// Whether all later ones fail too.
    for_good: bool,
}

impl Watched {
    fn new(dir: &Dir) -> Arc<Self> {
        Arc::new(Self { dir: dir.path().to_owned(), state: Mutex::default() })
    }

    /// Forgets what was seen, and makes one operation fail.
    fn arm(&self, fails_in: Option<usize>, for_good: bool) {
        *self.state.lock().unwrap() = State { fails_in, for_good, ..State::default() };
    }

    fn operations(&self) -> Vec<(&'static str, String)> {
        self.state.lock().unwrap().operations.clone()
    }

    fn see(&self, name: &'static str, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let file = path.strip_prefix(&self.dir).unwrap_or(path).to_string_lossy().into_owned();
        state.operations.push((name, file));
        state.images.push(image(&self.dir));
        match state.fails_in.as_mut() {
            Some(0) => {
                if !state.for_good {
                    state.fails_in = None;
                }
                Err(io::Error::other("power"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn image(dir: &Path) -> Image {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect()
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watched")
    }
}

impl Files for Watched {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.see("create_dir", path)?;
        Disk.create_dir(path)
    }
    fn create(&self, path: &Path) -> io::Result<()> {
        self.see("create", path)?;
        Disk.create(path)
    }
    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        self.see("len", path)?;
        Disk.len(path)
    }
    fn read_at(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.see("read_at", path)?;
        Disk.read_at(path, offset, into)
    }
    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.see("write_at", path)?;
        Disk.write_at(path, offset, bytes)
    }
    fn sync(&self, path: &Path) -> io::Result<()> {
        self.see("sync", path)?;
        Disk.sync(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.see("rename", from)?;
        Disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.see("remove", path)?;
        Disk.remove(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.see("sync_dir", path)?;
        Disk.sync_dir(path)
    }
}

fn open(dir: &Path, files: &Arc<Watched>) -> Result<SqliteStore, StoreError> {
    let files: Arc<dyn Files> = Arc::clone(files) as _;
    options().files(files).open(dir)
}

/// A store with something to forget.
fn prepared(dir: &Dir, files: &Arc<Watched>) -> SqliteStore {
    let store = open(dir.path(), files).unwrap();
    put(&store, &group(b"g"), &key(1, 0, b"a"), b"kept");
    put(&store, &group(b"g"), &key(1, 0, b"b"), b"old");
    put(&store, &group(b"g"), &key(1, 0, b"b"), b"new");
    store
}

fn is_whole(store: &SqliteStore) {
    assert_eq!(get(store, &group(b"g"), &key(1, 0, b"a")).unwrap(), b"kept");
    assert_eq!(get(store, &group(b"g"), &key(1, 0, b"b")).unwrap(), b"new");
    assert_eq!(store.scan(&group(b"g"), 1, None).unwrap().len(), 2);
}

/// Erasing before the new period is durable would lose everything.
#[test]
fn the_old_key_goes_last() {
    let dir = Dir::new();
    let files = Watched::new(&dir);
    let store = prepared(&dir, &files);
    files.arm(None, false);
    store.shred().unwrap();
    let state = files.state.lock().unwrap();
    let writes =
        state.operations.iter().zip(&state.images).filter(|((name, _), _)| matches!(*name, "write_at" | "sync"));
    let steps: Vec<_> = writes.map(|((name, file), image)| (*name, file.as_str(), image)).collect();
    let names: Vec<_> = steps.iter().map(|(name, file, _)| (*name, *file)).collect();
    assert_eq!(names, [("write_at", "slots"), ("sync", "slots"), ("write_at", "slots"), ("sync", "slots")]);
    // When the old key goes, the log already holds the new period; before, it did not.
    let (before, erasing) = (&steps[0].2["store.db-wal"], &steps[2].2["store.db-wal"]);
    assert!(erasing.len() > before.len());
    let period = |image: &Image| {
        let mut files = image.clone();
        files.remove("slots");
        let copy = Dir::with(&files);
        let connection = rusqlite::Connection::open(copy.file("store.db")).unwrap();
        connection.query_row("SELECT period FROM meta", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!([period(steps[0].2), period(steps[1].2), period(steps[2].2)], [1, 1, 2]);
}

/// The process is killed before any operation on a file: at creation, at the shred step, at opening.
#[test]
fn a_killed_process_leaves_a_whole_store() {
    let dir = Dir::new();
    let files = Watched::new(&dir);
    let store = open(dir.path(), &files).unwrap();
    let creating = std::mem::take(&mut files.state.lock().unwrap().images);
    assert!(creating.len() > 10);
    for image in creating {
        let copy = Dir::with(&image);
        let store = options().open(copy.path()).unwrap();
        put(&store, &group(b"g"), &key(1, 0, b"a"), b"kept");
    }
    drop(store);
    let store = prepared(&dir, &files);
    files.arm(None, false);
    store.shred().unwrap();
    let shredding = std::mem::take(&mut files.state.lock().unwrap().images);
    assert!(shredding.len() >= 6);
    for (n, image) in shredding.iter().enumerate() {
        let copy = Dir::with(image);
        let reopened = options().open(copy.path()).unwrap_or_else(|error| panic!("image {n}: {error:?}"));
        is_whole(&reopened);
        // What the killed process had begun to forget is forgotten by now.
        drop(reopened);
        let mut attacker = Attacker::default();
        [image, &copy.files()].into_iter().for_each(|image| attacker.add(image));
        attacker.add_slots(&copy.files());
        assert!(!attacker.read(&RAW).contains(&b"old"[..]), "image {n}");
    }
}

/// The medium fails once, or for good, at each operation of a shred step.
#[test]
fn a_medium_that_fails_leaves_a_whole_store() {
    for for_good in [false, true] {
        for fails_in in 0.. {
            let dir = Dir::new();
            let files = Watched::new(&dir);
            let store = prepared(&dir, &files);
            files.arm(Some(fails_in), for_good);
            let shredded = store.shred();
            let all = files.operations().len() <= fails_in;
            if !for_good {
                files.arm(None, false);
                is_whole(&store);
                // Whatever failed is made up for.
                store.shred().unwrap();
                put(&store, &group(b"g"), &key(1, 0, b"b"), b"new");
                store.shred().unwrap();
                is_whole(&store);
            }
            drop(store);
            files.arm(None, false);
            is_whole(&open(dir.path(), &files).unwrap_or_else(|error| panic!("operation {fails_in}: {error:?}")));
            if all {
                assert_eq!(shredded, Ok(()));
                break;
            }
        }
    }
}

/// The medium fails at each operation of the making of a store: the next attempt succeeds.
#[test]
fn a_store_half_made_is_made_anew() {
    for fails_in in 0.. {
        let dir = Dir::new();
        let files = Watched::new(&dir);
        files.arm(Some(fails_in), true);
        let made = open(dir.path(), &files);
        let all = files.operations().len() <= fails_in;
        drop(made);
        files.arm(None, false);
        put(&open(dir.path(), &files).unwrap(), &group(b"g"), &key(1, 0, b"a"), b"kept");
        if all {
            break;
        }
    }
}

/// Another process began a shred step, failed and went on living. Its transaction may be in the log, unseen, until a power
/// failure makes it count: before its key is replaced, a transaction of ours takes that place in the log.
#[test]
fn a_step_that_another_process_began_is_settled_first() {
    let dir = Dir::new();
    let files = Watched::new(&dir);
    let store = prepared(&dir, &files);
    let slots = FileSlots::new(Arc::new(Disk), dir.path());
    slots.store(2, &Secret::copy_from(b"left by another process")).unwrap();
    files.arm(None, false);
    store.shred().unwrap();
    let state = files.state.lock().unwrap();
    let writes = state.operations.iter().zip(&state.images).filter(|((name, _), _)| *name == "write_at");
    let logs: Vec<_> = writes.map(|(_, image)| image["store.db-wal"].len()).collect();
    // Erased, replaced, and the old one erased.
    assert_eq!(logs.len(), 3);
    assert!(logs[0] > state.images[0]["store.db-wal"].len(), "the log was written before any slot");
    drop(state);
    is_whole(&store);
}
