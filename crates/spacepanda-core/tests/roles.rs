//! Roles as an application sees them (CAP-28): who may, who may not, and that both hold at the other end (ADV-08).
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use mls_engine::{group::ProposalKind, message::Extensions};
use spacepanda_core::core_mls::{
    CipherSuite, Client, Clock, Incoming, MlsConfig, MlsEnvelope, MlsError, MlsHandle, TrustOnFirstUse,
    roles::{Denied, GroupPolicy, Rank, Right, Rights, Role},
};
use testkit::network::{Host, NewMember};

fn client(name: &str) -> Client {
    let mut config = MlsConfig::interop();
    config.external_joins = true;
    Client::builder(name.as_bytes(), Arc::new(TrustOnFirstUse::new())).config(config).open().unwrap()
}

/// Alice owns a group, Bob moderates it, Carol is a member, and Dave observes.
fn group(change: impl FnOnce(&mut GroupPolicy)) -> [MlsHandle; 4] {
    let mut policy = GroupPolicy::new(b"alice");
    policy.set_role(b"bob", Role::Moderator);
    policy.set_role(b"dave", Role::Observer);
    change(&mut policy);
    let alice = client("alice").create_group_with_policy(Some("tea"), &policy).unwrap();
    let others = ["bob", "carol", "dave"].map(client);
    for other in &others {
        alice.propose_add(&other.generate_key_package().unwrap(), other.identity()).unwrap();
    }
    let (_, welcomes) = alice.commit().unwrap();
    let mut joined = others.iter().zip(&welcomes).map(|(other, welcome)| other.join_group(welcome).unwrap());
    let mut next = || joined.next().unwrap();
    [alice, next(), next(), next()]
}

fn follow(handles: &[&MlsHandle], envelope: &MlsEnvelope) {
    for handle in handles {
        handle.handle_incoming(envelope).unwrap();
    }
}

fn denied<T>(result: Result<T, MlsError>) -> Option<Denied> {
    match result {
        Err(MlsError::Denied(denied)) => Some(denied),
        _ => None,
    }
}

#[test]
fn everybody_does_what_their_role_allows() {
    let [alice, bob, carol, dave] = group(|_| {});
    let roles: Vec<_> = carol.members().into_iter().filter_map(|member| member.role).collect();
    assert_eq!(roles, [Role::Owner, Role::Moderator, Role::Member, Role::Observer]);
    assert_eq!(
        [&alice, &bob, &carol, &dave].map(|handle| handle.may(Right::Remove).unwrap()),
        [true, true, false, false]
    );
    // A moderator keeps order among those below.
    assert_eq!(denied(carol.propose_remove(3)), Some(Denied::Right(Right::Remove)));
    assert_eq!(denied(bob.propose_remove(0)), Some(Denied::Rank(Right::Remove)));
    assert_eq!(denied(bob.set_group_name("mine")), Some(Denied::Right(Right::Rename)));
    assert_eq!(denied(bob.propose_role(b"bob", Role::Owner)), Some(Denied::Right(Right::ChangeRoles)));
    assert_eq!(denied(dave.rotate()), Some(Denied::Right(Right::Commit)));
    assert_eq!(denied(dave.send_message(b"hello")), Some(Denied::Right(Right::Send)));
    assert_eq!(denied(alice.propose_role(b"alice", Role::Admin)), Some(Denied::Policy));
    // Nothing of that has left a trace.
    assert!(bob.pending_proposals().unwrap().is_empty());
    let hello = bob.send_message(b"hello").unwrap();
    for reader in [&alice, &carol, &dave] {
        assert!(matches!(reader.handle_incoming(&hello).unwrap(), Incoming::Delivered(_)));
    }
}

/// CAP-28: roles are the group's, and change for all at once.
#[test]
fn a_role_is_given_and_taken() {
    let [alice, bob, carol, dave] = group(|_| {});
    let proposal = alice.propose_role(b"carol", Role::Admin).unwrap();
    follow(&[&bob, &carol, &dave], &proposal);
    // A moderator may commit what an owner proposed.
    let (commit, _) = bob.commit().unwrap();
    follow(&[&alice, &carol, &dave], &commit);
    for handle in [&alice, &bob, &carol, &dave] {
        assert_eq!(handle.policy().unwrap().unwrap().role(b"carol"), Role::Admin);
    }
    let renamed = carol.set_group_name("coffee").unwrap();
    follow(&[&alice], &renamed);
    assert_eq!(denied(carol.propose_role(b"bob", Role::Admin)), Some(Denied::Rank(Right::ChangeRoles)));
    // An owner that is not the last one may step back.
    let mut policy = alice.policy().unwrap().unwrap();
    policy.set_role(b"carol", Role::Owner);
    policy.set_role(b"alice", Role::Member);
    let [alice, ..] = group(|policy| policy.set_role(b"carol", Role::Admin));
    alice.propose_policy(&policy).unwrap();
    alice.commit().unwrap();
    assert_eq!(alice.may(Right::Govern), Ok(false));
}

