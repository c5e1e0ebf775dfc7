//! One order for all readers: without gaps, in pages, from a cursor that each device keeps.

use std::{collections::BTreeSet, thread};

use mls_delivery::{
    Rejection, Seq, ask,
    reply::{Cursor, EntryKind, Groups},
    request::{CommitBundle, LeaveGroup, ListGroups, SubmitMessage},
};
use mls_engine::message::ContentType;

use crate::{Check, World, block_on, join_all, world::private};

pub(crate) const CHECKS: [Check; 14] = [
    Check::new("all readers see one order, without gaps", one_order),
    Check::new("a message that comes twice is there once", duplicates),
    Check::new("pages of every length give the same log", pages),
    Check::with("a page ends before it grows too large", |limits| limits.max_page_bytes = 300, heavy_pages),
    Check::new("a cursor moves when it is acknowledged, and forward only", cursors),
    Check::new("application data of past epochs is taken for some epochs", past_epochs),
    Check::new("application data of past epochs is taken for some time", past_time),
    Check::new("a proposal is for the present epoch", proposals),
    Check::new("a message needs the write key of its epoch", write_key),
    Check::with("a message is at most as long as allowed", |limits| limits.max_message = 200, sizes),
    Check::with("a reader that is slow does not stop the others", |limits| limits.max_log_entries = 5, slow_reader),
    Check::with("a log has so many bytes at most", |limits| limits.max_log_bytes = 1_000, heavy_log),
    Check::new("those who are removed read up to their removal", removed),
    Check::new("who leaves reads no more", leaving),
];

fn one_order(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let group = world.group(&alice, "order");
    world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
    let world = &*world;
    thread::scope(|scope| {
        for device in [&alice, &bob] {
            for writer in 0..4 {
                let group = &group;
                scope.spawn(move || {
                    for n in 0..10 {
                        world.say(device, group, 1, &format!("{} {writer} {n}", device.id));
                    }
                });
            }
        }
    });
    let seen = world.read(&alice, &group, 1, 7);
    assert_eq!(seen, world.read(&bob, &group, 0, 100));
    let places: Vec<u64> = seen.iter().map(|entry| entry.seq.get()).collect();
    assert_eq!(places, (2..82).collect::<Vec<_>>());
    assert_eq!(seen.iter().map(|entry| entry.digest).collect::<BTreeSet<_>>().len(), 80);
}

fn duplicates(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "twice");
    let message = world.message(&group, 0, "hello");
    let asked = (0..50).map(|_| ask(world.service(), alice.id, message.clone())).collect();
    for result in block_on(join_all(asked)) {
        assert_eq!(result.unwrap().seq, Seq::new(1));
    }
    world.commit(&alice, &group, 0);
    assert_eq!(world.ask(&alice, message).unwrap().seq, Seq::new(1));
    assert_eq!(world.read(&alice, &group, 0, 10).len(), 2);
}

fn pages(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "pages");
    for n in 0..9 {
        world.say(&alice, &group, 0, &format!("message {n}"));
    }
    let whole = world.read(&alice, &group, 0, 100);
    assert_eq!(whole.len(), 9);
    for limit in 1..=10 {
        assert_eq!(world.read(&alice, &group, 0, limit), whole, "pages of {limit}");
    }
    for after in 0..=9 {
        let rest = usize::try_from(after).unwrap();
        assert_eq!(world.read(&alice, &group, after, 4), whole[rest..], "after {after}");
    }
    assert_eq!(world.fetch(&alice, &group, Some(20), 10).unwrap().entries, []);
    // Nothing asked for is one.
    assert_eq!(world.fetch(&alice, &group, Some(0), 0).unwrap().entries.len(), 1);
}

fn heavy_pages(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "heavy");
    for n in 0..4 {
        world.say(&alice, &group, 0, &format!("{n}{}", "x".repeat(80)));
    }
    world.say(&alice, &group, 0, &"y".repeat(1_000));
    world.say(&alice, &group, 0, "short");
    let lengths: Vec<usize> =
        [0, 2, 4, 5].map(|after| world.fetch(&alice, &group, Some(after), 100).unwrap().entries.len()).to_vec();
    assert_eq!(lengths, [2, 2, 1, 1]);
    assert_eq!(world.read(&alice, &group, 0, 100).len(), 6);
}

fn cursors(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let group = world.group(&alice, "cursors");
    world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
    for n in 0..4 {
        world.say(&alice, &group, 1, &format!("{n}"));
    }
    let next = |world: &World<'_>, device| world.fetch(device, &group, None, 1).unwrap().entries[0].seq.get();
    // Fetching is not acknowledging: it comes again.
    assert_eq!([next(world, &bob), next(world, &bob)], [2, 2]);
    world.acknowledge(&bob, &group, 3).unwrap();
    assert_eq!([next(world, &bob), next(world, &alice)], [4, 1]);
    world.acknowledge(&bob, &group, 2).unwrap();
    assert_eq!(next(world, &bob), 4);
    assert_eq!(world.acknowledge(&bob, &group, 6), Err(Rejection::BeyondHead { head: Seq::new(5) }));
    let list = world.ask(&bob, ListGroups::default()).unwrap();
    let cursor = Cursor { group_id: group.id.clone(), acknowledged: Seq::new(3), head: Seq::new(5) };
    assert_eq!(list, Groups { cursors: vec![cursor], more: 0 });
}

