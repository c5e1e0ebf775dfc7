//! One commit per epoch: the first wins, the others learn who did, and everything that travels with it appears at once.

use mls_crypto::{Secret, SignaturePrivateKey};
use mls_delivery::{
    GroupId, Rejection, Seq,
    access::Access,
    ask,
    receipt::{Receipt, ServiceKey, contradict},
    reply::{EntryKind, MailKind},
    request::SubmitCommit,
};
use mls_engine::message::ContentType;

use crate::{
    Check, World, block_on, join_all,
    world::{private, welcome},
};

pub(crate) const CHECKS: [Check; 12] = [
    Check::new("of 1,000 racing commits one wins, and the losers learn which", racers),
    Check::new("commits of many groups at once do not mix", many_groups),
    Check::new("a retry of the commit that won is told so again", retry),
    Check::new("a commit of an epoch to come is refused", ahead),
    Check::new("Welcomes appear with their commit, and those of a loser never", welcomes),
    Check::new("a commit to somebody unknown changes nothing", unknown_recipient),
    Check::with("a commit to a full mailbox changes nothing", |limits| limits.max_mailbox_entries = 1, full_mailbox),
    Check::new("the group of a commit is what the commit says", mislabelled),
    Check::new("a commit needs the write key of its epoch", write_key),
    Check::new("every byte beside a commit is signed", bound),
    Check::new("the next epoch has a write key of its own", reused_key),
    Check::new("receipts verify, and contradictions show", receipts),
];

fn racers(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "race");
    for epoch in 0..2 {
        let racer = |n| world.signed(&group, epoch, world.bundle(&group, epoch, &format!("racer {n}")));
        let racers: Vec<SubmitCommit> = (0..1_000).map(racer).collect();
        let digests: Vec<_> = racers.iter().map(|racer| world.digest(&racer.bundle.commit)).collect();
        let asked = racers.into_iter().map(|racer| ask(world.service(), alice.id, racer)).collect();
        let results = block_on(join_all(asked));
        let won: Vec<_> = (0..1_000).filter(|n| results[*n].is_ok()).collect();
        assert_eq!(won.len(), 1, "commits that won epoch {epoch}");
        let winner = digests[won[0]];
        let taken = Rejection::EpochTaken { epoch, seq: Seq::new(epoch + 1), winner };
        for n in (0..1_000).filter(|n| *n != won[0]) {
            assert_eq!(results[n], Err(taken.clone()), "racer {n}");
        }
        let log = world.read(&alice, &group, epoch, 100);
        assert_eq!(log.iter().map(|entry| entry.digest).collect::<Vec<_>>(), [winner]);
    }
}

fn many_groups(world: &mut World<'_>) {
    let alice = world.device("alice");
    let groups: Vec<_> = (0..8).map(|n| world.group(&alice, &format!("group {n}"))).collect();
    for epoch in 0..5 {
        let submit =
            |group| ask(world.service(), alice.id, world.signed(group, epoch, world.bundle(group, epoch, "c")));
        for result in block_on(join_all(groups.iter().map(submit).collect())) {
            assert_eq!(result.unwrap().seq, Seq::new(epoch + 1));
        }
    }
    for group in &groups {
        let epochs: Vec<u64> = world.read(&alice, group, 0, 2).iter().map(|entry| entry.epoch).collect();
        assert_eq!(epochs, [0, 1, 2, 3, 4]);
    }
}

fn retry(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "retry");
    let bundle = world.bundle(&group, 0, "mine");
    let first = world.submit(&alice, &group, 0, bundle.clone()).unwrap();
    assert_eq!(world.submit(&alice, &group, 0, bundle.clone()), Ok(first.clone()));
    world.commit(&alice, &group, 1);
    world.commit(&alice, &group, 2);
    assert_eq!(world.submit(&alice, &group, 0, bundle), Ok(first));
    assert_eq!(world.read(&alice, &group, 0, 10).len(), 3);
}

