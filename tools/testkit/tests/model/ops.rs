//! Operations as data: every choice is a number taken modulo what there is, so that sequences shrink.

use mls_crypto::CipherSuite;
use proptest::{collection::vec, prelude::*};

/// How handshakes are framed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Handshakes {
    /// As each operation says.
    Mixed,
    /// All public: an observer follows.
    Public,
    /// All encrypted, and public ones of members refused.
    Private,
}

/// What a whole run is about.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) suite: CipherSuite,
    pub(crate) handshakes: Handshakes,
    /// Members besides the creator, added at once.
    pub(crate) members: u8,
    /// Past epochs that member `n` reads: entry `n` modulo the length.
    pub(crate) past_epochs: Vec<usize>,
}

/// A change of the group.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Add(u8),
    Readd(u8),
    Remove(u8),
    RemoveOthers,
    Psk(u8),
    Resumption(u8),
    Extensions(u8),
    Custom(u8),
}

/// How something is framed and who does it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By {
    pub(crate) who: u8,
    pub(crate) public: bool,
}

/// One step of a run.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Send(u8),
    Deliver { who: u8, message: u8 },
    DeliverAll(u8),
    CatchUp { who: u8, handshakes: u8 },
    Propose(By, Change),
    ProposeUpdate(By, bool),
    ProposeExternally(u8, Change),
    AskToJoin,
    Commit { by: By, changes: Vec<Change>, path: bool, tree: bool, rotate: bool, all: bool },
    Settle(u8),
    Discard(u8),
    JoinExternally { via: u8, tree: bool },
    Resync { who: u8, via: u8, same_key: bool },
    Reopen(u8),
    ReopenAll,
    Wait(u8),
    Expire(u8),
    Replay { who: u8, handshake: u8 },
    StageAndDrop(u8),
    Tamper { who: u8, at: u16 },
    ReInit { who: u8, by_reference: bool },
    Branch { who: u8, skip: u8 },
}

pub(crate) fn config() -> impl Strategy<Value = Config> {
    let suite = prop_oneof![
        12 => Just(CipherSuite::X25519_AES128),
        1 => Just(CipherSuite::X25519_CHACHA20),
        1 => Just(CipherSuite::P256_AES128),
        1 => Just(CipherSuite::XWING_AES256),
    ];
    let handshakes =
        prop_oneof![2 => Just(Handshakes::Mixed), 1 => Just(Handshakes::Public), 1 => Just(Handshakes::Private)];
    let members = prop_oneof![4 => 1..5_u8, 2 => 5..10_u8, 1 => 10..29_u8];
    (suite, handshakes, members, vec(0..4_usize, 1..4)).prop_map(|(suite, handshakes, members, past_epochs)| Config {
        suite,
        handshakes,
        members,
        past_epochs,
    })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (1..4_u8).prop_map(Change::Add),
        1 => any::<u8>().prop_map(Change::Readd),
        4 => any::<u8>().prop_map(Change::Remove),
        1 => Just(Change::RemoveOthers),
        1 => any::<u8>().prop_map(Change::Psk),
        1 => any::<u8>().prop_map(Change::Resumption),
        1 => any::<u8>().prop_map(Change::Extensions),
        1 => any::<u8>().prop_map(Change::Custom),
    ]
}

fn by() -> impl Strategy<Value = By> {
    any::<(u8, bool)>().prop_map(|(who, public)| By { who, public })
}

fn commit() -> impl Strategy<Value = Op> {
    (by(), vec(change(), 0..3), any::<(bool, bool)>(), prop::bool::weighted(0.2), prop::bool::weighted(0.8))
        .prop_map(|(by, changes, (path, tree), rotate, all)| Op::Commit { by, changes, path, tree, rotate, all })
}

fn message() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => any::<u8>().prop_map(Op::Send),
        6 => any::<(u8, u8)>().prop_map(|(who, message)| Op::Deliver { who, message }),
        1 => any::<u8>().prop_map(Op::DeliverAll),
    ]
}

fn handshake() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => any::<(u8, u8)>().prop_map(|(who, handshakes)| Op::CatchUp { who, handshakes }),
        2 => (by(), change()).prop_map(|(by, change)| Op::Propose(by, change)),
        2 => (by(), any::<bool>()).prop_map(|(by, rotate)| Op::ProposeUpdate(by, rotate)),
        1 => (any::<u8>(), change()).prop_map(|(who, change)| Op::ProposeExternally(who, change)),
        1 => Just(Op::AskToJoin),
        8 => commit(),
        8 => any::<u8>().prop_map(Op::Settle),
        1 => any::<u8>().prop_map(Op::Discard),
        1 => any::<(u8, bool)>().prop_map(|(via, tree)| Op::JoinExternally { via, tree }),
        1 => any::<(u8, u8, bool)>().prop_map(|(who, via, same_key)| Op::Resync { who, via, same_key }),
    ]
}

fn trouble() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => any::<u8>().prop_map(Op::Reopen),
        1 => Just(Op::ReopenAll),
        1 => any::<u8>().prop_map(Op::Wait),
        2 => any::<u8>().prop_map(Op::Expire),
        2 => any::<(u8, u8)>().prop_map(|(who, handshake)| Op::Replay { who, handshake }),
        2 => any::<u8>().prop_map(Op::StageAndDrop),
        2 => any::<(u8, u16)>().prop_map(|(who, at)| Op::Tamper { who, at }),
    ]
}

fn succession() -> impl Strategy<Value = Op> {
    prop_oneof![
        any::<(u8, bool)>().prop_map(|(who, by_reference)| Op::ReInit { who, by_reference }),
        any::<(u8, u8)>().prop_map(|(who, skip)| Op::Branch { who, skip }),
    ]
}

pub(crate) fn ops(most: usize) -> impl Strategy<Value = Vec<Op>> {
    vec(prop_oneof![20 => message(), 30 => handshake(), 12 => trouble(), 1 => succession()], 1..most)
}
