//! Our engine on its native provider, with its records in memory.

use std::{
    cell::Cell,
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use mls_crypto::{CipherSuite, CryptoProvider};
use mls_crypto_aws_lc::AwsLc;
use mls_engine::{
    group::{
        Change as Write, CommitId, CommitOptions, ExternalJoinParams, Group, KeyPackageSecrets, MessageOptions,
        PathChoice, Processed, ProposalKind, Reader, RecordClass, RecordKey, RecordSource, Step,
    },
    math::LeafIndex,
    message::Extensions,
    policy::Env,
};
use testkit::network::{Host, Member, NewMember, Records};

use crate::{
    derivation::Unlabelled,
    peer::{Change, Committed, Peer},
    sample::{Sample, timed},
    threads::Threads,
};

/// The threads of spacepanda-core, one for each processor.
static THREADS: LazyLock<Threads> = LazyLock::new(Threads::default);

/// A client of ours.
#[derive(Debug)]
pub struct Ours {
    client: Option<NewMember>,
    keys: Option<KeyPackageSecrets>,
    member: Option<Member>,
    pending: Option<(CommitId, Step)>,
    /// Bytes of changes since the last time somebody asked.
    stored: usize,
    /// Bytes of records that were read.
    read: usize,
}

/// Records that say how many bytes were read of them.
struct Weighed<'a> {
    records: &'a Records,
    bytes: Cell<usize>,
}

impl Weighed<'_> {
    fn note(&self, bytes: usize) {
        self.bytes.set(self.bytes.get() + bytes);
    }
}

impl RecordSource for Weighed<'_> {
    fn get(&self, key: &RecordKey) -> Option<Vec<u8>> {
        let value = self.records.get(key);
        self.note(value.as_ref().map_or(0, Vec::len));
        value
    }

    fn scan(&self, class: RecordClass, epoch: Option<u64>) -> Vec<(RecordKey, Vec<u8>)> {
        let found = self.records.scan(class, epoch);
        self.note(found.iter().map(|(key, value)| key.id.len() + value.len()).sum());
        found
    }
}

/// What the engine asks of this host, with the threads that an application has.
fn env(host: &Host) -> Env<'_> {
    Env { parallel: &*THREADS, ..host.env() }
}

/// Seconds that our clocks go ahead by: more than a run takes, less than the hour that leaves are valid before their time.
const AHEAD: u64 = 3_000;

/// A host on the native provider, at the time of the day: the peers look at their clocks.
pub fn host(seed: u64) -> Host {
    with_crypto(seed, Box::new(AwsLc::default()))
}

/// A host for the other side of OpenMLS in X-Wing suites.
pub fn unlabelled(seed: u64) -> Host {
    with_crypto(seed, Box::new(Unlabelled::default()))
}

fn with_crypto(seed: u64, crypto: Box<dyn CryptoProvider>) -> Host {
    let mut host = Host::with_crypto(seed, crypto);
    host.limits.max_members = 1 << 20;
    host.limits.max_message = 64 << 20;
    // Ahead: key packages that are made later in the run are valid from then on.
    host.now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + AHEAD;
    // OpenMLS up to 0.9.2 refuses them: see docs/divergences.md.
    host.policy.no_grease_extensions = true;
    host
}

/// What a commit of ours does.
pub fn options(change: &Change) -> CommitOptions {
    let by_value = match change {
        Change::Update => Vec::new(),
        Change::AddByHash(package) => vec![ProposalKind::Add(package.clone())],
        Change::Add(packages) => packages.iter().cloned().map(ProposalKind::Add).collect(),
        Change::Remove(leaf) => vec![ProposalKind::Remove(LeafIndex::new(*leaf))],
    };
    let tree_in_welcome = !matches!(change, Change::AddByHash(_));
    CommitOptions { by_value, path: PathChoice::Always, tree_in_welcome, ..CommitOptions::default() }
}

impl Ours {
    /// A client in no group.
    pub fn new(seed: u64, suite: CipherSuite) -> Self {
        Self::with_host(&format!("ours {seed}"), host(seed), suite)
    }

    /// The same on a host of its own.
    pub fn with_host(name: &str, host: Host, suite: CipherSuite) -> Self {
        let client = NewMember::with_host(name, host, suite);
        Self { client: Some(client), keys: None, member: None, pending: None, stored: 0, read: 0 }
    }

    /// A member.
    pub fn member(member: Member) -> Self {
        Self { client: None, keys: None, member: Some(member), pending: None, stored: 0, read: 0 }
    }

    /// A GroupInfo that allows external commits, with the tree.
    pub fn group_info(&self) -> Vec<u8> {
        let member = self.member.as_ref().unwrap();
        member.group.group_info(&env(&member.host), true, true).unwrap()
    }

    fn adopt(&mut self, step: Step) {
        self.stored += step.bytes();
        self.member.as_mut().unwrap().adopt(step).unwrap();
    }

