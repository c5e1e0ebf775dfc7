//! What a record says, why it is believed, and what is refused.

use mls_crypto::{CryptoError, Secret};
use mls_crypto_aws_lc::OsRandom;
use mls_discovery::{
    Bounds, DiscoveryError, GroupName, GroupPublicInfo, MAX_FORKS, MAX_LINKS, MAX_RECORD, Metadata, Records, Trust,
    seal_name,
};

use crate::support::{GROUP, SERVICE, crypto, key, metadata, public, record, trust, witnessed};

/// INT-08, CAP-68
#[test]
fn a_published_record_comes_back_and_cannot_be_changed() {
    let record = witnessed(record(5, 9));
    assert_eq!((record.epoch(), record.members(), record.created_at()), (5, 5, 1_700_000_000));
    assert_eq!(record.name().readable(), Some("Tea at five"));
    record.verify(&crypto(), &trust()).unwrap();
    assert_eq!(GroupPublicInfo::from_json(&record.to_json().unwrap()).unwrap(), record);
    let bytes = record.to_bytes().unwrap();
    assert_eq!(GroupPublicInfo::from_bytes(&bytes).unwrap(), record);
    // The word of a service has to be good, even where the founder's is enough.
    for bytes in [&bytes, &witnessed(self::record(5, 1)).to_bytes().unwrap()] {
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let verdict = GroupPublicInfo::from_bytes(&changed).and_then(|record| record.verify(&crypto(), &trust()));
            assert!(verdict.is_err(), "byte {at}");
        }
    }
    for len in 0..bytes.len() {
        assert!(GroupPublicInfo::from_bytes(&bytes[..len]).is_err(), "length {len}");
    }
}

#[test]
fn text_that_says_something_else_is_refused() {
    let text = record(5, 9).to_json().unwrap();
    for (from, to, field) in [
        ("\"epoch\":5", "\"epoch\":6", "epoch"),
        ("\"members\":5", "\"members\":10", "members"),
        ("1700000000", "1700000001", "time"),
        ("Tea at five", "Tea at six", "name"),
        ("\"removed\":false", "\"removed\":true", "removal"),
    ] {
        assert!(text.contains(from));
        assert_eq!(GroupPublicInfo::from_json(&text.replace(from, to)), Err(DiscoveryError::Mismatch(field)));
    }
    assert_eq!(GroupPublicInfo::from_json(&text.replace("{", "{\"more\":1,")), Err(DiscoveryError::Malformed));
    assert_eq!(GroupPublicInfo::from_json("[]"), Err(DiscoveryError::Malformed));
    let long = " ".repeat(2 * MAX_RECORD + 1);
    assert!(matches!(GroupPublicInfo::from_json(&long), Err(DiscoveryError::TooLarge { .. })));
}

#[test]
fn later_versions_and_long_records_are_refused() {
    let mut bytes = record(5, 9).to_bytes().unwrap();
    bytes[0] = 2;
    assert_eq!(GroupPublicInfo::from_bytes(&bytes), Err(DiscoveryError::UnsupportedVersion(2)));
    assert!(matches!(GroupPublicInfo::from_bytes(&vec![1; MAX_RECORD + 1]), Err(DiscoveryError::TooLarge { .. })));
    let metadata = Metadata { group_info: Some(vec![0; MAX_RECORD]), ..metadata(1) };
    let refused = GroupPublicInfo::from_metadata(&crypto(), GROUP, &metadata, (&key(1), &public(2)));
    assert!(matches!(refused, Err(DiscoveryError::TooLarge { .. })));
}

#[test]
fn nobody_is_believed_who_was_not_named() {
    let nobody = Trust::nobody();
    for record in [record(1, 1), witnessed(record(1, 9))] {
        record.verify(&crypto(), &trust()).unwrap();
        assert_eq!(record.verify(&crypto(), &nobody), Err(DiscoveryError::Untrusted));
    }
    assert_eq!(record(1, 9).verify(&crypto(), &trust()), Err(DiscoveryError::Untrusted));
    // The founder of one group is nobody in another.
    let elsewhere = Trust::nobody().in_publisher(b"another group", &public(1));
    assert_eq!(record(1, 1).verify(&crypto(), &elsewhere), Err(DiscoveryError::Untrusted));
    // A witness of somebody who is not trusted.
    let record = record(1, 9).witnessed(&crypto(), &key(SERVICE - 1)).unwrap();
    assert_eq!(record.verify(&crypto(), &trust()), Err(DiscoveryError::Untrusted));
}

