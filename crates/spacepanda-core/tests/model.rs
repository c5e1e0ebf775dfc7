//! Everything a handle does, by members that are closed and opened again before each call: it comes to the same as for
//! members that stay open. `SPACEPANDA_MODEL_STEPS=5000` runs longer, `SPACEPANDA_MODEL_SEED` another conversation.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests"
)]

use std::{collections::BTreeMap, env, fs, path::PathBuf, process, sync::Arc};

use spacepanda_core::core_mls::{
    ApplicationRow, Client, Incoming, MlsConfig, MlsEnvelope, MlsError, MlsHandle, MlsResult, Secret, TrustOnFirstUse,
    store::{MemoryStore, OpenOptions, StateStore, Unlock},
};

/// How members live.
#[derive(Clone, Copy, Debug)]
enum Life {
    /// As long as the conversation.
    Long,
    /// For one call, over a store in memory.
    Short,
    /// For one call, over a store on the disk that is closed with them.
    OnDisk,
}

const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];

struct Member {
    name: &'static str,
    store: Store,
    /// The next envelope of the log.
    cursor: usize,
    is_in: bool,
    heard: Vec<String>,
}

enum Store {
    Open(Client),
    Memory(Arc<MemoryStore>),
    Disk(PathBuf),
}

fn client(name: &str, store: Arc<dyn StateStore>) -> Client {
    let mut config = MlsConfig::interop();
    config.max_past_epochs = 16;
    config.key_package_target = 2;
    config.key_package_low_water = 1;
    let builder = Client::builder(name.as_bytes(), Arc::new(TrustOnFirstUse::new()));
    builder.config(config).store(store).open().unwrap()
}

impl Member {
    fn new(name: &'static str, life: Life) -> Self {
        let store = match life {
            Life::Long => Store::Open(client(name, Arc::new(MemoryStore::new()))),
            Life::Short => Store::Memory(Arc::new(MemoryStore::new())),
            Life::OnDisk => Store::Disk(env::temp_dir().join(format!("spacepanda-model-{}", process::id())).join(name)),
        };
        Self { name, store, cursor: 0, is_in: false, heard: Vec::new() }
    }

    fn client(&self) -> Client {
        match &self.store {
            Store::Open(client) => client.clone(),
            Store::Memory(store) => client(self.name, Arc::<MemoryStore>::clone(store)),
            Store::Disk(dir) => {
                let unlock = Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap();
                client(self.name, Arc::new(OpenOptions::new(unlock).open(dir).unwrap()))
            }
        }
    }

    /// By turns with the group opened, and with it closed if the client has it closed.
    fn incoming(&self, envelope: &MlsEnvelope) -> MlsResult<Incoming> {
        if self.cursor.is_multiple_of(2) {
            self.client().handle_incoming(envelope)
        } else {
            self.group().handle_incoming(envelope)
        }
    }

    fn group(&self) -> MlsHandle {
        let client = self.client();
        client.group(&client.groups().unwrap()[0]).unwrap()
    }
}

/// What all who are in an epoch agree on.
#[derive(Debug, Eq, PartialEq)]
struct Agreed {
    authenticator: Vec<u8>,
    members: Vec<Vec<u8>>,
    name: Option<String>,
}

fn agreed(group: &MlsHandle) -> Agreed {
    Agreed {
        authenticator: group.epoch_authenticator().unwrap(),
        members: group.members().into_iter().map(|member| member.identity).collect(),
        name: group.group_name(),
    }
}

/// A conversation, driven by dice.
struct Talk {
    members: Vec<Member>,
    log: Vec<MlsEnvelope>,
    epochs: BTreeMap<u64, Agreed>,
    dice: u64,
    /// What happened, in words that do not depend on keys.
    trace: Vec<String>,
    texts: usize,
}

