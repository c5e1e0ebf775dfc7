//! What is asked of the table directly: by a façade about messages, and about what the engine refuses before.
#![allow(clippy::unwrap_used, reason = "tests")]

use mls_engine::error::Refusal;
use mls_roles::{Act, Actor, Denied, GroupPolicy, Rank, Right, Rights, Role, judge};

/// A user of every role, named by its number.
fn policy() -> GroupPolicy {
    let mut policy = GroupPolicy::new(b"owner");
    Role::ALL.iter().zip(0_u8..).for_each(|(role, user)| policy.set_role(&[user], *role));
    policy
}

#[test]
fn observers_read_and_do_not_send() {
    for user in 0..5_u8 {
        let expected = if user == 0 { Err(Denied::Right(Right::Send)) } else { Ok(()) };
        assert_eq!(judge(&policy(), Actor::Member { user: &[user] }, &Act::Send), expected);
    }
    let mut silent = policy();
    silent.table.set(Rank::Member(Role::Member), Rights::of(&[Right::Commit]));
    assert_eq!(judge(&silent, Actor::Member { user: &[1] }, &Act::Send), Err(Denied::Right(Right::Send)));
}

#[test]
fn who_is_no_member_has_no_leaf_to_renew() {
    let outsiders = [Actor::Outsider { user: b"somebody" }, Actor::ExternalSender];
    for actor in outsiders {
        assert!(judge(&policy(), actor, &Act::Update).is_err());
        assert!(judge(&policy(), actor, &Act::Send).is_err());
    }
    assert_eq!(judge(&policy(), Actor::Member { user: &[0] }, &Act::Update), Ok(()));
}

/// Numbers of refusals are told apart, and do not move.
#[test]
fn refusals_have_numbers() {
    let mut seen = std::collections::BTreeSet::new();
    let rights = Right::ALL.iter().flat_map(|right| [Denied::Right(*right), Denied::Rank(*right)]);
    let others =
        [Denied::LastOwner, Denied::Full, Denied::Policy, Denied::PolicyDropped, Denied::NoUser, Denied::Unknown];
    for denied in rights.chain(others) {
        assert!(seen.insert(denied.reason()), "{denied:?}");
        assert_eq!(Refusal::from(denied), Refusal(denied.reason()));
        assert!((0x0200..0x0300).contains(&denied.reason()));
        assert_eq!(Denied::of_reason(denied.reason()).map(Denied::reason), Some(denied.reason()));
    }
    assert_eq!([Denied::LastOwner.reason(), Denied::Right(Right::Send).reason()], [0x0201, 0x0240]);
    assert_eq!(Denied::Rank(Right::Govern).reason(), 0x028C);
    assert_eq!((Denied::Unknown.right(), Denied::Rank(Right::Add).right()), (None, Some(Right::Add)));
}
