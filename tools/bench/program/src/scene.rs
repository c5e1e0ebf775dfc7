//! A group in which one implementation takes steps again and again.
//!
//! In: a group size and clients of an implementation. Out: samples of one step.
//! Always: the same bytes and the same step for every implementation. Full trees are forged; the client that is
//! measured joins at the second leaf by Welcome, and a member of ours at the last leaf is the other side.

use std::collections::VecDeque;

use mls_crypto::CipherSuite;
use mls_engine::{codec::decode_exact, message::MlsMessage};
use testkit::{
    forge::{Forged, FullTree},
    network::Host,
};

use crate::{
    ours::Ours,
    peer::{Change, Peer},
    sample::{Sample, timed},
    workload::{QUEUED, Workload},
};

/// Makes clients of one implementation; a number tells them apart.
pub type Make<'a> = &'a dyn Fn(u64) -> Box<dyn Peer>;

/// The most senders of a queue.
const SENDERS: u32 = 100;

/// What kind of group it is.
#[derive(Clone, Copy, Debug)]
pub struct GroupOf {
    /// Its suite.
    pub suite: CipherSuite,
    /// Its size.
    pub members: u32,
    /// The host of everyone else.
    pub host: fn(u64) -> Host,
}

/// A group of one size in which steps are taken again and again.
pub struct Scene<'a> {
    group: GroupOf,
    make: Make<'a>,
    /// Whoever takes the step.
    measured: Box<dyn Peer>,
    /// The group as it began and a member of ours, in full trees.
    full: Option<(Forged, Ours)>,
    seed: u64,
    packages: Vec<Vec<u8>>,
    queues: VecDeque<Vec<Vec<u8>>>,
    pending: bool,
    heap: bool,
}

impl std::fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene").field("members", &self.group.members).finish_non_exhaustive()
    }
}

impl<'a> Scene<'a> {
    /// A full tree, or a group of one and key packages for everyone else.
    pub fn new(cold: bool, group: GroupOf, make: Make<'a>) -> Self {
        if cold { Self::cold(group, make) } else { Self::full(group, make) }
    }

    fn full(group: GroupOf, make: Make<'a>) -> Self {
        let GroupOf { suite, members, host } = group;
        let mut measured = make(1);
        let MlsMessage::KeyPackage(joiner) = decode_exact(&measured.key_package()).unwrap() else {
            panic!("no key package");
        };
        let forger = host(2);
        let forged = FullTree::new(members, suite).with_joiner(&joiner).forge(&forger);
        let other = forged.member(members - 1, host(3)).unwrap();
        measured.join(&forged.welcome(&forger));
        let full = Some((forged, Ours::member(other)));
        Self { full, ..Self::alone(group, make, measured) }
    }

    fn cold(group: GroupOf, make: Make<'a>) -> Self {
        let mut measured = make(1);
        measured.create();
        let packages = (1..group.members).map(|seed| Ours::new(10 + u64::from(seed), group.suite).key_package());
        let packages = packages.collect();
        Self { packages, ..Self::alone(group, make, measured) }
    }

    fn alone(group: GroupOf, make: Make<'a>, measured: Box<dyn Peer>) -> Self {
        let (packages, queues) = (Vec::new(), VecDeque::new());
        Self { group, make, measured, full: None, seed: 4, packages, queues, pending: false, heap: false }
    }

    /// What has to happen once before the first step of a workload.
    pub fn prepare(&mut self, workload: Workload) {
        self.prepare_for(workload, Workload::CatchUp.turns() + 1);
    }

    /// The same with queues for so many turns.
    pub fn prepare_for(&mut self, workload: Workload, turns: usize) {
        if workload == Workload::UpdateCold && !self.packages.is_empty() {
            if !self.pending {
                self.measured.commit(&Change::Add(self.packages.clone()));
            }
            self.measured.apply();
            (self.packages, self.pending) = (Vec::new(), false);
        }
        if workload.payload().is_some() {
            // The first message of a sender walks down the secret tree: not what is measured.
            let hello = self.other().send(b"hello");
            self.measured.process(&hello);
            let hello = self.measured.send(b"hello");
            self.other().process(&hello);
            self.measured.save();
        }
        if workload == Workload::CatchUp {
            self.queue(turns);
        }
    }

    /// A thousand messages for each turn, the senders alternating.
    fn queue(&mut self, turns: usize) {
        let (forged, _) = self.full.as_ref().unwrap();
        // Leaf 0 is busy with nothing, leaf 1 is measured, the last one is the other side.
        let leaves: Vec<_> = (2..self.group.members - 1).take(SENDERS as usize).collect();
        let each = QUEUED.div_ceil(leaves.len());
        let mut queues = vec![vec![Vec::new(); QUEUED]; turns];
        for (place, leaf) in leaves.iter().enumerate() {
            let sender = forged.member(*leaf, (self.group.host)(1_000 + u64::from(*leaf))).unwrap();
            let mut sender = Ours::member(sender);
            for queue in &mut queues {
                let places = (0..each).map(|round| round * leaves.len() + place).filter(|place| *place < QUEUED);
                places.for_each(|place| queue[place] = sender.send(&[7; 32]));
            }
        }
        self.queues = queues.into();
    }