impl Talk {
    fn new(life: Life, seed: u64) -> Self {
        let members: Vec<_> = NAMES.into_iter().map(|name| Member::new(name, life)).collect();
        members[0].client().create_group(Some("start")).unwrap();
        let mut talk = Self {
            members,
            log: Vec::new(),
            epochs: BTreeMap::new(),
            dice: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            trace: Vec::new(),
            texts: 0,
        };
        talk.members[0].is_in = true;
        talk
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice % sides as u64) as usize
    }

    fn note(&mut self, who: usize, what: &str) {
        self.trace.push(format!("{} {what}", NAMES[who]));
    }

    fn step(&mut self) {
        let inside: Vec<_> = (0..NAMES.len()).filter(|who| self.members[*who].is_in).collect();
        let who = inside[self.roll(inside.len())];
        match self.roll(16) {
            0..4 => self.say(who),
            4 => self.propose(who),
            5 => self.commit(who),
            6 => self.clear(who),
            7 => self.invite(who),
            8 => self.expel(who),
            9 => self.hear_again(who),
            10 => self.look_after(who),
            11 => self.hear_ahead(who),
            _ => self.catch_up(who),
        }
    }

    fn send(&mut self, who: usize, what: &str, sent: MlsResult<MlsEnvelope>) {
        match sent {
            Ok(envelope) => {
                self.note(who, what);
                self.log.push(envelope);
            }
            Err(error) => self.note(who, &format!("{what}: {}", error.code())),
        }
    }

    fn say(&mut self, who: usize) {
        // Not so far behind that the others have forgotten the epoch.
        if self.log.len() - self.members[who].cursor > 10 {
            return self.catch_up(who);
        }
        self.texts += 1;
        let text = format!("text {}", self.texts);
        let sent = self.members[who].group().send_message_with(text.as_bytes(), b"beside");
        self.send(who, &text, sent);
    }

    fn propose(&mut self, who: usize) {
        self.catch_up(who);
        let group = self.members[who].group();
        let (what, proposed) = match self.roll(3) {
            0 => ("proposes new keys", group.propose_update()),
            1 => {
                let name = format!("name {}", self.log.len());
                ("proposes a name", group.set_group_name(&name))
            }
            _ => {
                self.members.iter().for_each(|member| {
                    member.client().store_psk(b"shared", &Secret::copy_from(&[7; 32])).unwrap();
                });
                ("proposes a key", group.propose_psk(b"shared"))
            }
        };
        self.send(who, what, proposed);
    }

    /// In two steps, with a restart between them.
    fn commit(&mut self, who: usize) {
        self.catch_up(who);
        let staged = match self.members[who].group().stage_commit() {
            Err(MlsError::NoProposalsPending) => self.members[who].group().stage_rotation(),
            staged => staged,
        };
        match staged {
            Ok(pending) => {
                assert_eq!(self.members[who].group().pending_commits().unwrap(), [pending.id]);
                let outcome = self.members[who].group().apply_pending_commit(&pending.id).unwrap();
                self.note(who, &format!("commits {} added {}", outcome.epoch, outcome.added.len()));
                self.log.push(pending.commit);
                self.advanced(who);
            }
            Err(error) => self.note(who, &format!("commits: {}", error.code())),
        }
    }

    fn clear(&mut self, who: usize) {
        self.catch_up(who);
        if let Ok(pending) = self.members[who].group().stage_rotation() {
            self.members[who].group().clear_pending_commit(&pending.id).unwrap();
            assert!(self.members[who].group().pending_commits().unwrap().is_empty());
            self.note(who, "thinks better of it");
        }
    }

    /// A proposal and its commit, and the Welcome out of the outbox.
    fn invite(&mut self, who: usize) {
        self.catch_up(who);
        let Some(guest) = (0..NAMES.len()).find(|guest| !self.members[*guest].is_in) else { return };
        let package = self.members[guest].client().generate_key_package().unwrap();
        let proposed = self.members[who].group().propose_add(&package, NAMES[guest].as_bytes());
        let Ok(proposed) = proposed else { return self.note(who, "cannot invite") };
        self.log.push(proposed);
        let Ok(pending) = self.members[who].group().stage_commit() else { return self.note(who, "cannot commit") };
        self.members[who].group().apply_pending_commit(&pending.id).unwrap();
        let outbox = self.members[who].group().outbox().unwrap();
        let welcomes = outbox.into_iter().find(|entry| entry.id == pending.id).unwrap().welcomes;
        self.log.push(pending.commit);
        self.advanced(who);
        self.note(who, &format!("invites {} of {}", NAMES[guest], welcomes.len()));
        let client = self.members[guest].client();
        assert!(welcomes.iter().any(|welcome| client.join_group(welcome).is_ok()));
        drop(client);
        self.members[guest].is_in = true;
        self.members[guest].cursor = self.log.len();
        self.agrees(guest);
    }

    fn expel(&mut self, who: usize) {
        self.catch_up(who);
        let inside: Vec<_> = (0..NAMES.len()).filter(|other| self.members[*other].is_in && *other != who).collect();
        if inside.len() < 2 {
            return;
        }
        let gone = inside[self.roll(inside.len())];
        match self.members[who].group().propose_remove_identity(NAMES[gone].as_bytes()) {
            Ok(proposals) => self.log.extend(proposals),
            Err(error) => return self.note(who, &format!("expels: {}", error.code())),
        }
        let (commit, _) = self.members[who].group().commit().unwrap();
        self.note(who, &format!("expels {}", NAMES[gone]));
        self.log.push(commit);
        self.advanced(who);
        self.catch_up(gone);
        assert!(!self.members[gone].is_in);
    }

    /// What was handled before is known, and changes nothing.
    fn hear_again(&mut self, who: usize) {
        if self.members[who].cursor == 0 {
            return;
        }
        let at = self.roll(self.members[who].cursor);
        let before = agreed(&self.members[who].group());
        let again = self.members[who].incoming(&self.log[at]);
        assert!(!matches!(again, Ok(Incoming::Delivered(_) | Incoming::EpochAdvanced(_) | Incoming::Joined(_))));
        assert_eq!(agreed(&self.members[who].group()), before);
    }

    /// The rest of what a handle can do.
    fn look_after(&mut self, who: usize) {
        let member = &self.members[who];
        let outbox: Vec<_> = member.group().outbox().unwrap().iter().map(|entry| entry.id).collect();
        member.group().mark_sent(&outbox).unwrap();
        assert!(member.group().outbox().unwrap().is_empty());
        let row = ApplicationRow { key: b"cursor".to_vec(), value: Some(member.cursor.to_be_bytes().to_vec()) };
        member.group().write_application_rows(vec![row]).unwrap();
        assert_eq!(member.group().application_row(b"cursor").unwrap().unwrap(), member.cursor.to_be_bytes());
        assert!(!member.group().is_read_only().unwrap());
        assert!(member.group().receipt().unwrap().covers(&member.group().receipt().unwrap()));
        member.group().expire().unwrap();
        let exported = member.group().export_secret("model", b"", 32).unwrap();
        assert!(exported.ct_eq(&member.group().export_secret("model", b"", 32).unwrap()));
        let new = member.client().replenish_key_packages(None).unwrap().key_packages.len();
        let line = format!("looks after {} envelopes, {new} packages", outbox.len());
        self.note(who, &line);
    }

    fn catch_up(&mut self, who: usize) {
        while self.members[who].is_in && self.members[who].cursor < self.log.len() {
            let envelope = self.log[self.members[who].cursor].clone();
            self.members[who].cursor += 1;
            let heard = self.members[who].incoming(&envelope);
            self.heard(who, heard);
        }
    }

    /// Something that is not due yet; its turn comes again.
    fn hear_ahead(&mut self, who: usize) {
        let cursor = self.members[who].cursor;
        if cursor + 1 < self.log.len() {
            let at = cursor + 1 + self.roll(self.log.len() - cursor - 1);
            let heard = self.members[who].incoming(&self.log[at]);
            self.heard(who, heard);
        }
    }

    fn heard(&mut self, who: usize, heard: MlsResult<Incoming>) {
        match heard {
            Ok(Incoming::Delivered(message) | Incoming::OwnEcho(message)) => {
                assert_eq!(message.authenticated_data, b"beside");
                self.members[who].heard.push(String::from_utf8(message.plaintext).unwrap());
            }
            Ok(Incoming::EpochAdvanced(outcome)) => {
                if outcome.released.is_empty() {
                    self.agrees(who);
                } else {
                    self.note(who, &format!("has {} that were early", outcome.released.len()));
                    outcome.released.into_iter().for_each(|heard| self.heard(who, heard));
                }
            }
            Ok(Incoming::Removed { .. }) => {
                self.members[who].is_in = false;
                self.note(who, "is out");
            }
            Ok(Incoming::Buffered { epoch, current }) => self.note(who, &format!("keeps {epoch} at {current}")),
            Ok(_) => {}
            // Of an epoch that is over or far ahead, or a commit before its proposals: the next time, or never.
            Err(error @ (MlsError::EpochMismatch { .. } | MlsError::UnknownProposal)) => {
                self.note(who, &format!("hears {}", error.code()));
            }
            Err(error) => panic!("{}: {error:?}", NAMES[who]),
        }
    }

    /// The first in an epoch.
    fn advanced(&mut self, who: usize) {
        let group = self.members[who].group();
        assert!(self.epochs.insert(group.epoch(), agreed(&group)).is_none(), "two commits in one epoch");
        self.members[who].cursor = self.log.len();
    }

    fn agrees(&self, who: usize) {
        let group = self.members[who].group();
        assert_eq!(agreed(&group), self.epochs[&group.epoch()], "{} at {}", NAMES[who], group.epoch());
    }

    fn finish(mut self) -> (Vec<String>, Vec<Vec<String>>) {
        (0..NAMES.len()).for_each(|who| self.catch_up(who));
        (self.trace, self.members.into_iter().map(|member| member.heard).collect())
    }
}

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|number| number.parse().unwrap())
}

