//! Records are what was put, under the name it was put, until it is deleted.

use mls_store::{Revision, Space, StateStore, Write};

use crate::{
    Check,
    tools::{apply, group, key, keys, read, secret},
};

pub(crate) const CHECKS: [(&str, Check); 7] = [
    ("an empty store holds nothing", is_empty),
    ("a record is read as it was put", reads_back),
    ("a second put replaces the first", replaces),
    ("parts of a key are not confused", keeps_keys_apart),
    ("spaces are not confused", keeps_spaces_apart),
    ("a scan is in order and of its class and epoch", scans_in_order),
    ("a deleted record is gone", deletes),
];

fn is_empty(store: &dyn StateStore) {
    assert!(store.spaces(None).unwrap().is_empty());
    assert_eq!(read(store, &Space::Client, &key(1, 0, b"")), None);
    assert!(keys(store, &group(b"g"), 1, None).is_empty());
}

fn reads_back(store: &dyn StateStore) {
    let long = vec![0xA5; 1 << 20];
    let values = [Vec::new(), vec![0], b"text".to_vec(), (0..=255).collect(), long];
    let secrets: Vec<_> = values.iter().map(|value| secret(value)).collect();
    let writes = secrets.iter().zip(0..).map(|(value, epoch)| Write::Put(key(255, epoch, &[0; 64]), value)).collect();
    apply(store, &group(b"g"), Revision::NONE, writes).unwrap();
    for (value, epoch) in values.iter().zip(0..) {
        assert_eq!(read(store, &group(b"g"), &key(255, epoch, &[0; 64])).as_ref(), Some(value));
    }
}

fn replaces(store: &dyn StateStore) {
    let (first, second) = (secret(b"first"), secret(b"2"));
    let name = key(1, 0, b"id");
    let revision = apply(store, &Space::Client, Revision::NONE, vec![Write::Put(name.clone(), &first)]).unwrap();
    apply(store, &Space::Client, revision, vec![Write::Put(name.clone(), &second)]).unwrap();
    assert_eq!(read(store, &Space::Client, &name).as_deref(), Some(&b"2"[..]));
    assert_eq!(keys(store, &Space::Client, 1, None).len(), 1);
}

fn keeps_keys_apart(store: &dyn StateStore) {
    let names = [
        key(1, 0, b""),
        key(1, 0, b"\0"),
        key(1, 0, b"a"),
        key(1, 0, b"ab"),
        key(1, 1, b"a"),
        key(1, u64::MAX, b"a"),
        key(2, 0, b"a"),
        key(1, 0, &[0xFF; 1_024]),
    ];
    let values: Vec<_> = (0..8).map(|n| secret(&[n])).collect();
    let writes = names.iter().zip(&values).map(|(name, value)| Write::Put(name.clone(), value)).collect();
    apply(store, &group(b"g"), Revision::NONE, writes).unwrap();
    for (name, n) in names.iter().zip(0..) {
        assert_eq!(read(store, &group(b"g"), name), Some(vec![n]));
    }
}

fn keeps_spaces_apart(store: &dyn StateStore) {
    // In the order of their ids.
    let spaces = [Space::Client, group(b""), group(&[0; 32]), group(&[0; 33]), group(b"g"), group(b"gg")];
    let name = key(1, 0, b"id");
    for (space, n) in spaces.iter().zip(0..) {
        let value = secret(&[n]);
        apply(store, space, Revision::NONE, vec![Write::Put(name.clone(), &value)]).unwrap();
    }
    for (space, n) in spaces.iter().zip(0..) {
        assert_eq!(read(store, space, &name), Some(vec![n]));
    }
    let listed: Vec<_> = store.spaces(None).unwrap().into_iter().map(|(space, _)| space).collect();
    assert_eq!(listed, spaces);
}

fn scans_in_order(store: &dyn StateStore) {
    let value = secret(b"value");
    let names = [key(2, 9, b"b"), key(2, 9, b"a"), key(2, 1, b"z"), key(1, 9, b"a"), key(3, 0, b"")];
    let writes = names.iter().map(|name| Write::Put(name.clone(), &value)).collect();
    apply(store, &group(b"g"), Revision::NONE, writes).unwrap();
    let all = [(1, b"z".to_vec()), (9, b"a".to_vec()), (9, b"b".to_vec())];
    assert_eq!(keys(store, &group(b"g"), 2, None), all);
    assert_eq!(keys(store, &group(b"g"), 2, Some(9)), all[1..]);
    assert!(keys(store, &group(b"g"), 2, Some(2)).is_empty());
    assert!(keys(store, &group(b"h"), 2, None).is_empty());
}

fn deletes(store: &dyn StateStore) {
    let value = secret(b"value");
    let space = group(b"g");
    let put = |class, epoch, id: &[u8]| Write::Put(key(class, epoch, id), &value);
    let writes = vec![put(1, 0, b"a"), put(1, 1, b"a"), put(1, 1, b"b"), put(2, 1, b"a"), put(1, 2, b"a")];
    let revision = apply(store, &space, Revision::NONE, writes).unwrap();
    let writes = vec![
        Write::Delete(key(1, 0, b"a")),
        Write::Delete(key(9, 9, b"never was")),
        Write::DeleteEpoch { class: 1, epoch: 1 },
        Write::DeleteEpoch { class: 7, epoch: 7 },
    ];
    let revision = apply(store, &space, revision, writes).unwrap();
    assert_eq!(keys(store, &space, 1, None), [(2, b"a".to_vec())]);
    assert_eq!(keys(store, &space, 2, None), [(1, b"a".to_vec())]);
    apply(store, &space, revision, vec![Write::Clear]).unwrap();
    assert!(keys(store, &space, 1, None).is_empty() && keys(store, &space, 2, None).is_empty());
}
