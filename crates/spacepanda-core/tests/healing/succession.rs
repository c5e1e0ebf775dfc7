//! A group that goes on under another suite, and one beside it.

use spacepanda_core::core_mls::{CipherSuite, Feature, MlsError, MlsHandle};

use crate::world::{Person, group_of};

const NEXT: CipherSuite = CipherSuite::XWING_AES256;

fn group(person: &Person, id: &[u8]) -> MlsHandle {
    person.client().group(id).unwrap()
}

/// CAP-09: from 0x0001 to 0x004E with clients that end after every call: nothing that was said is lost or doubled, what was
/// said before is read after, and all are in.
#[test]
fn a_live_group_moves_to_another_suite() {
    let (alice, bob, carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    group_of(&[&alice, &bob, &carol], true);
    let old = alice.group().group_id();
    assert_eq!(group(&alice, &old).ciphersuite(), CipherSuite::X25519_AES128);
    assert!(group(&alice, &old).plan_upgrade(&[Feature::CipherSuite(NEXT)]).is_empty());
    // Delivered late, and not sent at all.
    let late = group(&carol, &old).send_message(b"late").unwrap();
    carol.client().group(&old).unwrap().mark_sent(&[group(&carol, &old).name_of(&late)]).unwrap();
    for text in ["one", "two"] {
        group(&bob, &old).send_message(text.as_bytes()).unwrap();
    }
    let proposal = group(&alice, &old).propose_reinit(NEXT).unwrap();
    [&bob, &carol].iter().for_each(|person| drop(group(person, &old).receive_proposal(&proposal).unwrap()));
    let (commit, _) = group(&alice, &old).commit().unwrap();
    [&bob, &carol].iter().for_each(|person| drop(group(person, &old).receive_commit(&commit).unwrap()));
    assert_eq!(group(&bob, &old).send_message(b"over"), Err(MlsError::GroupReInitialized));
    let next = group(&bob, &old).successor_id().unwrap().unwrap();

    let packages: Vec<_> =
        [&bob, &carol].iter().map(|person| person.client().generate_key_package_for(NEXT).unwrap()).collect();
    // Nobody may be left behind; and who ended in the middle begins again.
    let (partial, pending) = group(&alice, &old).create_successor(&packages[..1]).unwrap();
    let welcomes = partial.apply_pending_commit(&pending.id).unwrap().welcomes().unwrap();
    assert!(matches!(bob.client().join_group(&welcomes[0]), Err(MlsError::Rejected(_))));
    alice.client().delete_group(&next).unwrap();
    drop(group(&alice, &old).create_successor(&packages).unwrap());
    let (group_next, pending) = group(&alice, &old).create_successor(&packages).unwrap();
    drop(group_next);
    let welcomes = group(&alice, &next).apply_pending_commit(&pending.id).unwrap().welcomes().unwrap();
    bob.client().join_group(&welcomes[0]).unwrap();
    carol.client().join_group(&welcomes[1]).unwrap();
    for person in [&alice, &bob, &carol] {
        let there = group(person, &next);
        assert_eq!((there.ciphersuite(), there.member_count()), (NEXT, 3));
        assert_eq!(there.group_name().as_deref(), Some("tea"));
        assert!(there.policy().unwrap().is_some());
        assert_eq!(there.epoch_authenticator().unwrap(), group(&alice, &next).epoch_authenticator().unwrap());
    }

    let moved = group(&bob, &old).continue_in(&group(&bob, &next)).unwrap();
    assert_eq!(group(&bob, &old).continue_in(&group(&bob, &next)).unwrap(), []);
    assert!(group(&bob, &old).outbox().unwrap().is_empty());
    for reader in [&alice, &carol] {
        let read: Vec<_> =
            moved.iter().map(|envelope| group(reader, &next).receive_message(envelope).unwrap().plaintext).collect();
        assert_eq!(read, [b"one", b"two"]);
    }
    assert_eq!(group(&alice, &old).receive_message(&late).unwrap().plaintext, b"late");
}
