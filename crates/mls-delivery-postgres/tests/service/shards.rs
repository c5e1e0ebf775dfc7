//! Groups spread over several databases.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use delivery_conformance::{Bench, Group, World, block_on, delivery_conformance, rules};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    Clock, DeliveryService, Limits, Rejection, SystemClock, rules::Rules, shard::Shard, shards::Shards,
};
use mls_delivery_postgres::PostgresService;
use postgres_lab::{Server, Tools};
use tokio::runtime::Runtime;

use crate::{
    bench::{node, runtime},
    failover::{Told, read, verify, write},
    nodes::Fixed,
};

/// Two databases for each service.
struct Pairs {
    runtime: Runtime,
    server: Server,
    count: u32,
    open: Option<Open>,
}

/// The service over both, its parts, and what it was opened with.
type Open = (Together, Rules, Arc<dyn Clock>);

type Together = (Arc<Shards>, Vec<Arc<PostgresService>>);

impl Pairs {
    fn service(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        let addresses = ["a", "b"].map(|half| self.server.database(&format!("pair{}{half}", self.count)));
        let (shards, nodes) = self.runtime.block_on(together(&addresses, &rules, &clock));
        self.open = Some(((shards.clone(), nodes), rules, clock));
        shards
    }
}

fn part(node: &Arc<PostgresService>) -> Arc<dyn Shard> {
    let node: Arc<PostgresService> = node.clone();
    node
}

async fn together(addresses: &[String], rules: &Rules, clock: &Arc<dyn Clock>) -> Together {
    let mut nodes = Vec::new();
    for address in addresses {
        nodes.push(node(address, rules, clock).await);
    }
    let parts = nodes.iter().map(part).collect();
    let shards = Shards::open(rules.crypto.clone(), Arc::new(OsRandom), parts).await.unwrap();
    (Arc::new(shards), nodes)
}

impl fmt::Debug for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pairs").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Bench for Pairs {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        self.open = None;
        self.count += 1;
        self.service(rules, clock)
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        let (together, rules, clock) = self.open.take().unwrap();
        drop(together);
        self.service(rules, clock)
    }

    fn one_database(&self) -> bool {
        false
    }

    fn sweep(&self) {
        let ((_, nodes), _, _) = self.open.as_ref().unwrap();
        nodes.iter().for_each(|node| block_on(node.sweep()).unwrap());
    }
}

pub(crate) fn conform(tools: &Tools) {
    let (runtime, server) = (runtime(), Server::start(tools));
    delivery_conformance(&mut Pairs { runtime, server, count: 0, open: None });
}

/// Groups go to and fro between two databases, while others write to them through another node.
pub(crate) fn moved(tools: &Tools) {
    let (runtime, server) = (runtime(), Server::start(tools));
    let (rules, clock): (_, Arc<dyn Clock>) = (rules(Limits::default()), Arc::new(SystemClock));
    let addresses = ["first_half", "second_half"].map(|name| server.database(name));
    let (writing, _nodes) = runtime.block_on(together(&addresses, &rules, &clock));
    let (moving, _others) = runtime.block_on(together(&addresses, &rules, &clock));
    let mut bench = Fixed(writing.clone());
    let world = World::open(&mut bench, Limits::default());
    let alice = world.device("alice");
    let groups: Vec<Group> = (0..4).map(|n| world.group(&alice, &format!("moved {n}"))).collect();
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let told: Vec<Told> = thread::scope(|scope| {
        let (world, writing, alice, told) = (&world, &writing, &alice, (&stop, &acknowledged));
        let writers: Vec<_> = groups
            .iter()
            .map(|group| scope.spawn(move || write(world, writing.as_ref(), (alice, group), told)))
            .collect();
        let (names, began) = (moving.names(), Instant::now());
        let mut moves = 0;
        while moves < 16 || began.elapsed() < Duration::from_secs(2) {
            let (group, to) = (&groups[moves % 4].id, names[(moves / 4) % 2]);
            match block_on(moving.move_group(group, &to)) {
                Ok(()) => moves += 1,
                Err(Rejection::Unavailable | Rejection::Unsure) => thread::sleep(Duration::from_millis(20)),
                Err(rejection) => panic!("{rejection:?}"),
            }
        }
        stop.store(true, Ordering::SeqCst);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert!(acknowledged.load(Ordering::SeqCst) > 30, "hardly anything was written");
    for (group, told) in groups.iter().zip(told) {
        verify(&read(writing.as_ref(), &alice, group), &told);
        verify(&read(moving.as_ref(), &alice, group), &told);
    }
}
