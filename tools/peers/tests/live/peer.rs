//! What a scenario asks of a member, whichever implementation it is.

use std::fmt;

/// Which implementation.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    Ours,
    OpenMls,
    MlsRs,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Ours, Self::OpenMls, Self::MlsRs];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::OpenMls => "openmls",
            Self::MlsRs => "mls_rs",
        }
    }
}

/// What all members of a group are told before it begins.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Cipher suite.
    pub suite: u16,
    /// Whether members encrypt handshakes.
    pub private: bool,
    /// Whether the tree is in Welcomes and GroupInfos.
    pub inline_tree: bool,
}

/// Why a peer did not do it.
#[derive(Debug)]
pub enum PeerError {
    /// Its public interface has no way to ask for it.
    Unsupported(&'static str),
    /// It said no.
    Refused(String),
}

pub type Outcome<T> = Result<T, PeerError>;

/// An error of an implementation, as it prints itself.
pub fn refused(error: impl fmt::Debug) -> PeerError {
    PeerError::Refused(format!("{error:?}"))
}

/// A proposal, or a part of a commit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// Add the client of this key package (MLSMessage).
    Add(Vec<u8>),
    /// Remove the member at this leaf.
    Remove(u32),
    /// Update the proposer's leaf; only by reference.
    Update,
    /// Mix in the external PSK with this id.
    ExternalPsk(Vec<u8>),
    /// Replace the group context extensions by this encoded list.
    Extensions(Vec<u8>),
}

/// A commit that waits for [`Peer::apply`].
#[derive(Debug)]
pub struct Committed {
    pub commit: Vec<u8>,
    pub welcome: Option<Vec<u8>>,
}

/// How to join by external commit.
#[derive(Debug, Default)]
pub struct ExternalJoin<'a> {
    pub group_info: &'a [u8],
    pub tree: Option<&'a [u8]>,
    /// The leaf we had before.
    pub resync: Option<u32>,
    pub psk: Option<&'a [u8]>,
}

/// What a message was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Received {
    Proposal,
    Commit,
    /// A commit that removed us.
    Removed,
    Application {
        sender: u32,
        plaintext: Vec<u8>,
    },
}

/// What members of one epoch agree on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct View {
    pub epoch: u64,
    pub authenticator: Vec<u8>,
    pub exported: Vec<u8>,
    /// Leaf and identity.
    pub members: Vec<(u32, String)>,
}

impl View {
    /// What [`View::exported`] is exported with: label, context, length.
    pub const EXPORT: (&'static str, &'static [u8], usize) = ("peers", b"context", 32);

    /// The leaf of a member.
    pub fn leaf(&self, name: &str) -> Option<u32> {
        self.members.iter().find(|(_, member)| member == name).map(|(leaf, _)| *leaf)
    }
}

/// One client, and its group once it is in one.
pub trait Peer {
    fn kind(&self) -> Kind;
    fn name(&self) -> &str;
    /// A fresh key package, an MLSMessage.
    fn key_package(&mut self) -> Outcome<Vec<u8>>;
    fn store_psk(&mut self, id: &[u8], psk: &[u8]) -> Outcome<()>;
    fn create(&mut self, group_id: &[u8], extensions: &[u8]) -> Outcome<()>;
    fn join(&mut self, welcome: &[u8], tree: Option<&[u8]>) -> Outcome<()>;
    /// Joins; the commit is for the others.
    fn join_external(&mut self, how: &ExternalJoin<'_>) -> Outcome<Vec<u8>>;
    /// A proposal by reference.
    fn propose(&mut self, change: &Change) -> Outcome<Vec<u8>>;
    /// A commit with a path, of these changes and of all proposals that wait.
    fn commit(&mut self, changes: &[Change]) -> Outcome<Committed>;
    /// Moves to the epoch of our own commit.
    fn apply(&mut self) -> Outcome<()>;
    fn process(&mut self, message: &[u8]) -> Outcome<Received>;
    fn send(&mut self, plaintext: &[u8]) -> Outcome<Vec<u8>>;
    /// A GroupInfo that allows external commits, an MLSMessage.
    fn group_info(&mut self) -> Outcome<Vec<u8>>;
    /// The ratchet tree, encoded.
    fn tree(&mut self) -> Outcome<Vec<u8>>;
    fn view(&mut self) -> Outcome<View>;
    /// Forgets what is in memory and goes on from what is stored.
    fn reopen(&mut self) -> Outcome<()>;
}

/// An extension type of private use that all peers say they support.
pub const EXTENSION: u16 = 0xF123;

/// An empty list of extensions, encoded.
pub const NO_EXTENSIONS: &[u8] = &[0];
