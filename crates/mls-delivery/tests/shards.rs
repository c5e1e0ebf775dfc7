//! Groups spread over several shards: the contract holds as with one, also while groups are moved.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use delivery_conformance::{Bench, Device, Group, World, block_on, delivery_conformance};
use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{
    BoxFuture, Capabilities, Clock, DeliveryService, DeviceId, GroupId, Limits, MemoryService, Operation, Rejection,
    Seq, Watch, ask,
    hub::Topic,
    reply::{EntryKind, LogEntry, Reply},
    request::{FetchLog, FetchMailbox, ListGroups, Request},
    rules::Rules,
    shard::{Shard, ShardReply, ShardRequest},
    shards::{Shards, ShardsError},
};

/// Services in memory as shards of one.
#[derive(Debug, Default)]
struct Memories {
    made: Made,
    open: Option<Arc<Shards>>,
}

/// The shards that were made last.
type Made = Arc<Mutex<Vec<Arc<MemoryService>>>>;

fn part<S: Shard + 'static>(shard: &Arc<S>) -> Arc<dyn Shard> {
    let shard: Arc<S> = shard.clone();
    shard
}

fn together(rules: &Rules, shards: &[Arc<MemoryService>]) -> Shards {
    let shards = shards.iter().map(part).collect();
    block_on(Shards::open(rules.crypto.clone(), Arc::new(OsRandom), shards)).unwrap()
}

impl Bench for Memories {
    fn open(&mut self, rules: Rules, clock: Arc<dyn Clock>) -> Arc<dyn DeliveryService> {
        let shard = || Arc::new(MemoryService::new(rules.clone(), clock.clone()));
        let made: Vec<_> = core::iter::repeat_with(shard).take(3).collect();
        let shards = Arc::new(together(&rules, &made));
        *self.made.lock().unwrap() = made;
        self.open = Some(shards.clone());
        shards
    }

    fn reopen(&mut self) -> Arc<dyn DeliveryService> {
        self.open.clone().unwrap()
    }

    fn one_database(&self) -> bool {
        false
    }

    fn sweep(&self) {
        self.made.lock().unwrap().iter().for_each(|shard| shard.sweep().unwrap());
    }
}

#[test]
fn shards_conform() {
    delivery_conformance(&mut Memories::default());
}

#[test]
fn a_group_is_where_hashing_says_and_a_shard_more_takes_its_share_only() {
    let mut bench = Memories::default();
    let world = World::open(&mut bench, Limits::default());
    let (rules, alice) = (world.rules.clone(), world.device("alice"));
    let groups: Vec<Group> = (0..60).map(|n| world.group(&alice, &format!("group {n}"))).collect();
    for group in &groups {
        world.say(&alice, group, 0, "hello");
    }
    drop(world);
    let before = bench.open.take().unwrap();
    let made = bench.made.lock().unwrap().clone();
    let count = |shard: &Arc<MemoryService>| match block_on(shard.call(alice.id, ListGroups::default().into_request()))
    {
        Ok(Reply::Groups(groups)) => groups.cursors.len(),
        Err(Rejection::NotEnrolled) => 0,
        other => panic!("{other:?}"),
    };
    let counts: Vec<usize> = made.iter().map(count).collect();
    assert_eq!(counts.iter().sum::<usize>(), 60);
    assert!(counts.iter().all(|count| *count > 5), "{counts:?}");
    // One shard more: what does not belong to it stays, and what does is found where it was until it is moved.
    let clock: Arc<dyn Clock> = Arc::new(mls_delivery::SystemClock);
    let mut shards = made.clone();
    shards.push(Arc::new(MemoryService::new(rules.clone(), clock)));
    let after = together(&rules, &shards);
    let fourth = *after.names().last().unwrap();
    let theirs = groups.iter().filter(|group| after.ranked(&group.id).unwrap()[0] == fourth).count();
    for group in &groups {
        let [old, new] =
            [&before, &Arc::new(together(&rules, &shards))].map(|shards| shards.ranked(&group.id).unwrap());
        assert!(new[0] == fourth || new[0] == old[0]);
        assert_eq!(read(&after, &alice, group).len(), 1);
    }
    assert!(theirs > 5 && theirs < 30, "{theirs}");
    assert_eq!(block_on(after.balance(2)), Ok(2));
    assert_eq!(block_on(after.balance(1_000)), Ok(theirs - 2));
    assert_eq!(block_on(after.balance(1_000)), Ok(0));
    assert_eq!(count(&shards[3]), theirs);
    for group in &groups {
        assert_eq!(read(&after, &alice, group).len(), 1);
    }
    let listed = block_on(ask(&after, alice.id, ListGroups { skip: 10 })).unwrap();
    assert_eq!(listed.cursors.len(), 50, "a group that was moved is listed once");
}

