//! One node and two of them.

use std::{collections::BTreeSet, sync::Arc, thread, time::Duration};

use delivery_conformance::{Bench, Group, World, block_on, delivery_conformance, rules};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    Clock, DeliveryService, DeviceId, Limits, Rejection, Seq, SystemClock, ask,
    hub::Topic,
    request::{DeliverDirect, FetchLog},
};
use mls_delivery_postgres::{Database, PostgresService};
use postgres_lab::{Server, Tools};

use crate::bench::{Databases, no_roots, node, runtime};

pub(crate) fn one_conforms(tools: &Tools) {
    delivery_conformance(&mut Databases::new(tools, 1));
}

pub(crate) fn two_conform(tools: &Tools) {
    delivery_conformance(&mut Databases::new(tools, 2));
}

/// A world whose requests all go to one node.
#[derive(Debug)]
pub(crate) struct Fixed(pub(crate) Arc<dyn DeliveryService>);

impl Bench for Fixed {
    fn open(&mut self, _: mls_delivery::rules::Rules, _: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        self.0.clone()
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        self.0.clone()
    }

    fn sweep(&self) {}
}

/// A hint crosses from node to node; and where it cannot, polling finds what it hinted at.
pub(crate) fn hints(tools: &Tools) {
    let (runtime, server) = (runtime(), Server::start(tools));
    let (rules, clock): (_, Arc<dyn Clock>) = (rules(Limits::default()), Arc::new(SystemClock));
    let address = server.database("hints");
    let polling = |every| {
        let database = Database::new(&address, no_roots(), 8).unwrap();
        let open = PostgresService::open_polling(database, rules.clone(), (clock.clone(), Arc::new(OsRandom)), every);
        runtime.block_on(open).unwrap()
    };
    let (writer, listener) = (Arc::new(polling(HOUR)), polling(HOUR));
    let mut bench = Fixed(writer);
    let world = World::open(&mut bench, Limits::default());
    let alice = world.device("alice");
    let group = world.group(&alice, "hints");
    let topic = Topic::Log(group.id.clone());
    wait_for_listeners(&server, 2);
    let mut watch = listener.watch(vec![topic.clone()]);
    world.say(&alice, &group, 0, "one");
    assert_eq!(block_on(watch.next()), vec![topic.clone()]);
    drop(listener);
    // Nobody hints at what is changed behind the nodes' backs.
    let poller = polling(Duration::from_millis(20));
    let mut watch = poller.watch(vec![topic.clone()]);
    assert_eq!(block_on(watch.next()), vec![topic.clone()], "what is seen first may be new");
    let told = server.sql("hints", "UPDATE groups SET head = head + 1 RETURNING 1");
    assert_eq!(told.trim(), "1");
    assert_eq!(block_on(watch.next()), [topic]);
}

fn wait_for_listeners(server: &Server, count: usize) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN delivery_news' AND state = 'idle'";
    while server.sql("hints", sql).trim() != count.to_string() {
        thread::sleep(Duration::from_millis(10));
    }
}

/// Writers on both nodes race for each epoch of one group; one node goes away in the middle. Each epoch has one winner, and
/// what was acknowledged is in the log, once, in the order both see.
pub(crate) fn one_ends(tools: &Tools) {
    let (runtime, server) = (runtime(), Server::start(tools));
    let (rules, clock): (_, Arc<dyn Clock>) = (rules(Limits::default()), Arc::new(SystemClock));
    let address = server.database("nodes");
    let first: Arc<PostgresService> = runtime.block_on(node(&address, &rules, &clock));
    let second: Arc<PostgresService> = runtime.block_on(node(&address, &rules, &clock));
    let mut bench = Fixed(first.clone());
    let world = World::open(&mut bench, Limits::default());
    let alice = world.device("alice");
    let group = world.group(&alice, "nodes");
    let mut winners = Vec::new();
    for epoch in 0..20 {
        let commit = |text: &str| {
            let bundle = world.bundle(&group, epoch, text);
            world.sign(&group, epoch, bundle)
        };
        let (one, other) = (commit("one"), commit("other"));
        let race = async { tokio::join!(ask(first.as_ref(), alice.id, one), ask(second.as_ref(), alice.id, other)) };
        let results = runtime.block_on(race);
        let winner = match results {
            (Ok(won), Err(Rejection::EpochTaken { seq, .. })) | (Err(Rejection::EpochTaken { seq, .. }), Ok(won)) => {
                assert_eq!(won.seq, seq, "the loser is told where the winner is");
                seq
            }
            other => panic!("epoch {epoch} has one winner: {other:?}"),
        };
        winners.push(winner);
        // Two that write to one mailbox take places one after the other.
        let direct = || DeliverDirect { recipient: alice.id, message: group_message(&world, &group, epoch) };
        let both =
            async { tokio::join!(ask(first.as_ref(), alice.id, direct()), ask(second.as_ref(), alice.id, direct())) };
        let (one, other) = runtime.block_on(both);
        let places = BTreeSet::from([one.unwrap().seq.get(), other.unwrap().seq.get()]);
        assert_eq!(places, BTreeSet::from([2 * epoch + 1, 2 * epoch + 2]));
    }
    // The net below the net: a second commit of an epoch cannot be written, whatever the rules say.
    let rival = "INSERT INTO log SELECT gid, seq + 1000, kind, epoch, attempt, sha256(digest), received, message \
                 FROM log WHERE kind = 1 AND epoch = 3 ON CONFLICT DO NOTHING RETURNING 1";
    assert_eq!(server.sql("nodes", rival).trim(), "");
    drop(world);
    drop(bench);
    drop(first);
    let page = |service: &PostgresService, id: DeviceId| {
        let fetch = FetchLog { group_id: group.id.clone(), after: Some(Seq::ZERO), limit: 100 };
        runtime.block_on(ask(service, id, fetch)).unwrap()
    };
    let page = page(&second, alice.id);
    assert_eq!(page.entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(), winners);
    assert_eq!(page.entries.iter().map(|entry| entry.epoch).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
}

fn group_message(world: &World<'_>, group: &Group, epoch: u64) -> mls_crypto::Opaque {
    world.member_message(group, epoch, "direct").message
}

const HOUR: Duration = Duration::from_secs(3_600);
