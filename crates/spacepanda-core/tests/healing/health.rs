//! Every state of health, and the ways back.

use std::sync::{Arc, atomic::Ordering};

use spacepanda_core::core_mls::{AuditAct, GroupChange, Health, Incoming, MlsError, Need};
use store_conformance::FailingStore;

use crate::world::{Person, Service, group_of};

const FORKED: Health = Health::Forked { first_bad_epoch: 2 };

fn people() -> (Person, Person, Person) {
    (Person::new("alice"), Person::new("bob"), Person::new("carol"))
}

/// Bob commits for himself, and a rival commit of Alice's is what the service has.
fn forked(alice: &Person, bob: &Person, carol: &Person) -> Service {
    let mut service = group_of(&[alice, bob, carol], false);
    // All agree about this epoch.
    for (hears, says) in [(bob, alice), (alice, bob), (carol, bob)] {
        assert_eq!(hears.group().hear_beacon(&says.group().beacon().unwrap()).unwrap(), Health::InSync);
    }
    bob.group().rotate().unwrap();
    bob.all_sent();
    service.commit(alice, &[carol]);
    service
}

/// CAP-26: each hears of the fork from a message that it cannot decrypt, and still knows after a restart.
#[test]
fn a_fork_is_found_by_what_members_say() {
    let (alice, bob, carol) = people();
    forked(&alice, &bob, &carol);
    assert_eq!(alice.group().health().unwrap(), Health::InSync);
    let plain = bob.group().send_message(b"hello").unwrap();
    assert!(alice.group().receive_message(&plain).is_err());
    let words = bob.group().send_beacon().unwrap();
    let Incoming::Beacon { sender, health } = alice.group().handle_incoming(&words).unwrap() else { unreachable!() };
    assert_eq!((&sender[..], health), (&b"bob"[..], FORKED));
    assert_eq!(alice.group().health().unwrap(), FORKED);
    assert!(matches!(alice.group().handle_incoming(&words).unwrap(), Incoming::Duplicate));
    // A group that is not open hears it as well.
    let words = carol.group().send_beacon().unwrap();
    assert!(
        matches!(bob.client().handle_incoming(&words).unwrap(), Incoming::Beacon { health, .. } if health == FORKED)
    );
    assert_eq!(bob.group().health().unwrap(), FORKED);
    let words = alice.group().send_beacon().unwrap();
    assert!(matches!(carol.client().handle_incoming(&words).unwrap(), Incoming::Beacon { health: Health::InSync, .. }));
}

/// The first epoch that differs is named also after more of them: both sides went on.
#[test]
fn the_first_bad_epoch_is_named() {
    let (alice, bob, carol) = people();
    let mut service = forked(&alice, &bob, &carol);
    service.commit(&alice, &[&carol]);
    service.commit(&carol, &[&alice]);
    bob.group().rotate().unwrap();
    assert_eq!(bob.group().hear_beacon(&alice.group().beacon().unwrap()).unwrap(), FORKED);
    assert_eq!(alice.group().hear_beacon(&bob.group().beacon().unwrap()).unwrap(), FORKED);
}

/// What a member says is no verdict: who has what the group has stays, and is not alarmed again.
#[test]
fn a_member_that_is_right_stays_where_it_is() {
    let (alice, bob, carol) = people();
    let mut service = forked(&alice, &bob, &carol);
    let before = alice.group().epoch_authenticator().unwrap();
    let words = bob.group().beacon().unwrap();
    assert_eq!(alice.group().hear_beacon(&words).unwrap(), FORKED);
    let healed = service.heal(&alice, &[&carol]);
    assert_eq!((healed.health, healed.rejoined), (Health::InSync, false));
    assert_eq!(alice.group().epoch_authenticator().unwrap(), before);
    assert_eq!(alice.group().hear_beacon(&words).unwrap(), Health::InSync);
}

