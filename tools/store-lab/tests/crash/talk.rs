//! Two members talk, and one of them has a store on a disk that loses power: whatever happens, she goes on where she was,
//! what she hears again she knows, what she sends under no key twice, and both agree in the end.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mls_store::{Mark, MemoryStore, Revision, Section, StateStore, Write};
use spacepanda_core::core_mls::{
    ApplicationRow, Client, Clock, CryptoError, Incoming, MessageType, MlsConfig, MlsEnvelope, MlsError, MlsHandle,
    OutboxState, Random, TrustOnFirstUse,
};
use store_lab::{BoxError, Disk, History, Scenario};

use crate::place::{Lock, mount};

/// A group of two, and what they do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk;

/// The other member and his messages, and what Alice was told is done.
#[derive(Clone)]
pub(crate) struct World {
    /// Bob's store.
    bob: Arc<dyn StateStore>,
    /// Everything he sent, in order.
    sent: Vec<MlsEnvelope>,
    /// What Alice said, and was told that it may leave.
    said: Vec<Vec<u8>>,
    /// What Alice heard, and was told that it is kept.
    heard: Vec<Vec<u8>>,
    epoch: u64,
}

/// What Alice does, with Bob's part before or after it.
#[derive(Clone, Copy, Debug)]
enum Act {
    Say(u8),
    Hear(u8),
    /// What she said comes back.
    Echo,
    Propose,
    HearProposal,
    Commit,
    Stage,
    Apply,
    /// Her commit waits, and his is first.
    Lose,
    Sent,
    KeyPackages,
}

const ACTS: [Act; 18] = [
    Act::Say(1),
    Act::Hear(2),
    Act::Echo,
    Act::Propose,
    Act::Commit,
    Act::Say(3),
    Act::Hear(4),
    Act::HearProposal,
    Act::Stage,
    Act::KeyPackages,
    Act::Apply,
    Act::Sent,
    Act::Hear(5),
    Act::Lose,
    Act::Say(6),
    Act::Hear(7),
    Act::Commit,
    Act::Say(8),
];

impl Scenario for Talk {
    type State = World;

    fn prepare(&self, disk: &Disk) -> Result<World, BoxError> {
        let (store, vfs) = Lock::RawKey.open(disk, &mount(disk)?, Mark::default())?.share();
        let bobs: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
        let (alice, bob) = (client(b"alice", store, 1)?, client(b"bob", Arc::clone(&bobs), 2)?);
        let group = alice.create_group(Some("tea"))?;
        group.propose_add(&bob.generate_key_package()?, b"bob")?;
        let (_, welcomes) = group.commit()?;
        let entries: Vec<_> = group.outbox()?.iter().map(|entry| entry.id).collect();
        group.mark_sent(&entries)?;
        bob.join_group(&welcomes[0])?;
        drop((group, alice));
        drop(vfs);
        Ok(World { bob: bobs, sent: Vec::new(), said: Vec::new(), heard: Vec::new(), epoch: 1 })
    }

    fn run(&self, disk: &Disk, history: &mut History<World>) -> Result<(), BoxError> {
        let Some(first) = history.allowed(u64::MAX).first().map(|world| (*world).clone()) else { return Ok(()) };
        let Ok(place) = Lock::RawKey.open(disk, &mount(disk)?, Mark::default()) else { return Ok(()) };
        let (store, _vfs) = place.share();
        let Ok(alice) = client(b"alice", Arc::<mls_store::SqliteStore>::clone(&store), 3) else { return Ok(()) };
        let Ok(alice) = only_group(&alice) else { return Ok(()) };
        let mut talk = Running { alice, store, world: first, history };
        for (act, turn) in ACTS.into_iter().zip(100..) {
            if !talk.perform(act, turn)? {
                break;
            }
        }
        Ok(())
    }

    fn check(&self, disk: &Disk, allowed: &[&World]) -> Result<(), BoxError> {
        let world = (*allowed.last().ok_or("no state is allowed")?).clone();
        let (store, _vfs) = Lock::RawKey.open(disk, &mount(disk)?, Mark::default())?.share();
        let alice = only_group(&client(b"alice", store, 5)?)?;
        if alice.epoch() < world.epoch {
            return Err(format!("epoch {} was acknowledged; now it is {}", world.epoch, alice.epoch()).into());
        }
        let bob = only_group(&client(b"bob", copy(world.bob.as_ref())?, 6)?)?;
        converge(&alice, &bob, &world)
    }
}

/// The two, and what was promised so far.
struct Running<'a> {
    alice: MlsHandle,
    store: Arc<mls_store::SqliteStore>,
    world: World,
    history: &'a mut History<World>,
}

