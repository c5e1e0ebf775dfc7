//! Hints that a directory has changed.
//!
//! Always: a hint is the number of the last change, and nothing else; what changed is read from the directory. So whoever is
//! slow costs nothing, and misses nothing.

use core::{
    fmt,
    future::poll_fn,
    task::{Poll, Waker},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rung by a directory after each change.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    wakers: Vec<Waker>,
}

/// Waits for changes of a directory; see [`crate::Directory::watch`].
pub struct DirectoryWatch {
    bell: Bell,
    seen: u64,
}

impl Bell {
    /// A bell for a directory whose last change was this one.
    pub fn new(last: u64) -> Self {
        Self(Arc::new(Mutex::new(State { last, wakers: Vec::new() })))
    }

    /// There is a change of this number.
    pub fn ring(&self, change: u64) {
        let mut state = self.state();
        state.last = state.last.max(change);
        let wakers = core::mem::take(&mut state.wakers);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Watches from now on.
    pub fn watch(&self) -> DirectoryWatch {
        let seen = self.state().last;
        DirectoryWatch { bell: self.clone(), seen }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DirectoryWatch {
    /// Waits for a change after the last one that was told; returns the number of the latest. May be dropped while it waits.
    pub fn changed(&mut self) -> impl Future<Output = u64> + Send + '_ {
        poll_fn(|context| {
            let mut state = self.bell.state();
            if state.last > self.seen {
                let last = state.last;
                drop(state);
                self.seen = last;
                return Poll::Ready(last);
            }
            if !state.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                state.wakers.push(context.waker().clone());
            }
            Poll::Pending
        })
    }
}

impl fmt::Debug for DirectoryWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bell: _, seen } = self;
        f.debug_struct("DirectoryWatch").field("seen", seen).finish_non_exhaustive()
    }
}
