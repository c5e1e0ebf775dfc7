//! Clients that know both nodes, and ask the other one when the first is gone.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use delivery_conformance::{Bench, Device, Group, World};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    Clock, DeliveryService, Limits, MemoryService, Operation, Seq, UserId, ask,
    reply::{EntryKind, LogEntry},
    request::{Enrol, FetchLog},
    rules::Rules,
};
use mls_delivery_client::{Backoff, Connect, Identity, Remote};
use postgres_lab::{Server, Tools};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

/// Makes devices, groups and messages; what they are asked of is elsewhere.
#[derive(Debug)]
struct Author;

impl Bench for Author {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        Arc::new(MemoryService::new(rules, clock))
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        panic!("not reopened here")
    }

    fn sweep(&self) {}
}

/// A `panda serve` that is killed when it is dropped.
struct Node {
    child: Child,
    address: String,
}

impl Node {
    fn start(database: &str, data: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_panda"));
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PANDA_")) {
            command.env_remove(name);
        }
        command
            .args(["serve", "--json", "--listen", "127.0.0.1:0", "--data", data])
            .env("PANDA_SERVE_DATABASE", database);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Self { child, address: said["address"].as_str().unwrap().to_owned() }
    }

    fn kill(&mut self) {
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A device that knows both nodes.
struct Client {
    device: Device,
    remotes: [Remote; 2],
    preferred: usize,
}

impl Client {
    async fn new(world: &World<'_>, (n, nodes): (usize, &[Node; 2])) -> Self {
        let device = world.stranger(&format!("user {n}"));
        let connect = async |node: &Node| {
            let connect = Connect {
                address: node.address.clone(),
                service: b"localhost".to_vec(),
                service_key: None,
                tls: no_roots(),
                crypto: world.rules.crypto.clone(),
                random: Arc::new(OsRandom),
                backoff: Backoff { tries: 2, ..Backoff::default() },
            };
            let identity = Identity { key: device.key.clone(), private_key: device.private_key.duplicate() };
            Remote::connect(connect, identity).await.unwrap()
        };
        let remotes = [connect(&nodes[0]).await, connect(&nodes[1]).await];
        let client = Self { device, remotes, preferred: n % 2 };
        let (user, key) = (UserId::new(format!("user {n}").as_bytes()), client.device.key.clone());
        client.insist(|| Enrol { user: user.clone(), key: key.clone(), invite: b"".into(), voucher: None }).await;
        client
    }

    /// The same request, of one node and then of the other, until there is an answer.
    async fn insist<O: Operation>(&self, request: impl Fn() -> O) -> O::Reply {
        let began = Instant::now();
        for turn in self.preferred.. {
            match ask(&self.remotes[turn % 2], self.device.id, request()).await {
                Ok(reply) => return reply,
                Err(rejection) if rejection.retryable() => {}
                Err(rejection) => panic!("{rejection:?}"),
            }
            assert!(began.elapsed() < PATIENCE, "no answer any more");
        }
        panic!("no turn is left")
    }
}

pub(crate) fn one_node_killed(tools: &Tools) {
    let server = Server::start(tools);
    let database = server.database("nodes");
    let folder = env::temp_dir().join(format!("panda-nodes-{}", process::id()));
    let data = |n: usize| folder.join(n.to_string());
    let first = Node::start(&database, data(0).to_str().unwrap());
    share_keys(&data(0), &data(1));
    let mut nodes = [first, Node::start(&database, data(1).to_str().unwrap())];

    let mut author = Author;
    let world = World::open(&mut author, Limits::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
    let writers: Vec<(Client, Group)> = (0..WRITERS).map(|n| writer(&runtime, &world, (n, &nodes))).collect();
    let told: Vec<Vec<(u64, Seq)>> = std::thread::scope(|scope| {
        let running: Vec<_> = writers
            .iter()
            .map(|(client, group)| {
                scope.spawn(|| runtime.block_on(write(&world, (client, group), &stop, &acknowledged)))
            })
            .collect();
        wait_for(&acknowledged, 60);
        nodes[0].kill();
        wait_for(&acknowledged, acknowledged.load(Ordering::SeqCst) + 60);
        stop.store(true, Ordering::SeqCst);
        running.into_iter().map(|running| running.join().unwrap()).collect()
    });
    for ((client, group), told) in writers.iter().zip(&told) {
        let fetch = || FetchLog { group_id: group.id.clone(), after: Some(Seq::ZERO), limit: 1_000 };
        verify(&runtime.block_on(client.insist(fetch)).entries, told);
    }
    fs::remove_dir_all(&folder).unwrap();
}

/// Nodes of one service have the same keys; a node that made its own is refused.
fn share_keys(from: &std::path::Path, to: &PathBuf) {
    fs::create_dir_all(to).unwrap();
    for key in ["receipt.key", "gate.key"] {
        fs::copy(from.join(key), to.join(key)).unwrap();
    }
}

fn writer(runtime: &Runtime, world: &World<'_>, (n, nodes): (usize, &[Node; 2])) -> (Client, Group) {
    let group = Group { id: mls_delivery::GroupId::new(format!("group {n}").as_bytes()) };
    let client = runtime.block_on(Client::new(world, (n, nodes)));
    runtime.block_on(client.insist(|| world.create(&group)));
    (client, group)
}

/// A commit and two messages in each epoch, until told to stop.
async fn write(
    world: &World<'_>,
    (client, group): (&Client, &Group),
    stop: &AtomicBool,
    acknowledged: &AtomicU64,
) -> Vec<(u64, Seq)> {
    let mut told = Vec::new();
    for epoch in 0.. {
        // A device may commit so often in a minute, and speak more.
        if stop.load(Ordering::SeqCst) || epoch == 25 {
            break;
        }
        told.push((epoch, client.insist(|| world.sign(group, epoch, world.bundle(group, epoch, "commit"))).await.seq));
        for n in 0..8 {
            let message = || world.member_message(group, epoch + 1, &format!("{n} in {epoch}"));
            told.push((epoch + 1, client.insist(message).await.seq));
            acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    }
    told
}

fn wait_for(acknowledged: &AtomicU64, count: u64) {
    let began = Instant::now();
    while acknowledged.load(Ordering::SeqCst) < count {
        assert!(began.elapsed() < PATIENCE, "nothing is acknowledged any more");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn verify(log: &[LogEntry], told: &[(u64, Seq)]) {
    let places: Vec<u64> = log.iter().map(|entry| entry.seq.get()).collect();
    assert_eq!(places, (1..).take(log.len()).collect::<Vec<_>>(), "no gap, nothing twice");
    let commits = log.iter().filter(|entry| entry.kind == EntryKind::Commit);
    assert!((0..).zip(commits).all(|(epoch, commit)| commit.epoch == epoch), "one commit per epoch");
    let by_place: BTreeMap<Seq, u64> = log.iter().map(|entry| (entry.seq, entry.epoch)).collect();
    assert_eq!(log.len(), told.len(), "each was acknowledged in the end, and each is there once");
    for (epoch, seq) in told {
        assert_eq!(by_place.get(seq), Some(epoch), "place {seq} is lost");
    }
}

fn no_roots() -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let versions = builder.with_safe_default_protocol_versions().unwrap();
    versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

const WRITERS: usize = 4;

const PATIENCE: Duration = Duration::from_secs(60);
