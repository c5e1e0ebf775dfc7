//! A service that validates holds everybody to the group's own table (CAP-28).
#![allow(clippy::unwrap_used, reason = "tests")]

use mls_crypto::CipherSuite;
use mls_delivery::rules::StructurePolicy;
use mls_engine::{
    error::{ProcessError, Refusal},
    group::{CommitOptions, Framing, MessageOptions, Observer, ProposalKind},
    math::LeafIndex,
    message::Extensions,
    policy::Env,
};
use mls_roles::{Denied, GROUP_POLICY, GroupPolicy, Right};
use testkit::network::{Host, Member, NewMember};

const SUITE: CipherSuite = CipherSuite::X25519_AES128;

fn newcomer(name: &str, seed: u64) -> NewMember {
    let mut client = NewMember::new(name, seed, SUITE);
    client.extensions.push(GROUP_POLICY);
    client
}

fn in_public() -> MessageOptions {
    MessageOptions { framing: Framing::Public, ..MessageOptions::default() }
}

/// An owner and a member, who asks nobody what it may.
fn pair() -> [Member; 2] {
    let mut extensions = Extensions::new();
    GroupPolicy::new(b"owner").put(&mut extensions).unwrap();
    let mut owner = newcomer("owner", 1).create_with(b"group", extensions).unwrap();
    let member = newcomer("member", 2);
    let keys = member.key_package();
    let (_, welcome) = owner.commit_by_value(vec![ProposalKind::Add(keys.message().unwrap())]).unwrap();
    let member = member.join(&welcome.unwrap(), &keys, None).unwrap();
    [owner, member]
}

#[test]
fn the_table_is_the_services_too() {
    let [mut owner, mut member] = pair();
    let host = Host::new(9);
    let policy = StructurePolicy;
    let env = Env { policy: &policy, ..host.env() };
    let info = owner.group.group_info(&owner.host.env(), true, false).unwrap();
    let service = Observer::new(&env, &info, None).unwrap();
    let remove = ProposalKind::Remove(LeafIndex::FIRST);
    let denied = |right| ProcessError::from(Refusal::from(Denied::Right(right)));
    let (proposal, reference) = member.propose_with(remove.clone(), in_public()).unwrap();
    assert_eq!(service.process(&env, &proposal).err(), Some(denied(Right::Remove)));
    let without = [reference].into();
    let options = CommitOptions { by_value: vec![remove], without, message: in_public(), ..CommitOptions::default() };
    let (_, commit, _) = member.commit(options).unwrap();
    assert_eq!(service.process(&env, &commit).err(), Some(denied(Right::Remove)));
    let (_, commit, _) = owner.commit(CommitOptions { message: in_public(), ..CommitOptions::default() }).unwrap();
    assert!(service.process(&env, &commit).is_ok());
}
