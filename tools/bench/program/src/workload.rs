//! The workloads: what is set up, and the one step that is measured.
//!
//! In: a workload, a group size and an implementation. Out: samples of the step, from a [`Scene`].
//! Always: the same bytes and the same step for every implementation. Full trees are forged; the client that is
//! measured joins at the second leaf by Welcome, and a member of ours at the last leaf is the other side.

use std::time::{Duration, Instant};

use mls_engine::{codec::decode_exact, message::MlsMessage};
use testkit::forge::FullTree;

use crate::{
    SUITE,
    ours::{Ours, host},
    peer::{Change, Peer},
};

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, clap::ValueEnum)]
pub enum Workload {
    /// Taking an update commit, full tree.
    Process,
    /// Making an update commit, full tree.
    Update,
    /// Making a commit that removes one, full tree.
    Remove,
    /// Making a commit that adds one, full tree, and its Welcome with the tree inside.
    Add,
    /// Joining by Welcome.
    Join,
    /// Joining by external commit.
    ExternalJoin,
    /// Making a commit that adds everyone, and its Welcome.
    Build,
    /// Making an update commit right after that one.
    UpdateCold,
    /// Sending 32 bytes, as the implementation does by itself.
    #[value(name = "send-32")]
    Send32,
    /// Sending 1 KiB.
    #[value(name = "send-1k")]
    Send1K,
    /// Sending 64 KiB.
    #[value(name = "send-64k")]
    Send64K,
    /// Sending 1 MiB.
    #[value(name = "send-1m")]
    Send1M,
    /// Sending 32 bytes and making the state durable.
    SendDurable,
    /// Receiving 32 bytes.
    #[value(name = "receive-32")]
    Receive32,
    /// Receiving 1 KiB.
    #[value(name = "receive-1k")]
    Receive1K,
    /// Receiving 64 KiB.
    #[value(name = "receive-64k")]
    Receive64K,
    /// Receiving 1 MiB.
    #[value(name = "receive-1m")]
    Receive1M,
    /// Opening a stored group and reading one message.
    OpenAndRead,
}

/// What one step took.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Wall time.
    pub time: Duration,
    /// Bytes on the wire that it made or took.
    pub bytes: usize,
    /// Bytes of keys and values handed to the store, if the implementation says.
    pub stored: Option<usize>,
}

impl Workload {
    /// The name in reports, and on the command line.
    pub fn name(self) -> String {
        let value = clap::ValueEnum::to_possible_value(&self).unwrap();
        value.get_name().to_owned()
    }

    /// Bytes of the message, if the step is about one.
    pub const fn payload(self) -> Option<usize> {
        match self {
            Self::Send32 | Self::SendDurable | Self::Receive32 | Self::OpenAndRead => Some(32),
            Self::Send1K | Self::Receive1K => Some(1_024),
            Self::Send64K | Self::Receive64K => Some(65_536),
            Self::Send1M | Self::Receive1M => Some(1_048_576),
            _ => None,
        }
    }

    /// Whether the group is made by one commit.
    pub const fn is_cold(self) -> bool {
        matches!(self, Self::Build | Self::UpdateCold)
    }

    /// How often the step is taken in one round: often if it is short.
    pub const fn repeats(self) -> usize {
        match self {
            Self::Send32 | Self::Receive32 | Self::Send1K | Self::Receive1K => 40,
            Self::Process | Self::Update | Self::Remove | Self::Send64K | Self::Receive64K => 8,
            Self::Add | Self::SendDurable | Self::OpenAndRead => 4,
            _ => 1,
        }
    }
}

/// Makes clients of one implementation; a number tells them apart.
pub type Make<'a> = &'a dyn Fn(u64) -> Box<dyn Peer>;

/// A group of one size in which steps are taken again and again.
pub struct Scene<'a> {
    members: u32,
    make: Make<'a>,
    /// Whoever takes the step.
    measured: Box<dyn Peer>,
    /// A member of ours, in full trees.
    other: Option<Ours>,
    seed: u64,
    packages: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene").field("members", &self.members).finish_non_exhaustive()
    }
}

