//! Every image that a disk ever had.
//!
//! In: the steps of a disk, as it recorded them. Out: the writes, or the disk as it was between any two steps.
//! Always: nothing is left out: overwritten, cut and removed bytes are in it.

use std::{ops::Range, sync::Arc};

use crate::disk::{
    FileId,
    state::{Node, State, Step},
};

/// What a disk recorded.
#[derive(Clone, Debug)]
pub struct Trace {
    base: Arc<State>,
    steps: Vec<Step>,
}

/// One write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Written<'a> {
    /// Place among the recorded steps.
    pub step: usize,
    /// Name that the file had when it was made or renamed last; empty for temporary files.
    pub name: &'a str,
    /// First byte in the file.
    pub offset: usize,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A whole file, at one time.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Image<'a> {
    /// As in [`Written`].
    pub name: &'a str,
    /// All of it.
    pub content: &'a [u8],
    /// Which bytes were written last.
    pub changed: Range<usize>,
}

impl Trace {
    pub(crate) fn new(base: State) -> Self {
        Self { base: Arc::new(base), steps: Vec::new() }
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The state before the first step.
    pub(crate) fn base(&self) -> State {
        State::clone(&self.base)
    }

    /// How many steps were recorded.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How often something was made durable.
    pub fn syncs(&self) -> usize {
        self.steps.iter().filter(|step| step.is_sync()).count()
    }

    /// Calls `see` with every write, in order: all bytes that ever touched the disk since recording began.
    pub fn each_write(&self, see: &mut dyn FnMut(Written<'_>)) {
        let mut state = self.base();
        for (number, step) in self.steps.iter().enumerate() {
            state.apply(step);
            if let Step::Write { file, offset, bytes } = step
                && let Some(Node { name, .. }) = state.node(*file)
            {
                see(Written { step: number, name, offset: *offset, bytes });
            }
        }
    }

    /// Calls `see` with each file as it was when recording began, and then with a file whenever bytes were written to it.
    pub fn each_image(&self, see: &mut dyn FnMut(Image<'_>)) {
        let mut state = self.base();
        for Node { name, now, .. } in &state.nodes {
            see(Image { name, content: now, changed: 0..now.len() });
        }
        for step in &self.steps {
            state.apply(step);
            if let Some((file, changed)) = changed(step)
                && let Some(Node { name, now, .. }) = state.node(file)
            {
                see(Image { name, content: now, changed });
            }
        }
    }

    /// The names of the files that ever held `needle` in one piece, each once; empty for temporary files.
    pub fn find(&self, needle: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        self.each_image(&mut |Image { name, content, changed }| {
            // Found where it is whole after a write, even if it came in parts.
            let reach = needle.len().saturating_sub(1);
            let window = changed.start.saturating_sub(reach)..changed.end.saturating_add(reach).min(content.len());
            let hit = content.get(window).is_some_and(|near| holds(near, needle));
            if hit && !found.iter().any(|known| known == name) {
                found.push(name.to_owned());
            }
        });
        found
    }
}

/// Which bytes of which file a step has put there.
fn changed(step: &Step) -> Option<(FileId, Range<usize>)> {
    match step {
        Step::Write { file, offset, bytes } => Some((*file, *offset..offset.saturating_add(bytes.len()))),
        _ => None,
    }
}

/// Whether `needle` is somewhere in `bytes`.
fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle)
}
