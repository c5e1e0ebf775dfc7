//! Roles: what they allow is asked before anything is queued, and again by everybody when it is committed.

use spacepanda_core::core_mls::{
    MlsError,
    roles::{Denied, GroupPolicy, Right, Role},
};
use spacepanda_sync::{News, SyncError, Wish};

use crate::world::{Person, World, agree, group_of};

/// Alice owns a group; the others are members of it.
fn with_roles(world: &World, others: &[&'static str]) -> Vec<Person> {
    let people = group_of(world, others);
    let alice = people.first().unwrap();
    alice.wish(Wish::Policy(GroupPolicy::new(b"alice")));
    alice.sync();
    people.iter().for_each(|person| drop(person.sync()));
    people
}

fn role(person: &Person, user: &[u8]) -> Role {
    person.group().policy().unwrap().unwrap().role(user)
}

fn to_be(user: &[u8], role: Role) -> Wish {
    Wish::Role { user: user.to_vec(), role }
}

fn refused(person: &Person, wish: Wish) -> Denied {
    match person.account.queue_wish(&person.group(), wish) {
        Err(SyncError::Group(MlsError::Denied(denied))) => {
            assert_eq!(person.account.waiting(&person.group()).unwrap(), (0, 0), "nothing is queued");
            denied
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_role_that_is_given_has_effect() {
    let world = World::new();
    let people = with_roles(&world, &["bob", "carol"]);
    let [alice, bob, carol] = people.as_slice() else { panic!("three") };
    assert_eq!(refused(bob, Wish::Rename("coffee".to_owned())), Denied::Right(Right::Rename));
    assert_eq!(refused(bob, Wish::Add(b"dave".to_vec())), Denied::Right(Right::Add));
    assert_eq!(refused(bob, Wish::Remove(b"carol".to_vec())), Denied::Right(Right::Remove));
    assert_eq!(refused(bob, to_be(b"bob", Role::Owner)), Denied::Right(Right::ChangeRoles));
    assert_eq!(refused(bob, Wish::Policy(GroupPolicy::new(b"bob"))), Denied::Right(Right::Govern));
    alice.wish(to_be(b"bob", Role::Admin));
    alice.sync();
    bob.sync();
    assert_eq!(role(bob, b"bob"), Role::Admin);
    bob.wish(Wish::Rename("coffee".to_owned()));
    bob.sync();
    assert_eq!(refused(bob, Wish::Remove(b"alice".to_vec())), Denied::Rank(Right::Remove));
    alice.sync();
    carol.sync();
    assert_eq!(carol.group().group_name().as_deref(), Some("coffee"));
    agree(&[alice, bob, carol]);
}

#[test]
fn the_last_owner_stays_one() {
    let world = World::new();
    let people = with_roles(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    assert_eq!(refused(alice, to_be(b"alice", Role::Admin)), Denied::LastOwner);
    // An owner who is not in the group would be none.
    alice.wish(to_be(b"nobody", Role::Owner));
    alice.sync();
    assert_eq!(refused(alice, to_be(b"alice", Role::Admin)), Denied::LastOwner);
    alice.wish(to_be(b"bob", Role::Owner));
    alice.sync();
    alice.wish(to_be(b"alice", Role::Member));
    alice.sync();
    bob.sync();
    assert_eq!((role(bob, b"alice"), role(bob, b"bob")), (Role::Member, Role::Owner));
    agree(&[alice, bob]);
}

/// Somebody may say nothing any more, and does not know it yet: what was queued is not tried for ever.
#[test]
fn what_a_role_does_not_allow_any_more_is_dropped() {
    let world = World::new();
    let people = with_roles(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    alice.wish(to_be(b"bob", Role::Observer));
    alice.sync();
    bob.say("hello");
    let report = crate::world::now(bob.account.sync_group(&bob.group()));
    assert_eq!(report.end, Err(SyncError::Group(MlsError::Denied(Denied::Right(Right::Send)))));
    assert_eq!(bob.account.waiting(&bob.group()).unwrap(), (0, 0));
    bob.sync();
    assert_eq!(bob.texts(), Vec::<String>::new());
}

/// Who may not commit is in nobody's way, its own least of all.
#[test]
fn an_observer_reads_and_leaves() {
    let world = World::new();
    let people = with_roles(&world, &["bob", "carol"]);
    let [alice, bob, carol] = people.as_slice() else { panic!("three") };
    alice.wish(to_be(b"bob", Role::Observer));
    alice.say("hello");
    alice.sync();
    bob.sync();
    assert_eq!(bob.texts(), ["hello"]);
    let said = bob.account.queue_message(&bob.group(), b"may I?");
    assert_eq!(said, Err(SyncError::Group(MlsError::Denied(Denied::Right(Right::Send)))));
    assert_eq!(refused(bob, Wish::Rotate), Denied::Right(Right::Commit));
    carol.wish(Wish::Leave);
    carol.sync();
    // Carol's leaving waits for a commit that is not Bob's to make.
    bob.sync();
    assert_eq!(bob.members(), ["alice", "bob", "carol"]);
    bob.wish(Wish::Leave);
    bob.sync();
    alice.sync();
    assert!(bob.sync().contains(&News::Left));
    assert_eq!(alice.members(), ["alice"]);
}

#[test]
fn a_group_without_roles_has_none_to_give() {
    let world = World::new();
    let people = group_of(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    let asked = alice.account.queue_wish(&alice.group(), to_be(b"bob", Role::Admin));
    assert_eq!(asked, Err(SyncError::NoRoles));
    bob.wish(Wish::Rename("everybody may".to_owned()));
    bob.sync();
    alice.sync();
    assert_eq!(alice.group().group_name().as_deref(), Some("everybody may"));
}