impl<'a> Scene<'a> {
    /// A full tree.
    pub fn full(members: u32, make: Make<'a>) -> Self {
        let mut measured = make(1);
        let MlsMessage::KeyPackage(joiner) = decode_exact(&measured.key_package()).unwrap() else {
            panic!("no key package");
        };
        let forger = host(2);
        let forged = FullTree::new(members, SUITE).with_joiner(&joiner).forge(&forger);
        let other = forged.member(members - 1, host(3)).unwrap();
        measured.join(&forged.welcome(&forger));
        Self { members, make, measured, other: Some(Ours::member(other)), seed: 4, packages: Vec::new() }
    }

    /// A group of one, and key packages for everyone else.
    pub fn cold(members: u32, make: Make<'a>) -> Self {
        let mut measured = make(1);
        measured.create();
        let packages = (1..members).map(|seed| Ours::new(10 + u64::from(seed)).key_package()).collect();
        Self { members, make, measured, other: None, seed: 4, packages }
    }

    /// What has to happen once before the first step of a workload.
    pub fn prepare(&mut self, workload: Workload) {
        if workload == Workload::UpdateCold && !self.packages.is_empty() {
            let packages = std::mem::take(&mut self.packages);
            self.measured.commit(&Change::Add(packages));
            self.measured.apply();
        }
        if workload.payload().is_some() {
            // The first message of a sender walks down the secret tree: not what is measured.
            let hello = self.other().send(b"hello");
            self.measured.process(&hello);
            let hello = self.measured.send(b"hello");
            self.other().process(&hello);
            self.measured.save();
        }
    }

    fn other(&mut self) -> &mut Ours {
        self.other.as_mut().unwrap()
    }

    fn next_seed(&mut self) -> u64 {
        self.seed += 1;
        self.seed
    }

    /// Takes the step once; everything else happens before and after the clock.
    pub fn step(&mut self, workload: Workload) -> Sample {
        self.measured.stored();
        let sample = match workload {
            Workload::Process => {
                let commit = self.other().commit(&Change::Update).commit;
                self.other().apply();
                timed(|| {
                    self.measured.process(&commit);
                    commit.len()
                })
            }
            Workload::Update | Workload::UpdateCold => self.commit(&Change::Update),
            Workload::Remove => self.commit(&Change::Remove(self.members / 2)),
            Workload::Add => {
                let package = Ours::new(1_000_000 + self.next_seed()).key_package();
                self.commit(&Change::Add(vec![package]))
            }
            Workload::Build => self.commit(&Change::Add(self.packages.clone())),
            Workload::Join => self.join(),
            Workload::ExternalJoin => {
                let mut client = (self.make)(1_000_000 + self.next_seed());
                let info = self.other().group_info();
                timed(|| client.join_external(&info).len())
            }
            Workload::OpenAndRead => {
                let message = self.other().send(&[7; 32]);
                let sample = timed(|| {
                    self.measured.open_and_read(&message);
                    message.len()
                });
                self.measured.after_reading(&message);
                sample
            }
            workload => self.message(workload),
        };
        Sample { stored: self.measured.stored(), ..sample }
    }

    fn commit(&mut self, change: &Change) -> Sample {
        let sample = timed(|| self.measured.commit(change).bytes());
        self.measured.discard();
        sample
    }

    fn join(&mut self) -> Sample {
        let mut client = (self.make)(1_000_000 + self.next_seed());
        let package = client.key_package();
        let welcome = self.other().commit(&Change::Add(vec![package])).welcome.unwrap();
        self.other().discard();
        timed(|| {
            client.join(&welcome);
            welcome.len()
        })
    }

    fn message(&mut self, workload: Workload) -> Sample {
        let plaintext = vec![7; workload.payload().unwrap()];
        match workload {
            Workload::Receive32 | Workload::Receive1K | Workload::Receive64K | Workload::Receive1M => {
                let message = self.other().send(&plaintext);
                timed(|| {
                    self.measured.process(&message);
                    message.len()
                })
            }
            Workload::SendDurable => timed(|| {
                let message = self.measured.send(&plaintext);
                self.measured.save();
                message.len()
            }),
            _ => timed(|| self.measured.send(&plaintext).len()),
        }
    }
}

fn timed(step: impl FnOnce() -> usize) -> Sample {
    let start = Instant::now();
    let bytes = step();
    Sample { time: start.elapsed(), bytes, stored: None }
}
