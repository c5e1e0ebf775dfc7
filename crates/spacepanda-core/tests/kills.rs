//! A process that is killed in the middle of traffic, again and again: whatever it was doing, the next one goes on, no
//! message is lost, no key is used twice, and both members agree in the end. `SPACEPANDA_KILLS=200` runs the long form.
//!
//! Alice lives in processes of her own, on a store on the disk. The test is Bob, and the delivery service: one log that
//! both follow, in which the first commit of an epoch counts.
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
    thread,
    time::{Duration, Instant},
};

use spacepanda_core::core_mls::{
    ApplicationRow, Client, MessageType, MlsConfig, MlsEnvelope, MlsError, MlsHandle, OutboxState, Secret,
    TrustOnFirstUse,
    store::{MemoryStore, OpenOptions, StateStore, Unlock},
};

/// For a process of its own: the directory to work in.
const DIR: &str = "SPACEPANDA_KILLS_DIR";
/// For a process of its own: only finish what is open.
const FINISH: &str = "SPACEPANDA_KILLS_FINISH";

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

/// A file that is there as a whole or not at all.
fn put(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, path).unwrap();
}

fn read(path: &Path) -> MlsEnvelope {
    MlsEnvelope::from_bytes(&fs::read(path).unwrap()).unwrap()
}

fn row(key: &str, value: &[u8]) -> ApplicationRow {
    ApplicationRow { key: key.as_bytes().to_vec(), value: Some(value.to_vec()) }
}

/// Numbers that differ from run to run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Not a test by itself: what the other starts.
#[test]
fn as_a_process_of_its_own() {
    let Some(dir) = env::var_os(DIR).map(PathBuf::from) else { return };
    let client = alice(&dir);
    let mut member = Member { group: client.group(&client.groups().unwrap()[0]).unwrap(), dir };
    if env::var_os(FINISH).is_some() {
        return member.finish();
    }
    let mut dice = Dice(u64::from(process::id()) * 0x9E37_79B9 + 1);
    for number in 0.. {
        member.submit_open();
        member.follow();
        member.act(number, &mut dice);
    }
}

/// Alice.
struct Member {
    group: MlsHandle,
    dir: PathBuf,
}

impl Member {
    /// What is in the outbox goes to the delivery service; perhaps again. Messages that are there are done.
    fn submit_open(&self) {
        for entry in self.group.outbox().unwrap() {
            let name: String = entry.id.as_slice().iter().map(|byte| format!("{byte:02x}")).collect();
            match entry.state {
                OutboxState::Accepted | OutboxState::Superseded => self.group.mark_sent(&[entry.id]).unwrap(),
                state => {
                    put(&self.dir.join("out").join(name), &entry.envelope.to_bytes().unwrap());
                    if state == OutboxState::Unsent {
                        self.group.mark_sent(&[entry.id]).unwrap();
                    }
                }
            }
        }
    }

    /// The log from where she was. Of a message, row and cursor are written with its key.
    fn follow(&self) {
        let cursor = self.group.application_row(b"cursor").unwrap();
        let mut next = cursor.map_or(0, |at| u64::from_be_bytes(at.try_into().unwrap()));
        loop {
            let path = self.dir.join("log").join(next.to_string());
            if !path.exists() {
                return;
            }
            let envelope = read(&path);
            next += 1;
            let cursor = || row("cursor", &next.to_be_bytes());
            let kept = match envelope.message_type() {
                MessageType::Application => {
                    let rows = |text: &[u8]| vec![cursor(), row(&String::from_utf8_lossy(text), b"heard")];
                    self.group.receive_message_with(&envelope, |message| rows(&message.plaintext)).map(|_| true)
                }
                _ => self.group.handle_incoming(&envelope).map(|_| false),
            };
            match kept {
                Ok(true) => {}
                Ok(false) | Err(MlsError::OwnMessage | MlsError::ReplayDetected { .. }) => {
                    self.group.write_application_rows(vec![cursor()]).unwrap();
                }
                // Of commits, the log has only the first of each epoch, and of proposals only those of its own.
                Err(error) => panic!("{:?} of {:?}: {error:?}", envelope.message_type(), envelope.epoch()),
            }
        }
    }

