//! All key sources do the same.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "tests")]

use std::{
    collections::BTreeMap,
    panic::catch_unwind,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use mls_store::{
    FileSlots, KeySource, MAX_ENTRY, MemoryKeySource, Secret, StoreError,
    files::{Disk, Files, MemoryFiles},
};
use store_conformance::{Opener, key_source_conformance};

fn entry(n: u8) -> Secret {
    Secret::copy_from(&[n; MAX_ENTRY])
}

fn holds(source: &dyn KeySource, period: u64) -> Option<Vec<u8>> {
    source.load(period).unwrap().map(|key| key.as_slice().to_vec())
}

/// Its keys are in memory; whoever opens it finds the same ones.
fn in_memory() -> Opener {
    let source = Arc::new(MemoryKeySource::new());
    Box::new(move || source.clone())
}

fn slots_in(files: Arc<dyn Files>, dir: PathBuf) -> Opener {
    Box::new(move || Arc::new(FileSlots::new(files.clone(), &dir)))
}

#[test]
fn keys_in_memory_conform() {
    key_source_conformance(&in_memory);
}

#[test]
fn slots_conform() {
    key_source_conformance(&|| slots_in(Arc::new(MemoryFiles::new()), PathBuf::from("dir")));
}

#[test]
fn slots_on_a_disk_conform() {
    let home = std::env::temp_dir().join(format!("mls-store-slots-{}", std::process::id()));
    let count = AtomicU32::new(0);
    key_source_conformance(&|| {
        let dir = home.join(count.fetch_add(1, Ordering::SeqCst).to_string());
        std::fs::create_dir_all(&dir).unwrap();
        slots_in(Arc::new(Disk), dir)
    });
    std::fs::remove_dir_all(&home).unwrap();
}

/// Ways to break the contract.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    CountsWhatIsStored,
    CutsEntries,
    KeepsTheFirst,
    KeepsOne,
    RetainsAll,
    RetainsTheNext,
    NeverCounts,
    DestroysNoCounter,
    DestroysNoKeys,
    /// What was done through another opening is not seen.
    IsNotDurable,
}

const WRONGS: [Wrong; 10] = [
    Wrong::CountsWhatIsStored,
    Wrong::CutsEntries,
    Wrong::KeepsTheFirst,
    Wrong::KeepsOne,
    Wrong::RetainsAll,
    Wrong::RetainsTheNext,
    Wrong::NeverCounts,
    Wrong::DestroysNoCounter,
    Wrong::DestroysNoKeys,
    Wrong::IsNotDurable,
];

/// A source that is wrong in one way.
#[derive(Debug)]
struct Broken {
    wrong: Wrong,
    state: Mutex<(BTreeMap<u64, Vec<u8>>, u64)>,
}

impl Broken {
    fn open(wrong: Wrong) -> Opener {
        let new = move || Arc::new(Self { wrong, state: Mutex::default() });
        let source = new();
        Box::new(move || if matches!(wrong, Wrong::IsNotDurable) { new() } else { source.clone() })
    }
}

impl KeySource for Broken {
    fn load(&self, period: u64) -> Result<Option<Secret>, StoreError> {
        Ok(self.state.lock().unwrap().0.get(&period).map(|key| Secret::copy_from(key)))
    }

    fn store(&self, period: u64, key: &Secret) -> Result<(), StoreError> {
        let (keys, counter) = &mut *self.state.lock().unwrap();
        let mut bytes = key.as_slice().to_vec();
        match self.wrong {
            Wrong::CountsWhatIsStored => *counter = (*counter).max(period),
            Wrong::CutsEntries => bytes.truncate(MAX_ENTRY - 1),
            Wrong::KeepsTheFirst => bytes = keys.get(&period).cloned().unwrap_or(bytes),
            Wrong::KeepsOne => keys.clear(),
            _ => {}
        }
        keys.insert(period, bytes);
        Ok(())
    }

    fn retain(&self, period: u64) -> Result<(), StoreError> {
        let (keys, counter) = &mut *self.state.lock().unwrap();
        keys.retain(|known, _| match self.wrong {
            Wrong::RetainsAll => true,
            Wrong::RetainsTheNext => *known >= period,
            _ => *known == period,
        });
        *counter = if matches!(self.wrong, Wrong::NeverCounts) { 0 } else { (*counter).max(period) };
        Ok(())
    }

    fn counter(&self) -> Result<u64, StoreError> {
        Ok(self.state.lock().unwrap().1)
    }

    fn destroy(&self) -> Result<(), StoreError> {
        let (keys, counter) = &mut *self.state.lock().unwrap();
        match self.wrong {
            Wrong::DestroysNoCounter => keys.clear(),
            Wrong::DestroysNoKeys => *counter = 0,
            _ => (*keys, *counter) = Default::default(),
        }
        Ok(())
    }
}

/// The suite sees each of them.
#[test]
fn what_breaks_the_contract_is_noticed() {
    for wrong in WRONGS {
        let noticed = catch_unwind(|| key_source_conformance(&|| Broken::open(wrong))).is_err();
        assert!(noticed, "{wrong:?} was not noticed");
    }
}

/// Production: the file never grows, and nothing of an old key is left in it.
#[test]
fn slots_are_overwritten_in_place() {
    let files = Arc::new(MemoryFiles::new());
    let source = FileSlots::new(files.clone(), Path::new("dir"));
    let path = Path::new("dir").join("slots");
    for period in 1..20 {
        source.store(period, &entry(u8::try_from(period).unwrap())).unwrap();
        source.retain(period).unwrap();
        assert_eq!(files.len(&path).unwrap(), Some(8_192));
        let mut file = [0; 8_192];
        files.read_at(&path, 0, &mut file).unwrap();
        let old = file.windows(8).filter(|window| (1..period).any(|n| window.iter().all(|b| u64::from(*b) == n)));
        assert_eq!(old.count(), 0, "period {period}");
    }
}

/// A slot that a power failure tore is as an empty one.
#[test]
fn a_torn_slot_is_empty() {
    let files = Arc::new(MemoryFiles::new());
    let source = FileSlots::new(files.clone(), Path::new("dir"));
    let path = Path::new("dir").join("slots");
    source.store(1, &entry(1)).unwrap();
    source.retain(1).unwrap();
    source.store(2, &entry(2)).unwrap();
    files.write_at(&path, 60, &[0; 68]).unwrap();
    assert_eq!((holds(&source, 2), source.counter()), (None, Ok(1)));
    assert_eq!(holds(&source, 1).unwrap(), entry(1).as_slice());
    // What is left of it is erased all the same.
    source.retain(1).unwrap();
    let mut slot = [1; 128];
    files.read_at(&path, 0, &mut slot).unwrap();
    assert_eq!(slot, [0; 128]);
}
