//! Five members, of whom the second follows no rule, and one who may join.

use std::sync::LazyLock;

use mls_crypto::CipherSuite;
use mls_engine::{
    error::ProcessError,
    group::{CommitOptions, Group, KeyPackageSecrets, Processed, ProposalKind},
    math::LeafIndex,
    message::ExtensionType,
};
use testkit::{
    forge::insider::Insider,
    network::{Host, Member, NewMember, Records},
};

use crate::Verdict;

/// The suite of all targets.
pub(crate) const SUITE: CipherSuite = CipherSuite::X25519_AES128;
/// The leaf of the one who follows no rule.
pub(crate) const MALLORY: LeafIndex = LeafIndex::new(1);
/// The leaf that a joiner takes.
pub(crate) const FRANK: LeafIndex = LeafIndex::new(5);
/// An extension type that every member supports.
pub(crate) const EXTENSION: ExtensionType = ExtensionType(0xF042);

/// The members.
pub(crate) struct Scene {
    pub(crate) alice: Member,
    pub(crate) mallory: Member,
    pub(crate) carol: Member,
    /// Who joins, and the key package.
    pub(crate) frank: NewMember,
    pub(crate) keys: KeyPackageSecrets,
}

static SCENE: LazyLock<Scene> = LazyLock::new(Scene::new);

/// The scene, made once; nobody changes it.
pub(crate) fn scene() -> &'static Scene {
    &SCENE
}

/// A client of the scene.
pub(crate) fn newcomer(name: &str, seed: u64) -> NewMember {
    let mut host = Host::new(seed);
    host.psks.insert(b"psk".to_vec(), b"psk".to_vec());
    let mut client = NewMember::with_host(name, host, SUITE);
    client.extensions = vec![EXTENSION];
    client
}

impl Scene {
    fn new() -> Self {
        let mut alice = newcomer("alice", 1).create(b"group");
        let others: Vec<_> =
            (2..).zip(["mallory", "carol", "dave", "erin"]).map(|(seed, name)| newcomer(name, seed)).collect();
        let keys: Vec<_> = others.iter().map(NewMember::key_package).collect();
        let adds = keys.iter().map(|keys| ProposalKind::Add(keys.message().unwrap())).collect();
        let welcome = alice.commit_by_value(adds).unwrap().1.unwrap();
        let mut joined = others.into_iter().zip(&keys).map(|(other, keys)| other.join(&welcome, keys, None).unwrap());
        let mut next = || joined.next().unwrap();
        let (mut mallory, mut carol) = (next(), next());
        let (commit, _) = mallory.commit_now(CommitOptions::default()).unwrap();
        for member in [&mut alice, &mut carol] {
            member.receive(&commit).unwrap();
        }
        let frank = newcomer("frank", 50);
        let keys = frank.key_package();
        Self { alice, mallory, carol, frank, keys }
    }

    /// Mallory, with the same randomness each time.
    pub(crate) fn insider(&self) -> Insider {
        let mut insider = Insider::of(&self.mallory);
        insider.host = Host::new(7);
        insider
    }

    /// Alice and Carol process a message; whoever accepts a commit moves to the same epoch as the other, or is out.
    pub(crate) fn handshake(&self, message: &[u8]) -> Verdict {
        let moved: Vec<_> = [&self.alice, &self.carol].map(|member| after(member, message)).into_iter().collect();
        if let [Ok(Some(alice)), Ok(Some(carol))] = moved.as_slice() {
            assert_eq!(alice, carol, "two members read one commit in two ways");
        }
        if moved.iter().any(Result::is_ok) { Verdict::Accepted } else { Verdict::Refused }
    }
}

/// What all members of an epoch agree on.
type View = (u64, Vec<u8>, Vec<u8>);

/// What a member sees after a handshake: nothing new, if it is a proposal or takes the member out.
fn after(member: &Member, message: &[u8]) -> Result<Option<View>, ProcessError> {
    let env = member.host.env();
    if !matches!(member.group.process(&env, message)?, Processed::Commit(_)) {
        return Ok(None);
    }
    let mut records: Records = member.records.clone();
    let mut group = Group::load(&env, &records).unwrap();
    let Processed::Commit(staged) = group.process(&env, message)? else { panic!("accepted, then not") };
    let removed = staged.removes_self;
    records.apply(staged.step.changes());
    group.adopt(&env, staged.step).unwrap();
    if removed {
        return Ok(None);
    }
    let loaded = Group::load(&env, &records).expect("what was accepted can be opened again");
    assert_eq!(loaded.public().tree().tree_hash(), group.public().tree().tree_hash());
    let authenticator = loaded.epoch_authenticator().as_slice().to_vec();
    Ok(Some((loaded.epoch(), loaded.public().tree().tree_hash().as_slice().to_vec(), authenticator)))
}
