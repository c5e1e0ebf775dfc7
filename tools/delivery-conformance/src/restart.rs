//! What was acknowledged is there after the service was closed and opened; and what all have read goes.

use mls_delivery::{Rejection, Seq, hub::Topic, request::CommitBundle};

use crate::{Check, World, block_on};

pub(crate) const CHECKS: [Check; 5] = [
    Check::new("everything acknowledged survives a restart", survives),
    Check::new("an order goes on after a restart", goes_on),
    Check::new("what all have read is deleted, and a retry of it is still known", swept),
    Check::with("what is too old is deleted, read or not", |limits| limits.max_entry_age = 100, aged),
    Check::new("who watches is told", watching),
];

fn survives(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let group = world.group(&alice, "survives");
    let mut bundle = world.inviting(&group, 0, &[&bob]);
    bundle.next.ratchet_tree = Some(b"tree".into());
    let committed = world.submit(&alice, &group, 0, bundle.clone()).unwrap();
    let message = world.message(&group, 1, "hello");
    let placed = world.ask(&alice, message.clone()).unwrap();
    world.acknowledge(&alice, &group, 1).unwrap();
    let (log, mail) = (world.read(&alice, &group, 0, 10), world.mail(&bob, None));
    for _ in 0..2 {
        world.reopen();
        assert_eq!((world.read(&alice, &group, 0, 10), world.mail(&bob, None)), (log.clone(), mail.clone()));
        assert_eq!(world.fetch(&alice, &group, None, 1).unwrap().entries[0].seq, Seq::new(2));
        assert_eq!(world.submit(&alice, &group, 0, bundle.clone()), Ok(committed.clone()));
        assert_eq!(world.ask(&alice, message.clone()), Ok(placed));
    }
}

fn goes_on(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "on");
    for epoch in 0..5 {
        world.commit(&alice, &group, epoch);
        world.reopen();
        let rival = world.submit(&alice, &group, epoch, world.bundle(&group, epoch, "rival"));
        assert!(matches!(rival, Err(Rejection::EpochTaken { .. })));
        world.say(&alice, &group, epoch + 1, "and on");
    }
    let places: Vec<u64> = world.read(&alice, &group, 0, 3).iter().map(|entry| entry.seq.get()).collect();
    assert_eq!(places, (1..=10).collect::<Vec<_>>());
}

fn swept(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let group = world.group(&alice, "swept");
    world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
    let message = world.message(&group, 1, "read by all");
    let placed = world.ask(&alice, message.clone()).unwrap();
    world.say(&alice, &group, 1, "not by bob");
    world.acknowledge(&alice, &group, 3).unwrap();
    world.sweep();
    assert_eq!(world.read(&bob, &group, 1, 10).len(), 2);
    world.acknowledge(&bob, &group, 2).unwrap();
    world.sweep();
    assert_eq!(world.fetch(&alice, &group, Some(0), 10), Err(Rejection::Gap { first: Seq::new(3) }));
    assert_eq!(world.read(&bob, &group, 2, 10).len(), 1);
    assert_eq!(world.ask(&alice, message), Ok(placed));
    // One who was removed, and has read that, holds nothing back any more.
    let removing = CommitBundle { removed: vec![bob.id], ..world.bundle(&group, 1, "remove") };
    world.submit(&alice, &group, 1, removing).unwrap();
    world.acknowledge(&bob, &group, 4).unwrap();
    world.sweep();
    assert_eq!(world.fetch(&bob, &group, None, 10), Err(Rejection::Forbidden));
}

fn aged(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "aged");
    world.say(&alice, &group, 0, "old");
    world.clock.advance(101);
    world.say(&alice, &group, 0, "new");
    world.sweep();
    assert_eq!(world.fetch(&alice, &group, None, 10), Err(Rejection::Gap { first: Seq::new(2) }));
    assert_eq!(world.read(&alice, &group, 1, 10).len(), 1);
}

fn watching(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let (group, other) = (world.group(&alice, "watched"), world.group(&alice, "not watched"));
    let mut log = world.service().watch(vec![Topic::Log(group.id.clone())]);
    let mut mailbox = world.service().watch(vec![Topic::Mailbox(bob.id)]);
    world.say(&alice, &other, 0, "elsewhere");
    world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
    assert_eq!(block_on(log.next()), [Topic::Log(group.id.clone())]);
    assert_eq!(block_on(mailbox.next()), [Topic::Mailbox(bob.id)]);
}
