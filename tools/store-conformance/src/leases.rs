//! Turns: one at a time, in a fair order, and over when they are over.
//!
//! Only for stores that several programs or threads may use at once; the others need no leases.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use mls_store::{Space, StateStore, StoreError};

use crate::{Check, tools::group};

pub(crate) const CHECKS: [(&str, Check); 4] = [
    ("a lease is held by one at a time", one_at_a_time),
    ("a lease ends when it is dropped, also in a panic", ends),
    ("who waits too long is told so, and is in nobody's way", impatient),
    ("who works fast does not overtake for ever", fair),
];

const LONG: Duration = Duration::from_secs(60);

fn one_at_a_time(store: &dyn StateStore) {
    let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let lease = store.lease(&group(b"a"), LONG).unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(lease);
                }
            });
        }
    });
    assert_eq!(most.into_inner(), 1);
}

fn ends(store: &dyn StateStore) {
    for _ in 0..3 {
        drop(store.lease(&Space::Client, Duration::ZERO).unwrap());
    }
    thread::scope(|scope| {
        let panics = scope.spawn(|| {
            let _lease = store.lease(&Space::Client, Duration::ZERO).unwrap();
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        assert!(panics.join().is_err());
    });
    drop(store.lease(&Space::Client, Duration::ZERO).unwrap());
}

fn impatient(store: &dyn StateStore) {
    let held = store.lease(&group(b"a"), Duration::ZERO).unwrap();
    for patience in [Duration::ZERO, Duration::from_millis(5)] {
        assert_eq!(store.lease(&group(b"a"), patience).map(|_| ()).unwrap_err(), StoreError::TimedOut);
    }
    drop(held);
    drop(store.lease(&group(b"a"), Duration::ZERO).unwrap());
}

/// While one waits for its first turn, another that has one gives it back and asks again at once, over and over.
fn fair(store: &dyn StateStore) {
    let (begin, served) = (Barrier::new(2), AtomicBool::new(false));
    thread::scope(|scope| {
        let first = store.lease(&group(b"a"), LONG).unwrap();
        let waiting = scope.spawn(|| {
            begin.wait();
            let lease = store.lease(&group(b"a"), LONG);
            served.store(true, Ordering::SeqCst);
            drop(lease.unwrap());
        });
        begin.wait();
        thread::sleep(Duration::from_millis(50));
        drop(first);
        let mut turns = 0;
        while !served.load(Ordering::SeqCst) {
            let lease = store.lease(&group(b"a"), LONG).unwrap();
            thread::sleep(Duration::from_millis(1));
            drop(lease);
            turns += 1;
            assert!(turns < 20, "overtaken {turns} times");
        }
        waiting.join().unwrap();
    });
}