#[test]
fn shards_keep_their_order() {
    let mut bench = Memories::default();
    let world = World::open(&mut bench, Limits::default());
    let rules = world.rules.clone();
    drop(world);
    let made = bench.made.lock().unwrap().clone();
    let open = |order: [usize; 3]| {
        let shards = order.map(|n| part(&made[n])).to_vec();
        block_on(Shards::open(rules.crypto.clone(), Arc::new(OsRandom), shards)).map(|_| ())
    };
    assert_eq!(open([0, 2, 1]), Ok(()));
    assert_eq!(open([1, 0, 2]), Err(ShardsError::OtherHome(0)));
    assert_eq!(open([0, 1, 1]), Err(ShardsError::Twice(2)));
    let none = block_on(Shards::open(rules.crypto.clone(), Arc::new(OsRandom), Vec::new()));
    assert_eq!(none.err(), Some(ShardsError::None));
}

/// A Welcome waits beside its commit, and comes home once, whatever breaks on the way.
#[test]
fn a_welcome_comes_home_once() {
    let mut bench = Memories::default();
    let world = World::open(&mut bench, Limits::default());
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for n in 0..12 {
        let group = world.group(&alice, &format!("group {n}"));
        let mut bundle = world.inviting(&group, 0, &[&bob]);
        bundle.next.ratchet_tree = Some(b"tree".into());
        world.submit(&alice, &group, 0, bundle).unwrap();
    }
    let rules = world.rules.clone();
    drop(world);
    let (lossy, service) = unreliable(&rules, &bench.made);
    let fetch = || block_on(ask(&service, bob.id, FetchMailbox { after: Some(Seq::ZERO), limit: 100 }));
    // The answer to each step gets lost once: the next fetch begins anew.
    for lost in 0..20 {
        lossy.iter().for_each(|shard| shard.lose(lost));
        let _lost = fetch();
    }
    lossy.iter().for_each(|shard| shard.lose(usize::MAX));
    let page = fetch().unwrap();
    let groups: BTreeSet<GroupId> =
        page.entries.iter().map(|entry| entry.invited.as_ref().unwrap().group_id.clone()).collect();
    assert_eq!((page.entries.len(), groups.len()), (12, 12));
    assert!(page.entries.iter().all(|entry| entry.ratchet_tree.is_some()), "the tree is where the group is");
}

