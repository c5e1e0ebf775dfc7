//! What a workload asks of an implementation: bytes in, bytes out.
//!
//! Always: a commit waits until it is [`Peer::discard`]ed or applied; nothing here is measured by itself.

/// What a commit does besides giving its sender a new path.
#[derive(Clone, Debug)]
pub enum Change {
    /// Nothing.
    Update,
    /// Adds the clients of these key packages (MLSMessages).
    Add(Vec<Vec<u8>>),
    /// Removes the member at this leaf.
    Remove(u32),
}

/// A commit, and the Welcome if it adds somebody.
#[derive(Clone, Debug)]
pub struct Committed {
    /// For the members.
    pub commit: Vec<u8>,
    /// For the new ones, with the tree inside.
    pub welcome: Option<Vec<u8>>,
}

impl Committed {
    /// Bytes on the wire.
    pub fn bytes(&self) -> usize {
        self.commit.len() + self.welcome.as_ref().map_or(0, Vec::len)
    }
}

/// One client of one implementation, and its group once it is in one. Failures are bugs of this tool: they panic.
pub trait Peer {
    /// A fresh key package, an MLSMessage.
    fn key_package(&mut self) -> Vec<u8>;
    /// Makes a group with nobody else in it.
    fn create(&mut self);
    /// Joins by Welcome.
    fn join(&mut self, welcome: &[u8]);
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
    /// Encrypts application data.
    fn send(&mut self, plaintext: &[u8]) -> Vec<u8>;
    /// Makes the state durable, in the implementation's own way.
    fn save(&mut self);
    /// Reads one application message with what is stored, from nothing in memory.
    fn open_and_read(&mut self, message: &[u8]) -> Vec<u8>;
    /// Takes note, in the store too, that the message was read.
    fn after_reading(&mut self, message: &[u8]);
    /// Bytes handed to the store since the last call, if the implementation says.
    fn stored(&mut self) -> Option<usize> {
        None
    }
}

/// Implementations that are compared.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Impl {
    /// This workspace's engine on aws-lc.
    Ours,
    /// mls-rs 0.57 on aws-lc.
    MlsRsAwsLc,
    /// mls-rs 0.57 on RustCrypto.
    MlsRsRustCrypto,
    /// OpenMLS 0.9.2 on RustCrypto.
    OpenMls,
}

impl Impl {
    /// All of them, ours first.
    pub const ALL: [Self; 4] = [Self::Ours, Self::MlsRsAwsLc, Self::MlsRsRustCrypto, Self::OpenMls];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::MlsRsAwsLc => "mls-rs+awslc",
            Self::MlsRsRustCrypto => "mls-rs+rustcrypto",
            Self::OpenMls => "openmls+rustcrypto",
        }
    }

    /// A client in no group; `seed` tells clients apart.
    pub fn client(self, seed: u64) -> Box<dyn Peer> {
        match self {
            Self::Ours => Box::new(crate::ours::Ours::new(seed)),
            Self::MlsRsAwsLc => crate::mls_rs::aws_lc(seed),
            Self::MlsRsRustCrypto => crate::mls_rs::rust_crypto(seed),
            Self::OpenMls => Box::new(crate::openmls::OpenMls::new(seed)),
        }
    }
}
