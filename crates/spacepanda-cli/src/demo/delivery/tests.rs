use std::{
    sync::{
        Arc, Barrier,
        mpsc::{Receiver, channel},
    },
    thread,
};

use spacepanda_core::core_mls::{Client, MessageType, MlsConfig, MlsEnvelope, MlsHandle, TrustOnFirstUse};

use super::{Delivery, Invitation, Parcel, Refused, Verdict};

fn client(name: &str) -> Client {
    let builder = Client::builder(name.as_bytes(), Arc::new(TrustOnFirstUse::new()));
    builder.config(MlsConfig::interop()).open().unwrap()
}

fn group() -> MlsHandle {
    client("alice").create_group(None).unwrap()
}

/// A commit of the current epoch, different each time.
fn commit(group: &MlsHandle) -> MlsEnvelope {
    let pending = group.stage_rotation().unwrap();
    group.clear_pending_commit(&pending.id).unwrap();
    pending.commit
}

fn reader(delivery: &Delivery<Parcel>, name: &str) -> Receiver<Parcel> {
    let (sender, inbox) = channel();
    delivery.connect(name, sender);
    inbox
}

fn delivery(readers: &[&str]) -> (Delivery<Parcel>, Vec<Receiver<Parcel>>) {
    let delivery = Delivery::new(|parcel| parcel);
    let inboxes = readers.iter().map(|name| reader(&delivery, name)).collect();
    readers.iter().for_each(|name| delivery.found(name));
    (delivery, inboxes)
}

#[test]
fn of_a_hundred_racers_one_wins_each_epoch() {
    let group = group();
    let (delivery, inboxes) = delivery(&["alice"]);
    for epoch in 0..3 {
        let commits: Vec<_> = (0..100).map(|_| commit(&group)).collect();
        let barrier = Barrier::new(commits.len());
        let verdicts: Vec<_> = thread::scope(|scope| {
            let race = |commit: &MlsEnvelope| {
                let (commit, barrier, delivery) = (commit.clone(), &barrier, &delivery);
                scope.spawn(move || {
                    barrier.wait();
                    delivery.submit(commit, None).unwrap()
                })
            };
            let racers: Vec<_> = commits.iter().map(race).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        let position = epoch + 1;
        let winners: Vec<_> = (0..100).filter(|&racer| verdicts[racer] == Verdict::Accepted { position }).collect();
        assert_eq!(winners.len(), 1);
        // Everybody else learns where the winner is, and it is there.
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Lost { winner: position }).count(), 99);
        let parcel = inboxes[0].try_recv().unwrap();
        assert_eq!((parcel.position, &*parcel.envelope), (position, &commits[winners[0]]));
        assert!(inboxes[0].try_recv().is_err());
        group.rotate().unwrap();
    }
}

#[test]
fn the_order_is_the_same_for_all() {
    let group = group();
    let (delivery, inboxes) = delivery(&["alice", "bob", "carol"]);
    let message = group.send_message(b"hello").unwrap();
    let commits: Vec<_> = (0..4).map(|_| commit(&group)).collect();
    thread::scope(|scope| {
        for commit in &commits {
            let (delivery, message) = (&delivery, &message);
            scope.spawn(move || {
                for _ in 0..50 {
                    delivery.post(message.clone()).unwrap();
                }
                delivery.submit(commit.clone(), None).unwrap();
            });
        }
    });
    let orders: Vec<Vec<_>> = inboxes
        .iter()
        .map(|inbox| inbox.try_iter().map(|parcel| (parcel.position, parcel.envelope.payload().to_vec())).collect())
        .collect();
    let positions: Vec<_> = orders[0].iter().map(|(position, _)| *position).collect();
    assert_eq!(positions, (1..=201).collect::<Vec<u64>>());
    assert_eq!(orders[0], orders[1]);
    assert_eq!(orders[0], orders[2]);
}

#[test]
fn a_welcome_is_seen_only_with_its_commit() {
    let (group, bob) = (group(), client("bob"));
    let (delivery, inboxes) = delivery(&["alice"]);
    let invited = reader(&delivery, "bob");
    let rival = commit(&group);
    group.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let pending = group.stage_commit().unwrap();
    let invitation = || Some(Invitation { welcome: pending.welcome.clone().unwrap(), invited: vec!["bob".to_owned()] });
    // Another commit is first: the Welcome never appears, and Bob does not read the group.
    assert_eq!(delivery.submit(rival, None), Ok(Verdict::Accepted { position: 1 }));
    assert_eq!(delivery.submit(pending.commit.clone(), invitation()), Ok(Verdict::Lost { winner: 1 }));
    delivery.post(message()).unwrap();
    assert!(invited.try_recv().is_err());
    // In a group in which it is first, it comes at once, and then what follows; nothing that was before.
    let (delivery, _inboxes) = self::delivery(&["alice"]);
    let invited = reader(&delivery, "bob");
    delivery.post(message()).unwrap();
    assert_eq!(delivery.submit(pending.commit.clone(), invitation()), Ok(Verdict::Accepted { position: 2 }));
    delivery.post(message()).unwrap();
    let kinds: Vec<_> = invited.try_iter().map(|parcel| (parcel.position, parcel.envelope.message_type())).collect();
    assert_eq!(kinds, [(2, MessageType::Welcome), (3, MessageType::Application)]);
    drop(inboxes);
}

/// Of a group without pending proposals; the delivery does not look inside.
fn message() -> MlsEnvelope {
    group().send_message(b"hello").unwrap()
}

#[test]
fn a_commit_submitted_again_is_answered_again() {
    let group = group();
    let (delivery, inboxes) = delivery(&["alice"]);
    let (first, second) = (commit(&group), commit(&group));
    for _ in 0..2 {
        assert_eq!(delivery.submit(first.clone(), None), Ok(Verdict::Accepted { position: 1 }));
        assert_eq!(delivery.submit(second.clone(), None), Ok(Verdict::Lost { winner: 1 }));
    }
    assert_eq!(inboxes[0].try_iter().count(), 1);
}

#[test]
fn what_is_of_the_wrong_kind_or_epoch_is_refused() {
    let group = group();
    let (delivery, inboxes) = delivery(&["alice"]);
    let early = {
        group.rotate().unwrap();
        commit(&group)
    };
    assert_eq!(delivery.submit(early.clone(), None), Err(Refused::EpochAhead));
    assert_eq!(delivery.post(early), Err(Refused::WrongKind));
    assert_eq!(delivery.submit(group.send_message(b"").unwrap(), None), Err(Refused::WrongKind));
    assert!(inboxes[0].try_recv().is_err());
}

#[test]
fn a_key_package_is_handed_out_once() {
    let (delivery, _inboxes) = delivery(&[]);
    delivery.publish_key_package("bob", vec![1]);
    assert_eq!(delivery.take_key_package("carol"), None);
    assert_eq!(delivery.take_key_package("bob"), Some(vec![1]));
    assert_eq!(delivery.take_key_package("bob"), None);
}