/// CAP-26: who was alone comes back; what could be read can be, what was not sent is sent once, nobody has anything twice.
#[test]
fn a_forked_group_is_healed() {
    let (alice, bob, carol) = people();
    let mut service = forked(&alice, &bob, &carol);
    bob.group().send_message(b"sent, and lost with the fork").unwrap();
    bob.all_sent();
    bob.group().send_message_with(b"one", b"1").unwrap();
    bob.group().send_message(b"two").unwrap();
    bob.group().hear_beacon(&alice.group().beacon().unwrap()).unwrap();
    let healed = service.heal(&bob, &[&alice, &carol]);
    assert_eq!((healed.health, healed.rejoined, healed.requeued.len()), (Health::InSync, true, 2));
    for reader in [&alice, &carol] {
        let read: Vec<_> =
            healed.requeued.iter().map(|envelope| reader.group().receive_message(envelope).unwrap()).collect();
        assert_eq!((&read[0].plaintext[..], &read[0].authenticated_data[..]), (&b"one"[..], &b"1"[..]));
        assert_eq!((&read[1].plaintext[..], &read[1].sender[..]), (&b"two"[..], &b"bob"[..]));
    }
    assert_eq!(bob.group().requeue().unwrap(), []);
    assert_eq!(bob.group().outbox().unwrap().len(), 2);
    let names: Vec<_> = alice.group().members().into_iter().map(|member| member.identity).collect();
    assert_eq!(names.iter().filter(|name| *name == b"bob").count(), 1);
    assert_eq!(bob.group().epoch_authenticator().unwrap(), alice.group().epoch_authenticator().unwrap());
    assert_eq!(bob.group().hear_beacon(&carol.group().beacon().unwrap()).unwrap(), Health::InSync);
    bob.group().verify_audit().unwrap();
}

/// Messages of the epochs before are read after it as they were: also of the epoch in which the fork began.
#[test]
fn old_epochs_stay_readable() {
    let (alice, bob, carol) = people();
    let mut service = group_of(&[&alice, &bob, &carol], false);
    let before = alice.group().send_message(b"before").unwrap();
    let read = carol.group().send_message(b"read").unwrap();
    bob.group().receive_message(&read).unwrap();
    bob.group().rotate().unwrap();
    bob.all_sent();
    let own = bob.group();
    service.commit(&alice, &[&carol]);
    own.hear_beacon(&alice.group().beacon().unwrap()).unwrap();
    drop(own);
    assert!(service.heal(&bob, &[&alice, &carol]).rejoined);
    assert!(matches!(bob.group().receive_message(&read), Err(MlsError::ReplayDetected { .. })));
    assert_eq!(bob.group().receive_message(&before).unwrap().plaintext, b"before");
    // They end as past epochs do.
    for _ in 0..4 {
        service.commit(&alice, &[&bob, &carol]);
    }
    assert!(matches!(bob.group().receive_message(&before), Err(MlsError::EpochMismatch { .. })));
}

/// Where all members have the key, the way back proves that we were in; since somebody came who has not, it does not.
#[test]
fn the_way_back_proves_membership_where_all_can_check_it() {
    let (alice, bob, carol) = people();
    let mut service = forked(&alice, &bob, &carol);
    bob.group().hear_beacon(&alice.group().beacon().unwrap()).unwrap();
    service.heal(&bob, &[&alice, &carol]);
    let log = alice.group().audit_log(0, 256).unwrap();
    assert!(log.last().unwrap().acts.contains(&AuditAct::PskInjected));

    let (alice, bob, carol, dave) =
        (Person::new("alice"), Person::new("bob"), Person::new("carol"), Person::new("dave"));
    let mut service = forked(&alice, &bob, &carol);
    let group = alice.group();
    let add = GroupChange::Add(dave.client().generate_key_package().unwrap());
    let (commit, welcomes) = group.commit_changes(&[add]).unwrap();
    carol.group().receive_commit(&commit).unwrap();
    dave.client().join_group(&welcomes[0]).unwrap();
    service.info = group.group_info().unwrap();
    bob.group().hear_beacon(&alice.group().beacon().unwrap()).unwrap();
    assert_eq!(service.heal(&bob, &[&alice, &carol, &dave]).health, Health::InSync);
    let log = alice.group().audit_log(0, 256).unwrap();
    assert!(!log.last().unwrap().acts.contains(&AuditAct::PskInjected));
}