fn past_epochs(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "epochs");
    for epoch in 0..4 {
        world.commit(&alice, &group, epoch);
    }
    let past = Rejection::EpochPast { current: 4 };
    assert_eq!(world.ask(&alice, world.message(&group, 0, "late")), Err(past));
    assert_eq!(world.say(&alice, &group, 1, "late"), Seq::new(5));
    let ahead = world.ask(&alice, world.message(&group, 5, "early"));
    assert_eq!(ahead, Err(Rejection::EpochAhead { current: 4 }));
}

fn past_time(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "time");
    let age = world.rules.limits.max_past_epoch_age;
    world.commit(&alice, &group, 0);
    world.clock.advance(age);
    world.say(&alice, &group, 0, "just in time");
    world.clock.advance(1);
    let past = Rejection::EpochPast { current: 1 };
    assert_eq!(world.ask(&alice, world.message(&group, 0, "too late")), Err(past));
    world.say(&alice, &group, 1, "the present epoch is as old as it likes");
}

fn proposals(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "proposals");
    world.ask(&alice, world.framed(&group, 0, ContentType::Proposal, "p")).unwrap();
    assert_eq!(world.read(&alice, &group, 0, 10)[0].kind, EntryKind::Proposal);
    world.commit(&alice, &group, 0);
    let late = world.ask(&alice, world.framed(&group, 0, ContentType::Proposal, "late"));
    assert_eq!(late, Err(Rejection::EpochPast { current: 1 }));
    // Commits are submitted with what belongs to them.
    let commit = world.framed(&group, 1, ContentType::Commit, "bare");
    assert_eq!(world.ask(&alice, commit), Err(Rejection::WrongKind));
}

fn write_key(world: &mut World<'_>) {
    let (alice, bob, mallory) = (world.device("alice"), world.device("bob"), world.device("mallory"));
    let group = world.group(&alice, "locked");
    world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
    let message = private(&group.id, 1, ContentType::Application, "forged");
    let wrong = world.key(&group, 0, 0);
    let forged = SubmitMessage::by_member(world.crypto(), &wrong, message).unwrap();
    assert_eq!(world.ask(&mallory, forged.clone()), Err(Rejection::Forbidden));
    assert_eq!(world.ask(&alice, forged), Err(Rejection::Forbidden));
    let mut altered = world.message(&group, 1, "signed");
    altered.message = private(&group.id, 1, ContentType::Application, "altered").into();
    assert_eq!(world.ask(&alice, altered), Err(Rejection::BadSignature));
    // Once removed, the key of an epoch that is over is of no use any more.
    let removing = CommitBundle { removed: vec![bob.id], ..world.bundle(&group, 1, "remove") };
    world.submit(&alice, &group, 1, removing).unwrap();
    assert_eq!(world.ask(&bob, world.message(&group, 1, "still here")), Err(Rejection::Forbidden));
    assert_eq!(world.read(&alice, &group, 2, 10), []);
}

fn sizes(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "sizes");
    let overhead = private(&group.id, 0, ContentType::Application, &"x".repeat(100)).len() - 100;
    world.say(&alice, &group, 0, &"x".repeat(200 - overhead));
    let long = world.ask(&alice, world.message(&group, 0, &"x".repeat(201 - overhead)));
    assert_eq!(long, Err(Rejection::TooLarge { len: 201, limit: 200 }));
}

fn slow_reader(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let group = world.group(&alice, "slow");
    world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
    for n in 0..5 {
        world.say(&alice, &group, 1, &format!("{n}"));
    }
    assert_eq!(world.read(&bob, &group, 1, 10).len(), 5);
    world.say(&alice, &group, 1, "one too many");
    assert_eq!(world.fetch(&bob, &group, None, 10), Err(Rejection::Gap { first: Seq::new(3) }));
    assert_eq!(world.read(&bob, &group, 2, 10).len(), 5);
    // Acknowledging what was read elsewhere closes the gap.
    world.acknowledge(&bob, &group, 2).unwrap();
    assert_eq!(world.fetch(&bob, &group, None, 10).unwrap().entries.len(), 5);
}

fn heavy_log(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "heavy");
    for n in 0..20 {
        world.say(&alice, &group, 0, &format!("{n}{}", "x".repeat(200)));
    }
    let Err(Rejection::Gap { first }) = world.fetch(&alice, &group, None, 10) else { panic!("all is there") };
    let kept = world.read(&alice, &group, first.get() - 1, 100);
    let bytes: usize = kept.iter().map(|entry| entry.message.as_slice().len()).sum();
    assert!((700..=1_000).contains(&bytes), "{bytes} bytes are kept");
}

fn removed(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let group = world.group(&alice, "removed");
    world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
    world.say(&alice, &group, 1, "for both");
    let mut bundle = world.bundle(&group, 1, "remove");
    bundle.removed.push(bob.id);
    world.submit(&alice, &group, 1, bundle).unwrap();
    world.say(&alice, &group, 2, "not for bob");
    let kinds: Vec<EntryKind> = world.read(&bob, &group, 0, 10).iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Application, EntryKind::Commit]);
    assert_eq!(world.fetch(&bob, &group, Some(3), 10).unwrap().entries, []);
    assert_eq!(world.acknowledge(&bob, &group, 4), Err(Rejection::BeyondHead { head: Seq::new(3) }));
}

fn leaving(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let group = world.group(&alice, "leaving");
    world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
    world.ask(&bob, LeaveGroup { group_id: group.id.clone() }).unwrap();
    assert_eq!(world.fetch(&bob, &group, None, 10), Err(Rejection::Forbidden));
    assert_eq!(world.acknowledge(&bob, &group, 1), Err(Rejection::Forbidden));
    assert_eq!(world.ask(&bob, ListGroups::default()).unwrap().cursors, []);
    assert_eq!(world.read(&alice, &group, 0, 10).len(), 1);
}
