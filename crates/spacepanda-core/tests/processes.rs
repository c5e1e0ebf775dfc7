//! Several processes on one store, as if there were one. `SPACEPANDA_OPERATIONS=10000` runs the long form.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{self, Child, Command},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use spacepanda_core::core_mls::{
    Client, MessageType, MlsConfig, MlsEnvelope, MlsError, MlsHandle, Secret, TrustOnFirstUse,
    store::{MemoryStore, OpenOptions, StateStore, Unlock},
};

/// For a process of its own: the directory to work in.
const DIR: &str = "SPACEPANDA_TEST_DIR";
/// For a process of its own: whether it ends as one that is killed.
const KILLED: &str = "SPACEPANDA_TEST_KILLED";
const FOR_ALICE: usize = 30;

fn client(identity: &[u8], store: Arc<dyn StateStore>) -> Client {
    let mut config = MlsConfig::interop();
    config.max_past_epochs = 64;
    let builder = Client::builder(identity, Arc::new(TrustOnFirstUse::new()));
    builder.config(config).store(store).open().unwrap()
}

fn alice(dir: &Path) -> Client {
    let unlock = Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap();
    client(b"alice", Arc::new(OpenOptions::new(unlock).open(&dir.join("store")).unwrap()))
}

fn pair(alice: &Client) -> (MlsHandle, MlsHandle) {
    let bob = client(b"bob", Arc::new(MemoryStore::new()));
    let group = alice.create_group(None).unwrap();
    group.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = group.commit().unwrap();
    (group, bob.join_group(&welcomes[0]).unwrap())
}

fn directory(name: &str) -> PathBuf {
    let dir = env::temp_dir().join(format!("spacepanda-{name}-{}", process::id()));
    for sub in ["out", "in"] {
        fs::create_dir_all(dir.join(sub)).unwrap();
    }
    dir
}

fn operations() -> usize {
    env::var("SPACEPANDA_OPERATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(120)
}

/// Files in the order in which they were made.
fn deliver(dir: &Path, envelope: &MlsEnvelope) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let name = format!("{now:039}-{}", process::id());
    fs::write(dir.join("out").join(name), envelope.to_bytes().unwrap()).unwrap();
}

/// What was delivered, epoch by epoch, commits last.
fn delivered(dir: &Path) -> Vec<MlsEnvelope> {
    let mut files: Vec<_> = fs::read_dir(dir.join("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| MlsEnvelope::from_bytes(&fs::read(path).unwrap()).unwrap();
    let mut envelopes: Vec<_> = files.iter().map(read).collect();
    envelopes.sort_by_key(|envelope| (envelope.epoch().unwrap(), envelope.message_type() == MessageType::Commit));
    envelopes
}

fn start(dir: &Path, killed: bool) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "as_a_process_of_its_own", "--nocapture"]).env(DIR, dir);
    if killed {
        command.env(KILLED, "1");
    }
    command.spawn().unwrap()
}

/// Not a test by itself: what the others start.
#[test]
fn as_a_process_of_its_own() {
    let Some(dir) = env::var_os(DIR).map(PathBuf::from) else { return };
    let client = alice(&dir);
    let group = client.group(&client.groups().unwrap()[0]).unwrap();
    if env::var_os(KILLED).is_some() {
        for n in 0..5_u8 {
            deliver(&dir, &group.send_message(&[n]).unwrap());
        }
        process::abort();
    }
    let mut opened = String::new();
    for n in 0..operations() / 2 {
        if n < FOR_ALICE {
            let envelope = MlsEnvelope::from_bytes(&fs::read(dir.join("in").join(n.to_string())).unwrap()).unwrap();
            match group.receive_message(&envelope) {
                Ok(_) => opened.push_str(&format!("{n} ")),
                Err(error) => assert!(matches!(error, MlsError::ReplayDetected { .. }), "{error:?}"),
            }
        }
        deliver(&dir, &group.send_message(&n.to_be_bytes()).unwrap());
        if n % 10 == 9 {
            deliver(&dir, &group.rotate().unwrap());
        }
    }
    fs::write(dir.join(format!("opened-{}", process::id())), opened).unwrap();
}

/// Bob gets everything: each message once, and no number twice.
fn follow(dir: &Path, bob: &MlsHandle) -> (usize, usize) {
    let (mut keys, mut commits) = (BTreeSet::new(), 0);
    for envelope in delivered(dir) {
        if envelope.message_type() == MessageType::Commit {
            bob.receive_commit(&envelope).unwrap();
            commits += 1;
        } else {
            let message = bob.receive_message(&envelope).unwrap();
            assert!(keys.insert((message.epoch, message.generation)), "a key was used twice");
        }
    }
    (keys.len(), commits)
}

