//! Making groups known, their GroupInfo for those who may join, and groups whose handshakes the service judges.

use mls_crypto::{CipherSuite, Opaque, Secret};
use mls_delivery::{
    GroupId, Rejection, Seq,
    access::{Access, WRITE_KEY_LABEL, WRITE_KEY_LEN, WriteKey, join_digest},
    reply::EntryKind,
    request::{CommitBundle, CreateGroup, EpochStart, FetchGroupInfo, Invitation, Mode, SubmitMessage},
};
use mls_engine::group::{CommitOptions, Framing, MessageOptions, ProposalKind};
use testkit::network::{Member, NewMember};

use crate::{Check, Device, World};

pub(crate) const CHECKS: [Check; 6] = [
    Check::new("a group is made once", made_once),
    Check::new("a GroupInfo is for members and those who know how to join", group_info),
    Check::new("a client joins by external commit with a join token", external_join),
    Check::new("a validated group takes valid handshakes", valid),
    Check::new("a validated group refuses handshakes that break a rule", invalid),
    Check::new("a validated group cannot be made of noise", noise),
];

fn made_once(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let group = world.group(&alice, "once");
    world.ask(&alice, world.create(&group)).unwrap();
    assert_eq!(world.ask(&bob, world.create(&group)), Err(Rejection::GroupExists));
    let mut other = world.create(&group);
    other.start.write_key = world.key(&group, 9, 9).public_key().clone();
    assert_eq!(world.ask(&alice, other), Err(Rejection::GroupExists));
    world.commit(&alice, &group, 0);
}

/// A member of a real group, with the key that its epoch exports.
pub(crate) fn write_key(world: &World<'_>, member: &Member) -> WriteKey {
    let exported: Secret = member.group.export_secret(WRITE_KEY_LABEL, &[], WRITE_KEY_LEN).unwrap();
    WriteKey::new(world.crypto(), exported).unwrap()
}

pub(crate) fn start(world: &World<'_>, member: &Member, token: Option<&[u8]>) -> EpochStart {
    EpochStart {
        write_key: write_key(world, member).public_key().clone(),
        join_token: token.map(|token| join_digest(world.crypto(), token).unwrap()),
        group_info: Some(member.group.group_info(&member.host.env(), false, true).unwrap().into()),
        ratchet_tree: Some(member.group.ratchet_tree().unwrap().into()),
    }
}

pub(crate) fn client(name: &str, seed: u64) -> NewMember {
    NewMember::new(name, seed, CipherSuite::X25519_AES128)
}

fn public() -> MessageOptions {
    MessageOptions { framing: Framing::Public, ..MessageOptions::default() }
}

/// A real group, and its founder at the service.
pub(crate) fn real(world: &World<'_>, id: &str, mode: Mode, token: Option<&[u8]>) -> (Device, Member) {
    let device = world.device("alice");
    let member = client("alice", 1).create(id.as_bytes());
    let group_id = GroupId::new(id.as_bytes());
    world.ask(&device, CreateGroup { group_id, epoch: 0, mode, start: start(world, &member, token) }).unwrap();
    (device, member)
}

fn group_info(world: &mut World<'_>) {
    let (device, member) = real(world, "info", Mode::Private, Some(b"token"));
    let stranger = world.device("stranger");
    let group_id = GroupId::new(b"info");
    let by_member = |epoch| {
        let key = write_key(world, &member);
        FetchGroupInfo::by_member(world.crypto(), &key, group_id.clone(), epoch).unwrap()
    };
    let found = world.ask(&device, by_member(0)).unwrap();
    assert_eq!(found.ratchet_tree, Some(Opaque::from(member.group.ratchet_tree().unwrap())));
    let joiner = |token: &[u8]| FetchGroupInfo::by_joiner(group_id.clone(), token);
    assert_eq!(world.ask(&stranger, joiner(b"token")), Ok(found));
    assert_eq!(world.ask(&stranger, joiner(b"guess")), Err(Rejection::Forbidden));
    assert_eq!(world.ask(&stranger, by_member(1)), Err(Rejection::Forbidden));
    let nowhere = FetchGroupInfo::by_joiner(GroupId::new(b"nowhere"), b"token");
    assert_eq!(world.ask(&stranger, nowhere), Err(Rejection::Forbidden));
    // The last commit brought none, and no token: there is nothing to join by any more.
    let group = crate::Group { id: group_id.clone() };
    let bundle = world.bundle(&group, 0, "bare").by_member(world.crypto(), &write_key(world, &member)).unwrap();
    world.ask(&device, bundle).unwrap();
    assert_eq!(world.ask(&stranger, joiner(b"token")), Err(Rejection::Forbidden));
    let key = world.key(&group, 1, 0);
    let now = FetchGroupInfo::by_member(world.crypto(), &key, group_id.clone(), 1).unwrap();
    assert_eq!(world.ask(&device, now), Err(Rejection::NoGroupInfo));
}