fn ahead(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "ahead");
    let result = world.submit(&alice, &group, 1, world.bundle(&group, 1, "early"));
    assert_eq!(result, Err(Rejection::EpochAhead { current: 0 }));
    assert_eq!(world.read(&alice, &group, 0, 10), []);
}

fn welcomes(world: &mut World<'_>) {
    let (alice, bob, carol) = (world.device("alice"), world.device("bob"), world.device("carol"));
    let group = world.group(&alice, "welcomes");
    let mut bundle = world.inviting(&group, 0, &[&bob]);
    bundle.next.ratchet_tree = Some(b"the tree".into());
    let committed = world.submit(&alice, &group, 0, bundle).unwrap();
    let mut loser = world.inviting(&group, 0, &[&carol]);
    loser.commit = private(&group.id, 0, ContentType::Commit, "too late").into();
    assert!(matches!(world.submit(&alice, &group, 0, loser), Err(Rejection::EpochTaken { .. })));

    let mail = world.mail(&bob, None);
    assert_eq!(mail.entries.len(), 1);
    let entry = &mail.entries[0];
    let invited = entry.invited.as_ref().unwrap();
    assert_eq!((entry.kind, &invited.group_id, invited.seq), (MailKind::Welcome, &group.id, committed.seq));
    assert_eq!(entry.message.as_slice(), welcome("to epoch 1"));
    assert_eq!(entry.ratchet_tree.as_ref().map(|tree| tree.as_slice()), Some(&b"the tree"[..]));
    assert_eq!(world.mail(&carol, None).entries, []);
    // The invited read what comes after the commit, and the others see nothing.
    world.say(&alice, &group, 1, "welcome");
    let log = world.read(&bob, &group, 0, 10);
    assert_eq!(
        log.iter().map(|entry| (entry.seq, entry.kind)).collect::<Vec<_>>(),
        [(Seq::new(2), EntryKind::Application)]
    );
    assert_eq!(world.fetch(&carol, &group, None, 10), Err(Rejection::Forbidden));
    // A retry does not invite again.
    let again = world.inviting(&group, 0, &[&bob]);
    world.submit(&alice, &group, 0, again).unwrap();
    assert_eq!(world.mail(&bob, None).entries.len(), 1);
}

fn unknown_recipient(world: &mut World<'_>) {
    let (alice, bob, nobody) = (world.device("alice"), world.device("bob"), world.stranger("nobody"));
    let group = world.group(&alice, "unknown");
    let result = world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob, &nobody]));
    assert_eq!(result, Err(Rejection::UnknownRecipient { recipient: 1 }));
    assert_eq!(world.mail(&bob, None).entries, []);
    assert_eq!(world.commit(&alice, &group, 0).seq, Seq::new(1));
}

fn full_mailbox(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let (one, two) = (world.group(&alice, "one"), world.group(&alice, "two"));
    world.submit(&alice, &one, 0, world.inviting(&one, 0, &[&bob])).unwrap();
    let result = world.submit(&alice, &two, 0, world.inviting(&two, 0, &[&bob]));
    assert_eq!(result, Err(Rejection::MailboxFull { recipient: 0 }));
    assert_eq!(world.read(&alice, &two, 0, 10), []);
    assert_eq!(world.commit(&alice, &two, 0).seq, Seq::new(1));
}

fn mislabelled(world: &mut World<'_>) {
    let alice = world.device("alice");
    let (one, two) = (world.group(&alice, "one"), world.group(&alice, "two"));
    let mut submit = world.signed(&one, 0, world.bundle(&one, 0, "c"));
    submit.group_id = two.id.clone();
    assert_eq!(world.ask(&alice, submit), Err(Rejection::Mislabelled));
    assert_eq!(world.read(&alice, &two, 0, 10), []);
}

