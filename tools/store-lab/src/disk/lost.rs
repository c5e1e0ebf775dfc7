//! What a disk holds after power loss.
//!
//! In: durable contents, pending changes, how to lose. Out: contents that are all durable, unless nothing was lost.
//! Always: what was synced is there; the same seed loses the same bytes.

use std::collections::BTreeMap;

use super::state::{Change, ChangeKind, FileId, NameChange, Node, State, write_at};
use crate::{
    fault::Lost,
    random::{Random, seed_of},
};

/// Writes are atomic at most in this grain, bytes.
pub(crate) const SECTOR: usize = 512;

/// The state after a reboot. Files without a name are gone.
pub(crate) fn after(state: &State, lost: Lost) -> State {
    if lost == Lost::Nothing {
        // The machine went on: what was not durable still is not.
        return state.clone();
    }
    let names = names_after(state, lost);
    let mut rebooted = State::default();
    rebooted.spared.clone_from(&state.spared);
    for (name, file) in names {
        let Some(node) = state.node(file) else { continue };
        let content = content_after(state, node, file, lost);
        let id = rebooted.next_id();
        rebooted.nodes.push(Node { name: name.clone(), now: content.clone(), durable: content, pending: Vec::new() });
        rebooted.names.insert(name, id);
    }
    rebooted.durable_names = rebooted.names.clone();
    rebooted
}

fn names_after(state: &State, lost: Lost) -> BTreeMap<String, FileId> {
    let mut names = state.durable_names.clone();
    let mut keep: Box<dyn FnMut(&NameChange) -> bool> = match lost {
        Lost::Everything => Box::new(|_| false),
        Lost::Nothing => Box::new(|_| true),
        Lost::Tail(seed) => {
            let cut = Cut::draw(state, seed);
            Box::new(move |change| change.moment <= cut.moment)
        }
        Lost::Sectors(seed) | Lost::Reordered(seed) | Lost::Noise(seed) => {
            let mut random = Random::new(seed_of(&[seed, NAMES]));
            Box::new(move |_| random.coin())
        }
    };
    for change in &state.pending_names {
        if keep(change) {
            change.apply(&mut names);
        }
    }
    // A folder that is not there has nothing in it.
    for (folder, _) in state.names.iter().filter(|(name, _)| name.ends_with('/')) {
        if !names.contains_key(folder) {
            names.retain(|name, _| !name.starts_with(folder.as_str()));
        }
    }
    names
}

fn content_after(state: &State, node: &Node, file: FileId, lost: Lost) -> Vec<u8> {
    let random = |seed| Random::new(seed_of(&[seed, u64::try_from(file.0).unwrap_or(u64::MAX)]));
    match lost {
        Lost::Everything => node.durable.clone(),
        Lost::Nothing => node.now.clone(),
        Lost::Tail(seed) => tail(node, &Cut::draw(state, seed)),
        Lost::Sectors(seed) => sectors(node, &mut random(seed), false),
        Lost::Noise(seed) => {
            let spared = state.spared.as_ref().is_some_and(|start| node.name.starts_with(start));
            sectors(node, &mut random(seed), !spared)
        }
        Lost::Reordered(seed) => reordered(node, &mut random(seed)),
    }
}

/// The moment after which all is lost.
struct Cut {
    moment: u64,
    /// How many sectors of the write of that moment are there.
    sectors: usize,
}

impl Cut {
    /// Draws a moment before, at or between the pending changes of all files.
    fn draw(state: &State, seed: u64) -> Self {
        let mut moments: Vec<u64> = state.pending_names.iter().map(|change| change.moment).collect();
        moments.extend(state.nodes.iter().flat_map(|node| &node.pending).map(|change| change.moment));
        moments.sort_unstable();
        let mut random = Random::new(seed_of(&[seed, CUT]));
        let drawn = random.below(moments.len().saturating_add(1));
        let moment = drawn.checked_sub(1).and_then(|at| moments.get(at)).copied().unwrap_or(0);
        Self { moment, sectors: random.below(16) }
    }
}

fn tail(node: &Node, cut: &Cut) -> Vec<u8> {
    let mut content = node.durable.clone();
    for change in &node.pending {
        match &change.kind {
            ChangeKind::Write { offset, bytes } if change.moment == cut.moment => {
                for (at, piece) in pieces(*offset, bytes).take(cut.sectors) {
                    write_at(&mut content, at, piece);
                }
            }
            kind if change.moment <= cut.moment => kind.apply(&mut content),
            _ => {}
        }
    }
    content
}