#[test]
fn publishers_hand_over_to_each_other() {
    let mut last = record(1, 1);
    for number in 2..40 {
        last = record(u64::from(number) * 10, number).after(&crypto(), &last).unwrap();
        last.verify(&crypto(), &trust()).unwrap();
    }
    let refused = |record: GroupPublicInfo| record.after(&crypto(), &last).unwrap_err();
    // Not the one who was named; not a later epoch.
    assert_eq!(refused(record(1_000, 50)), DiscoveryError::BrokenChain);
    assert_eq!(refused(record(390, 40)), DiscoveryError::BrokenChain);
    // With a witness the chain begins anew.
    let short = witnessed(last.clone());
    assert!(short.to_bytes().unwrap().len() < last.to_bytes().unwrap().len() / 10);
}

/// A record of one publisher who names itself.
fn mine(epoch: u64) -> GroupPublicInfo {
    GroupPublicInfo::from_metadata(&crypto(), GROUP, &metadata(epoch), (&key(1), &public(1))).unwrap()
}

/// A chain of such records.
fn chain(epochs: std::ops::RangeInclusive<u64>) -> GroupPublicInfo {
    let mut records = epochs.map(mine);
    let first = records.next().unwrap();
    records.fold(first, |last, next| next.after(&crypto(), &last).unwrap())
}

/// The links of a record, as encoded: all that is behind the record without its proof.
fn links(of: &GroupPublicInfo, bare: &GroupPublicInfo) -> Vec<u8> {
    let (whole, bare) = (of.to_bytes().unwrap(), bare.to_bytes().unwrap());
    // No witness, and a length of two bytes, as there are more than 63.
    whole[bare.len() + 1..].to_vec()
}

/// A record with these links, as somebody would send it who cares for no rule.
fn forged(bare: &GroupPublicInfo, links: &[u8]) -> GroupPublicInfo {
    let mut bytes = bare.to_bytes().unwrap();
    // No links.
    assert_eq!(bytes.pop(), Some(0));
    bytes.extend((0x4000 | u16::try_from(links.len()).unwrap()).to_be_bytes());
    bytes.extend(links);
    GroupPublicInfo::from_bytes(&bytes).unwrap()
}

#[test]
fn a_chain_has_an_end() {
    let most = u64::try_from(MAX_LINKS).unwrap();
    let last = chain(1..=most + 1);
    last.verify(&crypto(), &trust()).unwrap();
    assert_eq!(mine(most + 2).after(&crypto(), &last), Err(DiscoveryError::BrokenChain));
    // One more, each of them right.
    let (early, late) = (links(&last, &mine(most + 1)), links(&chain(2..=most + 2), &mine(most + 2)));
    let one = early.len() / MAX_LINKS;
    let record = forged(&mine(most + 2), &[&early[..one], &late].concat());
    assert_eq!(record.verify(&crypto(), &trust()), Err(DiscoveryError::BrokenChain));
    forged(&mine(most + 2), &late).verify(&crypto(), &trust()).unwrap();
}

/// Links that lead to somebody else, or back: each is signed.
#[test]
fn broken_chains_are_found() {
    let first = record(1, 1);
    let second = record(2, 2).after(&crypto(), &first).unwrap();
    second.verify(&crypto(), &trust()).unwrap();
    let to_second = links(&second, &record(2, 2));
    let broken = Err(DiscoveryError::BrokenChain);
    assert_eq!(forged(&record(3, 3), &to_second).verify(&crypto(), &trust()), broken);
    assert_eq!(forged(&record(1, 2), &to_second).verify(&crypto(), &trust()), broken);
    assert_eq!(record(2, 7).after(&crypto(), &first).err(), broken.err());
    // Of another group, where the same publisher is trusted.
    let trust = trust().in_publisher(b"another", &public(1));
    let other = GroupPublicInfo::from_metadata(&crypto(), b"another", &metadata(2), (&key(2), &public(3))).unwrap();
    assert_eq!(forged(&other, &to_second).verify(&crypto(), &trust), Err(DiscoveryError::BadSignature));
    assert_eq!(other.after(&crypto(), &first), Err(DiscoveryError::BrokenChain));
}

/// components: who was removed holds the key of its last epoch, and signs the highest number there is.
#[test]
fn no_chain_outruns_a_witness() {
    let mut directory = Records::new(crypto(), trust());
    let first = witnessed(record(10, 1));
    directory.insert(first.clone()).unwrap();
    let run_away = record(u64::MAX, 2).after(&crypto(), &first).unwrap();
    assert!(directory.insert(run_away.clone()).unwrap());
    let honest = witnessed(record(11, 30));
    assert!(honest.is_newer_than(&run_away, &crypto(), &trust()).unwrap());
    assert!(directory.insert(honest.clone()).unwrap());
    assert_eq!(directory.get(GROUP), Some(&honest));
    assert!(!directory.insert(run_away).unwrap());
    assert_eq!(directory.get(GROUP), Some(&honest));
}