/// A client that ends at any step of the way goes on from there, or begins again: nothing is lost, nothing doubled.
#[test]
fn a_restart_in_the_middle_loses_nothing() {
    for steps in 0..6 {
        let (alice, bob, carol) = people();
        let mut service = forked(&alice, &bob, &carol);
        bob.group().send_message(b"one").unwrap();
        bob.group().hear_beacon(&alice.group().beacon().unwrap()).unwrap();
        let mut healing = bob.group().heal();
        for _ in 0..steps {
            service.step(&mut healing, &[&alice, &carol]);
        }
        drop(healing);
        // Later, since attempts are spread.
        bob.clock.0.fetch_add(7_200, Ordering::SeqCst);
        let healed = service.heal(&bob, &[&alice, &carol]);
        assert_eq!(healed.health, Health::InSync, "after {steps} steps");
        let unsent = bob.group().outbox().unwrap();
        assert_eq!(unsent.len(), 1, "after {steps} steps");
        assert_eq!(alice.group().receive_message(&unsent[0].envelope).unwrap().plaintext, b"one");
        assert_eq!(alice.group().member_count(), 3);
        bob.group().verify_audit().unwrap();
    }
}

/// What is missing is fetched; what came back of our own need not be sent again.
#[test]
fn who_is_behind_catches_up() {
    let (alice, bob, carol) = people();
    let mut service = group_of(&[&alice, &bob, &carol], false);
    let said = bob.group().send_message(b"said").unwrap();
    service.post(1, &said);
    for _ in 0..3 {
        service.commit(&alice, &[&carol]);
    }
    let hello = alice.group().send_message(b"hello").unwrap();
    service.post(4, &hello);
    assert!(matches!(bob.group().handle_incoming(&hello).unwrap(), Incoming::Buffered { epoch: 4, current: 1 }));
    assert_eq!(bob.group().health().unwrap(), Health::Behind { epoch: 4 });
    let healed = service.heal(&bob, &[]);
    assert_eq!((healed.health, healed.rejoined), (Health::InSync, false));
    assert_eq!(bob.group().epoch(), 4);
    assert_eq!(bob.group().outbox().unwrap(), []);
    // Words of a later epoch do the same, and what turns out to be none is no news for long.
    service.commit(&alice, &[&carol]);
    assert_eq!(bob.group().hear_beacon(&alice.group().beacon().unwrap()).unwrap(), Health::Behind { epoch: 5 });
    bob.group().receive_commit(service.newest()).unwrap();
    assert_eq!(bob.group().health().unwrap(), Health::InSync);
}

/// Of messages that are gone at the service as well, nothing is left but to join again.
#[test]
fn who_cannot_catch_up_joins_again() {
    let (alice, bob, carol) = people();
    let mut service = group_of(&[&alice, &bob, &carol], false);
    service.commit(&alice, &[&carol]);
    let mut forgetful = Service { info: service.info.clone(), ..Service::default() };
    let healed = forgetful.heal(&bob, &[&alice, &carol]);
    assert_eq!((healed.health, healed.rejoined), (Health::InSync, true));
    assert_eq!(bob.group().epoch_authenticator().unwrap(), carol.group().epoch_authenticator().unwrap());
}