impl Running<'_> {
    /// Whether it could be done: a disk that fails for good ends the talk.
    fn perform(&mut self, act: Act, turn: u64) -> Result<bool, BoxError> {
        let bobs = copy(self.world.bob.as_ref())?;
        let bob = only_group(&client(b"bob", Arc::clone(&bobs), turn)?)?;
        // Bob's part that comes before hers.
        let incoming = match act {
            Act::Hear(text) => Some(bob.send_message(&[text])?),
            Act::HearProposal => Some(bob.propose_update()?),
            Act::Lose => Some(bob.rotate()?),
            _ => None,
        };
        self.world.sent.extend(incoming.clone());
        self.settle(bobs.as_ref())?;
        let mut done = self.attempt(act, incoming.as_ref());
        // Once more, for a failure that passes.
        if let Err(error) = &done {
            self.live_is_stored(act, error)?;
            done = self.attempt(act, incoming.as_ref());
        }
        let Ok(outgoing) = done else { return Ok(false) };
        if let Act::Say(text) = act {
            self.world.said.push(vec![text]);
        }
        if let Act::Hear(text) = act {
            self.world.heard.push(vec![text]);
        }
        self.world.epoch = self.alice.epoch();
        for envelope in &outgoing {
            deliver(&bob, envelope)?;
        }
        self.settle(bobs.as_ref())?;
        Ok(true)
    }

    /// What Alice was told, and Bob has, is the state to come back to.
    fn settle(&mut self, bobs: &dyn StateStore) -> Result<(), BoxError> {
        self.world.bob = copy(bobs)?;
        self.history.attempt(self.world.clone());
        self.history.acknowledge();
        Ok(())
    }

    /// Her part; returns what leaves.
    fn attempt(&self, act: Act, incoming: Option<&MlsEnvelope>) -> Result<Vec<MlsEnvelope>, MlsError> {
        let alice = &self.alice;
        match (act, incoming) {
            (Act::Say(text), _) => alice.send_message(&[text]).map(|envelope| vec![envelope]),
            (Act::Echo, _) => {
                let outbox = alice.outbox()?;
                let own = outbox.iter().find(|entry| entry.envelope.message_type() == MessageType::Application);
                own.map_or(Ok(()), |entry| alice.handle_incoming(&entry.envelope).map(|_| ()))?;
                Ok(Vec::new())
            }
            (Act::Propose, _) => alice.propose_update().map(|envelope| vec![envelope]),
            (Act::Commit, _) => match alice.commit() {
                Err(MlsError::NoProposalsPending) => alice.rotate().map(|commit| vec![commit]),
                done => done.map(|(commit, _)| vec![commit]),
            },
            (Act::Stage, _) => alice.stage_commit().map(|_| Vec::new()),
            (Act::Apply, _) => {
                let Some(id) = alice.pending_commits()?.first().copied() else { return Ok(Vec::new()) };
                alice.apply_pending_commit(&id)?;
                let entry = alice.outbox()?.into_iter().find(|entry| entry.id == id);
                Ok(entry.map(|entry| entry.envelope).into_iter().collect())
            }
            (Act::Lose, Some(commit)) => {
                if alice.pending_commits()?.is_empty() && alice.epoch() == self.world.epoch {
                    alice.stage_rotation()?;
                }
                hear(alice, commit).map(|()| Vec::new())
            }
            (Act::Sent, _) => {
                let all: Vec<_> = alice.outbox()?.iter().map(|entry| entry.id).collect();
                alice.mark_sent(&all).map(|()| Vec::new())
            }
            (Act::KeyPackages, _) => alice.client().replenish_key_packages(None).map(|_| Vec::new()),
            (_, Some(envelope)) => hear(alice, envelope).map(|()| Vec::new()),
            (_, None) => Ok(Vec::new()),
        }
    }

    /// After a failure the handle shows what a client that is opened anew reads, if anything can be read.
    fn live_is_stored(&self, act: Act, error: &MlsError) -> Result<(), BoxError> {
        if !matches!(error, MlsError::Store(_)) {
            return Err(format!("{act:?}: {error:?}").into());
        }
        let seen = self.alice.pending_commits().and_then(|_| glance(&self.alice));
        let store = Arc::<mls_store::SqliteStore>::clone(&self.store);
        let stored = client(b"alice", store, 8).and_then(|client| glance(&only_group(&client)?));
        match (seen, stored) {
            (Ok(seen), Ok(stored)) if seen != stored => {
                Err(format!("{act:?}: live {seen:?}, stored {stored:?}").into())
            }
            _ => Ok(()),
        }
    }
}