    fn other(&mut self) -> &mut Ours {
        &mut self.full.as_mut().unwrap().1
    }

    fn newcomer(&mut self) -> u64 {
        self.seed += 1;
        1_000_000 + self.seed
    }

    /// Takes the step once and counts the heap, which makes it a little slower.
    pub fn step_counting(&mut self, workload: Workload) -> Sample {
        self.heap = true;
        self.measured.watch();
        let sample = self.step(workload);
        self.heap = false;
        sample
    }

    /// Takes the step once; everything else happens before and after the clock.
    pub fn step(&mut self, workload: Workload) -> Sample {
        if !self.heap {
            self.measured.forget();
        }
        let sample = match workload {
            Workload::Process | Workload::ProcessDurable => self.process(workload == Workload::ProcessDurable),
            Workload::Update | Workload::UpdateCold => self.commit(&Change::Update),
            Workload::Remove => self.commit(&Change::Remove(self.group.members / 2)),
            Workload::Add | Workload::AddByHash => {
                let package = Ours::new(self.newcomer(), self.group.suite).key_package();
                let by_hash = workload == Workload::AddByHash;
                self.commit(&if by_hash { Change::AddByHash(package) } else { Change::Add(vec![package]) })
            }
            Workload::Build => self.build(),
            Workload::Join | Workload::Heap => return self.join(workload == Workload::Heap),
            Workload::ExternalJoin => {
                let mut client = (self.make)(self.newcomer());
                let info = self.other().group_info();
                return timed(self.heap, || client.join_external(&info).len());
            }
            Workload::OpenAndRead => return self.open_and_read(),
            workload => self.message(workload),
        };
        Sample { stored: self.measured.stored(), ..sample }
    }

    /// Both sides begin an epoch, in which chains of messages begin anew: an epoch has an end to them.
    pub fn next_epoch(&mut self) {
        let commit = self.other_commits();
        self.measured.process(&commit);
    }

    fn other_commits(&mut self) -> Vec<u8> {
        let commit = self.other().commit(&Change::Update).commit;
        self.other().apply();
        commit
    }

    fn process(&mut self, durable: bool) -> Sample {
        let commit = self.other_commits();
        timed(self.heap, || {
            self.measured.process(&commit);
            if durable {
                self.measured.save();
            }
            commit.len()
        })
    }

    fn commit(&mut self, change: &Change) -> Sample {
        let sample = timed(self.heap, || self.measured.commit(change).bytes());
        self.measured.discard();
        sample
    }

    /// The commit stays pending: making it again takes minutes in large groups.
    fn build(&mut self) -> Sample {
        if std::mem::replace(&mut self.pending, true) {
            self.measured.discard();
        }
        let change = Change::Add(self.packages.clone());
        timed(self.heap, || self.measured.commit(&change).bytes())
    }

    fn join(&mut self, group_only: bool) -> Sample {
        let mut client = (self.make)(self.newcomer());
        let package = client.key_package();
        let welcome = self.other().commit(&Change::Add(vec![package])).welcome.unwrap();
        self.other().discard();
        if group_only {
            let (held, sample) = client.join_and_weigh(&welcome);
            return Sample { bytes: held, ..sample };
        }
        timed(self.heap, || {
            client.join(&welcome);
            welcome.len()
        })
    }

    fn open_and_read(&mut self) -> Sample {
        let message = self.other().send(&[7; 32]);
        let sample = timed(self.heap, || {
            self.measured.open_and_read(&message);
            message.len()
        });
        let read = self.measured.read();
        self.measured.after_reading(&message);
        Sample { stored: self.measured.stored(), read, ..sample }
    }

    fn message(&mut self, workload: Workload) -> Sample {
        let plaintext = vec![7; workload.payload().unwrap()];
        match workload {
            Workload::CatchUp => {
                let queue = self.queues.pop_front().unwrap();
                self.catch_up(&queue)
            }
            Workload::CatchUpOne => {
                let queue: Vec<_> = (0..QUEUED).map(|_| self.other().send(&plaintext)).collect();
                self.catch_up(&queue)
            }
            Workload::Receive32 | Workload::Receive1K | Workload::Receive64K | Workload::Receive1M => {
                let message = self.other().send(&plaintext);
                timed(self.heap, || {
                    self.measured.process(&message);
                    message.len()
                })
            }
            Workload::SendDurable => timed(self.heap, || {
                let message = self.measured.send(&plaintext);
                self.measured.save();
                message.len()
            }),
            _ => timed(self.heap, || self.measured.send(&plaintext).len()),
        }
    }

    fn catch_up(&mut self, queue: &[Vec<u8>]) -> Sample {
        timed(self.heap, || {
            self.measured.catch_up(queue);
            queue.iter().map(Vec::len).sum()
        })
    }
}
