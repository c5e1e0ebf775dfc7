//! Merging is commutative, associative and idempotent, and every order of deliveries comes to the same.

use std::sync::OnceLock;

use mls_discovery::{GroupPublicInfo, Metadata, Records};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::support::{GROUP, crypto, key, metadata, public, record, trust, witnessed};

/// Records of two groups: chains, forks, runaways, other proofs of one content, and ends; a few that do not count.
fn records() -> &'static Vec<GroupPublicInfo> {
    static RECORDS: OnceLock<Vec<GroupPublicInfo>> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let mut all = Vec::new();
        for epoch in 1..6 {
            let by_founder = record(epoch, 1);
            all.push(by_founder.clone());
            all.push(witnessed(by_founder.clone()));
            all.push(record(epoch + 3, 2).after(&crypto(), &by_founder).unwrap());
            all.push(record(u64::MAX - epoch, 2).after(&crypto(), &witnessed(by_founder)).unwrap());
            for members in [10, 20, 50, 100, 200] {
                let metadata = Metadata { members, ..metadata(epoch) };
                for group in [GROUP, b"another"] {
                    let keys = (&key(1), &public(2)[..]);
                    let fork = GroupPublicInfo::from_metadata(&crypto(), group, &metadata, keys).unwrap();
                    all.push(witnessed(fork.clone()));
                    all.push(fork);
                }
            }
        }
        all.push(GroupPublicInfo::tombstone(&crypto(), b"another", 3, &key(1)).unwrap());
        all.push(witnessed(GroupPublicInfo::tombstone(&crypto(), b"another", 2, &key(1)).unwrap()));
        all
    })
}

fn some() -> impl Strategy<Value = Vec<GroupPublicInfo>> {
    vec(any::<Index>(), 0..24).prop_map(|picks| picks.iter().map(|pick| pick.get(records()).clone()).collect())
}

fn directory(records: &[GroupPublicInfo]) -> Records {
    let mut directory = Records::new(crypto(), trust());
    directory.merge(records.iter().cloned());
    directory
}

fn joined(one: &Records, other: &Records) -> Records {
    let mut joined = one.clone();
    joined.merge(other.records().cloned().collect::<Vec<_>>());
    joined
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// CAP-68
    #[test]
    fn merging_is_a_join(a in some(), b in some(), c in some()) {
        let (a, b, c) = (directory(&a), directory(&b), directory(&c));
        prop_assert_eq!(joined(&a, &b), joined(&b, &a));
        prop_assert_eq!(joined(&joined(&a, &b), &c), joined(&a, &joined(&b, &c)));
        prop_assert_eq!(joined(&a, &a), a);
    }

    #[test]
    fn every_order_comes_to_the_same((records, shuffled) in some().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))) {
        prop_assert_eq!(directory(&records), directory(&shuffled));
    }

    /// What was merged once changes nothing when it comes again, and what counts never counts for less.
    #[test]
    fn the_directory_only_grows(a in some(), b in some()) {
        let (before, after) = (directory(&a), joined(&directory(&a), &directory(&b)));
        let mut again = after.clone();
        prop_assert_eq!(again.merge(before.records().cloned().collect::<Vec<_>>()).taken, 0);
        prop_assert_eq!(again, after);
    }
}
