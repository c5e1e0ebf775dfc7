//! Mailboxes: one's own, in order, kept until acknowledged, and never without room for an invitation.

use mls_delivery::{
    Rejection, Seq,
    reply::MailKind,
    request::{AcknowledgeMailbox, DeliverDirect},
};

use crate::{Check, Device, World, world::welcome};

pub(crate) const CHECKS: [Check; 4] = [
    Check::new("mail stays until it is acknowledged", acknowledged),
    Check::new("a mailbox is its device's alone", private),
    Check::with("strangers cannot fill a mailbox", |limits| limits.max_direct_entries = 2, strangers),
    Check::new("old mail goes", old),
];

fn direct(world: &World<'_>, from: &Device, to: &Device, content: &str) -> Result<Seq, Rejection> {
    let request = DeliverDirect { recipient: to.id, message: welcome(content).into() };
    Ok(world.ask(from, request)?.seq)
}

fn acknowledged(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for n in 1..=3 {
        assert_eq!(direct(world, &alice, &bob, &format!("{n}")), Ok(Seq::new(n)));
    }
    let seqs = |after| world.mail(&bob, after).entries.iter().map(|entry| entry.seq.get()).collect::<Vec<_>>();
    assert_eq!((seqs(None), seqs(None), seqs(Some(2))), (vec![1, 2, 3], vec![1, 2, 3], vec![3]));
    world.ask(&bob, AcknowledgeMailbox { seq: Seq::new(2) }).unwrap();
    assert_eq!((seqs(None), seqs(Some(0))), (vec![3], vec![3]));
    let beyond = world.ask(&bob, AcknowledgeMailbox { seq: Seq::new(4) });
    assert_eq!(beyond, Err(Rejection::BeyondHead { head: Seq::new(3) }));
    assert_eq!(direct(world, &alice, &bob, "4"), Ok(Seq::new(4)));
    assert_eq!(world.mail(&bob, None).entries[1].kind, MailKind::Direct);
}

fn private(world: &mut World<'_>) {
    let (alice, bob, mallory) = (world.device("alice"), world.device("bob"), world.device("mallory"));
    direct(world, &alice, &bob, "for bob").unwrap();
    assert_eq!(world.mail(&mallory, Some(0)).entries, []);
    let beyond = world.ask(&mallory, AcknowledgeMailbox { seq: Seq::new(1) });
    assert_eq!(beyond, Err(Rejection::BeyondHead { head: Seq::ZERO }));
    assert_eq!(world.mail(&bob, None).entries.len(), 1);
    let nobody = world.stranger("nobody");
    assert_eq!(direct(world, &alice, &nobody, "x"), Err(Rejection::UnknownRecipient { recipient: 0 }));
}

fn strangers(world: &mut World<'_>) {
    let (alice, bob, mallory) = (world.device("alice"), world.device("bob"), world.device("mallory"));
    direct(world, &mallory, &bob, "1").unwrap();
    direct(world, &mallory, &bob, "2").unwrap();
    assert_eq!(direct(world, &mallory, &bob, "3"), Err(Rejection::MailboxFull { recipient: 0 }));
    let group = world.group(&alice, "room");
    world.submit(&alice, &group, 0, world.inviting(&group, 0, &[&bob])).unwrap();
    assert_eq!(world.mail(&bob, None).entries.len(), 3);
    world.ask(&bob, AcknowledgeMailbox { seq: Seq::new(1) }).unwrap();
    direct(world, &mallory, &bob, "3").unwrap();
}

fn old(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    direct(world, &alice, &bob, "old").unwrap();
    world.clock.advance(world.rules.limits.max_entry_age);
    direct(world, &alice, &bob, "new").unwrap();
    world.sweep();
    assert_eq!(world.mail(&bob, None).entries.len(), 2);
    world.clock.advance(1);
    world.sweep();
    let mail = world.mail(&bob, None);
    assert_eq!(mail.entries.iter().map(|entry| entry.seq.get()).collect::<Vec<_>>(), [2]);
}
