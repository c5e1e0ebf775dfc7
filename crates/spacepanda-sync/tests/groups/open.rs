//! Joining while nobody of the group is there.

use core::sync::atomic::Ordering;

use mls_delivery::Rejection;
use spacepanda_core::core_mls::{
    MlsError,
    roles::{Denied, GroupPolicy, Right},
};
use spacepanda_sync::{InviteCode, News, SyncError, Wish};

use crate::world::{Person, World, agree, group_of, now};

/// Alice owns a group that is open; the others are members of it.
fn opened(world: &World, others: &[&'static str]) -> Vec<Person> {
    let people = group_of(world, others);
    let alice = people.first().unwrap();
    alice.wish(Wish::Policy(GroupPolicy::new(b"alice")));
    alice.sync();
    let policy = alice.account.open_policy(&alice.group()).unwrap();
    alice.wish(Wish::Policy(policy));
    alice.sync();
    people.iter().for_each(|person| drop(person.sync()));
    people
}

fn code(world: &World, alice: &Person, uses: u32, target: Option<&[u8]>) -> InviteCode {
    let expires = mls_delivery::Clock::now(world.clock.as_ref()).saturating_add(60);
    let (_, code) = now(alice.account.invite_open(&alice.group(), uses, expires, target)).unwrap();
    InviteCode::from_text(&code.to_text().unwrap()).unwrap()
}

#[test]
fn whoever_has_a_code_joins_by_itself() {
    let world = World::new();
    let people = opened(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    let code = code(&world, alice, 2, None);
    assert!(code.is_open());
    // Somebody else changes the group, and knows nothing of the code: the newest state is there all the same.
    bob.wish(Wish::Rotate);
    bob.sync();
    let [carol, dave, eve] = ["carol", "dave", "eve"].map(|name| world.person(name));
    now(carol.account.join_open(&code)).unwrap();
    carol.say("nobody let me in");
    carol.sync();
    // Right after somebody who came so himself.
    now(dave.account.join_open(&code)).unwrap();
    let third = now(eve.account.join_open(&code)).map(|_| ());
    assert_eq!(third, Err(SyncError::Service(Rejection::Forbidden)), "two uses");
    assert!(alice.sync().contains(&News::Added(b"carol".to_vec())));
    for person in [bob, &carol, &dave] {
        person.sync();
    }
    assert_eq!(alice.texts(), ["nobody let me in"]);
    assert_eq!(dave.members(), ["alice", "bob", "carol", "dave"]);
    agree(&[alice, bob]);
    assert_eq!(dave.group().epoch_authenticator(), alice.group().epoch_authenticator());
}

#[test]
fn a_code_ends_by_time_by_whom_it_is_for_and_by_being_taken_back() {
    let world = World::new();
    let people = opened(&world, &[]);
    let alice = people.first().unwrap();
    let bob = world.person("bob");
    let join = |code: &InviteCode| now(bob.account.join_open(code)).map(|_| ());
    let forbidden = Err(SyncError::Service(Rejection::Forbidden));
    assert_eq!(join(&code(&world, alice, 1, Some(b"carol"))), forbidden);
    let taken_back = code(&world, alice, 1, None);
    let invite = alice.account.invites(&alice.group()).unwrap().pop();
    let others = alice.account.invites(&alice.group()).unwrap();
    for invite in invite.iter().chain(&others) {
        now(alice.account.revoke_open(&alice.group(), &invite.id)).unwrap();
    }
    assert_eq!(join(&taken_back), forbidden);
    let over = code(&world, alice, 1, None);
    world.clock.0.fetch_add(61, Ordering::SeqCst);
    assert_eq!(join(&over), forbidden);
    assert_eq!(bob.account.client().groups().unwrap(), Vec::<Vec<u8>>::new());
    assert_eq!(alice.members(), ["alice"]);
}

#[test]
fn a_group_that_is_not_open_has_no_such_codes() {
    let world = World::new();
    let people = group_of(&world, &[]);
    let alice = people.first().unwrap();
    let invite = || now(alice.account.invite_open(&alice.group(), 1, u64::MAX, None)).map(|_| ());
    let denied = || Err(SyncError::Group(MlsError::Denied(Denied::Right(Right::Join))));
    assert_eq!(invite(), denied());
    assert_eq!(alice.account.open_policy(&alice.group()), Err(SyncError::NoRoles));
    alice.wish(Wish::Policy(GroupPolicy::new(b"alice")));
    alice.sync();
    assert_eq!(invite(), denied());
}
