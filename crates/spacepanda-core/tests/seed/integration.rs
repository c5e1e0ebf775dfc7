//! INT: whole conversations, from every side.

use std::sync::Arc;

use mls_engine::{math::LeafIndex, tree::RatchetTree};
use spacepanda_core::core_mls::{
    AwsLc, Client, CryptoProvider, Incoming, MlsConfig, MlsError, MlsHandle, PinnedIdentities, store::MemoryStore,
};

use crate::support::{
    OPEN_FAILED, assert_agree, assert_echo_once, assert_opens, assert_refused, client, client_over, config, copy,
    group_of, pair, pair_with, replay, rewrite_private, wrong_epoch,
};

/// Alice, Bob and Carol in one group.
fn three() -> [MlsHandle; 3] {
    let clients = ["alice", "bob", "carol"].map(client);
    group_of(&clients.each_ref()).try_into().unwrap()
}

/// INT-01
#[test]
fn int_01_three_members_agree() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(client);
    let first = alice.create_group(Some("tea")).unwrap();
    first.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = first.commit().unwrap();
    let second = bob.join_group(&welcomes[0]).unwrap();
    assert_agree(&[&first, &second]);
    let proposal = first.propose_add(&carol.generate_key_package().unwrap(), b"carol").unwrap();
    second.receive_proposal(&proposal).unwrap();
    let (commit, welcomes) = first.commit().unwrap();
    let outcome = second.receive_commit(&commit).unwrap();
    assert_eq!((outcome.added.len(), outcome.added[0].identity.as_slice()), (1, &b"carol"[..]));
    let third = carol.join_group(&welcomes[0]).unwrap();
    assert_agree(&[&first, &second, &third]);
    assert_eq!((third.epoch(), third.member_count()), (2, 3));
    let envelope = first.send_message(b"hello").unwrap();
    assert_opens(&second, &envelope, b"hello");
    assert_opens(&third, &envelope, b"hello");
}

/// INT-02: who stays follows, who goes is told, and cannot read on.
#[test]
fn int_02_removed_member_cannot_read_on() {
    let [alice, bob, carol] = three();
    let proposal = alice.propose_remove(carol.own_index()).unwrap();
    for member in [&bob, &carol] {
        member.receive_proposal(&proposal).unwrap();
    }
    let (commit, welcomes) = alice.commit().unwrap();
    assert!(welcomes.is_empty());
    let outcome = bob.receive_commit(&commit).unwrap();
    assert_eq!((outcome.removed.len(), outcome.removed[0].identity.as_slice()), (1, &b"carol"[..]));
    assert_agree(&[&alice, &bob]);
    assert_eq!((bob.member_count(), bob.has_member(carol.own_index())), (2, false));
    assert!(matches!(carol.handle_incoming(&commit), Ok(Incoming::Removed { committer: 0 })));
    let envelope = alice.send_message(b"without carol").unwrap();
    assert_opens(&bob, &envelope, b"without carol");
    assert_refused(&carol, &MlsError::NotAMember, || carol.receive_message(&envelope));
    assert_eq!(carol.epoch_authenticator(), Err(MlsError::NotAMember));
    assert!(carol.export_secret("app", b"", 32).is_err());
    // CON-08
    assert_echo_once(&alice, &envelope, b"without carol");
}

/// INT-03: proposals of two members in one commit.
#[test]
fn int_03_proposals_of_two_members_in_one_commit() {
    let (alice, bob) = pair();
    let (carol, dave) = (client("carol"), client("dave"));
    let of_alice = alice.propose_add(&carol.generate_key_package().unwrap(), b"carol").unwrap();
    let of_bob = bob.propose_add(&dave.generate_key_package().unwrap(), b"dave").unwrap();
    bob.receive_proposal(&of_alice).unwrap();
    alice.receive_proposal(&of_bob).unwrap();
    let (commit, welcomes) = alice.commit().unwrap();
    let outcome = bob.receive_commit(&commit).unwrap();
    assert_eq!((outcome.added.len(), welcomes.len()), (2, 2));
    let joined = [&carol, &dave].map(|client| {
        let own = outcome.added.iter().position(|member| member.identity == client.identity()).unwrap();
        client.join_group(&welcomes[own]).unwrap()
    });
    assert_agree(&[&alice, &bob, &joined[0], &joined[1]]);
    assert_eq!(bob.member_count(), 4);
    assert_opens(&joined[1], &joined[0].send_message(b"both in").unwrap(), b"both in");
}

