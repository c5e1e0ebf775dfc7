//! What is kept, and what is refused.

use mls_discovery::{Bounds, DiscoveryError, GroupPublicInfo, Metadata, Trust};

use crate::{
    Check, Maker, OTHER, SERVICE,
    people::{crypto, key, metadata, public, record, trust, witnessed},
};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("what is published is there", published),
    ("what is not valid changes nothing", refused),
    ("contenders are kept, and end", forks),
    ("a tombstone ends a group, until it is published again", tombstones),
    ("no more is taken than there is room for", bounded),
    ("changes are told", told),
];

fn published(make: Maker<'_>) {
    let directory = make(trust(), Bounds::default());
    assert_eq!(directory.get(b"1").unwrap(), None);
    let first = record(b"1", &metadata("tea", 1));
    assert!(directory.publish(first.clone()).unwrap());
    assert!(!directory.publish(first.clone()).unwrap());
    assert_eq!(directory.get(b"1").unwrap(), Some(first.clone()));
    let second = record(b"1", &metadata("coffee", 2));
    assert!(directory.merge_remote(&second.to_bytes().unwrap()).unwrap());
    assert_eq!(directory.get(b"1").unwrap(), Some(second.clone()));
    assert!(!directory.publish(first).unwrap());
    assert_eq!(directory.contenders(b"1").unwrap(), [second]);
}

fn refused(make: Maker<'_>) {
    let directory = make(trust(), Bounds::default());
    directory.publish(record(b"1", &metadata("tea", 1))).unwrap();
    let before = directory.since(&Default::default(), 10).unwrap();
    let keys = (&key(1), &public(1)[..]);
    let stranger = GroupPublicInfo::from_metadata(&crypto(), b"1", &metadata("mine", 9), keys).unwrap();
    assert_eq!(directory.publish(stranger.clone()), Err(DiscoveryError::Untrusted));
    let liar = witnessed((b"1", &metadata("mine", 9)), 1, 99);
    assert_eq!(directory.publish(liar.clone()), Err(DiscoveryError::Untrusted));
    let mut bytes = record(b"1", &metadata("mine", 9)).to_bytes().unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    assert_eq!(directory.merge_remote(&bytes), Err(DiscoveryError::BadSignature));
    assert_eq!(directory.merge_remote(b"\x01nothing"), Err(DiscoveryError::Malformed));
    assert_eq!(directory.since(&Default::default(), 10).unwrap(), before);
    // Those that are not valid leave the others alone.
    let good = record(b"2", &metadata("coffee", 1));
    let merged = directory.merge(vec![stranger, good.clone(), liar]).unwrap();
    assert_eq!((merged.taken, merged.known, merged.refused.len()), (1, 0, 2));
    assert_eq!(directory.get(b"2").unwrap(), Some(good));
}

fn forks(make: Maker<'_>) {
    let directory = make(trust(), Bounds::default());
    let (one, other) = (record(b"1", &metadata("tea", 3)), record(b"1", &metadata("coffee", 3)));
    assert!(directory.publish(one.clone()).unwrap());
    assert!(directory.publish(other.clone()).unwrap());
    let kept = directory.contenders(b"1").unwrap();
    assert!(kept.len() == 2 && kept.contains(&one) && kept.contains(&other));
    assert_eq!(directory.get(b"1").unwrap().as_ref(), kept.first());
    let found = directory.query(&Default::default(), None, 10).unwrap();
    assert_eq!(found.records.len(), 1);
    directory.publish(record(b"1", &metadata("tea", 4))).unwrap();
    assert_eq!(directory.contenders(b"1").unwrap().len(), 1);
}

fn tombstones(make: Maker<'_>) {
    let directory = make(trust(), Bounds::default());
    directory.publish(record(b"1", &metadata("tea", 3))).unwrap();
    let end = GroupPublicInfo::tombstone(&crypto(), b"1", 3, &key(1)).unwrap();
    let end = end.witnessed(&crypto(), &key(SERVICE)).unwrap();
    assert!(directory.publish(end.clone()).unwrap());
    assert_eq!(directory.get(b"1").unwrap(), None);
    assert_eq!(directory.contenders(b"1").unwrap(), [end]);
    assert!(directory.query(&Default::default(), None, 10).unwrap().records.is_empty());
    assert!(!directory.publish(record(b"1", &metadata("tea", 3))).unwrap());
    let again = record(b"1", &metadata("tea", 4));
    assert!(directory.publish(again.clone()).unwrap());
    assert_eq!(directory.get(b"1").unwrap(), Some(again));
}

fn bounded(make: Maker<'_>) {
    let bounds = Bounds { groups: 4, ..Bounds::default() };
    let directory = make(trust(), bounds);
    for group in [b"1", b"2", b"3"] {
        assert!(directory.publish(witnessed((group, &metadata("tea", 1)), 1, OTHER)).unwrap());
    }
    let by_peer = witnessed((b"4", &metadata("tea", 1)), 1, OTHER);
    assert_eq!(directory.publish(by_peer), Err(DiscoveryError::Full(3)));
    assert_eq!(directory.get(b"4").unwrap(), None);
    assert!(directory.publish(record(b"4", &metadata("tea", 1))).unwrap());
    assert_eq!(directory.publish(record(b"5", &metadata("tea", 1))), Err(DiscoveryError::Full(4)));
    // Of those that are there, there is always more to be told.
    assert!(directory.publish(record(b"4", &metadata("tea", 2))).unwrap());
    let one_key = make(trust(), Bounds { groups_of_publisher: 1, ..Bounds::default() });
    assert!(one_key.publish(record(b"1", &metadata("tea", 1))).unwrap());
    assert_eq!(one_key.publish(record(b"2", &metadata("tea", 1))), Err(DiscoveryError::Full(1)));
    assert!(one_key.publish(record(b"1", &metadata("tea", 2))).unwrap());
    assert!(one_key.publish(witnessed((b"2", &metadata("tea", 1)), 2, SERVICE)).unwrap());
    let small = make(trust(), Bounds { bytes: 1_000, ..Bounds::default() });
    let long = Metadata { group_info: Some(vec![0; 1_000]), ..metadata("tea", 1) };
    assert_eq!(small.publish(record(b"1", &long)), Err(DiscoveryError::Full(1_000)));
    assert_eq!(small.get(b"1").unwrap(), None);
    assert!(make(Trust::nobody(), Bounds::default()).publish(record(b"1", &metadata("tea", 1))).is_err());
}

fn told(make: Maker<'_>) {
    use core::{
        pin::pin,
        task::{Context, Poll, Waker},
    };
    let directory = make(trust(), Bounds::default());
    directory.publish(record(b"1", &metadata("tea", 1))).unwrap();
    let mut watch = directory.watch();
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(watch.changed()).poll(&mut context).is_pending());
    directory.publish(record(b"1", &metadata("tea", 2))).unwrap();
    directory.publish(record(b"2", &metadata("tea", 1))).unwrap();
    let Poll::Ready(change) = pin!(watch.changed()).poll(&mut context) else { panic!("nothing was told") };
    let changes = directory.since(&Default::default(), 10).unwrap();
    assert_eq!(changes.upto.change, change);
    assert!(pin!(watch.changed()).poll(&mut context).is_pending());
    // What changes nothing is not told.
    directory.publish(record(b"2", &metadata("tea", 1))).unwrap();
    assert!(pin!(watch.changed()).poll(&mut context).is_pending());
}
