//! Groups in step over a service in memory: races, losses, restarts, invites; no network.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use core::sync::atomic::Ordering;

#[path = "groups/leaving.rs"]
mod leaving;
#[path = "groups/open.rs"]
mod open;
#[path = "groups/restored.rs"]
mod restored;
#[path = "groups/roles.rs"]
mod roles;
#[path = "groups/verify.rs"]
mod verify;
#[path = "groups/world.rs"]
mod world;

use mls_delivery::{
    Clock, GroupId, Rejection, ask,
    reply::EntryKind,
    request::{FetchLog, FetchMailbox, ListGroups, PublishKeyPackages},
};
use spacepanda_sync::{Invite, InviteCode, News, SyncError, Wish};

use world::{Hook, Person, Slow, World, agree, group_of, now};

#[test]
fn people_join_and_talk() {
    let world = World::new();
    let people = group_of(&world, &["bob", "carol"]);
    let [alice, bob, carol] = people.as_slice() else { panic!("three") };
    assert_eq!(carol.members(), ["alice", "bob", "carol"]);
    alice.say("milk?");
    alice.sync();
    assert!(matches!(bob.sync().as_slice(), [News::Message(_)]));
    bob.say("please");
    bob.say("and sugar");
    bob.sync();
    alice.sync();
    carol.sync();
    assert_eq!(carol.texts(), ["milk?", "please", "and sugar"]);
    agree(&[alice, bob, carol]);
}

