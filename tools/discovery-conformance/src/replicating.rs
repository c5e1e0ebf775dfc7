//! What one directory tells another.

use mls_discovery::{Bounds, Directory, GroupPublicInfo, Since};

use crate::{
    Check, Maker, SERVICE,
    people::{crypto, key, metadata, record, trust},
};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("changes come in order, page by page", changes),
    ("a cursor of another life begins anew", lives),
    ("two that tell each other everything are the same", converge),
];

/// Everything since, in pages of so many.
fn all(directory: &dyn Directory, mut since: Since, limit: usize) -> (Vec<GroupPublicInfo>, Since) {
    let mut records = Vec::new();
    loop {
        let page = directory.since(&since, limit).unwrap();
        records.extend(page.records);
        assert!(records.len() < 1_000, "pages do not end");
        since = page.upto;
        if page.more == 0 {
            return (records, since);
        }
    }
}

fn changes(make: Maker<'_>) {
    let directory = make(trust(), Bounds::default());
    for id in 0..10_u8 {
        directory.publish(record(&[id], &metadata("tea", 1))).unwrap();
    }
    for limit in [1, 3, 100] {
        let (records, upto) = all(directory.as_ref(), Since::default(), limit);
        let ids: Vec<u8> = records.iter().map(|record| record.group_id()[0]).collect();
        assert_eq!(ids, (0..10).collect::<Vec<u8>>());
        assert!(all(directory.as_ref(), upto, limit).0.is_empty());
    }
    let (_, upto) = all(directory.as_ref(), Since::default(), 100);
    let end = GroupPublicInfo::tombstone(&crypto(), &[3], 1, &key(1)).unwrap();
    directory.publish(end.witnessed(&crypto(), &key(SERVICE)).unwrap()).unwrap();
    // Both of a fork are one change, whatever the page.
    directory.publish(record(&[4], &metadata("coffee", 1))).unwrap();
    let (records, _) = all(directory.as_ref(), upto, 1);
    let ids: Vec<u8> = records.iter().map(|record| record.group_id()[0]).collect();
    assert_eq!(ids, [3, 4, 4]);
    assert!(records[0].is_tombstone());
    assert_eq!(all(directory.as_ref(), Since::default(), 100).0.len(), 11);
}

fn lives(make: Maker<'_>) {
    let (one, other) = (make(trust(), Bounds::default()), make(trust(), Bounds::default()));
    for id in 0..3_u8 {
        one.publish(record(&[id], &metadata("tea", 1))).unwrap();
    }
    other.publish(record(b"1", &metadata("tea", 1))).unwrap();
    let (_, upto) = all(one.as_ref(), Since::default(), 100);
    assert_eq!(all(other.as_ref(), upto, 100).0.len(), 1);
}

fn converge(make: Maker<'_>) {
    let (one, other) = (make(trust(), Bounds::default()), make(trust(), Bounds::default()));
    for id in 0..6_u8 {
        let here = if id % 2 == 0 { &one } else { &other };
        here.publish(record(&[id], &metadata("tea", 1))).unwrap();
    }
    // Each learns something else of the same group.
    one.publish(record(&[1], &metadata("left", 2))).unwrap();
    other.publish(record(&[1], &metadata("right", 2))).unwrap();
    let end = GroupPublicInfo::tombstone(&crypto(), &[0], 3, &key(1)).unwrap();
    other.publish(end.witnessed(&crypto(), &key(SERVICE)).unwrap()).unwrap();
    other.merge(all(one.as_ref(), Since::default(), 2).0).unwrap();
    one.merge(all(other.as_ref(), Since::default(), 2).0).unwrap();
    for id in 0..6_u8 {
        assert_eq!(one.contenders(&[id]).unwrap(), other.contenders(&[id]).unwrap(), "group {id}");
    }
    assert_eq!(one.contenders(&[1]).unwrap().len(), 2);
    assert_eq!(one.get(&[0]).unwrap(), None);
}