fn write_key(world: &mut World<'_>) {
    let (alice, mallory) = (world.device("alice"), world.device("mallory"));
    let group = world.group(&alice, "locked");
    let wrong = world.key(&group, 0, 99);
    let forged = world.bundle(&group, 0, "forged").by_member(world.crypto(), &wrong).unwrap();
    assert_eq!(world.ask(&mallory, forged.clone()), Err(Rejection::Forbidden));
    // To a stranger, a group that is there looks like one that is not.
    let nowhere = crate::Group { id: GroupId::new(b"nowhere") };
    let lost = world.bundle(&nowhere, 0, "lost").by_member(world.crypto(), &wrong).unwrap();
    assert_eq!(world.ask(&mallory, lost), Err(Rejection::Forbidden));
    let token = world.bundle(&group, 0, "token").by_joiner(b"token").unwrap();
    assert_eq!(world.ask(&mallory, token), Err(Rejection::Forbidden));
    let ahead = world.bundle(&group, 7, "ahead").by_member(world.crypto(), &wrong).unwrap();
    assert_eq!(world.ask(&mallory, ahead), Err(Rejection::Forbidden));
    assert_eq!(world.read(&alice, &group, 0, 10), []);
}

fn bound(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let group = world.group(&alice, "bound");
    let mut submit = world.signed(&group, 0, world.bundle(&group, 0, "c"));
    submit.bundle.removed.push(bob.id);
    assert_eq!(world.ask(&alice, submit), Err(Rejection::BadSignature));
    let mut submit = world.signed(&group, 0, world.bundle(&group, 0, "c"));
    submit.bundle.next.write_key = world.key(&group, 5, 5).public_key().clone();
    assert_eq!(world.ask(&alice, submit), Err(Rejection::BadSignature));
    let mut submit = world.signed(&group, 0, world.bundle(&group, 0, "c"));
    if let Access::Member { epoch, .. } = &mut submit.access {
        *epoch = 1;
    }
    assert_eq!(world.ask(&alice, submit), Err(Rejection::Mislabelled));
    assert_eq!(world.read(&alice, &group, 0, 10), []);
}

fn reused_key(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "reused");
    let mut bundle = world.bundle(&group, 0, "c");
    bundle.next.write_key = world.key(&group, 0, 0).public_key().clone();
    assert_eq!(world.submit(&alice, &group, 0, bundle), Err(Rejection::WriteKeyReused));
    assert_eq!(world.commit(&alice, &group, 0).seq, Seq::new(1));
}

fn receipts(world: &mut World<'_>) {
    let alice = world.device("alice");
    let group = world.group(&alice, "receipts");
    let bundle = world.bundle(&group, 0, "c");
    let digest = world.digest(&bundle.commit);
    let Receipt { ruling, .. } = &world.submit(&alice, &group, 0, bundle.clone()).unwrap().receipt;
    assert_eq!((&ruling.group_id, ruling.epoch, ruling.attempt), (&group.id, 0, 0));
    assert_eq!((ruling.seq, ruling.digest), (Seq::new(1), digest));

    let crypto = world.crypto();
    let service = world.service().capabilities().service_key;
    let receipt = world.submit(&alice, &group, 0, bundle).unwrap().receipt;
    receipt.verify(crypto, &service).unwrap();
    let mut forged = receipt.clone();
    forged.ruling.seq = Seq::new(2);
    assert_eq!(forged.verify(crypto, &service), Err(Rejection::BadSignature));
    assert_eq!(contradict(crypto, &service, (&receipt, &receipt)), Ok(false));
    assert_eq!(contradict(crypto, &service, (&receipt, &forged)), Err(Rejection::BadSignature));
    // What a service would sign that tells somebody else another story.
    let seed = SignaturePrivateKey::new(Secret::copy_from(&[7; 32]));
    let liar = ServiceKey::new(crypto, seed).unwrap();
    let other = liar.sign(crypto, forged.ruling).unwrap();
    assert_eq!(contradict(crypto, &service, (&receipt, &other)), Ok(true));
}
