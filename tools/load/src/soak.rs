//! A service for as long as one likes, with members that come and go, and a process that is killed and started again.
//!
//! In: for how long. Out: a report whose errors are what was lost, doubled or out of order, and whose memory is that of the
//! service in the first and in the last third. Always: each reader holds every entry against what its writer was told, as it
//! comes, so a run of days needs no more memory than one of seconds.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use delivery_conformance::{Device, Group, World};
use mls_delivery::{
    DeviceId, Digest, GroupId, Operation, Seq, ask,
    request::{AcknowledgeLog, AcknowledgeMailbox, FetchLog, FetchMailbox},
};
use mls_delivery_client::Remote;
use tokio::task::JoinSet;

use crate::{
    Report, Service,
    author::{Author, client, name},
    report::progress,
};

/// How much.
#[derive(Clone, Copy, Debug)]
pub struct Soak {
    /// For how long.
    pub time: Duration,
    /// How often the service is killed and started again.
    pub kill: Duration,
    /// Groups, each with a writer, two readers, and a guest that comes and goes.
    pub groups: usize,
}

/// What a writer was told, and its two readers have not read yet.
#[derive(Default)]
struct Ledger {
    told: Mutex<[VecDeque<(Seq, Digest)>; 2]>,
    written: AtomicU64,
}

/// What all of them count.
#[derive(Default)]
struct Counts {
    latencies: Mutex<Vec<Duration>>,
    read: AtomicU64,
    wrong: AtomicU64,
    stop: AtomicBool,
}

impl Counts {
    fn took(&self, time: Duration) {
        let mut latencies = self.latencies.lock().unwrap();
        if latencies.len() < REMEMBERED {
            latencies.push(time);
        }
    }
}

/// Runs it. The service listens at one port all the time, so that clients come back to it.
pub fn run(program: &Path, data: &str, soak: Soak) -> Report {
    let port = free_port();
    let service = Service::start_at(program, data, port);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // Tasks outlive no run; the process ends after it.
    let world: &'static World<'static> = Box::leak(Box::new(Box::leak(Box::new(Author)).world()));
    runtime.block_on(async {
        let counts = Arc::new(Counts::default());
        let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
        for n in 0..soak.groups {
            let mut people = Vec::new();
            for who in ["writer", "first", "second", "guest"] {
                people.push(client(world, &service.address, &format!("{who} {n}")).await.unwrap());
            }
            let group = Group { id: GroupId::new(name(&format!("soak {n}")).as_bytes()) };
            let ledger = Arc::new(Ledger::default());
            begin(world, &people, &group).await;
            for (which, (device, remote)) in people.iter().skip(1).take(2).enumerate() {
                let reading =
                    read(remote.clone(), device.id, group.id.clone(), (ledger.clone(), which), counts.clone());
                readers.spawn(reading);
            }
            writers.spawn(write(world, people, group, ledger, counts.clone()));
        }
        let (took, memory) = trouble(program.to_owned(), data.to_owned(), (service, port), soak).await;
        counts.stop.store(true, Ordering::SeqCst);
        while writers.join_next().await.is_some() {}
        // Each reader ends when it has read what was written; one that never does is cut off, and what it lacks is wrong.
        let all_read = async { while readers.join_next().await.is_some() {} };
        let unread = tokio::time::timeout(PATIENCE, all_read).await.is_err();
        let latencies = core::mem::take(&mut *counts.latencies.lock().unwrap());
        let errors = counts.wrong.load(Ordering::SeqCst) + u64::from(unread);
        let read = counts.read.load(Ordering::SeqCst);
        let what =
            format!("soak of {} groups, killed every {} s, {read} entries read", soak.groups, soak.kill.as_secs());
        Report { what, took, latencies, errors, memory: Some(memory) }
    })
}

/// The first epoch of a group: its readers are in it.
async fn begin(world: &World<'_>, people: &[(Device, Remote)], group: &Group) {
    let (writer, remote) = &people[0];
    ask(remote, writer.id, world.create(group)).await.unwrap();
    let readers = [&people[1].0, &people[2].0];
    ask(remote, writer.id, world.sign(group, 0, world.inviting(group, 0, &readers))).await.unwrap();
}