/// INT-04: two senders at once, each in an order of its own.
#[test]
fn int_04_order_is_free_and_replay_is_not() {
    let [alice, bob, carol] = three();
    let sent: Vec<_> = (0..3_u8)
        .flat_map(|n| [(&alice, n), (&bob, n)])
        .map(|(sender, n)| (sender, n, sender.send_message(&[n]).unwrap()))
        .collect();
    for position in [5, 0, 3, 4, 1, 2] {
        let (sender, n, envelope) = &sent[position];
        let message = carol.receive_message(envelope).unwrap();
        assert_eq!((message.plaintext, message.sender_index), (vec![*n], sender.own_index()));
    }
    for (sender, n, envelope) in &sent {
        assert_refused(&carol, &replay(sender, u32::from(*n)), || carol.receive_message(envelope));
    }
    // CON-08
    for (sender, n, envelope) in sent.iter().rev() {
        assert_echo_once(sender, envelope, &[*n]);
    }
}

/// INT-05: the seed's rule, which is strict mode here; ADV-14 has the other.
#[test]
fn int_05_epochs_are_kept_apart() {
    let (alice, bob) = pair_with(&config(|c| c.strict_epoch_check = true));
    let old = alice.send_message(b"old").unwrap();
    bob.receive_commit(&alice.rotate().unwrap()).unwrap();
    let new = alice.send_message(b"new").unwrap();
    assert_refused(&bob, &wrong_epoch(2, 1), || bob.receive_message(&old));
    // Nor does it help to say it were new.
    let relabelled = rewrite_private(&old, |message| message.epoch = 2);
    assert_refused(&bob, &OPEN_FAILED, || bob.receive_message(&relabelled));
    assert_opens(&bob, &new, b"new");
    // CON-08
    assert_echo_once(&alice, &new, b"new");
}

/// INT-06: what a thief copied before a rotation reads nothing after it (CON-13: healing, not removal).
#[test]
fn int_06_rotation_locks_out_who_has_the_old_state() {
    let store = Arc::new(MemoryStore::new());
    let (alice, bob) = (client_over("alice", &MlsConfig::interop(), store.clone()), client("bob"));
    let handles = group_of(&[&alice, &bob]);
    let (alice, bob) = (&handles[0], &handles[1]);
    let stolen = client_over("alice", &MlsConfig::interop(), copy(&store));
    let thief = stolen.group(&alice.group_id()).unwrap();
    // The thief can read, and even follows when others rotate.
    assert_opens(&thief, &bob.send_message(b"overheard").unwrap(), b"overheard");
    let of_bob = bob.rotate().unwrap();
    alice.receive_commit(&of_bob).unwrap();
    thief.receive_commit(&of_bob).unwrap();
    assert_opens(&thief, &bob.send_message(b"still overheard").unwrap(), b"still overheard");

    let old_key = leaf_key(bob, alice.own_index());
    let rotation = alice.rotate().unwrap();
    let outcome = bob.receive_commit(&rotation).unwrap();
    assert_eq!(outcome.updated, [alice.own_index()]);
    assert_agree(&[alice, bob]);
    assert_ne!(leaf_key(bob, alice.own_index()), old_key);
    assert_eq!(leaf_key(bob, alice.own_index()), leaf_key(alice, alice.own_index()));

    assert_refused(&thief, &MlsError::OwnMessage, || thief.receive_commit(&rotation));
    for (sender, reader) in [(alice, bob), (bob, alice)] {
        let envelope = sender.send_message(b"private again").unwrap();
        assert_refused(&thief, &wrong_epoch(2, 3), || thief.receive_message(&envelope));
        let relabelled = rewrite_private(&envelope, |message| message.epoch = 2);
        assert_refused(&thief, &OPEN_FAILED, || thief.receive_message(&relabelled));
        assert_opens(reader, &envelope, b"private again");
        // CON-08
        assert_echo_once(sender, &envelope, b"private again");
    }
}

/// The encryption key of a member's leaf, as `handle` has it.
fn leaf_key(handle: &MlsHandle, leaf: u32) -> Vec<u8> {
    let suite = AwsLc::default().suite(handle.ciphersuite()).unwrap();
    let tree = RatchetTree::decode(suite.as_ref(), &handle.ratchet_tree().unwrap()).unwrap();
    tree.leaf(LeafIndex::new(leaf)).unwrap().encryption_key.as_slice().to_vec()
}

/// INT-07
#[test]
fn int_07_five_adds_in_one_commit() {
    let clients = ["alice", "bob", "carol", "dave", "erin", "frank"].map(client);
    let handles = group_of(&clients.each_ref());
    assert_agree(&handles.iter().collect::<Vec<_>>());
    assert_eq!((handles[5].epoch(), handles[5].member_count()), (1, 6));
    let envelope = handles[5].send_message(b"six").unwrap();
    for reader in &handles[..5] {
        assert_opens(reader, &envelope, b"six");
    }
}

