//! Whom a group can take, who stands in the way, and what is due by the clock.

use std::sync::atomic::Ordering;

use spacepanda_core::core_mls::{
    Candidate, CipherSuite, Client, Duty, Feature, MlsConfig, MlsError, TrustOnFirstUse, roles::GroupPolicy,
};

use crate::world::{Person, group_of};

/// How many are to be added; 500 with `SPACEPANDA_LONG`.
fn many() -> usize {
    if std::env::var_os("SPACEPANDA_LONG").is_some() { 500 } else { 80 }
}

/// REQ: all but one are added, in one commit, and the one is named: also more than may be proposed one by one.
#[test]
fn all_who_can_are_added() {
    let alice = Person::new("alice");
    let group = alice.client().create_group(Some("tea")).unwrap();
    let names: Vec<String> = (0..many()).map(|number| format!("guest {number}")).collect();
    let clients: Vec<_> = names
        .iter()
        .map(|name| {
            let builder = Client::builder(name.as_bytes(), std::sync::Arc::new(TrustOnFirstUse::new()));
            builder.config(MlsConfig::interop()).clock(alice.clock.clone()).open().unwrap()
        })
        .collect();
    let mut candidates: Vec<_> = clients
        .iter()
        .map(|client| Candidate {
            identity: client.identity().to_vec(),
            key_package: client.generate_key_package().unwrap(),
        })
        .collect();
    let last = candidates[17].key_package.len() - 1;
    candidates[17].key_package[last] ^= 1;
    let plan = group.plan_add(&candidates).unwrap();
    assert_eq!(plan.addable.len(), candidates.len() - 1);
    assert_eq!((plan.refused.len(), plan.refused[0].identity.as_slice()), (1, names[17].as_bytes()));
    assert!(matches!(plan.refused[0].reason, MlsError::CryptoError(_)), "{:?}", plan.refused[0].reason);
    assert_eq!(group.epoch(), 0);
    let (_, welcomes) = group.commit_changes(&plan.changes()).unwrap();
    assert_eq!(welcomes.len(), plan.addable.len());
    let joined = clients[many() - 1].join_group(welcomes.last().unwrap()).unwrap();
    assert_eq!(joined.epoch_authenticator().unwrap(), group.epoch_authenticator().unwrap());
    assert_eq!(usize::try_from(group.member_count()).unwrap(), many());
}

/// Each reason is the one that its Add would be refused for.
#[test]
fn who_cannot_be_added_is_told_why() {
    let (alice, bob, carol, dave, erin) =
        (Person::new("alice"), Person::new("bob"), Person::new("carol"), Person::new("dave"), Person::new("erin"));
    let mut policy = GroupPolicy::new(b"alice");
    policy.max_members = 3;
    let group = alice.client().create_group_with_policy(None, &policy).unwrap();
    let of = |person: &Person, name: &str| Candidate {
        identity: name.as_bytes().to_vec(),
        key_package: person.client().generate_key_package().unwrap(),
    };
    let mut late = Person::new("late");
    late.config.key_package_lifetime = 60;
    late.clock.0.fetch_sub(7_200, Ordering::SeqCst);
    let mut other = Person::new("other");
    other.config.cipher_suite = CipherSuite::XWING_AES256;
    let candidates = [
        of(&bob, "bob"),
        of(&bob, "bob"),
        of(&carol, "not carol"),
        of(&late, "late"),
        of(&other, "other"),
        of(&alice, "alice"),
        of(&dave, "dave"),
        of(&erin, "erin"),
        Candidate { identity: b"nobody".to_vec(), key_package: vec![0; 100_000] },
    ];
    let plan = group.plan_add(&candidates).unwrap();
    let added: Vec<_> = plan.addable.iter().map(|candidate| candidate.identity.as_slice()).collect();
    assert_eq!(added, [&b"bob"[..], b"dave"]);
    let why: Vec<_> =
        plan.refused.iter().map(|refused| (refused.identity.as_slice(), refused.reason.to_string())).collect();
    let names: Vec<_> = why.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [&b"bob"[..], b"not carol", b"late", b"other", b"alice", b"erin", b"nobody"], "{why:?}");
    assert_eq!(plan.refused[1].reason, MlsError::IdentityMismatch);
    assert!(matches!(plan.refused[6].reason, MlsError::TooLarge { .. }));
    for (number, word) in [(0, "client"), (2, "lifetime"), (3, "suite"), (4, "client"), (5, "full")] {
        assert!(why[number].1.contains(word), "{number}: {}", why[number].1);
    }
    group.commit_changes(&plan.changes()).unwrap();
    assert_eq!(group.member_count(), 3);
}

/// Who does not support a feature is named, member by member.
#[test]
fn who_stands_in_the_way_is_named() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    group_of(&[&alice, &bob], false);
    let features = [Feature::CipherSuite(CipherSuite::XWING_AES256), Feature::Extension(0xf777), Feature::Proposal(8)];
    let blockers = alice.group().plan_upgrade(&features);
    let named: Vec<_> = blockers.iter().map(|blocker| (blocker.member.identity.as_slice(), blocker.lacks)).collect();
    let (a, b) = (&b"alice"[..], &b"bob"[..]);
    assert_eq!(named, [(a, features[1]), (b, features[1]), (a, features[2]), (b, features[2])]);
    let known = [Feature::Proposal(1), Feature::Extension(1), Feature::Credential(1)];
    assert!(alice.group().plan_upgrade(&known).is_empty());
}