fn external_join(world: &mut World<'_>) {
    let (alice, mut member) = real(world, "door", Mode::Private, Some(b"token"));
    let bob = world.device("bob");
    let group_id = GroupId::new(b"door");
    let found = world.ask(&bob, FetchGroupInfo::by_joiner(group_id.clone(), b"token")).unwrap();
    let tree = found.ratchet_tree.as_ref().map(Opaque::as_slice);
    let (joined, commit) = client("bob", 2).join_external(found.group_info.as_slice(), tree, None).unwrap();
    let bundle = CommitBundle {
        commit: commit.clone().into(),
        next: start(world, &joined, Some(b"another")),
        invitations: Vec::new(),
        removed: Vec::new(),
    };
    let guessed = bundle.clone().by_joiner(b"guess").unwrap();
    assert_eq!(world.ask(&bob, guessed), Err(Rejection::Forbidden));
    // The token lets in, and nothing else: what members encrypt needs their key.
    let inside = crate::Group { id: group_id.clone() };
    let encrypted = world.bundle(&inside, 0, "not joining").by_joiner(b"token").unwrap();
    assert_eq!(world.ask(&bob, encrypted), Err(Rejection::Forbidden));
    let message = SubmitMessage { access: Access::Join(b"token".into()), ..world.message(&inside, 0, "hello") };
    assert_eq!(world.ask(&bob, message), Err(Rejection::Forbidden));
    let submit = bundle.by_joiner(b"token").unwrap();
    let committed = world.ask(&bob, submit.clone()).unwrap();
    // The reply may get lost, and the token is another by now.
    assert_eq!(world.ask(&bob, submit.clone()), Ok(committed));
    assert_eq!(world.ask(&alice, submit.clone()).map(|won| won.seq), Ok(Seq::new(1)));
    let mallory = world.device("mallory");
    assert_eq!(world.ask(&mallory, submit), Err(Rejection::Forbidden));
    member.receive(&commit).unwrap();
    let group = crate::Group { id: group_id };
    let key = write_key(world, &member);
    let hello = member.send(b"hello").unwrap();
    world.ask(&alice, SubmitMessage::by_member(world.crypto(), &key, hello).unwrap()).unwrap();
    let kinds: Vec<_> = world.read(&bob, &group, 0, 10).iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Application]);
}

/// A commit, accepted by its maker, as a bundle signed by the epoch before.
fn committed(world: &World<'_>, member: &mut Member, options: CommitOptions) -> (CommitBundle, WriteKey) {
    let key = write_key(world, member);
    let (commit, welcome) = member.commit_now(options).unwrap();
    let invitations =
        welcome.map(|welcome| Invitation { recipients: Vec::new(), welcome: welcome.into() }).into_iter().collect();
    let next = start(world, member, None);
    (CommitBundle { commit: commit.into(), next, invitations, removed: Vec::new() }, key)
}

fn valid(world: &mut World<'_>) {
    let (alice, mut member) = real(world, "valid", Mode::Validating, None);
    let bob = client("bob", 3).key_package();
    let add = ProposalKind::Add(bob.message().unwrap());
    let key = write_key(world, &member);
    let (proposal, _) = member.propose_with(add, public()).unwrap();
    world.ask(&alice, SubmitMessage::by_member(world.crypto(), &key, proposal).unwrap()).unwrap();
    for expected in 2..4 {
        let options = CommitOptions { message: public(), ..CommitOptions::default() };
        let (bundle, key) = committed(world, &mut member, options);
        let submit = bundle.by_member(world.crypto(), &key).unwrap();
        assert_eq!(world.ask(&alice, submit).unwrap().seq, Seq::new(expected));
    }
    assert_eq!(member.group.member_count(), 2);
}

fn invalid(world: &mut World<'_>) {
    let (alice, mut member) = real(world, "rules", Mode::Validating, None);
    let mut twin = client("alice", 1).create(b"rules");
    let crypto = world.crypto();
    let options = || CommitOptions { message: public(), ..CommitOptions::default() };

    let (bundle, key) = committed(world, &mut twin, CommitOptions::default());
    let private = bundle.by_member(crypto, &key).unwrap();
    assert_eq!(world.ask(&alice, private), Err(Rejection::NotObservable));
    // A signature that is not the sender's; a GroupInfo that is not what the commit leads to; none at all.
    let (good, key) = committed(world, &mut member, options());
    let mut commit: Vec<u8> = good.commit.clone().into();
    let middle = commit.len() / 2;
    commit[middle] ^= 1;
    let forged = CommitBundle { commit: commit.into(), ..good.clone() };
    let other = CommitBundle {
        next: EpochStart { write_key: good.next.write_key.clone(), ..start(world, &twin, None) },
        ..good.clone()
    };
    let bare = CommitBundle { next: EpochStart { group_info: None, ..good.next.clone() }, ..good.clone() };
    for (bundle, expected) in
        [(forged, Rejection::InvalidHandshake), (other, Rejection::InvalidHandshake), (bare, Rejection::NotObservable)]
    {
        assert_eq!(world.ask(&alice, bundle.by_member(crypto, &key).unwrap()), Err(expected));
    }
    // To a stranger it does not even show that handshakes are judged here.
    let stranger = world.device("stranger");
    let group = crate::Group { id: GroupId::new(b"rules") };
    let guess = world.bundle(&group, 0, "guess").by_member(crypto, &world.key(&group, 0, 0)).unwrap();
    assert_eq!(world.ask(&stranger, guess), Err(Rejection::Forbidden));
    let unsigned = good.clone().by_member(crypto, &write_key(world, &twin)).unwrap();
    assert_eq!(world.ask(&stranger, unsigned), Err(Rejection::Forbidden));
    assert_eq!(world.ask(&alice, good.by_member(crypto, &key).unwrap()).unwrap().seq, Seq::new(1));
}

fn noise(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = crate::Group { id: GroupId::new(b"noise") };
    let create = CreateGroup { mode: Mode::Validating, ..world.create(&group) };
    assert_eq!(world.ask(&alice, create.clone()), Err(Rejection::NotObservable));
    let other = client("alice", 4).create(b"other");
    let borrowed = CreateGroup { start: start(world, &other, None), ..create.clone() };
    assert_eq!(world.ask(&alice, borrowed), Err(Rejection::Mislabelled));
    let member = client("alice", 5).create(b"noise");
    let mut start = start(world, &member, None);
    start.ratchet_tree = Some(b"noise".into());
    assert_eq!(world.ask(&alice, CreateGroup { start, ..create }), Err(Rejection::InvalidHandshake));
}
