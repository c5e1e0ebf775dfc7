//! Threads that race for one revision: exactly one wins, and nobody waits in a circle.

use std::{sync::Barrier, thread};

use mls_store::{Revision, Section, Space, StateStore, StoreError, Write};

use crate::{
    Check,
    tools::{apply, group, key, keys, listed, secret},
};

pub(crate) const CHECKS: [(&str, Check); 2] =
    [("of many writers on one revision one wins", one_winner), ("batches that cross do not lock each other", crossing)];

const THREADS: u8 = 8;

fn one_winner(store: &dyn StateStore) {
    let mut revision = apply(store, &Space::Client, Revision::NONE, Vec::new()).unwrap();
    for round in 0..20 {
        let barrier = Barrier::new(THREADS.into());
        let race = |n| {
            let value = secret(&[n]);
            barrier.wait();
            apply(store, &Space::Client, revision, vec![Write::Put(key(1, round, &[n]), &value)])
        };
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(move || race(n))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let winners: Vec<_> = results.iter().filter_map(|result| result.ok()).collect();
        assert_eq!(winners.len(), 1, "{results:?}");
        assert_eq!(keys(store, &Space::Client, 1, Some(round)).len(), 1);
        revision = winners[0];
    }
}

fn crossing(store: &dyn StateStore) {
    let spaces = [group(b"a"), group(b"b"), Space::Client];
    let both = |first: usize, second: usize| {
        for _ in 0..50 {
            loop {
                let section = |n: usize| {
                    let expected = listed(store, &spaces[n]).unwrap_or_default();
                    Section { space: spaces[n].clone(), expected, writes: Vec::new() }
                };
                match store.apply(&[section(first), section(second)]) {
                    Ok(_) => break,
                    Err(StoreError::Conflict { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    thread::scope(|scope| {
        for (first, second) in [(0, 1), (1, 0), (1, 2), (2, 0)] {
            scope.spawn(move || both(first, second));
        }
    });
    assert_eq!(store.spaces(None).unwrap().len(), 3);
}
