//! Messages through the whole service, from sending to reading, with commits in between.
//!
//! Each group has so many members, of whom a sample reads and acknowledges; nobody opens what is read, which is no MLS
//! ciphertext. Sending does not wait for answers: who is slow is not spared by that.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use delivery_conformance::{Device, Group, World};
use mls_delivery::{
    DeliveryService, DeviceId, GroupId, Seq, ask,
    hub::Topic,
    request::{AcknowledgeLog, FetchLog},
};
use mls_delivery_client::Remote;
use mls_engine::{codec::decode_exact, message::MlsMessage};
use tokio::task::JoinSet;

use crate::{
    Report, Service,
    author::{Author, client, name},
    report::progress,
};

/// How much.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// Groups.
    pub groups: usize,
    /// Members of the smallest and of the largest.
    pub members: (usize, usize),
    /// How many of them read, in each group.
    pub readers: usize,
    /// Messages a second, in all.
    pub rate: u64,
    /// For how long.
    pub time: Duration,
    /// A commit after so many messages of a group.
    pub churn: u64,
}

/// When each message was sent, by its number.
type Sent = Arc<Mutex<BTreeMap<u64, Instant>>>;

/// What readers and senders count.
#[derive(Default)]
struct Counts {
    latencies: Mutex<Vec<Duration>>,
    errors: AtomicU64,
    number: AtomicU64,
    stop: AtomicBool,
}

