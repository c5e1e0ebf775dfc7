use std::{num::NonZeroUsize, sync::Mutex};

use mls_crypto::Parallel;

use super::Threads;

fn done(width: usize, pieces: usize) -> Vec<usize> {
    let done = Mutex::new(Vec::new());
    let width = NonZeroUsize::new(width).unwrap();
    Threads::new(width).run(pieces, &|piece| done.lock().unwrap().push(piece));
    let mut done = done.into_inner().unwrap();
    done.sort_unstable();
    done
}

#[test]
fn runs_each_piece_once() {
    for (width, pieces) in [(1, 5), (4, 1), (4, 0), (4, 100), (3, 3)] {
        assert_eq!(done(width, pieces), (0..pieces).collect::<Vec<_>>(), "{width} threads, {pieces} pieces");
    }
}

#[test]
fn works_on_more_than_one_thread() {
    let names = Mutex::new(std::collections::BTreeSet::new());
    let barrier = std::sync::Barrier::new(2);
    // Neither piece ends before the other has begun: with one thread this would never return.
    Threads::new(NonZeroUsize::new(2).unwrap()).run(2, &|_| {
        barrier.wait();
        names.lock().unwrap().insert(format!("{:?}", std::thread::current().id()));
    });
    assert_eq!(names.into_inner().unwrap().len(), 2);
}