fn play(life: Life, seed: u64, steps: u64) -> (Vec<String>, Vec<Vec<String>>) {
    let mut talk = Talk::new(life, seed);
    (0..steps).for_each(|_| talk.step());
    talk.finish()
}

#[test]
fn a_restart_before_every_call_makes_no_difference() {
    let steps = setting("SPACEPANDA_MODEL_STEPS").unwrap_or(120);
    let first = setting("SPACEPANDA_MODEL_SEED").unwrap_or(1);
    for seed in first..first + 3 {
        let long = play(Life::Long, seed, steps);
        let short = play(Life::Short, seed, steps);
        for (at, (one, other)) in long.0.iter().zip(&short.0).enumerate() {
            assert_eq!(one, other, "seed {seed}, after {:?}", &long.0[at.saturating_sub(12)..at]);
        }
        assert_eq!(long, short, "seed {seed}");
    }
    let dir = env::temp_dir().join(format!("spacepanda-model-{}", process::id()));
    fs::create_dir_all(&dir).unwrap();
    let on_disk = play(Life::OnDisk, first, steps);
    assert_eq!(on_disk, play(Life::Long, first, steps));
    assert!(on_disk.1.iter().map(Vec::len).sum::<usize>() > 0);
    fs::remove_dir_all(dir).unwrap();
}
