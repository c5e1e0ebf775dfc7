//! What there is for each group and user, however many nodes are asked.

use mls_crypto::CipherSuite;
use mls_delivery::{
    Rejection, UserId,
    quota::{Rate, Shares},
    request::ClaimKeyPackages,
};

use crate::{Check, Group, World};

pub(crate) const CHECKS: [Check; 4] = [
    Check::new("a group has so many commits a minute", group_commits),
    Check::new("a user has so many commits a minute in all groups", user_commits),
    Check::new("a user makes so many groups a minute", user_groups),
    Check::new("a user claims, and is claimed, so often a minute", claims),
];

/// Two at once, and one every half minute.
const TWO: Option<Rate> = Some(Rate { count: 2, period_ms: 60_000, burst: 2 });

const REFUSED: Rejection = Rejection::RateLimited { retry_after_ms: 30_000 };

fn group_commits(world: &mut World<'_>) {
    world.counting(Shares { group_commits: TWO, ..Shares::default() });
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let group = world.group(&alice, "busy");
    world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
    world.commit(&bob, &group, 1);
    // Neither a retry nor what is refused counts.
    world.commit(&bob, &group, 1);
    let rival = world.submit(&alice, &group, 1, world.bundle(&group, 1, "late"));
    assert!(matches!(rival, Err(Rejection::EpochTaken { .. })), "{rival:?}");
    let third = || world.submit(&alice, &group, 2, world.bundle(&group, 2, "third"));
    assert_eq!(third(), Err(REFUSED));
    assert_eq!(third(), Err(REFUSED));
    let other = world.group(&alice, "another");
    world.commit(&alice, &other, 0);
    world.clock.advance(30);
    third().unwrap();
}

fn user_commits(world: &mut World<'_>) {
    if !world.one_database() {
        return;
    }
    world.counting(Shares { user_commits: TWO, ..Shares::default() });
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let groups: Vec<Group> = (0..3).map(|n| world.group(&alice, &format!("group {n}"))).collect();
    world.commit(&alice, &groups[0], 0);
    world.commit(&alice, &groups[1], 0);
    let third = world.submit(&alice, &groups[2], 0, world.bundle(&groups[2], 0, "third"));
    assert_eq!(third, Err(REFUSED));
    let own = world.group(&bob, "bob's");
    world.commit(&bob, &own, 0);
}

fn user_groups(world: &mut World<'_>) {
    if !world.one_database() {
        return;
    }
    world.counting(Shares { user_groups: TWO, ..Shares::default() });
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let first = world.group(&alice, "first");
    world.ask(&alice, world.create(&first)).unwrap();
    world.group(&alice, "second");
    let third = Group { id: mls_delivery::GroupId::new(b"third") };
    assert_eq!(world.ask(&alice, world.create(&third)), Err(REFUSED));
    world.ask(&bob, world.create(&third)).unwrap();
}

fn claims(world: &mut World<'_>) {
    world.counting(Shares { user_claims: TWO, claimed: TWO, ..Shares::default() });
    let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(|user| world.device(user));
    let claim = |by, user: &str| {
        let user = UserId::new(user.as_bytes());
        world.ask(by, ClaimKeyPackages { user, cipher_suite: CipherSuite::X25519_AES128 }).map(|_| ())
    };
    assert_eq!(claim(&alice, "nobody"), Err(Rejection::Forbidden));
    assert_eq!([claim(&alice, "bob"), claim(&alice, "bob")], [Ok(()), Ok(())]);
    assert_eq!(claim(&alice, "carol"), Err(REFUSED), "alice has claimed enough");
    assert_eq!(claim(&carol, "bob"), Err(REFUSED), "bob was claimed enough");
    // What was refused has counted for nobody.
    assert_eq!([claim(&carol, "dave"), claim(&carol, "dave")], [Ok(()), Ok(())]);
    assert_eq!(claim(&dave, "carol"), Ok(()));
    assert_eq!(claim(&bob, "carol"), Ok(()));
}