/// Runs it through one node for each of `data`: of a folder there is one node only.
pub fn run(program: &Path, data: &[String], traffic: Traffic) -> Report {
    let services: Vec<Service> = data.iter().map(|data| Service::start(program, data)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut author = Author;
    // Tasks outlive no run; the process ends after it.
    let world: &'static World<'static> = Box::leak(Box::new(Box::leak(Box::new(std::mem::take(&mut author))).world()));
    runtime.block_on(async {
        let clients = clients(world, &services, traffic.members.1).await;
        let groups = groups(world, &clients, traffic).await;
        let before = services.iter().map(Service::memory).sum();
        let (counts, sent) = (Arc::new(Counts::default()), Sent::default());
        let mut readers = JoinSet::new();
        for (group, members) in &groups {
            for (device, remote) in clients.iter().take(*members).skip(1).take(traffic.readers) {
                readers.spawn(read(remote.clone(), device.id, group.id.clone(), (counts.clone(), sent.clone())));
            }
        }
        let began = Instant::now();
        let mut senders = JoinSet::new();
        for (n, (group, _)) in groups.iter().enumerate() {
            let (device, remote) = &clients[0];
            let remote = if n % 2 == 0 { remote.clone() } else { clients[1].1.clone() };
            let id = if n % 2 == 0 { device.id } else { clients[1].0.id };
            senders.spawn(send(world, (remote, id), group.clone(), traffic, (counts.clone(), sent.clone())));
        }
        let bar = progress("messages", traffic.rate * traffic.time.as_secs());
        while began.elapsed() < traffic.time {
            tokio::time::sleep(Duration::from_millis(200)).await;
            bar.set_position(counts.number.load(Ordering::Relaxed));
        }
        counts.stop.store(true, Ordering::SeqCst);
        while senders.join_next().await.is_some() {}
        let took = began.elapsed();
        drained(&counts, traffic.readers).await;
        bar.finish_and_clear();
        readers.abort_all();
        let after = services.iter().map(Service::memory).sum();
        let unread = expected(&counts, traffic.readers).saturating_sub(counts.latencies.lock().unwrap().len() as u64);
        let latencies = core::mem::take(&mut *counts.latencies.lock().unwrap());
        let what = format!(
            "send to read, {} messages in {} groups of {}-{}, {} readers each",
            counts.number.load(Ordering::SeqCst),
            traffic.groups,
            traffic.members.0,
            traffic.members.1,
            traffic.readers
        );
        let errors = counts.errors.load(Ordering::SeqCst) + unread;
        Report { what, took, latencies, errors, memory: Some((before, after)) }
    })
}

async fn clients(world: &World<'_>, services: &[Service], count: usize) -> Vec<(Device, Remote)> {
    let bar = progress("devices", count as u64);
    let mut clients = Vec::new();
    for n in 0..count.max(2) {
        let service = &services[n % services.len()];
        clients.push(client(world, &service.address, &format!("user {n}")).await.unwrap());
        bar.inc(1);
    }
    bar.finish_and_clear();
    clients
}

/// Groups whose members are the first so many devices.
async fn groups(world: &World<'_>, clients: &[(Device, Remote)], traffic: Traffic) -> Vec<(Group, usize)> {
    let bar = progress("groups", traffic.groups as u64);
    let (smallest, largest) = traffic.members;
    let mut groups = Vec::new();
    for n in 0..traffic.groups {
        let members = smallest + (largest - smallest) * n / traffic.groups.max(1);
        let group = Group { id: GroupId::new(name(&format!("load {n}")).as_bytes()) };
        let (device, remote) = &clients[0];
        ask(remote, device.id, world.create(&group)).await.unwrap();
        let invited: Vec<&Device> = clients.iter().take(members).skip(1).map(|(device, _)| device).collect();
        let commit = world.sign(&group, 0, world.inviting(&group, 0, &invited));
        ask(remote, device.id, commit).await.unwrap();
        groups.push((group, members));
        bar.inc(1);
    }
    bar.finish_and_clear();
    groups
}

async fn send(
    world: &'static World<'static>,
    (remote, id): (Remote, DeviceId),
    group: Group,
    traffic: Traffic,
    (counts, sent): (Arc<Counts>, Sent),
) {
    let every = Duration::from_secs_f64(traffic.groups as f64 / traffic.rate as f64);
    let mut ticks = tokio::time::interval(every);
    let mut sending = JoinSet::new();
    let (mut epoch, mut count) = (1, 0);
    while !counts.stop.load(Ordering::SeqCst) {
        ticks.tick().await;
        count += 1;
        if count % traffic.churn == 0 {
            let commit = world.sign(&group, epoch, world.bundle(&group, epoch, "commit"));
            match ask(&remote, id, commit).await {
                Ok(_) => epoch += 1,
                Err(_) => drop(counts.errors.fetch_add(1, Ordering::SeqCst)),
            }
        }
        let number = counts.number.fetch_add(1, Ordering::SeqCst);
        let message = world.member_message(&group, epoch, &format!("{number:0300}"));
        let (remote, counts) = (remote.clone(), counts.clone());
        sent.lock().unwrap().insert(number, Instant::now());
        sending.spawn(async move {
            if ask(&remote, id, message).await.is_err() {
                counts.errors.fetch_add(1, Ordering::SeqCst);
            }
        });
        while sending.try_join_next().is_some() {}
    }
    while sending.join_next().await.is_some() {}
}

async fn read(remote: Remote, id: DeviceId, group_id: GroupId, (counts, sent): (Arc<Counts>, Sent)) {
    let mut watch = remote.watch(vec![Topic::Log(group_id.clone())]);
    let mut after = Seq::new(1);
    loop {
        watch.next().await;
        loop {
            let fetch = FetchLog { group_id: group_id.clone(), after: Some(after), limit: 100 };
            let Ok(page) = ask(&remote, id, fetch).await else { break };
            let now = Instant::now();
            for entry in &page.entries {
                after = entry.seq;
                let sent = number(entry.message.as_slice()).and_then(|n| sent.lock().unwrap().get(&n).copied());
                if let Some(sent) = sent {
                    counts.latencies.lock().unwrap().push(now - sent);
                }
            }
            if after >= page.head {
                break;
            }
        }
        let _later = ask(&remote, id, AcknowledgeLog { group_id: group_id.clone(), seq: after }).await;
    }
}

/// The number in a message.
fn number(message: &[u8]) -> Option<u64> {
    let MlsMessage::PrivateMessage(message) = decode_exact(message).ok()? else { return None };
    std::str::from_utf8(message.ciphertext.as_slice()).ok()?.parse().ok()
}

fn expected(counts: &Counts, readers: usize) -> u64 {
    counts.number.load(Ordering::SeqCst) * readers as u64
}

/// Waits until everything is read, or nothing more comes.
async fn drained(counts: &Counts, readers: usize) {
    let read = || counts.latencies.lock().unwrap().len() as u64;
    let mut before = 0;
    while read() < expected(counts, readers) && read() > before {
        before = read();
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
