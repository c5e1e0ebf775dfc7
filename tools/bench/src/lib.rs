//! Groups to measure the engine with.
//!
//! In: a size, and whether the tree is cold or full. Out: two members of such a group, on the native provider.
//! Always: everything but the measured step happens before the clock starts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark")]

pub mod facade;

use mls_crypto::CipherSuite;
use mls_crypto_aws_lc::AwsLc;
use mls_engine::group::{CommitOptions, KeyPackageSecrets, MessageOptions, PathChoice, ProposalKind};
use testkit::{
    forge::FullTree,
    network::{Host, Member, NewMember},
};

/// The suite that is measured.
pub const SUITE: CipherSuite = CipherSuite::X25519_AES128;

/// How a group's tree is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Warmth {
    /// Right after one commit that added everyone: every leaf but the committer's is unmerged, every parent off its
    /// path blank.
    Cold,
    /// Every member has committed: no blank parent, nothing unmerged.
    Full,
}

impl Warmth {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Full => "full",
        }
    }
}

/// Two members of a group, far apart in the tree.
#[derive(Debug)]
pub struct Pair {
    /// At leaf 0.
    pub first: Member,
    /// At the last leaf.
    pub last: Member,
}

/// A host on the native provider.
pub fn host(seed: u64) -> Host {
    let mut host = Host::with_crypto(seed, Box::new(AwsLc::default()));
    host.limits.max_members = 1 << 20;
    host
}

/// A client on the native provider that is in no group.
pub fn newcomer(seed: u64) -> NewMember {
    NewMember::with_host(&format!("member {seed}"), host(seed), SUITE)
}

/// Options that add these packages.
pub fn adds(packages: &[&KeyPackageSecrets], path: PathChoice) -> CommitOptions {
    let by_value = packages.iter().map(|package| ProposalKind::Add(package.message().unwrap())).collect();
    CommitOptions { by_value, path, ..CommitOptions::default() }
}

/// Two members of a group of this size, at least two.
pub fn pair(warmth: Warmth, members: u32) -> Pair {
    match warmth {
        Warmth::Cold => cold(members),
        Warmth::Full => full(members),
    }
}

fn cold(members: u32) -> Pair {
    let mut first = newcomer(0).create(b"cold group");
    let others: Vec<_> = (1..members).map(|seed| newcomer(u64::from(seed))).collect();
    let packages: Vec<_> = others.iter().map(NewMember::key_package).collect();
    let packages: Vec<_> = packages.iter().collect();
    let (_, welcome) = first.commit_now(adds(&packages, PathChoice::Always)).unwrap();
    let last = others.into_iter().next_back().unwrap();
    let last = last.join(&welcome.unwrap(), packages[packages.len().saturating_sub(1)], None).unwrap();
    Pair { first, last }
}

fn full(members: u32) -> Pair {
    let forged = FullTree::new(members, SUITE).forge(&host(1));
    let member = |leaf: u32| forged.member(leaf, host(u64::from(leaf).saturating_add(2))).unwrap();
    Pair { first: member(0), last: member(members.saturating_sub(1)) }
}

/// A message of the first member to the last, not yet opened.
pub fn message(pair: &mut Pair, plaintext: &[u8]) -> Vec<u8> {
    let sealed = pair.first.group.send(&pair.first.host.env(), plaintext, &MessageOptions::default()).unwrap();
    pair.first.adopt(sealed.step).unwrap();
    sealed.message
}