/// A commit that loses its race is tried again, not at once, and not by everybody at the same moment.
#[test]
fn attempts_to_join_again_are_spread() {
    let (alice, bob, carol) = people();
    let mut service = forked(&alice, &bob, &carol);
    bob.group().hear_beacon(&alice.group().beacon().unwrap()).unwrap();
    let refused = |service: &mut Service| {
        let mut healing = bob.group().heal();
        while !matches!(healing.need().unwrap(), Need::Submit { .. } | Need::Nothing) {
            service.step(&mut healing, &[&alice]);
        }
        let submits = matches!(healing.need().unwrap(), Need::Submit { .. });
        healing.submitted(false).unwrap();
        (submits, healing.finish().unwrap().health)
    };
    let now = bob.clock.0.load(Ordering::SeqCst);
    let (true, Health::RejoinPending { attempt: 1, next_at: first }) = refused(&mut service) else { panic!() };
    assert!(first > now);
    // Too early: nothing is submitted.
    assert_eq!(refused(&mut service), (false, Health::RejoinPending { attempt: 1, next_at: first }));
    bob.clock.0.store(first, Ordering::SeqCst);
    let (true, Health::RejoinPending { attempt: 2, next_at: second }) = refused(&mut service) else { panic!() };
    assert!(second - first > first - now || second - first >= 20);
    bob.clock.0.store(second, Ordering::SeqCst);
    assert_eq!(service.heal(&bob, &[&alice, &carol]).health, Health::InSync);
}

#[test]
fn who_was_removed_is_told_so() {
    let (alice, bob, carol) = people();
    let mut service = group_of(&[&alice, &bob, &carol], false);
    let group = alice.group();
    let (commit, _) = group.commit_changes(&[GroupChange::Remove(1)]).unwrap();
    service.info = group.group_info().unwrap();
    // Without the commit it is known from the group info, and nobody comes back by itself.
    let mut healing = bob.group().heal();
    healing.messages(&[]).unwrap();
    assert_eq!(healing.group_info(&service.info, None), Err(MlsError::NotAMember));
    service.post(1, &commit);
    let healed = service.heal(&bob, &[]);
    assert_eq!((healed.health, healed.rejoined), (Health::Removed, false));
    assert_eq!(bob.group().hear_beacon(&group.beacon().unwrap()), Err(MlsError::NotAMember));
    assert_eq!(bob.group().beacon(), Err(MlsError::NotAMember));
}

/// A beacon that is not a member's word is refused, and changes nothing.
#[test]
fn a_forged_beacon_is_refused() {
    let (alice, bob, carol) = people();
    group_of(&[&alice, &bob], false);
    carol.client().create_group(None).unwrap();
    let beacon = bob.group().beacon().unwrap();
    let group = alice.group();
    for position in 0..beacon.len() {
        let mut forged = beacon.clone();
        forged[position] ^= 1;
        assert!(group.hear_beacon(&forged).is_err(), "byte {position}");
    }
    assert_eq!(group.hear_beacon(&carol.group().beacon().unwrap()), Err(MlsError::GroupMismatch));
    let padded = [&beacon[..], &[0; 5_000]].concat();
    assert_eq!(group.hear_beacon(&padded), Err(MlsError::TooLarge { len: padded.len() - 8, limit: 4_096 }));
    assert_eq!(group.health().unwrap(), Health::InSync);
    // Who left has no say.
    group.propose_remove_identity(b"bob").unwrap();
    group.commit().unwrap();
    assert_eq!(group.hear_beacon(&beacon), Err(MlsError::UnknownIdentity));
}

/// What cannot be made durable does not count.
#[test]
fn evidence_is_durable_or_not_there() {
    let store = Arc::new(FailingStore::default());
    let (alice, bob, carol) = (Person::over("alice", store.clone()), Person::new("bob"), Person::new("carol"));
    forked(&alice, &bob, &carol);
    let group = alice.group();
    store.fail(true);
    assert!(group.hear_beacon(&bob.group().beacon().unwrap()).is_err());
    store.fail(false);
    assert_eq!(group.health().unwrap(), Health::InSync);
}