#[test]
fn two_records_of_one_epoch_are_shown() {
    let mut directory = Records::new(crypto(), trust());
    let one = witnessed(record(3, 1));
    let metadata = Metadata { members: 100, ..metadata(3) };
    let other = GroupPublicInfo::from_metadata(&crypto(), GROUP, &metadata, (&key(1), &public(2))).unwrap();
    directory.insert(one.clone()).unwrap();
    assert!(directory.forks(GROUP).is_empty());
    directory.insert(witnessed(other)).unwrap();
    assert_eq!(directory.forks(GROUP).len(), 2);
    // And over with the next one.
    directory.insert(witnessed(record(4, 1))).unwrap();
    assert!(directory.forks(GROUP).is_empty());
}

#[test]
fn a_tombstone_ends_it() {
    let mut directory = Records::new(crypto(), trust());
    directory.insert(witnessed(record(3, 1))).unwrap();
    let end = GroupPublicInfo::tombstone(&crypto(), GROUP, 4, &key(1)).unwrap();
    assert!(directory.insert(end.clone()).unwrap());
    assert_eq!(directory.get(GROUP), None);
    for late in [witnessed(record(4, 1)), record(9, 2).after(&crypto(), &record(3, 1)).unwrap()] {
        assert!(!directory.insert(late).unwrap());
    }
    assert_eq!(directory.all().count(), 0);
    // Others learn of it.
    let mut other = Records::new(crypto(), trust());
    other.insert(witnessed(record(3, 1))).unwrap();
    assert_eq!(other.merge(directory.records().cloned().collect::<Vec<_>>()).taken, 1);
    assert_eq!(other.get(GROUP), None);
    // Published again in a later epoch.
    let again = witnessed(record(5, 1));
    assert!(other.insert(again.clone()).unwrap());
    assert!(!other.insert(end).unwrap());
    assert_eq!(other.get(GROUP), Some(&again));
}

/// components: who was removed holds the key of its last epoch, and says that the group is over.
#[test]
fn no_chain_ends_a_group_for_good() {
    let mut directory = Records::new(crypto(), trust());
    let first = witnessed(record(10, 1));
    let end =
        GroupPublicInfo::tombstone(&crypto(), GROUP, u64::MAX, &key(2)).unwrap().after(&crypto(), &first).unwrap();
    directory.insert(end).unwrap();
    assert_eq!(directory.get(GROUP), None);
    let honest = witnessed(record(11, 30));
    assert!(directory.insert(honest.clone()).unwrap());
    assert_eq!(directory.get(GROUP), Some(&honest));
}

/// A peer that is trusted for what it sees overrules nothing that our own service has seen.
#[test]
fn peers_do_not_overrule_the_own_service() {
    let trust = Trust::nobody().in_service(&public(SERVICE)).in_peer(&public(SERVICE - 1)).in_peer(&public(SERVICE));
    let by_peer = |record: GroupPublicInfo| record.witnessed(&crypto(), &key(SERVICE - 1)).unwrap();
    let mut directory = Records::new(crypto(), trust);
    let elsewhere = by_peer(record(7, 1));
    assert!(directory.insert(elsewhere.clone()).unwrap());
    assert_eq!(directory.get(GROUP), Some(&elsewhere));
    let own = witnessed(record(3, 1));
    assert!(directory.insert(own.clone()).unwrap());
    let end = by_peer(GroupPublicInfo::tombstone(&crypto(), GROUP, u64::MAX, &key(1)).unwrap());
    for lie in [by_peer(record(u64::MAX, 1)), end] {
        assert!(!directory.insert(lie).unwrap());
    }
    assert_eq!(directory.get(GROUP), Some(&own));
}

/// Three quarters of a directory are for what peers vouch for, and not more; nor is one key's share larger than it is.
#[test]
fn peers_leave_room() {
    let bounds = Bounds { groups: 4, groups_of_publisher: 3, ..Bounds::default() };
    let peered = Trust::nobody().in_service(&public(SERVICE)).in_peer(&public(SERVICE - 1));
    let mut directory = Records::new(crypto(), peered).bounds(bounds);
    let made = |group: &[u8], by: u8, service: u8| {
        let keys = (&key(by), &public(by)[..]);
        let record = GroupPublicInfo::from_metadata(&crypto(), group, &metadata(1), keys).unwrap();
        record.witnessed(&crypto(), &key(service)).unwrap()
    };
    for group in [b"1", b"2", b"3"] {
        assert!(directory.insert(made(group, 1, SERVICE - 1)).unwrap());
    }
    let before = directory.clone();
    assert_eq!(directory.insert(made(b"4", 2, SERVICE - 1)), Err(DiscoveryError::Full(3)));
    assert_eq!(directory.insert(made(b"4", 1, SERVICE)), Err(DiscoveryError::Full(3)));
    assert_eq!(directory, before);
    assert!(directory.insert(made(b"4", 2, SERVICE)).unwrap());
    assert_eq!(directory.insert(made(b"5", 3, SERVICE)), Err(DiscoveryError::Full(4)));
    let small = Bounds { bytes: 100, ..Bounds::default() };
    let refused = Records::new(crypto(), trust()).bounds(small).insert(made(b"1", 1, SERVICE));
    assert_eq!(refused, Err(DiscoveryError::Full(100)));
}

