//! Bytes that a message and a commit write to files, in full trees of any size.

use std::{
    fs::File,
    io::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use mls_crypto::CipherSuite;
use mls_engine::{codec::decode_exact, group::CommitOptions, message::MlsMessage};
use spacepanda_core::core_mls::{MlsConfig, MlsEnvelope};
use testkit::{forge::FullTree, network::Host};

use super::{Figure, scratch::Scratch};
use crate::host;

const SUITE: CipherSuite = CipherSuite::X25519_AES128;
const GROUP: &[u8] = b"bench";
const COMMITS: usize = 8;
const MESSAGES: usize = 96;
/// Messages that wait for whoever catches up, and how often they do.
const QUEUED: usize = 1_000;
const QUEUES: usize = 3;

/// Joins a forged group of this size, sends, receives, and processes commits.
pub(super) fn run(members: u32) -> Vec<Figure> {
    let scratch = Scratch::new(true);
    let mut config = MlsConfig::interop();
    config.max_group_size = 1 << 20;
    let client = scratch.client("alice", &config);
    let MlsMessage::KeyPackage(package) = decode_exact(&client.generate_key_package().unwrap()).unwrap() else {
        return Vec::new();
    };
    let tree = FullTree { group_id: GROUP.to_vec(), ..FullTree::new(members, SUITE).with_joiner(&package) };
    let forged = tree.forge(&today(2));
    let mut other = forged.member(members - 1, today(3)).unwrap();
    let welcome = MlsEnvelope::wrap_welcome(GROUP, forged.welcome(&today(2))).unwrap();
    let mut group = None;
    let join = Figure::measure("join", members, 1, |_| group = Some(client.join_group(&welcome).unwrap()));
    let group = group.unwrap();
    let send = Figure::measure("send-32", members, MESSAGES, |_| group.send_message(&[7; 32]).unwrap());
    let mut queue = |len: usize| -> Vec<_> {
        (0..len).map(|_| MlsEnvelope::wrap_application(other.send(&[7; 32]).unwrap()).unwrap()).collect()
    };
    let messages = queue(MESSAGES);
    let queues: Vec<_> = (0..QUEUES).map(|_| queue(QUEUED)).collect();
    let receive =
        Figure::measure("receive-32", members, MESSAGES, |turn| group.receive_message(&messages[turn]).unwrap());
    let catch_up = Figure::measure("catch-up-one", members, QUEUES, |turn| {
        let read = group.receive_all(&queues[turn]);
        assert!(read.iter().all(Result::is_ok));
        read
    });
    let commits: Vec<_> = (0..COMMITS)
        .map(|_| MlsEnvelope::wrap_commit(other.commit_now(CommitOptions::default()).unwrap().0).unwrap())
        .collect();
    let process = Figure::measure("process", members, COMMITS, |turn| group.receive_commit(&commits[turn]).unwrap());
    vec![join, send, receive, catch_up, process]
}

/// What the disk takes for a page, written and synced.
pub(super) fn sync() -> Figure {
    let scratch = Scratch::new(true);
    let mut file = File::create(scratch.file("page")).unwrap();
    Figure::measure("page-synced", 1, MESSAGES, |_| {
        file.write_all(&[7; 4_096]).unwrap();
        file.sync_data().unwrap();
    })
}

/// A host with the clock of the machine, as the client under test has it.
fn today(seed: u64) -> Host {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Host { now, ..host(seed) }
}
