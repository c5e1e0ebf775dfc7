//! Policies as bytes: one policy, one encoding, and nothing that a group could not live under.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mls_roles::{Denied, GroupPolicy, Rank, Right, Rights, Role};
use proptest::{
    prelude::{Strategy, any, prop_assert_eq, proptest},
    sample,
};

fn role() -> impl Strategy<Value = Role> {
    sample::select(Role::ALL.to_vec())
}

fn policy() -> impl Strategy<Value = GroupPolicy> {
    let users = proptest::collection::vec((any::<[u8; 3]>(), role()), 0..12);
    let everybody = sample::select(Role::ALL[..4].to_vec());
    (users, everybody, 1..u32::MAX).prop_map(|(users, everybody, max_members)| {
        let mut policy = GroupPolicy::new(b"owner");
        policy.set_everybody(everybody);
        policy.max_members = max_members;
        users.iter().for_each(|(user, role)| policy.set_role(user, *role));
        policy
    })
}

proptest! {
    #[test]
    fn a_policy_comes_back_from_its_bytes(policy in policy()) {
        let bytes = policy.to_bytes().unwrap();
        prop_assert_eq!(GroupPolicy::from_bytes(&bytes), Ok(policy));
    }

    /// What decodes encodes to the same bytes; and nothing panics.
    #[test]
    fn there_is_one_encoding(policy in policy(), at in any::<sample::Index>(), to in any::<u8>()) {
        let mut bytes = policy.to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(changed) = GroupPolicy::from_bytes(&bytes) {
            prop_assert_eq!(changed.to_bytes(), Ok(bytes));
        }
    }
}

#[test]
fn what_cannot_be_lived_under_is_no_policy() {
    let with = |change: fn(&mut GroupPolicy)| {
        let mut policy = GroupPolicy::new(b"owner");
        change(&mut policy);
        policy.to_bytes().map(|_| ())
    };
    let broken: [fn(&mut GroupPolicy); 9] = [
        |policy| policy.set_role(b"owner", Role::Admin),
        |policy| policy.set_everybody(Role::Owner),
        |policy| policy.max_members = 0,
        // Who may send may commit.
        |policy| policy.table.set(Rank::Member(Role::Observer), Rights::of(&[Right::Send])),
        |policy| policy.table.set(Rank::Member(Role::Owner), Rights::all()),
        |policy| policy.table.set(Rank::Member(Role::Admin), Rights::of(&[Right::Govern])),
        |policy| policy.table.set(Rank::Member(Role::Owner), Rights::of(&[Right::Govern, Right::ChangeRoles])),
        |policy| policy.table.set(Rank::Outsider, Rights::of(&[Right::Remove])),
        |policy| policy.table.set(Rank::ExternalSender, Rights::of(&[Right::Commit])),
    ];
    for change in broken {
        assert_eq!(with(change), Err(Denied::Policy));
    }
    assert_eq!(with(|policy| policy.table.set(Rank::Outsider, Rights::of(&[Right::Join, Right::Rejoin]))), Ok(()));
}

#[test]
fn users_stand_in_order_and_once() {
    let mut policy = GroupPolicy::new(b"a");
    policy.set_role(b"b", Role::Owner);
    let bytes = policy.to_bytes().unwrap();
    let [first, second] = [b"\x01a\x05", b"\x01b\x05"].map(|user| bytes.windows(3).position(|at| at == user).unwrap());
    for (at, name) in [(first, b'b'), (second, b'a'), (first, b'c')] {
        let mut changed = bytes.clone();
        changed[at + 1] = name;
        assert_eq!(GroupPolicy::from_bytes(&changed), Err(Denied::Policy));
    }
    // Named for what everybody is.
    let mut changed = bytes.clone();
    changed[second + 2] = 2;
    assert_eq!(GroupPolicy::from_bytes(&changed), Err(Denied::Policy));
    // A bit that means nothing, and another version.
    let mut later = bytes.clone();
    later[0] = 2;
    let mut unknown = bytes;
    unknown[7] = 0x80;
    assert_eq!(
        [later, unknown].map(|bytes| GroupPolicy::from_bytes(&bytes)),
        [Err(Denied::Policy), Err(Denied::Policy)]
    );
}