/// Kills the service now and then, starts it again, and looks at its memory. Returns how much it had early and late.
async fn trouble(
    program: PathBuf,
    data: String,
    (mut service, port): (Service, u16),
    soak: Soak,
) -> (Duration, (u64, u64)) {
    let (began, mut started) = (Instant::now(), Instant::now());
    let (mut early, mut late) = (0, 0);
    let bar = progress("seconds", soak.time.as_secs());
    while began.elapsed() < soak.time {
        tokio::time::sleep(Duration::from_millis(500)).await;
        bar.set_position(began.elapsed().as_secs());
        let memory = service.memory();
        if began.elapsed() < soak.time / 3 {
            early = memory.max(early);
        } else if began.elapsed() > soak.time * 2 / 3 {
            late = memory.max(late);
        }
        if started.elapsed() > soak.kill {
            drop(service);
            service = Service::start_at(&program, &data, port);
            started = Instant::now();
        }
    }
    bar.finish_and_clear();
    // It serves on until the last has read; the process of this run ends it.
    std::mem::forget(service);
    (began.elapsed(), (early, late))
}

/// Messages and commits, and a guest that is invited and removed in turn.
async fn write(
    world: &'static World<'static>,
    people: Vec<(Device, Remote)>,
    group: Group,
    ledger: Arc<Ledger>,
    counts: Arc<Counts>,
) {
    let ((writer, remote), guest) = (&people[0], &people[3].0);
    let (mut epoch, mut inside) = (1, false);
    for n in 0_u64.. {
        if counts.stop.load(Ordering::SeqCst) {
            return;
        }
        let began = Instant::now();
        let (seq, digest) = if n % 16 == 15 {
            let mut bundle =
                if inside { world.bundle(&group, epoch, "out") } else { world.inviting(&group, epoch, &[guest]) };
            if inside {
                bundle.removed = vec![guest.id];
            }
            inside = !inside;
            let commit = world.sign(&group, epoch, bundle);
            let committed = insist(remote, writer.id, || commit.clone()).await;
            epoch += 1;
            (committed.seq, committed.receipt.ruling.digest)
        } else {
            let message = world.member_message(&group, epoch, &format!("{n:0200}"));
            let digest = world.rules.crypto.digest(message.message.as_slice());
            (insist(remote, writer.id, || message.clone()).await.seq, digest)
        };
        counts.took(began.elapsed());
        // The guest reads its Welcomes, or its mailbox would be full one day.
        let (guest, remote) = &people[3];
        if n % 16 == 15 {
            let head = insist(remote, guest.id, || FetchMailbox { after: None, limit: 1 }).await.head;
            insist(remote, guest.id, || AcknowledgeMailbox { seq: head }).await;
        }
        ledger.told.lock().unwrap().iter_mut().for_each(|told| told.push_back((seq, digest)));
        ledger.written.store(seq.get(), Ordering::SeqCst);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn read(
    remote: Remote,
    id: DeviceId,
    group_id: GroupId,
    (ledger, which): (Arc<Ledger>, usize),
    counts: Arc<Counts>,
) {
    let mut after = Seq::new(1);
    loop {
        let done = counts.stop.load(Ordering::SeqCst);
        let fetch = || FetchLog { group_id: group_id.clone(), after: Some(after), limit: 100 };
        let page = insist(&remote, id, fetch).await;
        for entry in &page.entries {
            let gap = entry.seq != after.next();
            after = entry.seq;
            // Whoever writes hears of a place a little later than it can be read.
            let told = loop {
                if let Some(told) = ledger.told.lock().unwrap()[which].pop_front() {
                    break told;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            };
            if gap || told != (entry.seq, entry.digest) {
                counts.wrong.fetch_add(1, Ordering::SeqCst);
            }
            counts.read.fetch_add(1, Ordering::SeqCst);
        }
        insist(&remote, id, || AcknowledgeLog { group_id: group_id.clone(), seq: after }).await;
        if done && after.get() >= ledger.written.load(Ordering::SeqCst) {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The same request until there is an answer.
async fn insist<O: Operation>(remote: &Remote, id: DeviceId, request: impl Fn() -> O) -> O::Reply {
    let began = Instant::now();
    loop {
        match ask(remote, id, request()).await {
            Ok(reply) => return reply,
            Err(rejection) if rejection.retryable() && began.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(rejection) => panic!("{rejection:?}"),
        }
    }
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Whether a service has more memory late than early: by a quarter, and by more than what comes and goes.
pub fn grows((early, late): (u64, u64)) -> bool {
    late > early + early / 4 + 32 * 1_024
}

/// How many times are kept; a run of days has more.
const REMEMBERED: usize = 1_000_000;

const PAUSE: Duration = Duration::from_millis(20);

const PATIENCE: Duration = Duration::from_secs(60);