fn sectors(node: &Node, random: &mut Random, noise: bool) -> Vec<u8> {
    let cut = LenCut::draw(node, random);
    let mut touches: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, _) in node.pending.iter().flat_map(writes) {
        let count = touches.entry(sector_of(at)).or_default();
        *count = count.saturating_add(1);
    }
    // How many of its pieces each sector has seen.
    let mut budget = touches.clone();
    for left in budget.values_mut() {
        *left = random.below(left.saturating_add(1));
    }
    let mut content = node.durable.clone();
    for (number, change) in node.pending.iter().enumerate() {
        for (at, piece) in writes(change) {
            if let Some(left) = budget.get_mut(&sector_of(at))
                && let Some(fewer) = left.checked_sub(1)
            {
                *left = fewer;
                write_at(&mut content, at, piece);
            }
        }
        cut.shorten(&mut content, number, change);
    }
    content.resize(cut.len, 0);
    if noise {
        make_noise(&mut content, touches.keys(), random);
    }
    content
}

fn make_noise<'a>(content: &mut [u8], touched: impl Iterator<Item = &'a usize>, random: &mut Random) {
    for sector in touched {
        let (start, chosen) = (sector.saturating_mul(SECTOR), random.below(4) == 0);
        let end = start.saturating_add(SECTOR).min(content.len());
        if let Some(bytes) = content.get_mut(start..end)
            && chosen
        {
            random.fill(bytes);
        }
    }
}

fn reordered(node: &Node, random: &mut Random) -> Vec<u8> {
    let cut = LenCut::draw(node, random);
    let mut content = node.durable.clone();
    let mut pieces = Vec::new();
    for (number, change) in node.pending.iter().enumerate() {
        pieces.extend(writes(change));
        if cut.shortens(number, change) {
            write_some(&mut content, &mut pieces, random);
        }
        cut.shorten(&mut content, number, change);
    }
    write_some(&mut content, &mut pieces, random);
    content.resize(cut.len, 0);
    content
}

fn write_some(content: &mut Vec<u8>, pieces: &mut Vec<(usize, &[u8])>, random: &mut Random) {
    random.shuffle(pieces);
    for (at, piece) in pieces.drain(..) {
        if random.coin() {
            write_at(content, at, piece);
        }
    }
}

/// How far the length of a file got: lengths change in order, whatever becomes of the bytes.
struct LenCut {
    /// Pending changes whose effect on the length is there.
    changes: usize,
    len: usize,
}

impl LenCut {
    fn draw(node: &Node, random: &mut Random) -> Self {
        let changes = random.below(node.pending.len().saturating_add(1));
        let len = node.pending.iter().take(changes).fold(node.durable.len(), |len, change| match &change.kind {
            ChangeKind::Write { offset, bytes } => len.max(offset.saturating_add(bytes.len())),
            ChangeKind::SetLen(new) => *new,
        });
        Self { changes, len }
    }

    fn shortens(&self, number: usize, change: &Change) -> bool {
        number < self.changes && matches!(change.kind, ChangeKind::SetLen(_))
    }

    /// What was cut off is gone for good: it reads as zeros, should the file grow again.
    fn shorten(&self, content: &mut Vec<u8>, number: usize, change: &Change) {
        if let ChangeKind::SetLen(len) = change.kind
            && self.shortens(number, change)
        {
            content.truncate(len);
        }
    }
}

/// The pieces of a pending write.
fn writes(change: &Change) -> impl Iterator<Item = (usize, &[u8])> {
    let (offset, bytes) = match &change.kind {
        ChangeKind::Write { offset, bytes } => (*offset, &bytes[..]),
        ChangeKind::SetLen(_) => (0, &[][..]),
    };
    pieces(offset, bytes)
}

/// Cuts a write at the borders of sectors.
fn pieces(offset: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = (offset, bytes);
    std::iter::from_fn(move || {
        let (at, bytes) = rest;
        let border = sector_of(at).saturating_add(1).saturating_mul(SECTOR);
        let (piece, after) = bytes.split_at(border.saturating_sub(at).min(bytes.len()));
        rest = (border, after);
        (!piece.is_empty()).then_some((at, piece))
    })
}

const fn sector_of(at: usize) -> usize {
    at.wrapping_div(SECTOR)
}

/// Names a stream of numbers: which directory changes are kept.
const NAMES: u64 = u64::MAX;

/// Names a stream of numbers: where the tail is cut.
const CUT: u64 = u64::MAX - 1;