    fn act(&self, number: u32, dice: &mut Dice) {
        match dice.roll(8) {
            0 if self.group.pending_commits().unwrap().is_empty() => match self.group.stage_rotation() {
                Ok(_) => {}
                Err(MlsError::CommitRequired) => drop(self.group.stage_commit()),
                Err(error) => panic!("{error:?}"),
            },
            1 => drop(self.group.propose_update().unwrap()),
            _ => {
                let text = format!("alice {} {number}", process::id());
                match self.group.send_message(text.as_bytes()) {
                    // Said before it leaves: it may not be lost any more.
                    Ok(_) => put(&self.dir.join("said").join(text.replace(' ', "-")), text.as_bytes()),
                    Err(MlsError::CommitRequired) => drop(self.group.stage_commit()),
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    }

    /// Until nothing is left to do; then what Bob has to have as well.
    fn finish(&mut self) {
        for _ in 0..500 {
            self.submit_open();
            self.follow();
            if self.group.pending_commits().unwrap().is_empty() && !self.group.pending_proposals().unwrap().is_empty() {
                drop(self.group.stage_commit().unwrap());
            }
            if self.group.outbox().unwrap().is_empty() && self.group.pending_proposals().unwrap().is_empty() {
                put(&self.dir.join("end"), &self.group.epoch_authenticator().unwrap());
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("never done: {:?}", self.group.outbox().unwrap());
    }
}

/// Bob, and the delivery service.
struct Service {
    bob: MlsHandle,
    dir: PathBuf,
    seen: BTreeSet<PathBuf>,
    keys: BTreeSet<(u64, u32)>,
    heard: BTreeSet<String>,
    said: Vec<String>,
    log: u64,
    dice: Dice,
}

impl Service {
    fn append(&mut self, envelope: &MlsEnvelope) {
        put(&self.dir.join("log").join(self.log.to_string()), &envelope.to_bytes().unwrap());
        self.log += 1;
    }

    /// What Alice submitted since, each once; of commits the first of an epoch.
    fn collect(&mut self) {
        let files = fs::read_dir(self.dir.join("out")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_none() && !self.seen.contains(path)).collect();
        files.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        for path in files {
            let envelope = read(&path);
            self.seen.insert(path);
            let current = envelope.epoch().unwrap() == Some(self.bob.epoch());
            match envelope.message_type() {
                MessageType::Application => {
                    let message = self.bob.receive_message(&envelope).unwrap();
                    assert!(self.keys.insert((message.epoch, message.generation)), "a key was used twice");
                    let text = String::from_utf8(message.plaintext).unwrap();
                    assert!(self.heard.insert(text), "a message came twice");
                    self.append(&envelope);
                }
                _ if current => {
                    self.bob.handle_incoming(&envelope).unwrap();
                    self.append(&envelope);
                }
                _ => {}
            }
        }
    }

    fn act(&mut self) {
        match self.dice.roll(120) {
            0 => {
                let commit = match self.bob.rotate() {
                    Err(MlsError::CommitRequired) => self.bob.commit().map(|(commit, _)| commit),
                    rotated => rotated,
                };
                self.append(&commit.unwrap());
            }
            1..8 => {
                let text = format!("bob {}", self.log);
                if let Ok(envelope) = self.bob.send_message(text.as_bytes()) {
                    self.said.push(text);
                    self.append(&envelope);
                }
            }
            _ => thread::sleep(Duration::from_millis(2)),
        }
    }

    fn run(&mut self, child: &mut Child, until: Instant) {
        while Instant::now() < until {
            self.collect();
            self.act();
            if let Some(status) = child.try_wait().unwrap() {
                panic!("ended by itself: {status}");
            }
        }
    }
}

fn start(dir: &Path, finish: bool) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "as_a_process_of_its_own", "--nocapture"]).env(DIR, dir);
    if finish {
        command.env(FINISH, "1");
    }
    command.spawn().unwrap()
}

#[test]
fn killed_again_and_again() {
    let kills = env::var("SPACEPANDA_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let dir = env::temp_dir().join(format!("spacepanda-kills-{}", process::id()));
    ["out", "log", "said"].iter().for_each(|sub| fs::create_dir_all(dir.join(sub)).unwrap());
    let bob = client(b"bob", Arc::new(MemoryStore::new()));
    let bob = {
        let alice = alice(&dir).create_group(None).unwrap();
        alice.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
        let (_, welcomes) = alice.commit().unwrap();
        bob.join_group(&welcomes[0]).unwrap()
    };
    let dice = Dice(u64::from(process::id()) << 16 | 1);
    let (seen, keys, heard) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut service = Service { bob, dir: dir.clone(), seen, keys, heard, said: Vec::new(), log: 0, dice };
    for _ in 0..kills {
        let mut child = start(&dir, false);
        let life = Duration::from_millis(20 + service.dice.roll(180));
        service.run(&mut child, Instant::now() + life);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut child = start(&dir, true);
    while child.try_wait().unwrap().is_none() {
        service.collect();
        thread::sleep(Duration::from_millis(5));
    }
    service.collect();
    assert!(child.wait().unwrap().success());
    assert_eq!(fs::read(dir.join("end")).unwrap(), service.bob.epoch_authenticator().unwrap());
    for entry in fs::read_dir(dir.join("said")).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.extension().is_none() {
            let text = fs::read_to_string(entry).unwrap();
            assert!(service.heard.contains(&text), "Bob never heard {text:?}");
        }
    }
    let alice = alice(&dir);
    let alice = alice.group(&service.bob.group_id()).unwrap();
    for text in &service.said {
        assert!(alice.application_row(text.as_bytes()).unwrap().is_some(), "Alice never heard {text:?}");
    }
    let epoch = service.bob.epoch();
    println!("{kills} kills, {} messages to Bob, {} to Alice, epoch {epoch}", service.heard.len(), service.said.len());
    assert!(!service.heard.is_empty() && !service.said.is_empty() && epoch > 1);
    drop(alice);
    fs::remove_dir_all(dir).unwrap();
}
