//! Looking for groups (CAP-69).

use std::sync::Arc;

use mls_discovery::{Bounds, Directory, DiscoveryQuery, GroupName, Metadata};

use crate::{
    Check, Maker,
    people::{metadata, record, trust},
};

pub(crate) const CHECKS: &[(&str, Check)] =
    &[("groups are found by name, size and age", found), ("pages join without gap or overlap", paged)];

const fn any() -> DiscoveryQuery {
    DiscoveryQuery { name_pattern: None, min_members: None, max_members: None, created_after: None }
}

fn filled(make: Maker<'_>) -> Arc<dyn Directory> {
    let directory = make(trust(), Bounds::default());
    for (id, name, members, created_at) in [
        (b"1", GroupName::public("Tea at five"), 3, 100),
        (b"2", GroupName::public("tea lovers"), 60, 200),
        (b"3", GroupName::public("Coffee"), 900, 300),
        (b"4", GroupName::Absent, 10, u64::MAX),
    ] {
        directory
            .publish(record(id, &Metadata { name, epoch: 1, members, created_at, ..Metadata::default() }))
            .unwrap();
    }
    directory
}

fn ids(directory: &dyn Directory, query: &DiscoveryQuery, limit: usize) -> Vec<u8> {
    let (mut ids, mut from) = (Vec::new(), None);
    loop {
        let page = directory.query(query, from.as_ref(), limit).unwrap();
        assert!(page.records.len() <= limit);
        ids.extend(page.records.iter().map(|record| record.group_id()[0]));
        assert!(ids.len() < 100, "pages do not end");
        from = page.next;
        if from.is_none() {
            return ids;
        }
    }
}

fn found(make: Maker<'_>) {
    let directory = filled(make);
    let named = |pattern: &str| DiscoveryQuery { name_pattern: Some(pattern.to_owned()), ..any() };
    for (query, expected) in [
        (any(), &b"1234"[..]),
        (named("TEA*"), b"12"),
        (named("tea at five"), b"1"),
        (named("tea"), b""),
        (named("*five"), b"1"),
        (named("*e*"), b"312"),
        (named("*"), b"312"),
        (DiscoveryQuery { min_members: Some(10), ..any() }, b"423"),
        (DiscoveryQuery { max_members: Some(10), ..any() }, b"14"),
        (DiscoveryQuery { min_members: Some(10), max_members: Some(50), ..any() }, b"42"),
        (DiscoveryQuery { max_members: Some(u32::MAX), ..any() }, b"1423"),
        (DiscoveryQuery { created_after: Some(300), ..any() }, b"34"),
        (DiscoveryQuery { created_after: Some(u64::MAX), ..any() }, b"4"),
        (DiscoveryQuery { min_members: Some(4), ..named("tea*") }, b"2"),
        (DiscoveryQuery { created_after: Some(150), ..named("*e*") }, b"23"),
    ] {
        assert_eq!(ids(directory.as_ref(), &query, 10), expected, "{query:?}");
        assert_eq!(ids(directory.as_ref(), &query, 1), expected, "{query:?}, one by one");
    }
}

fn paged(make: Maker<'_>) {
    let directory = make(trust(), Bounds::default());
    for id in 0..20_u8 {
        // One key for many, so that the id tells them apart.
        directory.publish(record(&[id], &metadata("tea", 1))).unwrap();
    }
    for query in [
        any(),
        DiscoveryQuery { name_pattern: Some("t*".to_owned()), ..any() },
        DiscoveryQuery { min_members: Some(1), ..any() },
        DiscoveryQuery { created_after: Some(1), ..any() },
    ] {
        for limit in [1, 3, 7, 20, 1_000] {
            assert_eq!(ids(directory.as_ref(), &query, limit), (0..20).collect::<Vec<u8>>(), "{query:?} {limit}");
        }
    }
}