/// The last owner does not go, and does not lose the group for everybody else.
#[test]
fn the_last_owner_stays() {
    let [alice, _, carol, _] = group(|policy| policy.set_role(b"carol", Role::Admin));
    assert_eq!(denied(alice.propose_remove(0)), Some(Denied::LastOwner));
    let proposal = alice.propose_role(b"carol", Role::Owner).unwrap();
    carol.handle_incoming(&proposal).unwrap();
    carol.handle_incoming(&alice.commit().unwrap().0).unwrap();
    alice.propose_remove(0).unwrap();
}

#[test]
fn who_may_not_add_invites_nobody() {
    let [_, bob, carol, _] = group(|_| {});
    let eve = client("eve");
    for handle in [&bob, &carol] {
        let package = eve.generate_key_package().unwrap();
        assert_eq!(denied(handle.propose_add(&package, b"eve")), Some(Denied::Right(Right::Add)));
    }
}

/// The table decides about external commits, whatever a client is set to.
#[test]
fn from_outside_comes_who_the_table_lets_in() {
    let [alice, bob, ..] = group(|_| {});
    let info = alice.group_info().unwrap();
    assert_eq!(denied(client("eve").join_external(&info, None)), Some(Denied::Right(Right::Join)));
    let [alice, bob_again, ..] = group(|policy| policy.table.set(Rank::Outsider, Rights::of(&[Right::Join])));
    let join = client("eve").join_external(&alice.group_info().unwrap(), None).unwrap();
    follow(&[&alice, &bob_again], join.commit());
    let eve = join.accepted().unwrap();
    assert_eq!(eve.members().iter().filter(|member| member.identity == b"eve").count(), 1);
    assert_eq!(denied(eve.propose_remove(0)), Some(Denied::Right(Right::Remove)));
    drop(bob);
}

/// The time at which the members live that ask nobody.
#[derive(Debug)]
struct Then;

impl Clock for Then {
    fn now(&self) -> u64 {
        Host::new(0).now
    }
}

/// Added by somebody who had no right to: everybody else refuses that commit, and so does who was added.
#[test]
fn an_invitation_of_somebody_who_may_not_invite_is_none() {
    let newcomer = |name, seed| {
        let mut client = NewMember::new(name, seed, CipherSuite::X25519_AES128);
        client.extensions.push(mls_roles::GROUP_POLICY);
        client
    };
    let mut extensions = Extensions::new();
    GroupPolicy::new(b"owner").put(&mut extensions).unwrap();
    let mut owner = newcomer("owner", 1).create_with(b"group", extensions).unwrap();
    let (cheat, eve) = (newcomer("cheat", 2), |name: &[u8]| {
        let builder = Client::builder(name, Arc::new(TrustOnFirstUse::new())).config(MlsConfig::interop());
        builder.clock(Arc::new(Then)).open().unwrap()
    });
    let keys = cheat.key_package();
    let (_, welcome) = owner.commit_by_value(vec![ProposalKind::Add(keys.message().unwrap())]).unwrap();
    let mut cheat = cheat.join(&welcome.unwrap(), &keys, None).unwrap();
    for (inviter, expected) in [(&mut cheat, Some(Denied::Right(Right::Add))), (&mut owner, None)] {
        let invited = eve(b"eve");
        let add = ProposalKind::Add(invited.generate_key_package().unwrap());
        let (_, welcome) = inviter.commit_by_value(vec![add]).unwrap();
        let welcome = MlsEnvelope::wrap_welcome(b"group", welcome.unwrap()).unwrap();
        assert_eq!(denied(invited.join_group(&welcome)), expected);
        assert_eq!(invited.groups().unwrap().is_empty(), expected.is_some());
    }
}

#[test]
fn a_group_without_a_policy_may_get_one() {
    let alice = client("alice").create_group(None).unwrap();
    assert_eq!((alice.policy().unwrap(), alice.may(Right::Govern).unwrap()), (None, true));
    assert_eq!(denied(alice.propose_role(b"bob", Role::Admin)), Some(Denied::Policy));
    // Somebody else's, and nobody's.
    assert_eq!(denied(alice.propose_policy(&GroupPolicy::new(b"bob"))), Some(Denied::LastOwner));
    alice.propose_policy(&GroupPolicy::new(b"alice")).unwrap();
    alice.commit().unwrap();
    assert_eq!(alice.members().first().unwrap().role, Some(Role::Owner));
    let refused = client("alice").create_group_with_policy(None, &GroupPolicy::new(b"bob"));
    assert_eq!(denied(refused), Some(Denied::LastOwner));
}
