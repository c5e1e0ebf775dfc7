//! Our engine on its native provider, with its records in memory.

use std::time::{SystemTime, UNIX_EPOCH};

use mls_crypto_aws_lc::AwsLc;
use mls_engine::{
    group::{
        CommitId, CommitOptions, Group, KeyPackageSecrets, MessageOptions, PathChoice, Processed, ProposalKind, Reader,
        Step,
    },
    math::LeafIndex,
};
use testkit::network::{Host, Member, NewMember, Records};

use crate::{
    SUITE,
    peer::{Change, Committed, Peer},
};

/// A client of ours.
#[derive(Debug)]
pub struct Ours {
    client: Option<NewMember>,
    keys: Option<KeyPackageSecrets>,
    member: Option<Member>,
    pending: Option<(CommitId, Step)>,
    /// Bytes of changes since the last time somebody asked.
    stored: usize,
}

/// Seconds that our clocks go ahead by: more than a run takes, less than the hour that leaves are valid before their time.
const AHEAD: u64 = 3_000;

/// A host on the native provider, at the time of the day: the peers look at their clocks.
pub fn host(seed: u64) -> Host {
    let mut host = Host::with_crypto(seed, Box::new(AwsLc::default()));
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
        Change::Add(packages) => packages.iter().cloned().map(ProposalKind::Add).collect(),
        Change::Remove(leaf) => vec![ProposalKind::Remove(LeafIndex::new(*leaf))],
    };
    CommitOptions { by_value, path: PathChoice::Always, ..CommitOptions::default() }
}

impl Ours {
    /// A client in no group.
    pub fn new(seed: u64) -> Self {
        Self::with_host(&format!("ours {seed}"), host(seed))
    }

    /// The same on a host of its own.
    pub fn with_host(name: &str, host: Host) -> Self {
        let client = NewMember::with_host(name, host, SUITE);
        Self { client: Some(client), keys: None, member: None, pending: None, stored: 0 }
    }

    /// A member.
    pub fn member(member: Member) -> Self {
        Self { client: None, keys: None, member: Some(member), pending: None, stored: 0 }
    }

    /// A GroupInfo that allows external commits, with the tree.
    pub fn group_info(&self) -> Vec<u8> {
        let member = self.member.as_ref().unwrap();
        member.group.group_info(&member.host.env(), true, true).unwrap()
    }

    fn adopt(&mut self, step: Step) {
        self.stored += step.bytes();
        self.member.as_mut().unwrap().adopt(step).unwrap();
    }

    fn enter(&mut self, name: String, host: Host, group: Group, changes: &[mls_engine::group::Change]) {
        let mut records = Records::default();
        records.apply(changes);
        self.stored += changes.iter().map(mls_engine::group::Change::bytes).sum::<usize>();
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
        let joined = Group::join(&client.host.env(), welcome, &[self.keys.as_ref().unwrap()], None).unwrap();
        self.enter(client.name, client.host, joined.group, &joined.changes);
    }

    fn join_external(&mut self, group_info: &[u8]) -> Vec<u8> {
        let (member, commit) = self.client.take().unwrap().join_external(group_info, None, None).unwrap();
        self.member = Some(member);
        commit
    }

    fn commit(&mut self, change: &Change) -> Committed {
        let member = self.member.as_ref().unwrap();
        let pending = member.group.commit(&member.host.env(), options(change)).unwrap();
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
        let accepted = member.group.accept(&member.host.env(), &id).unwrap();
        self.adopt(accepted.step);
    }

    fn process(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let member = self.member.as_ref().unwrap();
        let env = member.host.env();
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

    fn send(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let member = self.member.as_ref().unwrap();
        let sealed = member.group.send(&member.host.env(), plaintext, &MessageOptions::default()).unwrap();
        self.adopt(sealed.step);
        sealed.message
    }

    fn save(&mut self) {
        // Every step was made durable as it was adopted.
    }

    fn open_and_read(&mut self, message: &[u8]) -> Vec<u8> {
        let member = self.member.as_ref().unwrap();
        let env = member.host.env();
        let opened = Reader::open(&env, &member.records).unwrap().read(&env, message).unwrap().unwrap();
        opened.plaintext
    }

    fn after_reading(&mut self, message: &[u8]) {
        self.process(message);
    }

    fn stored(&mut self) -> Option<usize> {
        Some(std::mem::take(&mut self.stored))
    }
}
