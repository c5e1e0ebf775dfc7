//! Passes: who may join while no member is there.

use mls_delivery::{
    GroupId, Rejection, Seq,
    request::{CommitBundle, FetchGroupInfo, Mode, Pass, SetPass},
};
use testkit::network::Member;

use crate::{
    Check, Device, World,
    groups::{client, real, start, write_key},
    world::START,
};

pub(crate) const CHECKS: [Check; 4] = [
    Check::new("with a pass so many join as it says, one after the other", counted),
    Check::new("a pass is for one user, and until its end", limited),
    Check::new("a pass is taken back, and by members of the current epoch only", taken_back),
    Check::new("a group has so many passes", capped),
];

fn set(world: &World<'_>, member: &Member, device: &Device, pass: Pass) -> Result<(), Rejection> {
    let (key, at) = (write_key(world, member), (GroupId::new(b"club"), member.group.epoch()));
    world.ask(device, SetPass::by_member(world.crypto(), &key, at, pass).unwrap())
}

fn pass(world: &World<'_>, token: &[u8], uses: u64) -> Pass {
    Pass::new(world.crypto(), token, START + 100, uses).unwrap()
}

/// Joins with a token: gets the GroupInfo and commits, all by itself.
fn join(world: &World<'_>, device: &Device, (seed, token): (u64, &[u8])) -> Result<(Member, Vec<u8>), Rejection> {
    let found = world.ask(device, FetchGroupInfo::by_joiner(GroupId::new(b"club"), token))?;
    let tree = found.ratchet_tree.as_ref().map(mls_crypto::Opaque::as_slice);
    let name = String::from_utf8(device.user.as_slice().to_vec()).unwrap();
    let (joined, commit) = client(&name, seed).join_external(found.group_info.as_slice(), tree, None).unwrap();
    let next = start(world, &joined, None);
    let bundle = CommitBundle { commit: commit.clone().into(), next, invitations: Vec::new(), removed: Vec::new() };
    let submit = bundle.by_joiner(token).unwrap();
    let committed = world.ask(device, submit.clone())?;
    // The reply may get lost; the retry is no second use.
    assert_eq!(world.ask(device, submit).map(|again| again.seq), Ok(committed.seq));
    Ok((joined, commit))
}

fn counted(world: &mut World<'_>) {
    let (alice, mut member) = real(world, "club", Mode::Private, None);
    let [bob, carol, dave] = ["bob", "carol", "dave"].map(|user| world.device(user));
    assert_eq!(join(world, &bob, (2, b"pass")).err(), Some(Rejection::Forbidden));
    set(world, &member, &alice, pass(world, b"pass", 2)).unwrap();
    assert_eq!(join(world, &bob, (2, b"guess")).err(), Some(Rejection::Forbidden));
    let (_, commit) = join(world, &bob, (2, b"pass")).unwrap();
    member.receive(&commit).unwrap();
    // Registering it again gives back nothing that was used.
    set(world, &member, &alice, pass(world, b"pass", 2)).unwrap();
    let (_, commit) = join(world, &carol, (3, b"pass")).unwrap();
    member.receive(&commit).unwrap();
    assert_eq!(join(world, &dave, (4, b"pass")).err(), Some(Rejection::Forbidden));
    assert_eq!(member.group.member_count(), 3);
    let group = crate::Group { id: GroupId::new(b"club") };
    assert_eq!(world.fetch(&carol, &group, None, 10).unwrap().entries.len(), 0, "who joins reads what comes after");
    world.acknowledge(&alice, &group, 2).unwrap();
    assert_eq!(world.fetch(&alice, &group, None, 10).unwrap().head, Seq::new(2));
}

fn limited(world: &mut World<'_>) {
    let (alice, member) = real(world, "club", Mode::Validating, None);
    let (bob, carol) = (world.device("bob"), world.device("carol"));
    let for_bob = Pass { user: Some(bob.user.clone()), ..pass(world, b"pass", 9) };
    set(world, &member, &alice, for_bob).unwrap();
    assert_eq!(join(world, &carol, (3, b"pass")).err(), Some(Rejection::Forbidden));
    world.clock.advance(100);
    assert_eq!(join(world, &bob, (2, b"pass")).err(), Some(Rejection::Forbidden));
    let longer = Pass { user: Some(bob.user.clone()), expires: START + 101, ..pass(world, b"pass", 9) };
    set(world, &member, &alice, longer).unwrap();
    join(world, &bob, (2, b"pass")).unwrap();
}

fn taken_back(world: &mut World<'_>) {
    let (alice, mut member) = real(world, "club", Mode::Private, None);
    let (bob, carol) = (world.device("bob"), world.device("carol"));
    set(world, &member, &alice, pass(world, b"pass", 9)).unwrap();
    let old = write_key(world, &member);
    let (joined, commit) = join(world, &bob, (2, b"pass")).unwrap();
    member.receive(&commit).unwrap();
    set(world, &joined, &bob, pass(world, b"pass", 0)).unwrap();
    assert_eq!(join(world, &carol, (3, b"pass")).err(), Some(Rejection::Forbidden));
    let stale = SetPass::by_member(world.crypto(), &old, (GroupId::new(b"club"), 0), pass(world, b"pass", 9)).unwrap();
    assert_eq!(world.ask(&alice, stale.clone()), Err(Rejection::EpochPast { current: 1 }));
    assert_eq!(world.ask(&carol, stale), Err(Rejection::Forbidden));
    // A pass lets in, and does nothing else.
    let by_pass = SetPass {
        access: mls_delivery::access::Access::Join(b"pass".into()),
        ..SetPass::by_member(world.crypto(), &old, (GroupId::new(b"club"), 1), pass(world, b"own", 9)).unwrap()
    };
    assert_eq!(world.ask(&carol, by_pass), Err(Rejection::Forbidden));
}

fn capped(world: &mut World<'_>) {
    let (alice, member) = real(world, "club", Mode::Private, None);
    for n in 0..64_u8 {
        set(world, &member, &alice, pass(world, &[n], 1)).unwrap();
    }
    let one_more = set(world, &member, &alice, pass(world, b"more", 1));
    assert_eq!(one_more, Err(Rejection::TooMany { count: 65, limit: 64 }));
    // What is over makes room.
    world.clock.advance(101);
    let later = Pass { expires: START + 300, ..pass(world, b"more", 1) };
    set(world, &member, &alice, later).unwrap();
}