    fn enter(&mut self, name: String, host: Host, group: Group, changes: &[Write]) {
        let mut records = Records::default();
        records.apply(changes);
        self.stored += changes.iter().map(Write::bytes).sum::<usize>();
        self.member = Some(Member { name, host, group, records });
    }
}

impl Peer for Ours {
    fn key_package(&mut self) -> Vec<u8> {
        let keys = self.client.as_ref().unwrap().key_package();
        let message = keys.message().unwrap();
        self.keys = Some(keys);
        message
    }

    fn create(&mut self) {
        self.member = Some(self.client.take().unwrap().create(b"bench"));
    }

    fn join(&mut self, welcome: &[u8]) {
        let client = self.client.take().unwrap();
        let joined = Group::join(&env(&client.host), welcome, &[self.keys.as_ref().unwrap()], None).unwrap();
        self.enter(client.name, client.host, joined.group, &joined.changes);
    }

    fn join_and_weigh(&mut self, welcome: &[u8]) -> (usize, Sample) {
        let client = self.client.take().unwrap();
        let mut group = None;
        let sample = timed(true, || {
            let joined = Group::join(&env(&client.host), welcome, &[self.keys.as_ref().unwrap()], None).unwrap();
            group = Some(joined.group);
            welcome.len()
        });
        (sample.memory.and_then(|memory| usize::try_from(memory.held).ok()).unwrap_or_default(), sample)
    }

    fn join_external(&mut self, group_info: &[u8]) -> Vec<u8> {
        let client = self.client.take().unwrap();
        let params = ExternalJoinParams {
            credential: Host::credential(&client.name),
            signature_key: &client.signature_key,
            capabilities: client.capabilities(),
            leaf_extensions: Extensions::new(),
            remove: None,
            psks: Vec::new(),
            authenticated_data: Vec::new(),
        };
        let joined = Group::join_external(&env(&client.host), group_info, None, params).unwrap();
        self.enter(client.name, client.host, joined.group, &joined.changes);
        joined.commit
    }

    fn commit(&mut self, change: &Change) -> Committed {
        let member = self.member.as_ref().unwrap();
        let pending = member.group.commit(&env(&member.host), options(change)).unwrap();
        self.stored += pending.step.bytes();
        self.pending = Some((pending.commit_id, pending.step));
        Committed { commit: pending.commit, welcome: pending.welcome }
    }

    fn discard(&mut self) {
        self.pending = None;
    }

    fn apply(&mut self) {
        let (id, step) = self.pending.take().unwrap();
        self.member.as_mut().unwrap().adopt(step).unwrap();
        let member = self.member.as_ref().unwrap();
        let accepted = member.group.accept(&env(&member.host), &id).unwrap();
        self.adopt(accepted.step);
    }

    fn process(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let member = self.member.as_ref().unwrap();
        let env = env(&member.host);
        let (plaintext, step) = match member.group.process(&env, message).unwrap() {
            Processed::Application(opened) => {
                let step = member.group.record(&env, opened.spent).unwrap();
                (Some(opened.plaintext), step)
            }
            Processed::Commit(staged) => (None, staged.step),
            other => panic!("{other:?}"),
        };
        self.adopt(step);
        plaintext
    }

    fn catch_up(&mut self, messages: &[Vec<u8>]) {
        let member = self.member.as_ref().unwrap();
        let env = env(&member.host);
        let messages: Vec<_> = messages.iter().map(Vec::as_slice).collect();
        let opened = member.group.open_all(&env, &messages);
        let spent = opened.into_iter().map(|opened| opened.unwrap().unwrap().spent).collect();
        let step = member.group.record_all(&env, spent).unwrap();
        self.adopt(step);
    }

    fn send(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let member = self.member.as_ref().unwrap();
        let sealed = member.group.send(&env(&member.host), plaintext, &MessageOptions::default()).unwrap();
        self.adopt(sealed.step);
        sealed.message
    }

    fn save(&mut self) {
        // Every step was made durable as it was adopted.
    }

    fn open_and_read(&mut self, message: &[u8]) -> Vec<u8> {
        let member = self.member.as_ref().unwrap();
        let env = env(&member.host);
        let records = Weighed { records: &member.records, bytes: Cell::default() };
        let opened = Reader::open(&env, &records).unwrap().read(&env, message).unwrap().unwrap();
        self.read = records.bytes.get();
        opened.plaintext
    }

    fn after_reading(&mut self, message: &[u8]) {
        self.process(message);
    }

    fn forget(&mut self) {
        (self.stored, self.read) = (0, 0);
    }

    fn stored(&mut self) -> Option<usize> {
        Some(std::mem::take(&mut self.stored))
    }

    fn read(&mut self) -> Option<usize> {
        Some(self.read)
    }
}
