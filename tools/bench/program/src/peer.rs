//! What a workload asks of an implementation: bytes in, bytes out.
//!
//! Always: a commit waits until it is [`Peer::discard`]ed or applied; nothing here is measured by itself.

use mls_crypto::CipherSuite;

use crate::{
    ours::{host, unlabelled},
    sample::{Sample, timed},
    scene::GroupOf,
};

/// What a commit does besides giving its sender a new path.
#[derive(Clone, Debug)]
pub enum Change {
    /// Nothing.
    Update,
    /// Adds the clients of these key packages (MLSMessages).
    Add(Vec<Vec<u8>>),
    /// Adds one client, with a Welcome that leaves the tree out.
    AddByHash(Vec<u8>),
    /// Removes the member at this leaf.
    Remove(u32),
}

/// A commit, and the Welcome if it adds somebody.
#[derive(Clone, Debug)]
pub struct Committed {
    /// For the members.
    pub commit: Vec<u8>,
    /// For the new ones.
    pub welcome: Option<Vec<u8>>,
}

impl Committed {
    /// Bytes on the wire.
    pub fn bytes(&self) -> usize {
        self.commit.len() + self.welcome.as_ref().map_or(0, Vec::len)
    }
}

/// One client of one implementation, and its group once it is in one. Failures are bugs of this tool, or things that
/// the implementation cannot do: they panic.
pub trait Peer {
    /// A fresh key package, an MLSMessage.
    fn key_package(&mut self) -> Vec<u8>;
    /// Makes a group with nobody else in it.
    fn create(&mut self);
    /// Joins by Welcome.
    fn join(&mut self, welcome: &[u8]);
    /// Joins by Welcome; also says how many bytes of heap the group takes from then on, without the store's.
    fn join_and_weigh(&mut self, welcome: &[u8]) -> (usize, Sample) {
        let sample = timed(true, || {
            self.join(welcome);
            welcome.len()
        });
        (sample.memory.and_then(|memory| usize::try_from(memory.held).ok()).unwrap_or_default(), sample)
    }
    /// Joins by external commit, which is returned.
    fn join_external(&mut self, group_info: &[u8]) -> Vec<u8>;
    /// Makes a commit with a path, handshakes encrypted, and keeps it pending.
    fn commit(&mut self, change: &Change) -> Committed;
    /// Forgets the pending commit.
    fn discard(&mut self);
    /// Moves to the epoch of the pending commit.
    fn apply(&mut self);
    /// Takes a message, a commit all the way to its epoch; returns the plaintext of application data.
    fn process(&mut self, message: &[u8]) -> Option<Vec<u8>>;
    /// Takes messages that waited, in the best way there is.
    fn catch_up(&mut self, messages: &[Vec<u8>]) {
        for message in messages {
            self.process(message);
        }
    }
    /// Encrypts application data.
    fn send(&mut self, plaintext: &[u8]) -> Vec<u8>;
    /// Makes the state durable, in the implementation's own way.
    fn save(&mut self);
    /// Reads one application message with what is stored, from nothing in memory.
    fn open_and_read(&mut self, message: &[u8]) -> Vec<u8>;
    /// Takes note, in the store too, that the message was read.
    fn after_reading(&mut self, message: &[u8]);
    /// From now on, bytes of the store count.
    fn watch(&mut self) {
        self.forget();
    }
    /// What was counted of the store does not count.
    fn forget(&mut self) {}
    /// Bytes handed to the store since it was watched, if the implementation says.
    fn stored(&mut self) -> Option<usize> {
        None
    }
    /// Bytes read from the store since it was watched, if the implementation says.
    fn read(&mut self) -> Option<usize> {
        None
    }
}

/// Implementations that are compared.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, clap::ValueEnum)]
pub enum Impl {
    /// This workspace's engine on aws-lc.
    Ours,
    /// mls-rs 0.57 on aws-lc.
    #[value(name = "mls-rs+awslc")]
    MlsRsAwsLc,
    /// mls-rs 0.57 on RustCrypto.
    #[value(name = "mls-rs+rustcrypto")]
    MlsRsRustCrypto,
    /// OpenMLS 0.9.2 on RustCrypto.
    #[value(name = "openmls+rustcrypto")]
    OpenMls,
    /// OpenMLS 0.9.2 on libcrux.
    #[value(name = "openmls+libcrux")]
    OpenMlsLibcrux,
}

impl Impl {
    /// Those that are compared in this suite, ours first.
    ///
    /// Of X-Wing suites mls-rs has one, under a number of its own (65100), with which no other client shares a group.
    pub const fn all(suite: CipherSuite) -> &'static [Self] {
        match suite {
            CipherSuite::XWING_AES256 => &[Self::Ours, Self::OpenMls, Self::OpenMlsLibcrux],
            _ => &[Self::Ours, Self::MlsRsAwsLc, Self::MlsRsRustCrypto, Self::OpenMls],
        }
    }

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::MlsRsAwsLc => "mls-rs+awslc",
            Self::MlsRsRustCrypto => "mls-rs+rustcrypto",
            Self::OpenMls => "openmls+rustcrypto",
            Self::OpenMlsLibcrux => "openmls+libcrux",
        }
    }

    /// A group of this size that it can be in.
    pub fn group(self, suite: CipherSuite, members: u32) -> GroupOf {
        let host = match (self, suite) {
            (Self::OpenMls | Self::OpenMlsLibcrux, CipherSuite::XWING_AES256) => unlabelled,
            _ => host,
        };
        GroupOf { suite, members, host }
    }

    /// A client in no group; `seed` tells clients apart.
    pub fn client(self, seed: u64, suite: CipherSuite) -> Box<dyn Peer> {
        match self {
            Self::Ours => Box::new(crate::ours::Ours::new(seed, suite)),
            Self::MlsRsAwsLc => crate::mls_rs::aws_lc(seed),
            Self::MlsRsRustCrypto => crate::mls_rs::rust_crypto(seed),
            Self::OpenMls => crate::openmls::rust_crypto(seed, suite),
            Self::OpenMlsLibcrux => crate::openmls::libcrux(seed, suite),
        }
    }
}