/// INT-10: a phone and a laptop of Alice, and Bob; then the phone is lost.
#[test]
fn int_10_one_person_has_two_devices() {
    let pins = Arc::new(PinnedIdentities::new());
    let [phone, laptop, bob] = [b"alice".as_slice(), b"alice", b"bob"].map(|identity| {
        let client = Client::builder(identity, pins.clone()).config(MlsConfig::interop()).open().unwrap();
        pins.pin(identity, client.signature_key());
        client
    });
    let [bob, phone, laptop]: [_; 3] = group_of(&[&bob, &phone, &laptop]).try_into().unwrap();
    assert_agree(&[&bob, &phone, &laptop]);
    let devices: Vec<_> = bob.devices_of(b"alice").into_iter().map(|member| member.leaf_index).collect();
    assert_eq!(devices, [phone.own_index(), laptop.own_index()]);
    for (sender, readers) in [(&phone, [&laptop, &bob]), (&laptop, [&phone, &bob])] {
        let envelope = sender.send_message(b"from one of mine").unwrap();
        for reader in readers {
            let message = reader.receive_message(&envelope).unwrap();
            assert_eq!((message.sender.as_slice(), message.sender_index), (&b"alice"[..], sender.own_index()));
            // The other device of the sender is no echo.
            assert!(!message.own_echo);
        }
    }
    let proposal = laptop.propose_remove(phone.own_index()).unwrap();
    bob.receive_proposal(&proposal).unwrap();
    let (commit, _) = laptop.commit().unwrap();
    bob.receive_commit(&commit).unwrap();
    assert_agree(&[&bob, &laptop]);
    assert_eq!(bob.devices_of(b"alice").len(), 1);
    let envelope = bob.send_message(b"to the laptop").unwrap();
    assert_opens(&laptop, &envelope, b"to the laptop");
    assert_refused(&phone, &wrong_epoch(1, 2), || phone.receive_message(&envelope));
    assert_opens(&bob, &laptop.send_message(b"still here").unwrap(), b"still here");
}

/// INT-11: fifty each way.
#[test]
fn int_11_a_hundred_messages() {
    let (alice, bob) = pair();
    for n in 0..50_u8 {
        for (sender, reader) in [(&alice, &bob), (&bob, &alice)] {
            let envelope = sender.send_message(&[n]).unwrap();
            let message = reader.receive_message(&envelope).unwrap();
            assert_eq!((message.plaintext, message.generation), (vec![n], u32::from(n)));
            // CON-08
            assert_echo_once(sender, &envelope, &[n]);
        }
    }
}

/// INT-12
#[test]
fn int_12_twenty_adds_in_one_commit() {
    let clients: Vec<_> = (0..21).map(|n| client(&format!("member {n}"))).collect();
    let handles = group_of(&clients.iter().collect::<Vec<_>>());
    assert_agree(&handles.iter().collect::<Vec<_>>());
    assert_eq!((handles[20].epoch(), handles[20].member_count()), (1, 21));
    let envelope = handles[20].send_message(b"all here").unwrap();
    for reader in &handles[..20] {
        assert_opens(reader, &envelope, b"all here");
    }
    // The last one to come can commit for all.
    let rotation = handles[20].rotate().unwrap();
    for follower in &handles[..20] {
        follower.receive_commit(&rotation).unwrap();
    }
    assert_agree(&handles.iter().collect::<Vec<_>>());
}

/// INT-13: of the sender's handles and of the receiver's.
#[test]
fn int_13_clones_share_the_group() {
    let (alice, bob) = pair();
    let (other, bobs_other) = (alice.clone_handle(), bob.clone_handle());
    let texts = [b"a", b"b", b"c", b"d"];
    let senders = [&alice, &other, &other, &alice];
    for (generation, (sender, text)) in (0..).zip(senders.into_iter().zip(texts)) {
        let envelope = sender.send_message(text).unwrap();
        let message = bob.receive_message(&envelope).unwrap();
        assert_eq!((message.plaintext.as_slice(), message.generation), (text.as_slice(), generation));
        assert_refused(&bobs_other, &replay(&alice, generation), || bobs_other.receive_message(&envelope));
        // CON-08: whichever handle sent it.
        assert_echo_once(&other, &envelope, text);
    }
    let carol = client("carol");
    let proposal = other.propose_add(&carol.generate_key_package().unwrap(), b"carol").unwrap();
    bob.receive_proposal(&proposal).unwrap();
    assert_eq!(alice.pending_proposals().unwrap().len(), 1);
    let (commit, _) = alice.commit().unwrap();
    bobs_other.receive_commit(&commit).unwrap();
    assert_agree(&[&alice, &other, &bob, &bobs_other]);
    assert_eq!((other.epoch(), other.member_count(), bob.member_count()), (2, 3, 3));
}