#[test]
fn a_directory_has_room_for_so_many() {
    let mut directory = Records::new(crypto(), trust()).bounds(Bounds { groups: 1, ..Bounds::default() });
    directory.insert(witnessed(record(1, 1))).unwrap();
    directory.insert(witnessed(record(2, 1))).unwrap();
    let other = GroupPublicInfo::from_metadata(&crypto(), b"another", &metadata(1), (&key(1), &public(2))).unwrap();
    assert_eq!(directory.insert(witnessed(other)), Err(DiscoveryError::Full(1)));
}

/// CAP-04: for members only.
#[test]
fn names_may_be_sealed() {
    let (secret, other) = (Secret::copy_from(&[5; 32]), Secret::copy_from(&[6; 32]));
    let name = seal_name(&crypto(), &OsRandom, (GROUP, &secret), "Tea at five").unwrap();
    assert_eq!(name.readable(), None);
    assert_eq!(name.open(&crypto(), (GROUP, &secret)).unwrap().as_deref(), Some("Tea at five"));
    assert!(name.open(&crypto(), (GROUP, &other)).is_err());
    assert!(name.open(&crypto(), (b"another", &secret)).is_err());
    // Its length is not told.
    let len = |name: &str| {
        let GroupName::Sealed(sealed) = seal_name(&crypto(), &OsRandom, (GROUP, &secret), name).unwrap() else {
            return 0;
        };
        sealed.as_slice().len()
    };
    assert_eq!(len(""), len("Tea at five"));
    assert!(matches!(
        seal_name(&crypto(), &OsRandom, (GROUP, &secret), &"x".repeat(1_025)),
        Err(DiscoveryError::TooLarge { .. })
    ));
    let metadata = Metadata { name, ..metadata(1) };
    let record = GroupPublicInfo::from_metadata(&crypto(), GROUP, &metadata, (&key(1), &public(2))).unwrap();
    let text = record.to_json().unwrap();
    assert!(text.contains("\"name\":null"));
    let back = GroupPublicInfo::from_json(&text).unwrap();
    assert_eq!(back.name().open(&crypto(), (GROUP, &secret)).unwrap().as_deref(), Some("Tea at five"));
}

/// CAP-68: a signer that is elsewhere, and what it cannot do.
#[test]
fn keys_may_be_elsewhere() {
    let publishers = (&public(1)[..], &public(2)[..]);
    let remote = |message: &[u8]| crypto().sign(&key(1), message);
    let record = GroupPublicInfo::from_metadata_with(&crypto(), GROUP, &metadata(1), publishers, remote).unwrap();
    record.verify(&crypto(), &trust()).unwrap();
    let wrong = |message: &[u8]| crypto().sign(&key(2), message);
    let record = GroupPublicInfo::from_metadata_with(&crypto(), GROUP, &metadata(1), publishers, wrong).unwrap();
    assert_eq!(record.verify(&crypto(), &trust()), Err(DiscoveryError::BadSignature));
    let broken = |_: &[u8]| Err(CryptoError::Random);
    let refused = GroupPublicInfo::from_metadata_with(&crypto(), GROUP, &metadata(1), publishers, broken);
    assert_eq!(refused, Err(DiscoveryError::Crypto(CryptoError::Random)));
}

#[test]
fn so_many_forks_are_kept() {
    let mut directory = Records::new(crypto(), trust());
    for created_at in 0..6 {
        let metadata = Metadata { created_at, ..metadata(3) };
        let record = GroupPublicInfo::from_metadata(&crypto(), GROUP, &metadata, (&key(1), &public(2))).unwrap();
        directory.insert(record).unwrap();
    }
    assert_eq!(directory.forks(GROUP).len(), MAX_FORKS);
}

/// Only rounded sizes: another number would tell who follows the group closely that somebody came or went.
#[test]
fn sizes_are_rounded() {
    let bytes = record(3, 1).to_bytes().unwrap();
    let at = bytes.windows(4).position(|window| window == [0, 0, 0, 5]).unwrap();
    let mut changed = bytes;
    changed[at + 3] = 6;
    assert_eq!(GroupPublicInfo::from_bytes(&changed), Err(DiscoveryError::Malformed));
}