/// RFC 9420, Section 14: of two commits for one epoch one wins; the loser makes its change again, without being told to.
#[test]
fn the_loser_of_a_race_rebases_by_itself() {
    let world = World::new();
    let people = group_of(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    let carol = world.person("carol");
    world.person("dave");
    bob.wish(Wish::Add(b"dave".to_vec()));
    let faster = bob.account.clone();
    let hook: Hook = Box::new(move || {
        now(faster.sync()).unwrap();
    });
    *alice.line.before_commit.lock().unwrap() = Some(hook);
    alice.wish(Wish::Add(b"carol".to_vec()));
    let before = alice.group().epoch();
    assert!(alice.sync().contains(&News::Rebased));
    bob.sync();
    assert_eq!(alice.members(), ["alice", "bob", "dave", "carol"]);
    // Trying again took no further key package of hers: one of four is used.
    let stock = now(ask(carol.line.as_ref(), carol.account.device(), PublishKeyPackages::default())).unwrap();
    assert_eq!(stock.single_use, 3);
    assert_eq!(alice.group().epoch(), before.saturating_add(2));
    agree(&[alice, bob]);
}

/// The line is cut before and after each request, and the process ends there each time: nothing is lost, nothing is doubled.
#[test]
fn a_cut_at_any_request_loses_and_doubles_nothing() {
    for done in [false, true] {
        for requests in 0..24 {
            let world = World::new();
            let mut people = group_of(&world, &["bob"]);
            world.person("carol");
            let alice = people.first_mut().unwrap();
            alice.say("one");
            alice.wish(Wish::Rename("coffee".to_owned()));
            alice.wish(Wish::Add(b"carol".to_vec()));
            alice.say("two");
            alice.cut_after(requests, done);
            let _cut = now(alice.account.sync());
            alice.restart();
            alice.mend();
            alice.sync();
            let bob = people.last().unwrap();
            bob.sync();
            let alice = people.first().unwrap();
            assert_eq!(alice.texts(), ["one", "two"], "cut after {requests}, done: {done}");
            assert_eq!((alice.members(), alice.group().group_name().as_deref()), (bob.members(), Some("coffee")));
            assert_eq!(bob.members(), ["alice", "bob", "carol"]);
            agree(&[alice, bob]);
        }
    }
}

/// The same for one who reads: what it was told is in its history once, wherever it was stopped.
#[test]
fn a_reader_that_is_cut_off_reads_everything_once() {
    for done in [false, true] {
        for requests in 0..12 {
            let world = World::new();
            let mut people = group_of(&world, &["bob"]);
            let alice = people.first().unwrap();
            for text in ["one", "two", "three"] {
                alice.say(text);
                alice.sync();
                alice.wish(Wish::Rotate);
                alice.sync();
            }
            let bob = people.last_mut().unwrap();
            bob.cut_after(requests, done);
            let _cut = now(bob.account.sync());
            bob.restart();
            bob.mend();
            bob.sync();
            let (alice, bob) = (people.first().unwrap(), people.last().unwrap());
            assert_eq!(bob.texts(), ["one", "two", "three"], "cut after {requests}, done: {done}");
            agree(&[alice, bob]);
        }
    }
}

#[test]
fn what_was_said_offline_is_sent_in_a_later_epoch_once() {
    let world = World::new();
    let people = group_of(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    // It is sealed and arrives, but the answer is lost: to send it again, in another epoch, must not double it.
    bob.say("from the train");
    bob.cut_after(2, true);
    assert!(now(bob.account.sync()).unwrap().iter().any(|report| report.end.is_err()));
    for _ in 0..5 {
        alice.wish(Wish::Rotate);
        alice.sync();
    }
    bob.mend();
    bob.sync();
    alice.sync();
    bob.sync();
    assert_eq!(alice.texts(), ["from the train"]);
    agree(&[alice, bob]);
    assert_eq!(bob.account.waiting(&bob.group()).unwrap(), (0, 0));
}

/// Sealed anew in the next epoch, while the first form was still on its way: both are in the log, and one in the history.
#[test]
fn a_message_that_arrives_twice_is_said_once() {
    let world = World::new();
    let people = group_of(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    *bob.line.slow.lock().unwrap() = Slow::Next;
    bob.say("slow");
    assert!(now(bob.account.sync_group(&bob.group())).end.is_err());
    alice.wish(Wish::Rotate);
    alice.sync();
    bob.sync();
    alice.sync();
    let heads = now(ask(bob.line.as_ref(), bob.account.device(), ListGroups::default())).unwrap();
    assert_eq!((alice.texts(), bob.texts()), (vec!["slow".to_owned()], vec!["slow".to_owned()]));
    // Two commits, and the message in both of its forms.
    assert_eq!(heads.cursors.first().unwrap().head.get(), 4);
    agree(&[alice, bob]);
}

/// A commit that was given up on may still win: whoever made it must be able to follow it, after a restart too.
#[test]
fn a_commit_that_arrives_late_is_still_ours() {
    let world = World::new();
    let mut people = group_of(&world, &["bob"]);
    let alice = people.first_mut().unwrap();
    *alice.line.slow.lock().unwrap() = Slow::Next;
    alice.wish(Wish::Rename("coffee".to_owned()));
    assert!(now(alice.account.sync_group(&alice.group())).end.is_err());
    alice.restart();
    alice.sync();
    let (alice, bob) = (people.first().unwrap(), people.last().unwrap());
    bob.sync();
    assert_eq!(bob.group().group_name().as_deref(), Some("coffee"));
    agree(&[alice, bob]);
}

#[test]
fn what_was_processed_is_acknowledged() {
    let world = World::new();
    let people = group_of(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    alice.say("milk?");
    alice.sync();
    bob.sync();
    let logs = now(ask(bob.line.as_ref(), bob.account.device(), ListGroups::default())).unwrap();
    let cursor = logs.cursors.first().unwrap();
    assert_eq!(cursor.acknowledged, cursor.head);
    let mail = now(ask(bob.line.as_ref(), bob.account.device(), FetchMailbox { after: None, limit: 9 })).unwrap();
    assert!(mail.entries.is_empty());
}

/// The service stops delivering to who was removed, whatever that one's client does.
#[test]
fn the_service_is_told_who_is_out() {
    let world = World::new();
    let people = group_of(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    alice.wish(Wish::Remove(b"bob".to_vec()));
    alice.sync();
    alice.say("without bob");
    alice.sync();
    let fetch = FetchLog { group_id: GroupId::new(bob.group().group_id()), after: None, limit: 99 };
    let page = now(ask(bob.line.as_ref(), bob.account.device(), fetch)).unwrap();
    assert!(page.entries.iter().all(|entry| entry.kind == EntryKind::Commit));
}

#[test]
fn what_was_looked_at_stays_so() {
    let world = World::new();
    let mut people = group_of(&world, &[]);
    let alice = people.first_mut().unwrap();
    assert_eq!(alice.account.seen(&alice.group()).unwrap(), None);
    alice.say("one");
    alice.say("two");
    alice.sync();
    let last = alice.history().last().unwrap().seq;
    assert_eq!(alice.account.processed(&alice.group()).unwrap(), Some(last));
    alice.account.mark_seen(&alice.group(), last).unwrap();
    alice.account.mark_seen(&alice.group(), alice.history().first().unwrap().seq).unwrap();
    alice.restart();
    assert_eq!(alice.account.seen(&alice.group()).unwrap(), Some(last));
}

#[test]
fn rotation_is_done_once() {
    let world = World::new();
    let people = group_of(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    let before = alice.group().epoch();
    alice.wish(Wish::Rotate);
    alice.sync();
    alice.sync();
    assert_eq!(alice.group().epoch(), before.saturating_add(1));
    bob.sync();
    agree(&[alice, bob]);
}

#[test]
fn the_removed_read_nothing_more() {
    let world = World::new();
    let people = group_of(&world, &["bob", "carol"]);
    let [alice, bob, carol] = people.as_slice() else { panic!("three") };
    alice.wish(Wish::Remove(b"bob".to_vec()));
    alice.say("without bob");
    alice.sync();
    carol.sync();
    assert!(bob.sync().contains(&News::Left));
    assert_eq!((bob.texts(), carol.texts()), (vec![], vec!["without bob".to_owned()]));
    assert_eq!(bob.account.queue_message(&bob.group(), b"hello?"), Err(SyncError::NotAMember));
    assert_eq!(carol.members(), ["alice", "carol"]);
    let nobody = alice.account.queue_wish(&alice.group(), Wish::Remove(b"bob".to_vec()));
    assert_eq!(nobody, Err(SyncError::NoSuchMember));
    // And can be invited again.
    alice.wish(Wish::Add(b"bob".to_vec()));
    alice.sync();
    assert!(bob.sync().contains(&News::Joined));
    alice.say("with bob");
    alice.sync();
    bob.sync();
    assert_eq!(bob.texts(), ["with bob"]);
}

#[test]
fn a_second_device_needs_a_voucher_and_reads_on_from_there() {
    let world = World::new();
    let people = group_of(&world, &["bob"]);
    let [alice, bob] = people.as_slice() else { panic!("two") };
    let laptop = world.stranger("bob");
    let refused = now(laptop.account.enrol(b"", None));
    assert_eq!(refused, Err(SyncError::Service(Rejection::VoucherNeeded)));
    let voucher = bob.account.vouch(laptop.account.device()).unwrap();
    now(laptop.account.enrol(b"", Some(voucher))).unwrap();
    alice.say("before");
    alice.sync();
    bob.sync();
    bob.wish(Wish::Add(b"bob".to_vec()));
    bob.sync();
    assert!(laptop.sync().contains(&News::Joined));
    laptop.say("from the laptop");
    laptop.sync();
    alice.sync();
    bob.sync();
    assert_eq!(laptop.texts(), ["from the laptop"]);
    assert_eq!((alice.texts(), bob.texts().len()), (vec!["before".to_owned(), "from the laptop".to_owned()], 2));
    // Removal is by identity: both devices are out.
    alice.wish(Wish::Remove(b"bob".to_vec()));
    alice.sync();
    assert!(bob.sync().contains(&News::Left));
    assert!(laptop.sync().contains(&News::Left));
    assert_eq!(alice.members(), ["alice"]);
}

fn invited(world: &World, alice: &Person, uses: u32, target: Option<&[u8]>) -> (Invite, InviteCode) {
    let expires = world.clock.now().saturating_add(60);
    alice.account.invite(&alice.group(), uses, expires, target).unwrap()
}

#[test]
fn an_invite_lets_in_whom_it_is_for() {
    let world = World::new();
    let people = group_of(&world, &[]);
    let alice = people.first().unwrap();
    let (_, code) = invited(&world, alice, 1, None);
    let code = InviteCode::from_text(&format!(" {}\n", code.to_text().unwrap())).unwrap();
    let [bob, carol] = ["bob", "carol"].map(|name| world.person(name));
    now(bob.account.ask_to_join(&code)).unwrap();
    // Asking twice, as after a lost answer, uses it once.
    now(bob.account.ask_to_join(&code)).unwrap();
    assert!(alice.sync().contains(&News::Asked(b"bob".to_vec())));
    assert!(bob.sync().contains(&News::Joined));
    now(carol.account.ask_to_join(&code)).unwrap();
    assert!(alice.sync().contains(&News::Refused(b"carol".to_vec())));
    assert_eq!(alice.members(), ["alice", "bob"]);
    assert_eq!(alice.account.invites(&alice.group()).unwrap().first().unwrap().used_by, [bob.account.device()]);
    let (_, for_dave) = invited(&world, alice, 5, Some(b"dave"));
    now(carol.account.ask_to_join(&for_dave)).unwrap();
    assert!(alice.sync().contains(&News::Refused(b"carol".to_vec())));
}

#[test]
fn an_invite_ends_by_time_and_by_being_taken_back() {
    let world = World::new();
    let people = group_of(&world, &[]);
    let alice = people.first().unwrap();
    let bob = world.person("bob");
    let (invite, code) = invited(&world, alice, 5, None);
    assert!(alice.account.revoke_invite(&alice.group(), &invite.id).unwrap());
    assert!(!alice.account.revoke_invite(&alice.group(), &invite.id).unwrap());
    now(bob.account.ask_to_join(&code)).unwrap();
    assert!(alice.sync().contains(&News::Refused(b"bob".to_vec())));
    let (_, code) = invited(&world, alice, 5, None);
    world.clock.0.fetch_add(61, Ordering::SeqCst);
    now(bob.account.ask_to_join(&code)).unwrap();
    assert!(alice.sync().contains(&News::Refused(b"bob".to_vec())));
    assert_eq!(alice.members(), ["alice"]);
}

#[test]
fn what_is_no_code_is_refused() {
    for text in ["", "panda1", "panda1zz", "panda10", "panda2abcd", "panda1+1", "panda1abcd"] {
        assert_eq!(InviteCode::from_text(text).unwrap_err(), SyncError::NotACode, "{text}");
    }
}

#[test]
fn who_cannot_be_added_is_not_tried_for_ever() {
    let world = World::new();
    let people = group_of(&world, &[]);
    let alice = people.first().unwrap();
    alice.sync();
    alice.wish(Wish::Add(b"nobody".to_vec()));
    let report = now(alice.account.sync_group(&alice.group()));
    assert_eq!(report.end, Err(SyncError::Service(Rejection::Forbidden)));
    assert_eq!(alice.account.waiting(&alice.group()).unwrap(), (0, 0));
    assert_eq!(now(alice.account.sync_group(&alice.group())).end, Ok(()));
}

#[test]
fn the_queue_has_a_bound() {
    let world = World::new();
    let people = group_of(&world, &[]);
    let alice = people.first().unwrap();
    let limit = 1_000;
    for _ in 0..limit {
        alice.say("x");
    }
    let full = alice.account.queue_message(&alice.group(), b"one too many");
    assert_eq!(full, Err(SyncError::QueueFull { waiting: limit }));
    let huge = vec![0; 1_048_577];
    assert!(matches!(alice.account.queue_message(&alice.group(), &huge), Err(SyncError::Group(_))));
}
