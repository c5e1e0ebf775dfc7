//! When members cannot process the commit that was taken: most of them say so, and the epoch is open again.

use mls_delivery::{
    Rejection, Seq,
    receipt::contradict,
    reply::{Committed, EntryKind, Reported},
    request::ReportInvalid,
};

use crate::{Check, Device, Group, World};

pub(crate) const CHECKS: [Check; 4] = [
    Check::new("most readers void a commit, and the epoch goes on", voided),
    Check::new("a few void nothing, and nobody counts twice", minority),
    Check::new("who is removed by a commit has a say about it", removed),
    Check::new("a commit is reported within a day", late),
];

fn report(
    world: &World<'_>,
    device: &Device,
    group: &Group,
    epoch: u64,
    committed: &Committed,
) -> Result<Reported, Rejection> {
    let (seq, digest) = (committed.seq, committed.receipt.ruling.digest);
    let key = world.key(group, epoch, 0);
    let request = ReportInvalid::by_member(world.crypto(), &key, (group.id.clone(), epoch), seq, digest);
    world.ask(device, request.unwrap())
}

/// A group of three at epoch 1, after one commit.
fn three(world: &World<'_>) -> (Group, [Device; 3]) {
    let devices = ["alice", "bob", "mallory"].map(|user| world.device(user));
    let group = world.group(&devices[0], "three");
    world.submit(&devices[0], &group, 0, world.inviting(&group, 0, &[&devices[1], &devices[2]])).unwrap();
    (group, devices)
}

fn voided(world: &mut World<'_>) {
    let (group, [alice, bob, mallory]) = three(world);
    let eve = world.device("eve");
    let bad = world.submit(&mallory, &group, 1, world.inviting(&group, 1, &[&eve])).unwrap();
    world.commit(&mallory, &group, 2);
    let first = report(world, &alice, &group, 1, &bad);
    assert_eq!(first, Ok(Reported { reports: 1, needed: 2, voided: None }));
    let second = report(world, &bob, &group, 1, &bad);
    assert_eq!(second, Ok(Reported { reports: 2, needed: 2, voided: Some(Seq::new(4)) }));
    assert_eq!(report(world, &bob, &group, 1, &bad), Err(Rejection::NothingToReport));

    // Whom the void commit invited reads nothing, the epochs after it are gone, and it cannot come back.
    assert_eq!(world.fetch(&eve, &group, None, 10), Err(Rejection::Forbidden));
    let again = world.submit(&mallory, &group, 1, world.inviting(&group, 1, &[&eve]));
    assert_eq!(again, Err(Rejection::Voided));
    let ahead = world.submit(&mallory, &group, 2, world.bundle(&group, 2, "on"));
    assert_eq!(ahead, Err(Rejection::EpochAhead { current: 1 }));
    let good = world.submit(&alice, &group, 1, world.bundle(&group, 1, "good")).unwrap();
    let kinds: Vec<_> = world.read(&bob, &group, 1, 10).iter().map(|entry| (entry.kind, entry.epoch)).collect();
    let expected = [(EntryKind::Commit, 1), (EntryKind::Commit, 2), (EntryKind::Voided, 1), (EntryKind::Commit, 1)];
    assert_eq!(kinds, expected);
    // Two commits of one epoch, and no contradiction: the second says that it is another attempt.
    let service = world.service().capabilities().service_key;
    assert_eq!((bad.receipt.ruling.attempt, good.receipt.ruling.attempt), (0, 1));
    assert_eq!(contradict(world.crypto(), &service, (&bad.receipt, &good.receipt)), Ok(false));
}

fn minority(world: &mut World<'_>) {
    let (group, [alice, bob, mallory]) = three(world);
    let dave = world.device("dave");
    let good = world.submit(&alice, &group, 1, world.inviting(&group, 1, &[&dave])).unwrap();
    for _ in 0..3 {
        let one = report(world, &mallory, &group, 1, &good);
        assert_eq!(one, Ok(Reported { reports: 1, needed: 2, voided: None }));
    }
    // Dave was not there; and a key of another epoch proves nothing.
    assert_eq!(report(world, &dave, &group, 1, &good), Err(Rejection::NothingToReport));
    assert_eq!(report(world, &bob, &group, 2, &good), Err(Rejection::NothingToReport));
    let stranger = world.device("stranger");
    assert_eq!(report(world, &stranger, &group, 1, &good), Err(Rejection::Forbidden));
    world.commit(&bob, &group, 2);
}

fn removed(world: &mut World<'_>) {
    let (group, [alice, bob, mallory]) = three(world);
    let mut coup = world.bundle(&group, 1, "coup");
    coup.removed = vec![alice.id, bob.id];
    let coup = world.submit(&mallory, &group, 1, coup).unwrap();
    report(world, &alice, &group, 1, &coup).unwrap();
    assert!(report(world, &bob, &group, 1, &coup).unwrap().voided.is_some());
    world.submit(&alice, &group, 1, world.bundle(&group, 1, "good")).unwrap();
    assert_eq!(world.read(&bob, &group, 1, 10).len(), 3);
}

fn late(world: &mut World<'_>) {
    let (group, [alice, bob, mallory]) = three(world);
    let old = world.commit(&mallory, &group, 1);
    report(world, &alice, &group, 1, &old).unwrap();
    world.clock.advance(world.rules.limits.max_report_age + 1);
    assert_eq!(report(world, &bob, &group, 1, &old), Err(Rejection::NothingToReport));
}
