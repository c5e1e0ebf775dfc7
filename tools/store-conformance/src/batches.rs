//! A batch happens as a whole or not at all, on the state it was worked out from.

use mls_store::{Revision, Section, Space, StateStore, StoreError, Write};

use crate::{
    Check,
    tools::{apply, group, key, listed, read, secret},
};

pub(crate) const CHECKS: [(&str, Check); 7] = [
    ("writes happen in order", in_order),
    ("a batch of several spaces gives them one revision", one_revision),
    ("a batch on another revision changes nothing", refuses_conflicts),
    ("no section of a refused batch happens", all_or_nothing),
    ("revisions never come back", never_repeats),
    ("a deleted space is gone, with every record", deletes_spaces),
    ("an empty batch moves the revision", moves_without_writes),
];

fn in_order(store: &dyn StateStore) {
    let (first, second) = (secret(b"first"), secret(b"second"));
    let name = key(1, 0, b"id");
    let writes = vec![
        Write::Put(name.clone(), &first),
        Write::Clear,
        Write::Put(name.clone(), &first),
        Write::DeleteEpoch { class: 1, epoch: 0 },
        Write::Put(name.clone(), &second),
    ];
    let revision = apply(store, &group(b"g"), Revision::NONE, writes).unwrap();
    assert_eq!(read(store, &group(b"g"), &name).as_deref(), Some(&b"second"[..]));
    apply(store, &group(b"g"), revision, vec![Write::Put(name.clone(), &first), Write::Delete(name.clone())]).unwrap();
    assert_eq!(read(store, &group(b"g"), &name), None);
}

fn one_revision(store: &dyn StateStore) {
    let value = secret(b"value");
    let client = apply(store, &Space::Client, Revision::NONE, Vec::new()).unwrap();
    let section = |space, expected| Section { space, expected, writes: vec![Write::Put(key(1, 0, b"id"), &value)] };
    let batch =
        [section(group(b"b"), Revision::NONE), section(Space::Client, client), section(group(b"a"), Revision::NONE)];
    let revision = store.apply(&batch).unwrap();
    assert!(revision > client);
    assert_eq!(store.spaces(Some(&group(b"c"))).unwrap(), []);
    for space in [Space::Client, group(b"a"), group(b"b")] {
        assert_eq!(listed(store, &space), Some(revision));
        assert_eq!(store.spaces(Some(&space)).unwrap(), [(space.clone(), revision)]);
        assert!(read(store, &space, &key(1, 0, b"id")).is_some());
    }
}

fn refuses_conflicts(store: &dyn StateStore) {
    let (old, new) = (secret(b"old"), secret(b"new"));
    let (space, name) = (group(b"g"), key(1, 0, b"id"));
    let put = |value| vec![Write::Put(name.clone(), value)];
    let first = apply(store, &space, Revision::NONE, put(&old)).unwrap();
    let second = apply(store, &space, first, put(&old)).unwrap();
    for expected in [Revision::NONE, first, Revision::new(second.get() + 1)] {
        let conflict = StoreError::Conflict { expected: expected.get(), actual: second.get() };
        assert_eq!(apply(store, &space, expected, put(&new)), Err(conflict));
        assert_eq!(store.delete(&space, expected), Err(conflict));
        assert_eq!(read(store, &space, &name).as_deref(), Some(&b"old"[..]));
        assert_eq!(listed(store, &space), Some(second));
    }
    let missing = StoreError::Conflict { expected: first.get(), actual: 0 };
    assert_eq!(apply(store, &group(b"never was"), first, put(&new)), Err(missing));
    assert_eq!(listed(store, &group(b"never was")), None);
}

fn all_or_nothing(store: &dyn StateStore) {
    let value = secret(b"value");
    let client = apply(store, &Space::Client, Revision::NONE, Vec::new()).unwrap();
    let section = |space, expected| Section { space, expected, writes: vec![Write::Put(key(1, 0, b"id"), &value)] };
    let wrong = Revision::new(client.get() + 7);
    for batch in [
        [section(group(b"g"), Revision::NONE), section(Space::Client, wrong)],
        [section(Space::Client, client), section(group(b"g"), wrong)],
    ] {
        assert!(matches!(store.apply(&batch), Err(StoreError::Conflict { .. })));
        assert_eq!(store.spaces(None).unwrap(), [(Space::Client, client)]);
        assert_eq!(read(store, &Space::Client, &key(1, 0, b"id")), None);
        assert_eq!(read(store, &group(b"g"), &key(1, 0, b"id")), None);
    }
}

fn never_repeats(store: &dyn StateStore) {
    let mut seen = vec![Revision::NONE];
    for _ in 0..3 {
        let created = apply(store, &group(b"g"), Revision::NONE, Vec::new()).unwrap();
        let moved = apply(store, &group(b"g"), created, Vec::new()).unwrap();
        store.delete(&group(b"g"), moved).unwrap();
        seen.extend([created, moved]);
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
}

fn deletes_spaces(store: &dyn StateStore) {
    let value = secret(b"value");
    let put = || vec![Write::Put(key(1, 0, b"id"), &value)];
    let doomed = apply(store, &group(b"g"), Revision::NONE, put()).unwrap();
    apply(store, &group(b"other"), Revision::NONE, put()).unwrap();
    store.delete(&group(b"g"), doomed).unwrap();
    assert_eq!(listed(store, &group(b"g")), None);
    assert_eq!(read(store, &group(b"g"), &key(1, 0, b"id")), None);
    assert!(read(store, &group(b"other"), &key(1, 0, b"id")).is_some());
    // Begun again, it holds nothing of before.
    apply(store, &group(b"g"), Revision::NONE, Vec::new()).unwrap();
    assert_eq!(read(store, &group(b"g"), &key(1, 0, b"id")), None);
}

fn moves_without_writes(store: &dyn StateStore) {
    let first = apply(store, &Space::Client, Revision::NONE, Vec::new()).unwrap();
    let second = apply(store, &Space::Client, first, Vec::new()).unwrap();
    assert!(first > Revision::NONE && second > first);
    assert_eq!(store.spaces(None).unwrap(), [(Space::Client, second)]);
}