/// Writers write, and somebody moves their groups from shard to shard all the time, through another node, whose steps get lost.
#[test]
fn groups_move_while_they_are_written_to() {
    let mut bench = Memories::default();
    let made = bench.made.clone();
    let world = World::open(&mut bench, Limits::default());
    let (rules, alice) = (world.rules.clone(), world.device("alice"));
    let groups: Vec<Group> = (0..6).map(|n| world.group(&alice, &format!("moving {n}"))).collect();
    let node = together(&rules, &made.lock().unwrap());
    let (lossy, mover) = unreliable(&rules, &made);
    let stop = AtomicBool::new(false);
    let told: Vec<Told> = thread::scope(|scope| {
        let (world, node, alice, stop) = (&world, &node, &alice, &stop);
        let writers: Vec<_> =
            groups.iter().map(|group| scope.spawn(move || write(world, node, (alice, group), stop))).collect();
        let (names, began) = (mover.names(), Instant::now());
        let mut moved = 0;
        for n in 0.. {
            let (group, to) = (&groups[n % groups.len()].id, names[(n / groups.len()) % 3]);
            lossy.iter().for_each(|shard| shard.lose(n % 7));
            let _broken = block_on(mover.move_group(group, &to));
            lossy.iter().for_each(|shard| shard.lose(usize::MAX));
            // Whatever broke off is taken up again.
            insist(|| block_on(mover.move_group(group, &to)));
            moved += 1;
            if began.elapsed() > TIME && moved > 20 {
                break;
            }
        }
        stop.store(true, Ordering::SeqCst);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    for (group, told) in groups.iter().zip(told) {
        assert!(told.len() > 10, "hardly anything was written: {}", told.len());
        verify(&read(&node, &alice, group), &told);
        verify(&read(&mover, &alice, group), &told);
    }
}

/// What a writer was told: epoch and place, of commits and of messages.
type Told = Vec<(u64, Seq)>;

fn write(world: &World<'_>, node: &Shards, (alice, group): (&Device, &Group), stop: &AtomicBool) -> Told {
    let mut told = Told::new();
    for epoch in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let commit = world.sign(group, epoch, world.bundle(group, epoch, "commit"));
        told.push((epoch, insist(|| block_on(ask(node, alice.id, commit.clone()))).seq));
        for n in 0..2 {
            let message = world.member_message(group, epoch + 1, &format!("{n} in {epoch}"));
            told.push((epoch + 1, insist(|| block_on(ask(node, alice.id, message.clone()))).seq));
        }
    }
    told
}

/// The same, until there is an answer.
fn insist<T>(request: impl Fn() -> Result<T, Rejection>) -> T {
    let began = Instant::now();
    loop {
        match request() {
            Ok(reply) => return reply,
            Err(Rejection::Unavailable | Rejection::Unsure) => {
                assert!(began.elapsed() < Duration::from_secs(30), "no answer any more");
                thread::sleep(Duration::from_millis(1));
            }
            Err(rejection) => panic!("{rejection:?}"),
        }
    }
}

fn read(service: &Shards, alice: &Device, group: &Group) -> Vec<LogEntry> {
    let mut entries: Vec<LogEntry> = Vec::new();
    loop {
        let after = entries.last().map_or(Seq::ZERO, |entry| entry.seq);
        let fetch = FetchLog { group_id: group.id.clone(), after: Some(after), limit: 1_000 };
        let page = insist(|| block_on(ask(service, alice.id, fetch.clone())));
        entries.extend(page.entries);
        if entries.last().is_some_and(|last| last.seq >= page.head) {
            return entries;
        }
    }
}

fn verify(log: &[LogEntry], told: &Told) {
    let places: Vec<u64> = log.iter().map(|entry| entry.seq.get()).collect();
    assert_eq!(places, (1..).take(log.len()).collect::<Vec<_>>(), "no gap, nothing twice");
    let by_place: BTreeMap<Seq, u64> = log.iter().map(|entry| (entry.seq, entry.epoch)).collect();
    let mut commits = log.iter().filter(|entry| entry.kind == EntryKind::Commit);
    assert!((0..).zip(&mut commits).all(|(epoch, commit)| commit.epoch == epoch), "one commit per epoch");
    assert_eq!(log.len(), told.len(), "each was acknowledged in the end, and each is there once");
    for (epoch, seq) in told {
        assert_eq!(by_place.get(seq), Some(epoch), "place {seq} is lost");
    }
}

fn unreliable(rules: &Rules, made: &Made) -> (Vec<Arc<Lossy>>, Shards) {
    let made = made.lock().unwrap().clone();
    let lossy: Vec<Arc<Lossy>> = made.into_iter().map(|shard| Arc::new(Lossy::new(shard))).collect();
    let parts = lossy.iter().map(part).collect();
    let shards = block_on(Shards::open(rules.crypto.clone(), Arc::new(OsRandom), parts)).unwrap();
    (lossy, shards)
}

/// A shard one of whose answers gets lost: what was asked is done, and nobody hears of it.
#[derive(Debug)]
struct Lossy {
    shard: Arc<MemoryService>,
    left: AtomicUsize,
}

impl Lossy {
    fn new(shard: Arc<MemoryService>) -> Self {
        Self { shard, left: AtomicUsize::new(usize::MAX) }
    }

    /// After so many answers one gets lost.
    fn lose(&self, left: usize) {
        self.left.store(left, Ordering::SeqCst);
    }
}

impl Shard for Lossy {
    fn shard(&self, request: ShardRequest) -> BoxFuture<'_, Result<ShardReply, Rejection>> {
        Box::pin(async move {
            let answer = self.shard.shard(request).await;
            let left = self.left.load(Ordering::SeqCst);
            self.left.store(left.checked_sub(usize::from(left != usize::MAX)).unwrap_or(usize::MAX), Ordering::SeqCst);
            if left == 0 { Err(Rejection::Unsure) } else { answer }
        })
    }
}

impl DeliveryService for Lossy {
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        self.shard.call(caller, request)
    }

    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        self.shard.watch(topics)
    }

    fn capabilities(&self) -> Capabilities {
        self.shard.capabilities()
    }
}

const TIME: Duration = Duration::from_millis(1_500);
