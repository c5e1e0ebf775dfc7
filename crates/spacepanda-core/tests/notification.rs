//! What a notification costs: a process of its own that looks at one message of a group of 1,000, and ends.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::Arc,
};

use mls_engine::message::{KeyPackage, MlsMessage};
use spacepanda_core::core_mls::{
    CipherSuite, Client, Clock, MlsConfig, MlsEnvelope, Secret, TrustOnFirstUse,
    store::{OpenOptions, Unlock},
};
use testkit::{forge::FullTree, network::Host};

/// For the process of its own: the directory to work in.
const DIR: &str = "SPACEPANDA_NOTIFICATION_DIR";
const MEMBERS: u32 = 1_000;
/// Of the whole process, with its program: 20 MB.
const LIMIT_KIB: u64 = 20_000_000 / 1_024;

/// The time at which forged groups live.
#[derive(Debug)]
struct Then(u64);

impl Clock for Then {
    fn now(&self) -> u64 {
        self.0
    }
}

fn client(dir: &Path) -> Client {
    let unlock = Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap();
    let store = OpenOptions::new(unlock).open(&dir.join("store")).unwrap();
    let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(MlsConfig::interop());
    builder.store(Arc::new(store)).clock(Arc::new(Then(Host::new(1).now))).open().unwrap()
}

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Not a test by itself: what the other starts.
#[test]
fn as_a_process_of_its_own() {
    let Some(dir) = env::var_os(DIR).map(PathBuf::from) else { return };
    let envelope = MlsEnvelope::from_bytes(&fs::read(dir.join("message")).unwrap()).unwrap();
    let peeked = client(&dir).peek(&envelope).unwrap();
    fs::write(dir.join("peeked"), peeked.plaintext).unwrap();
    fs::write(dir.join("peak"), peak().to_string()).unwrap();
}

fn key_package(message: &[u8]) -> KeyPackage {
    match mls_engine::codec::decode_exact(message).unwrap() {
        MlsMessage::KeyPackage(package) => Some(*package),
        _ => None,
    }
    .unwrap()
}

#[test]
fn peeking_takes_little_memory() {
    let dir = env::temp_dir().join(format!("spacepanda-notification-{}", process::id()));
    fs::create_dir_all(&dir).unwrap();
    let host = |seed| {
        let mut host = Host::new(seed);
        host.limits.max_members = MEMBERS;
        host
    };
    let alice = client(&dir);
    let package = key_package(&alice.generate_key_package().unwrap());
    let forged = FullTree::new(MEMBERS, CipherSuite::X25519_AES128).with_joiner(&package).forge(&host(2));
    let mut other = forged.member(0, host(4)).or_else(|| forged.member(1, host(4))).unwrap();
    let id = forged.context.group_id.as_slice();
    let group = alice.join_group(&MlsEnvelope::wrap_welcome(id, forged.welcome(&host(3))).unwrap()).unwrap();
    assert_eq!(group.member_count(), MEMBERS);
    drop((group, alice));
    let message = MlsEnvelope::wrap_application(other.send(b"hello").unwrap()).unwrap();
    fs::write(dir.join("message"), message.to_bytes().unwrap()).unwrap();

    let mut command = Command::new(env::current_exe().unwrap());
    let status = command.args(["--exact", "as_a_process_of_its_own"]).env(DIR, &dir).status().unwrap();
    assert!(status.success());
    assert_eq!(fs::read(dir.join("peeked")).unwrap(), b"hello");
    let peak: u64 = fs::read_to_string(dir.join("peak")).unwrap().parse().unwrap();
    println!("{peak} KiB");
    assert!(peak < LIMIT_KIB, "{peak} KiB");
    // It is still there to be received.
    let alice = client(&dir);
    let group = alice.group(id).unwrap();
    assert_eq!(group.receive_message(&message).unwrap().plaintext, b"hello");
    drop((group, alice));
    fs::remove_dir_all(dir).unwrap();
}