/// An expired leaf is named, and keeps nobody out.
#[test]
fn expired_leaves_are_named_and_in_nobodys_way() {
    let (alice, bob, carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    group_of(&[&alice, &bob], false);
    let later = 400 * 24 * 3600;
    for person in [&alice, &bob, &carol] {
        person.clock.0.fetch_add(later, Ordering::SeqCst);
    }
    let candidate =
        Candidate { identity: b"carol".to_vec(), key_package: carol.client().generate_key_package().unwrap() };
    let plan = alice.group().plan_add(&[candidate]).unwrap();
    let expired: Vec<_> = plan.expired.iter().map(|member| member.identity.as_slice()).collect();
    assert_eq!(expired, [b"bob"]);
    let (commit, welcomes) = alice.group().commit_changes(&plan.changes()).unwrap();
    bob.group().receive_commit(&commit).unwrap();
    assert_eq!(carol.client().join_group(&welcomes[0]).unwrap().expired_members().len(), 1);
    let renewed = bob.group().rotate().unwrap();
    alice.group().receive_commit(&renewed).unwrap();
    assert!(alice.group().expired_members().is_empty());
}

/// DEP-61: once in each interval, each member at its own moment, not while a commit waits, whatever restarts there are.
#[test]
fn keys_are_renewed_once_in_each_interval() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    group_of(&[&alice, &bob], false);
    let interval = alice.config.rotation_interval;
    let begun = alice.clock.0.load(Ordering::SeqCst);
    let due = alice.group().next_rotation();
    assert!((begun + interval..=begun + interval + interval / 8).contains(&due));
    assert_ne!(due, bob.group().next_rotation());
    let mut rotations = Vec::new();
    for step in 0..100 {
        let now = begun + step * interval / 10;
        for person in [&alice, &bob] {
            person.clock.0.store(now, Ordering::SeqCst);
        }
        let tick = alice.group().tick().unwrap();
        let Duty::Commit(pending) = tick.duty else { continue };
        // While it waits, nothing else is due.
        assert!(matches!(alice.group().tick().unwrap().duty, Duty::Nothing));
        alice.group().apply_pending_commit(&pending.id).unwrap();
        bob.group().receive_commit(&pending.commit).unwrap();
        assert!(alice.group().next_rotation() >= now + interval);
        rotations.push(now);
    }
    assert!(rotations.windows(2).all(|pair| pair[1] - pair[0] >= interval), "{rotations:?}");
    assert!((8..=9).contains(&rotations.len()), "{rotations:?}");
}

/// That somebody wants to leave outlives restarts and epochs, until it is done.
#[test]
fn who_wants_to_leave_leaves() {
    let (alice, bob, carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    group_of(&[&alice, &bob, &carol], false);
    bob.group().leave().unwrap();
    let Duty::Propose(lost) = bob.group().tick().unwrap().duty else { panic!() };
    // Said once in an epoch.
    assert!(matches!(bob.group().tick().unwrap().duty, Duty::Nothing));
    drop(lost);
    // The epoch ends without it: it is said again.
    let commit = alice.group().rotate().unwrap();
    [&bob, &carol].iter().for_each(|person| drop(person.group().receive_commit(&commit).unwrap()));
    let Duty::Propose(proposal) = bob.group().tick().unwrap().duty else { panic!() };
    [&alice, &carol].iter().for_each(|person| drop(person.group().receive_proposal(&proposal).unwrap()));
    // One of those who stay commits it, and not both.
    assert!(matches!(carol.group().tick().unwrap().duty, Duty::Nothing));
    let Duty::Commit(pending) = alice.group().tick().unwrap().duty else { panic!() };
    alice.group().apply_pending_commit(&pending.id).unwrap();
    carol.group().receive_commit(&pending.commit).unwrap();
    assert_eq!(bob.group().receive_commit(&pending.commit).err(), Some(MlsError::NotAMember));
    assert_eq!(bob.group().tick().err(), Some(MlsError::NotAMember));
    assert_eq!(carol.group().member_count(), 2);
}

/// The last two both ask: the first commits that the other goes, and is alone then.
#[test]
fn the_last_two_both_leave() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    group_of(&[&alice, &bob], false);
    [&alice, &bob].iter().for_each(|person| person.group().leave().unwrap());
    let proposals = [&alice, &bob].map(|person| match person.group().tick().unwrap().duty {
        Duty::Propose(proposal) => proposal,
        other => panic!("{other:?}"),
    });
    alice.group().receive_proposal(&proposals[1]).unwrap();
    bob.group().receive_proposal(&proposals[0]).unwrap();
    assert!(matches!(bob.group().tick().unwrap().duty, Duty::Nothing));
    let Duty::Commit(pending) = alice.group().tick().unwrap().duty else { panic!() };
    alice.group().apply_pending_commit(&pending.id).unwrap();
    assert_eq!(bob.group().receive_commit(&pending.commit).err(), Some(MlsError::NotAMember));
    assert!(matches!(alice.group().tick().unwrap().duty, Duty::Delete));
}

/// A change of mind holds.
#[test]
fn who_stays_after_all_is_not_proposed_again() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    group_of(&[&alice, &bob], false);
    bob.group().leave().unwrap();
    bob.group().stay().unwrap();
    assert!(matches!(bob.group().tick().unwrap().duty, Duty::Nothing));
    assert!(bob.group().pending_proposals().unwrap().is_empty());
}