/// No update is lost, no key used twice, and nobody hears of a lock.
#[test]
fn two_processes_work_on_one_store() {
    let dir = directory("processes");
    let bob = {
        let client = alice(&dir);
        let (_, bob) = pair(&client);
        for n in 0..FOR_ALICE {
            let envelope = bob.send_message(&n.to_be_bytes()).unwrap();
            fs::write(dir.join("in").join(n.to_string()), envelope.to_bytes().unwrap()).unwrap();
        }
        bob
    };
    for mut child in [start(&dir, false), start(&dir, false)] {
        assert!(child.wait().unwrap().success());
    }
    let each = operations() / 2;
    assert_eq!(follow(&dir, &bob), (2 * each, 2 * (each / 10)));
    let read = |entry: fs::DirEntry| fs::read_to_string(entry.path()).unwrap();
    let reports = fs::read_dir(&dir).unwrap().map(Result::unwrap);
    let reports: String =
        reports.filter(|entry| entry.file_name().to_string_lossy().starts_with("opened-")).map(read).collect();
    let mut opened: Vec<usize> = reports.split_whitespace().map(|n| n.parse().unwrap()).collect();
    opened.sort_unstable();
    assert_eq!(opened, (0..FOR_ALICE.min(each)).collect::<Vec<_>>());
    let client = alice(&dir);
    let group = client.group(&bob.group_id()).unwrap();
    assert_eq!(group.epoch_authenticator(), bob.epoch_authenticator());
    drop(client);
    fs::remove_dir_all(dir).unwrap();
}

/// PM-09: what a killed process reserved is not used by the next one.
#[test]
fn a_killed_process_leaves_no_key_to_use_again() {
    let dir = directory("killed");
    let client = alice(&dir);
    let (_, bob) = pair(&client);
    drop(client);
    for _ in 0..3 {
        assert!(!start(&dir, true).wait().unwrap().success());
    }
    assert_eq!(follow(&dir, &bob), (15, 0));
    fs::remove_dir_all(dir).unwrap();
}

fn two_clients() -> (MlsHandle, MlsHandle, MlsHandle) {
    let store = Arc::new(MemoryStore::new());
    let (first, second) = (client(b"alice", store.clone()), client(b"alice", store));
    let (a, bob) = pair(&first);
    let b = second.group(&a.group_id()).unwrap();
    (a, b, bob)
}

/// PM-09: a block of numbers belongs to whoever reserved it.
#[test]
fn two_clients_share_no_block_of_generations() {
    let (a, b, bob) = two_clients();
    let mut generations = BTreeSet::new();
    for (n, sender) in [&a, &a, &b, &b, &a, &b].into_iter().enumerate() {
        let message = bob.receive_message(&sender.send_message(b"hello").unwrap()).unwrap();
        assert!(generations.insert(message.generation), "message {n} has the number of another");
    }
}

/// Nobody looks at, receives in or commits to an epoch that another client has left.
#[test]
fn what_another_client_did_is_seen_at_once() {
    let (a, b, bob) = two_clients();
    bob.receive_commit(&a.rotate().unwrap()).unwrap();
    assert_eq!((b.epoch(), b.members().len()), (2, 2));
    let staged = a.stage_rotation().unwrap();
    assert_eq!(b.pending_commits().unwrap(), [staged.id]);
    // The commit of one comes back to the other.
    b.receive_commit(&staged.commit).unwrap();
    bob.receive_commit(&staged.commit).unwrap();
    assert_eq!(a.epoch(), 3);
    bob.receive_commit(&b.rotate().unwrap()).unwrap();
    let hello = bob.send_message(b"hello").unwrap();
    assert_eq!(a.receive_message(&hello).unwrap().plaintext, b"hello");
    assert!(matches!(b.receive_message(&hello), Err(MlsError::ReplayDetected { .. })));
    b.propose_update().unwrap();
    assert_eq!(a.send_message(b"early"), Err(MlsError::CommitRequired));
    a.commit().unwrap();
    assert_eq!(b.epoch_authenticator(), a.epoch_authenticator());
    a.client().delete_group(&a.group_id()).unwrap();
    assert_eq!(b.send_message(b"gone"), Err(MlsError::UnknownGroup));
}

/// A message that was looked at, even often and by another client, is received as if it had not been; a second time never.
#[test]
fn peeking_moves_nothing() {
    let (a, b, bob) = two_clients();
    let messages: Vec<_> = (0..3_u8).map(|n| bob.send_message(&[n]).unwrap()).collect();
    for client in [b.client(), a.client(), b.client()] {
        assert_eq!(client.peek(&messages[2]).unwrap().plaintext, [2]);
    }
    for (n, envelope) in messages.iter().enumerate() {
        assert_eq!(usize::from(a.receive_message(envelope).unwrap().plaintext[0]), n);
        assert!(matches!(b.client().peek(envelope), Err(MlsError::ReplayDetected { .. })));
    }
    let own = a.send_message(b"own").unwrap();
    assert_eq!(b.client().peek(&own), Err(MlsError::OwnMessage));
    let commit = a.rotate().unwrap();
    assert!(matches!(b.client().peek(&commit), Err(MlsError::WrongMessageType { .. })));
}
