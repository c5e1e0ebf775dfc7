//! The machine of the database is lost under load, and its synchronous standby takes over.
//!
//! Writers are on two nodes and ask again what they got no answer to, as clients do. What was acknowledged is there
//! afterwards, once; each epoch has one commit; places have no gap.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use delivery_conformance::{Device, Group, World, block_on, rules};
use mls_delivery::{
    Clock, DeliveryService, Limits, Operation, Rejection, Seq, SystemClock, ask, reply::LogEntry, request::FetchLog,
};
use postgres_lab::{Server, Tools};

use crate::{
    bench::{node, runtime},
    nodes::Fixed,
};

/// What a writer was told: epoch and place, of commits and of messages.
pub(crate) type Told = Vec<(u64, Seq)>;

pub(crate) fn primary_lost(tools: &Tools) {
    let runtime = runtime();
    let mut primary = Server::start(tools);
    primary.database("failover");
    let standby = primary.standby();
    let address = primary.address_with(&standby, "failover");
    let (rules, clock): (_, Arc<dyn Clock>) = (rules(Limits::default()), Arc::new(SystemClock));
    let nodes = [runtime.block_on(node(&address, &rules, &clock)), runtime.block_on(node(&address, &rules, &clock))];
    let mut bench = Fixed(nodes[0].clone());
    let world = World::open(&mut bench, Limits::default());
    let alice = world.device("alice");
    let groups: Vec<Group> = (0..GROUPS).map(|n| world.group(&alice, &format!("failover {n}"))).collect();
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let told: Vec<Told> = thread::scope(|scope| {
        let writers: Vec<_> = groups
            .iter()
            .enumerate()
            .map(|(n, group)| {
                let (world, node, alice) = (&world, &nodes[n % 2], &alice);
                let (stop, acknowledged) = (&stop, &acknowledged);
                scope.spawn(move || write(world, node.as_ref(), (alice, group), (stop, acknowledged)))
            })
            .collect();
        let reached = |count| {
            while acknowledged.load(Ordering::SeqCst) < count {
                thread::sleep(Duration::from_millis(1));
            }
        };
        reached(200);
        primary.kill();
        let before = acknowledged.load(Ordering::SeqCst);
        standby.promote();
        reached(before + 200);
        stop.store(true, Ordering::SeqCst);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    for (group, told) in groups.iter().zip(told) {
        for node in &nodes {
            verify(&read(node.as_ref(), &alice, group), &told);
        }
    }
}

/// The standby is gone first: a commit waits for it, and when the primary is lost too, nobody knows.
pub(crate) fn not_replicated(tools: &Tools) {
    let runtime = runtime();
    let mut primary = Server::start(tools);
    let address = primary.database("waiting");
    let mut standby = primary.standby();
    let (rules, clock): (_, Arc<dyn Clock>) = (rules(Limits::default()), Arc::new(SystemClock));
    let node = runtime.block_on(node(&address, &rules, &clock));
    let mut bench = Fixed(node.clone());
    let world = World::open(&mut bench, Limits::default());
    let alice = world.device("alice");
    let group = world.group(&alice, "waiting");
    standby.kill();
    let asked = ask(node.as_ref(), alice.id, world.sign(&group, 0, world.bundle(&group, 0, "commit")));
    let answer = thread::scope(|scope| {
        let asking = scope.spawn(|| block_on(asked));
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'";
        while primary.sql("postgres", waiting).trim() != "1" {
            assert!(!asking.is_finished(), "answered before it is durable");
            thread::sleep(Duration::from_millis(10));
        }
        primary.kill();
        asking.join().unwrap()
    });
    assert_eq!(answer, Err(Rejection::Unsure));
}

/// A commit and two messages in each epoch, until told to stop.
pub(crate) fn write(
    world: &World<'_>,
    service: &dyn DeliveryService,
    (alice, group): (&Device, &Group),
    (stop, acknowledged): (&AtomicBool, &AtomicU64),
) -> Told {
    let mut told = Told::new();
    for epoch in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let commit = || world.sign(group, epoch, world.bundle(group, epoch, "commit"));
        told.push((epoch, insist(service, alice, commit).seq));
        for n in 0..2 {
            let message = || world.member_message(group, epoch + 1, &format!("{n} in {epoch}"));
            told.push((epoch + 1, insist(service, alice, message).seq));
        }
        acknowledged.fetch_add(3, Ordering::SeqCst);
    }
    told
}

/// The same request, until there is an answer.
fn insist<O: Operation>(service: &dyn DeliveryService, alice: &Device, request: impl Fn() -> O) -> O::Reply {
    let began = Instant::now();
    loop {
        match block_on(ask(service, alice.id, request())) {
            Ok(reply) => return reply,
            Err(Rejection::Unavailable | Rejection::Unsure | Rejection::Overloaded) => {
                assert!(began.elapsed() < PATIENCE, "no answer any more");
                thread::sleep(Duration::from_millis(20));
            }
            Err(rejection) => panic!("{rejection:?}"),
        }
    }
}

pub(crate) fn read(service: &dyn DeliveryService, alice: &Device, group: &Group) -> Vec<LogEntry> {
    let mut entries: Vec<LogEntry> = Vec::new();
    loop {
        let after = entries.last().map_or(Seq::ZERO, |entry| entry.seq);
        let fetch = || FetchLog { group_id: group.id.clone(), after: Some(after), limit: 1_000 };
        let page = insist(service, alice, fetch);
        entries.extend(page.entries);
        if entries.last().is_some_and(|last| last.seq >= page.head) {
            return entries;
        }
    }
}

pub(crate) fn verify(log: &[LogEntry], told: &Told) {
    let places: Vec<u64> = log.iter().map(|entry| entry.seq.get()).collect();
    assert_eq!(places, (1..).take(log.len()).collect::<Vec<_>>(), "no gap, nothing twice");
    let by_place: BTreeMap<Seq, u64> = log.iter().map(|entry| (entry.seq, entry.epoch)).collect();
    let mut commits = log.iter().filter(|entry| entry.kind == mls_delivery::reply::EntryKind::Commit);
    assert!((0..).zip(&mut commits).all(|(epoch, commit)| commit.epoch == epoch), "one commit per epoch");
    assert_eq!(log.len(), told.len(), "each was acknowledged in the end, and each is there once");
    for (epoch, seq) in told {
        assert_eq!(by_place.get(seq), Some(epoch), "place {seq} is lost");
    }
}

const GROUPS: usize = 8;

const PATIENCE: Duration = Duration::from_secs(60);
