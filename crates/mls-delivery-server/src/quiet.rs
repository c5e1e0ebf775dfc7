//! When a connection has been quiet for too long.
//!
//! hyper's header timeout begins with the first byte, after the version of HTTP has been told from it: a client that sends
//! nothing, or half of HTTP/2's preface, would stay. So a connection is watched from outside: until the first request
//! it has the time of a header, later the time of idling, in which a reply has to be taken too.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// What one connection does.
#[derive(Debug)]
pub(crate) struct Activity {
    state: Mutex<State>,
    /// Told whenever a request ends, which is when the deadline moves: perhaps to an earlier time.
    ended: Notify,
    idle_time: Duration,
}

#[derive(Debug)]
struct State {
    requests: usize,
    /// When the connection may be closed, if there is no request by then.
    deadline: Instant,
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Activity>);

impl Activity {
    /// A connection that was accepted now.
    pub(crate) fn new(header_time: Duration, idle_time: Duration) -> Arc<Self> {
        let state = State { requests: 0, deadline: after(header_time) };
        Arc::new(Self { state: state.into(), ended: Notify::new(), idle_time })
    }

    /// A request has come; it goes on until the guard is dropped.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        let mut state = self.state();
        state.requests = state.requests.saturating_add(1);
        Busy(Arc::clone(self))
    }

    /// Returns when the connection has been quiet for too long.
    pub(crate) async fn quiet(&self) {
        loop {
            let (requests, deadline) = {
                let state = self.state();
                (state.requests, state.deadline)
            };
            if requests > 0 {
                self.ended.notified().await;
                continue;
            }
            if deadline <= Instant::now() {
                return;
            }
            tokio::select! {
                () = sleep_until(deadline) => {}
                () = self.ended.notified() => {}
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests = state.requests.saturating_sub(1);
        state.deadline = after(self.0.idle_time);
        drop(state);
        self.0.ended.notify_one();
    }
}

fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}
