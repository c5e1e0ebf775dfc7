//! Locks on files, and memory shared between connections, for all connections of one process.
//!
//! In: what a connection asks for. Out: granted or not. Always: the rules of SQLite for SHARED, RESERVED, PENDING and
//! EXCLUSIVE; memory that was handed out stays where it is until the last connection lets go.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use super::state::FileId;

/// A connection's hold on a file, strongest last.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Level {
    #[default]
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

/// One open file of one connection.
pub(crate) type Holder = u64;

/// Another connection is in the way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Busy;

/// The locks of one disk.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    last: Holder,
    levels: BTreeMap<FileId, BTreeMap<Holder, Level>>,
    shared: BTreeMap<FileId, Shared>,
}

/// The shared memory beside one file.
#[derive(Debug, Default)]
struct Shared {
    /// 8-byte cells, because SQLite wants alignment; boxed, because addresses are handed out.
    regions: Vec<Box<[AtomicU64]>>,
    /// For each connection that maps it, the slots it holds.
    holders: BTreeMap<Holder, [Hold; SLOTS]>,
}

/// How a connection holds one slot.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Hold {
    #[default]
    Free,
    Shared,
    Exclusive,
}

/// Lock slots of shared memory.
const SLOTS: usize = 8;

impl Locks {
    pub(crate) const fn new_holder(&mut self) -> Holder {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    pub(crate) fn lock(&mut self, file: FileId, who: Holder, wanted: Level) -> Result<(), Busy> {
        let levels = self.levels.entry(file).or_default();
        let mine = levels.get(&who).copied().unwrap_or_default();
        if mine >= wanted {
            return Ok(());
        }
        let others = levels.iter().filter(|(other, _)| **other != who).map(|(_, level)| *level).max();
        let others = others.unwrap_or_default();
        let limit = if wanted == Level::Shared { Level::Pending } else { Level::Reserved };
        if others >= limit {
            return Err(Busy);
        }
        if wanted == Level::Exclusive && others > Level::None {
            // Readers may leave, but none may come.
            levels.insert(who, Level::Pending);
            return Err(Busy);
        }
        levels.insert(who, wanted);
        Ok(())
    }

    pub(crate) fn unlock(&mut self, file: FileId, who: Holder, wanted: Level) {
        let levels = self.levels.entry(file).or_default();
        if wanted == Level::None {
            levels.remove(&who);
        } else if let Some(level) = levels.get_mut(&who) {
            *level = wanted.min(*level);
        }
    }

    pub(crate) fn is_reserved(&self, file: FileId) -> bool {
        self.levels.get(&file).is_some_and(|levels| levels.values().any(|level| *level >= Level::Reserved))
    }

    /// The address of a region, in cells of 8 bytes; `None` if it is not there and may not be made.
    pub(crate) fn map(&mut self, file: FileId, who: Holder, region: Region) -> Option<*mut u64> {
        let shared = self.shared.entry(file).or_default();
        shared.holders.entry(who).or_default();
        while region.extend && shared.regions.len() <= region.index {
            let cells = region.bytes.div_ceil(8);
            shared.regions.push(std::iter::repeat_with(AtomicU64::default).take(cells).collect());
        }
        shared.regions.get(region.index).and_then(|cells| cells.first()).map(AtomicU64::as_ptr)
    }

    pub(crate) fn take_slots(&mut self, file: FileId, who: Holder, slots: &[usize], hold: Hold) -> Result<(), Busy> {
        let shared = self.shared.entry(file).or_default();
        let in_the_way = |other: Hold| match hold {
            Hold::Free => false,
            Hold::Shared => other == Hold::Exclusive,
            Hold::Exclusive => other != Hold::Free,
        };
        for (other, held) in &shared.holders {
            let blocks = |slot: &usize| held.get(*slot).is_some_and(|held| in_the_way(*held));
            if *other != who && slots.iter().any(blocks) {
                return Err(Busy);
            }
        }
        let held = shared.holders.entry(who).or_default();
        for slot in slots {
            if let Some(place) = held.get_mut(*slot) {
                *place = hold;
            }
        }
        Ok(())
    }

    /// Ends a connection's use of shared memory; with the last one the memory goes.
    pub(crate) fn unmap(&mut self, file: FileId, who: Holder) {
        if let Some(shared) = self.shared.get_mut(&file) {
            shared.holders.remove(&who);
            if shared.holders.is_empty() {
                self.shared.remove(&file);
            }
        }
    }

    /// What shared memory holds now, by file.
    pub(crate) fn shared_images(&self) -> Vec<(FileId, Vec<u8>)> {
        let image = |shared: &Shared| {
            let cells = shared.regions.iter().flat_map(|region| region.iter());
            cells.flat_map(|cell| cell.load(Ordering::Relaxed).to_ne_bytes()).collect()
        };
        self.shared.iter().map(|(file, shared)| (*file, image(shared))).collect()
    }
}

/// Which piece of shared memory is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    pub(crate) index: usize,
    pub(crate) bytes: usize,
    /// Whether to make it if it is not there.
    pub(crate) extend: bool,
}