type Glance = (u64, Vec<u8>, usize, usize, usize);

/// What both must show.
fn glance(group: &MlsHandle) -> Result<Glance, MlsError> {
    Ok((
        group.epoch(),
        group.epoch_authenticator()?,
        group.pending_commits()?.len(),
        group.pending_proposals()?.len(),
        group.outbox()?.len(),
    ))
}

/// Everything is delivered again, in both directions, until nothing is left to be done.
fn converge(alice: &MlsHandle, bob: &MlsHandle, world: &World) -> Result<(), BoxError> {
    for envelope in &world.sent {
        hear(alice, envelope).map_err(|error| format!("what Bob sent before: {error:?}"))?;
    }
    for entry in alice.outbox()? {
        match entry.state {
            OutboxState::Superseded => {}
            OutboxState::Pending => {
                deliver(bob, &entry.envelope)?;
                alice.apply_pending_commit(&entry.id)?;
            }
            _ => deliver(bob, &entry.envelope)?,
        }
    }
    if alice.epoch_authenticator()? != bob.epoch_authenticator()? {
        return Err(format!("Alice is at {}, Bob at {}", alice.epoch(), bob.epoch()).into());
    }
    for text in [b"still", b"there"] {
        let envelope = match alice.send_message(text) {
            Err(MlsError::CommitRequired) => {
                deliver(bob, &alice.commit()?.0)?;
                alice.send_message(text)?
            }
            sent => sent?,
        };
        deliver(bob, &envelope)?;
        hear(alice, &bob.send_message(text)?)?;
    }
    let missing = |group: &MlsHandle, texts: &[Vec<u8>]| -> Result<bool, MlsError> {
        for text in texts {
            if group.application_row(text)?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    };
    if missing(alice, &world.heard)? || missing(bob, &world.said)? {
        return Err("a message is lost".into());
    }
    Ok(())
}

/// Bob hears something, perhaps again. A key that was used before is a replay, and an error.
fn deliver(bob: &MlsHandle, envelope: &MlsEnvelope) -> Result<(), BoxError> {
    let result = match bob.handle_incoming(envelope)? {
        Incoming::Delivered(message) => {
            let text = message.plaintext;
            bob.write_application_rows(vec![ApplicationRow { key: text.clone(), value: Some(text) }])
        }
        _ => Ok(()),
    };
    Ok(result?)
}

/// Alice hears something, perhaps again; what she hears is kept with the key that is used up.
fn hear(alice: &MlsHandle, envelope: &MlsEnvelope) -> Result<(), MlsError> {
    let row = |text: &[u8]| vec![ApplicationRow { key: text.to_vec(), value: Some(text.to_vec()) }];
    let heard = match envelope.message_type() {
        MessageType::Application => alice.receive_message_with(envelope, |message| row(&message.plaintext)).map(|_| ()),
        _ => alice.handle_incoming(envelope).map(|_| ()),
    };
    match heard {
        // Heard before; if not, its text will be missed.
        Err(MlsError::ReplayDetected { .. }) => Ok(()),
        Err(MlsError::EpochMismatch { expected, actual }) if actual < expected => Ok(()),
        other => other,
    }
}

fn only_group(client: &Client) -> Result<MlsHandle, MlsError> {
    client.group(client.groups()?.first().ok_or(MlsError::UnknownGroup)?)
}

fn client(name: &[u8], store: Arc<dyn StateStore>, seed: u64) -> Result<Client, MlsError> {
    let mut config = MlsConfig::interop();
    config.key_package_target = 2;
    config.key_package_low_water = 1;
    config.store_patience = core::time::Duration::ZERO;
    let builder = Client::builder(name, Arc::new(TrustOnFirstUse::new())).config(config).store(store);
    builder.random(Arc::new(Counted(AtomicU64::new(seed << 32)))).clock(Arc::new(Still)).open()
}

/// Every record, in a store in memory.
fn copy(store: &dyn StateStore) -> Result<Arc<dyn StateStore>, BoxError> {
    let copy = MemoryStore::new();
    for (space, _) in store.spaces(None)? {
        let mut records = Vec::new();
        for class in 0..=255 {
            records.extend(store.scan(&space, class, None)?);
        }
        let writes = records.iter().map(|(key, value)| Write::Put(key.clone(), value)).collect();
        copy.apply(&[Section { space, expected: Revision::NONE, writes }])?;
    }
    Ok(Arc::new(copy))
}

/// The same numbers in every run, and no number twice (SplitMix64).
struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        for chunk in out.chunks_mut(8) {
            let mut z = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// Time stands still.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> u64 {
        1_700_000_000
    }
}
