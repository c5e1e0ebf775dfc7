//! Turns within one process, in the order of arrival.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{Space, StoreError};

/// Who waits for which space. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Turns {
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    tickets: u64,
    /// The first of a line has its turn. A line that ends is removed.
    lines: BTreeMap<Space, VecDeque<u64>>,
}

/// A place in a line; dropping it leaves the line.
pub(super) struct Turn {
    turns: Turns,
    space: Space,
    ticket: u64,
}

impl Turns {
    /// Joins the line of a space, and waits to be the first in it.
    pub(super) fn wait(&self, space: &Space, patience: Duration) -> Result<Turn, StoreError> {
        let (_, changed) = &*self.state;
        let mut state = self.state();
        let ticket = state.tickets;
        state.tickets = ticket.wrapping_add(1);
        state.lines.entry(space.clone()).or_default().push_back(ticket);
        let waits = |state: &mut State| state.lines.get(space).and_then(VecDeque::front) != Some(&ticket);
        let (state, waited) =
            changed.wait_timeout_while(state, patience, waits).unwrap_or_else(PoisonError::into_inner);
        // To leave the line takes the same lock.
        drop(state);
        let turn = Turn { turns: self.clone(), space: space.clone(), ticket };
        if waited.timed_out() { Err(StoreError::TimedOut) } else { Ok(turn) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        if let Some(line) = state.lines.get_mut(&self.space) {
            line.retain(|ticket| *ticket != self.ticket);
            if line.is_empty() {
                state.lines.remove(&self.space);
            }
        }
        drop(state);
        self.turns.state.1.notify_all();
    }
}
