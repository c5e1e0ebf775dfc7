//! What every [`KeySource`] must do.
//!
//! A rule gets a way to open the same source anew, as another process would: what was durable on return is there.

use std::sync::Arc;

use mls_store::{KeySource, MAX_ENTRY, Secret};

/// Opens one source, again and again: always the same keys.
pub type Opener = Box<dyn Fn() -> Arc<dyn KeySource>>;

/// One rule of the contract, checked on a source that holds nothing.
pub type SourceCheck = fn(&Opener);

/// All checks of key sources, by name.
pub fn source_checks() -> Vec<(&'static str, SourceCheck)> {
    CHECKS.to_vec()
}

/// Runs every check on a source of its own; panics at the first that fails.
///
/// ```
/// # use std::sync::Arc;
/// # use mls_store::MemoryKeySource;
/// store_conformance::key_source_conformance(&|| {
///     let source = Arc::new(MemoryKeySource::new());
///     Box::new(move || source.clone())
/// });
/// ```
pub fn key_source_conformance(empty_source: &dyn Fn() -> Opener) {
    for (name, check) in source_checks() {
        println!("key source conformance: {name}");
        check(&empty_source());
    }
}

const CHECKS: [(&str, SourceCheck); 8] = [
    ("a new one holds nothing", new_is_empty),
    ("what is stored is there, and counts only once it was retained", stored),
    ("an entry has any length up to the longest", lengths),
    ("a key takes the place of one of the same period", replaced),
    ("the next key is kept beside the current one", two_at_once),
    ("what is retained is all there is, however often it is said", retained),
    ("a next key that was given up is forgotten", given_up),
    ("what was destroyed is as new", destroyed),
];

fn entry(byte: u8) -> Secret {
    Secret::copy_from(&[byte; MAX_ENTRY])
}

/// What somebody who opens the source now finds.
fn holds(open: &Opener, period: u64) -> Option<Vec<u8>> {
    open().load(period).unwrap().map(|key| key.as_slice().to_vec())
}

fn counter(open: &Opener) -> u64 {
    open().counter().unwrap()
}

fn new_is_empty(open: &Opener) {
    assert_eq!(counter(open), 0);
    assert!((0..4).all(|period| holds(open, period).is_none()));
}

fn stored(open: &Opener) {
    open().store(1, &entry(1)).unwrap();
    assert_eq!(holds(open, 1), Some(vec![1; MAX_ENTRY]));
    // A store that was never there may still be made: only what was retained is a store of that period.
    assert_eq!(counter(open), 0);
    assert_eq!(holds(open, 2), None);
    open().retain(1).unwrap();
    assert_eq!((counter(open), holds(open, 1)), (1, Some(vec![1; MAX_ENTRY])));
}

fn lengths(open: &Opener) {
    for len in 0..=MAX_ENTRY {
        let key: Vec<u8> = (1..=u8::MAX).cycle().take(len).collect();
        open().store(1, &Secret::copy_from(&key)).unwrap();
        assert_eq!(holds(open, 1), Some(key), "{len} bytes");
    }
}

fn replaced(open: &Opener) {
    open().store(1, &entry(1)).unwrap();
    open().store(1, &entry(9)).unwrap();
    assert_eq!(holds(open, 1), Some(vec![9; MAX_ENTRY]));
    open().retain(1).unwrap();
    open().store(2, &Secret::copy_from(b"given up")).unwrap();
    open().store(2, &entry(2)).unwrap();
    assert_eq!(holds(open, 2), Some(vec![2; MAX_ENTRY]));
}

fn two_at_once(open: &Opener) {
    open().store(1, &entry(1)).unwrap();
    open().retain(1).unwrap();
    open().store(2, &entry(2)).unwrap();
    assert_eq!(holds(open, 1), Some(vec![1; MAX_ENTRY]));
    assert_eq!(holds(open, 2), Some(vec![2; MAX_ENTRY]));
    // The current one is still that which was retained.
    assert_eq!(counter(open), 1);
}

fn retained(open: &Opener) {
    open().store(1, &entry(1)).unwrap();
    open().retain(1).unwrap();
    for period in 1..40 {
        let byte = u8::try_from(period + 1).unwrap();
        open().store(period + 1, &entry(byte)).unwrap();
        for _ in 0..2 {
            open().retain(period + 1).unwrap();
            assert_eq!((counter(open), holds(open, period)), (period + 1, None));
            assert_eq!(holds(open, period + 1), Some(vec![byte; MAX_ENTRY]));
        }
        assert!((0..=period).all(|old| holds(open, old).is_none()), "after period {period}");
    }
}

fn given_up(open: &Opener) {
    open().store(1, &entry(1)).unwrap();
    open().retain(1).unwrap();
    open().store(2, &entry(2)).unwrap();
    open().retain(1).unwrap();
    assert_eq!((counter(open), holds(open, 2)), (1, None));
    assert_eq!(holds(open, 1), Some(vec![1; MAX_ENTRY]));
}

fn destroyed(open: &Opener) {
    open().destroy().unwrap();
    for first in [1, 2] {
        open().store(first, &entry(1)).unwrap();
        open().retain(first).unwrap();
        open().store(first + 1, &entry(2)).unwrap();
        open().destroy().unwrap();
        open().destroy().unwrap();
        new_is_empty(open);
    }
    stored(open);
}
