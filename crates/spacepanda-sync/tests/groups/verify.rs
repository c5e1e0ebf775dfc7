//! Comparing keys.

use mls_crypto_aws_lc::AwsLc;
use spacepanda_sync::{Compared, DeviceTrust, SyncError, Wish};

use super::world::{Person, World, group_of, now};

/// SURF-C: two people see one number; what was compared is no longer all there is when a further device comes.
#[test]
fn two_people_compare_their_keys() {
    let world = World::new();
    let people = group_of(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    let number = |one: &Person, other: &[u8]| one.account.safety_number_with(&AwsLc::default(), other).unwrap();
    let (hers, his) = (number(alice, b"bob"), number(bob, b"alice"));
    assert_eq!(hers.digits(), his.digits());
    assert_eq!(hers.compare(&his.qr()), Ok(()));

    let compared = || DeviceTrust::open(alice.store.clone()).unwrap().compared_in(&alice.group(), b"bob");
    assert_eq!(compared(), Compared::Unverified);
    let trust = DeviceTrust::open(alice.store.clone()).unwrap();
    alice.account.shared_keys(b"bob").unwrap().verify(&trust, b"bob").unwrap();
    assert_eq!(compared(), Compared::Verified);

    let laptop = world.stranger("bob");
    let voucher = bob.account.vouch(laptop.account.device()).unwrap();
    now(laptop.account.enrol(b"", Some(voucher))).unwrap();
    bob.wish(Wish::Add(b"bob".to_vec()));
    bob.sync();
    alice.sync();
    assert_eq!(compared(), Compared::Changed);
    assert_ne!(number(alice, b"bob").digits(), hers.digits());
    assert_eq!(alice.account.shared_keys(b"nobody").err(), Some(SyncError::NoSuchMember));
}
