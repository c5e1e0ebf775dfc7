//! Looking for groups.

use mls_discovery::{DiscoveryQuery, GroupName, GroupPublicInfo, Metadata, Records};

use crate::support::{crypto, key, public, trust, witnessed};

fn directory() -> Records {
    let mut directory = Records::new(crypto(), trust());
    for (id, name, members, created_at) in [
        (b"1", GroupName::public("Tea at five"), 3, 100),
        (b"2", GroupName::public("tea lovers"), 60, 200),
        (b"3", GroupName::public("Coffee"), 900, 300),
        (b"4", GroupName::Absent, 10, 400),
    ] {
        let metadata = Metadata { name, epoch: 1, members, created_at, ..Metadata::default() };
        let record = GroupPublicInfo::from_metadata(&crypto(), id, &metadata, (&key(1), &public(2))).unwrap();
        assert!(directory.insert(witnessed(record)).unwrap());
    }
    directory
}

/// INT-09, CAP-69
#[test]
fn groups_are_found_by_name_size_and_age() {
    let directory = directory();
    let find =
        |query: DiscoveryQuery| -> Vec<u8> { directory.find(&query).map(|record| record.group_id()[0]).collect() };
    let any = DiscoveryQuery::default;
    let named = |pattern: &str| DiscoveryQuery { name_pattern: Some(pattern.to_owned()), ..any() };
    assert_eq!(find(any()), b"1234");
    assert_eq!(find(named("TEA*")), b"12");
    assert_eq!(find(named("*five")), b"1");
    assert_eq!(find(named("tea")), b"");
    assert_eq!(find(DiscoveryQuery { min_members: Some(10), ..any() }), b"234");
    assert_eq!(find(DiscoveryQuery { max_members: Some(10), ..any() }), b"14");
    assert_eq!(find(DiscoveryQuery { min_members: Some(10), max_members: Some(50), ..any() }), b"24");
    assert_eq!(find(DiscoveryQuery { created_after: Some(300), ..any() }), b"34");
    assert_eq!(find(DiscoveryQuery { min_members: Some(4), ..named("tea*") }), b"2");
    assert_eq!(directory.all().count(), 4);
}
