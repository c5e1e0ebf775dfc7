//! Which spaces there are: asked before every operation, so read once, and again only what others changed.

use mls_store::{Revision, Section, SqliteStore, StateStore, StoreError, Table};

use crate::support::{Dir, group, key, open, put, revision};

fn listed(store: &SqliteStore) -> Vec<(mls_store::Space, Revision)> {
    store.spaces(None).unwrap()
}

/// Numbers that look random, and are the same every time.
fn numbers() -> impl Iterator<Item = u8> {
    std::iter::successors(Some(1_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)))
        .map(|n| n.to_be_bytes()[0])
}

/// Whatever another one does, both see the same.
#[test]
fn two_that_change_spaces_agree() {
    let dir = Dir::new();
    let stores = [open(&dir), open(&dir)];
    let mut numbers = numbers();
    for step in 0..120 {
        let (who, what) = (usize::from(numbers.next().unwrap() % 2), numbers.next().unwrap());
        let (store, space) = (&stores[who], group(&[what % 7]));
        match what % 5 {
            0 | 1 => put(store, &space, &key(1, 0, &[what]), b"value"),
            2 => store.delete(&space, revision(store, &space)).unwrap(),
            3 => store.shred().unwrap(),
            // Gone, and there again.
            _ => {
                store.delete(&space, revision(store, &space)).unwrap();
                put(store, &space, &key(1, 0, &[what]), b"value");
            }
        }
        // One of them looks at one space only, sometimes.
        let other = &stores[1 - who];
        let expected = listed(&open(&dir));
        for n in 0..7 {
            let one = other.spaces(Some(&group(&[n]))).unwrap();
            let found = expected.iter().filter(|(space, _)| *space == group(&[n])).cloned().collect::<Vec<_>>();
            assert_eq!(one, found, "step {step}");
        }
        if what % 3 == 0 {
            assert_eq!(listed(store), expected, "step {step}");
            assert_eq!(listed(other), expected, "step {step}");
        }
    }
}

/// Nothing but the row that says where the store is: all others are gone, and it is not noticed before they are needed.
#[test]
fn what_is_known_is_not_read_again() {
    let dir = Dir::new();
    let store = open(&dir);
    for n in 0..20 {
        put(&store, &group(&[n]), &key(1, 0, b"id"), b"value");
    }
    let (all, one) = (listed(&store), store.spaces(Some(&group(&[3]))).unwrap());
    let other = open(&dir);
    assert_eq!(other.spaces(Some(&group(&[3]))).unwrap(), one);
    let raw = rusqlite::Connection::open(dir.file("store.db")).unwrap();
    raw.execute_batch("DELETE FROM spaces; DELETE FROM records").unwrap();
    assert_eq!((listed(&store), store.spaces(Some(&group(&[3]))).unwrap()), (all, one.clone()));
    assert_eq!(other.spaces(Some(&group(&[3]))).unwrap(), one);
    let damaged = Err(StoreError::RowDamaged { table: Table::Spaces });
    assert_eq!((other.spaces(Some(&group(&[4]))), other.spaces(None)), (damaged.clone(), damaged));
}

/// A batch of ours tells where our space is, and nothing of the others.
#[test]
fn who_writes_without_looking_misses_nothing() {
    let dir = Dir::new();
    let (store, other) = (open(&dir), open(&dir));
    put(&store, &group(b"a"), &key(1, 0, b"id"), b"value");
    let expected = listed(&store)[0].1;
    put(&other, &group(b"b"), &key(1, 0, b"id"), b"value");
    store.apply(&[Section { space: group(b"a"), expected, writes: Vec::new() }]).unwrap();
    assert_eq!(listed(&store), listed(&open(&dir)));
    assert_eq!(listed(&store).len(), 2);
}
