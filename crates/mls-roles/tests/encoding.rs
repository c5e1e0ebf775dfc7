//! Policies as bytes: one policy, one encoding, and nothing that a group could not live under.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use mls_engine::framing::Padding;
use mls_roles::{Denied, GroupParameters, GroupPolicy, Rank, Right, Rights, Role};
use proptest::{
    prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest},
    sample,
};

fn role() -> impl Strategy<Value = Role> {
    sample::select(Role::ALL.to_vec())
}

fn parameters() -> impl Strategy<Value = Option<GroupParameters>> {
    let padding = prop_oneof![Just(Padding::None), Just(Padding::Bucketed), (2..=u16::MAX).prop_map(Padding::Step)];
    let counts = (0..=64_u16, 0..=10_000_u32, 1..=100_000_u32);
    proptest::option::of((counts, any::<u64>(), 60..=u64::MAX, padding).prop_map(|(counts, age, interval, padding)| {
        GroupParameters {
            max_past_epochs: counts.0,
            max_past_epoch_age: age,
            out_of_order_window: counts.1,
            max_forward_distance: counts.2,
            rotation_interval: interval,
            padding,
        }
    }))
}

fn policy() -> impl Strategy<Value = GroupPolicy> {
    let users = proptest::collection::vec((any::<[u8; 3]>(), role()), 0..12);
    let everybody = sample::select(Role::ALL[..4].to_vec());
    (users, everybody, 1..u32::MAX, parameters()).prop_map(|(users, everybody, max_members, parameters)| {
        let mut policy = GroupPolicy::new(b"owner");
        policy.set_everybody(everybody);
        policy.max_members = max_members;
        policy.parameters = parameters;
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

/// CAP-29: at each bound, and beyond it.
#[test]
fn parameters_are_inside_their_bounds() {
    let with = |change: fn(&mut GroupParameters)| {
        let mut policy = GroupPolicy::new(b"owner");
        change(policy.parameters.insert(GroupParameters::default()));
        policy.to_bytes().and_then(|bytes| GroupPolicy::from_bytes(&bytes)).map(|_| ())
    };
    let good: [fn(&mut GroupParameters); 6] = [
        |parameters| (parameters.max_past_epochs, parameters.max_past_epoch_age) = (64, u64::MAX),
        |parameters| (parameters.max_past_epochs, parameters.max_past_epoch_age) = (0, 0),
        |parameters| (parameters.out_of_order_window, parameters.max_forward_distance) = (10_000, 100_000),
        |parameters| (parameters.out_of_order_window, parameters.max_forward_distance) = (0, 1),
        |parameters| parameters.rotation_interval = 60,
        |parameters| parameters.padding = Padding::Step(2),
    ];
    let broken: [fn(&mut GroupParameters); 6] = [
        |parameters| parameters.max_past_epochs = 65,
        |parameters| parameters.out_of_order_window = 10_001,
        |parameters| parameters.max_forward_distance = 0,
        |parameters| parameters.max_forward_distance = 100_001,
        |parameters| parameters.rotation_interval = 59,
        |parameters| parameters.padding = Padding::Step(1),
    ];
    assert_eq!(good.map(with), [Ok(()); 6]);
    assert_eq!(broken.map(with), [Err(Denied::Policy); 6]);
}

/// What a cheat puts into the context is held to the same bounds: the layout of docs/roles.md, byte by byte.
#[test]
fn parameters_that_break_their_bounds_do_not_decode() {
    let mut policy = GroupPolicy::new(b"owner");
    policy.parameters = Some(GroupParameters::default());
    let bytes = policy.to_bytes().unwrap();
    let at = bytes.len() - 29;
    let agreed = [0, 3, 0, 0, 0, 0, 0, 18, 117, 0, 0, 0, 1, 0, 0, 0, 3, 232, 0, 0, 0, 0, 0, 1, 81, 128, 2, 0, 0];
    assert_eq!(bytes[at..], agreed);
    assert_eq!(GroupPolicy::from_bytes(&bytes), Ok(policy));
    // Epochs, window, distance, interval, padding, step.
    for (place, value) in [(1, 65), (10, 1), (14, 1), (25, 0), (26, 3), (28, 1)] {
        let mut changed = bytes.clone();
        changed[at + place] = value;
        if place == 25 {
            changed[at + 18..at + 26].fill(0);
        }
        assert_eq!(GroupPolicy::from_bytes(&changed), Err(Denied::Policy), "{place}");
    }
    let none = [&bytes[..at], &[1][..], &bytes[at..]].concat();
    for changed in [&bytes[..at], &bytes[..bytes.len() - 1], &none] {
        assert_eq!(GroupPolicy::from_bytes(changed), Err(Denied::Policy));
    }
    // Parameters in the version that has none.
    let mut earlier = bytes;
    earlier[0] = 1;
    assert_eq!(GroupPolicy::from_bytes(&earlier), Err(Denied::Policy));
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
