//! ADV: messages that are replayed, tampered with, out of order or too late.

use std::{
    collections::BTreeSet,
    sync::{Arc, Barrier},
    thread,
};

use mls_engine::message::MlsMessage;
use spacepanda_core::core_mls::{HandshakeFraming, Incoming, MlsConfig, MlsError, Padding, store::MemoryStore};

use crate::support::{
    Numbers, OPEN_FAILED, assert_agree, assert_echo_once, assert_opens, assert_refused, client, client_over, config,
    flip, group_of, pair, pair_with, private, replay, rewrite, rewrite_private, state, wrong_epoch,
};

/// ADV-01
#[test]
fn adv_01_replay_is_detected() {
    let (alice, bob) = pair();
    let envelope = alice.send_message(b"once").unwrap();
    assert_opens(&bob, &envelope, b"once");
    assert_refused(&bob, &replay(&alice, 0), || bob.receive_message(&envelope));
    assert_opens(&bob, &alice.send_message(b"next").unwrap(), b"next");
}

/// ADV-01, CON-08
#[test]
fn adv_01_own_message_comes_back_once() {
    let (alice, _bob) = pair();
    let envelope = alice.send_message(b"once").unwrap();
    assert_echo_once(&alice, &envelope, b"once");
}

/// ADV-01: a new client over the same store in memory knows which keys are used.
#[test]
fn adv_01_replay_is_detected_after_reopening() {
    let store = Arc::new(MemoryStore::new());
    let open = || client_over("bob", &MlsConfig::interop(), store.clone());
    let (alice, bob) = (client("alice"), open());
    let handles = group_of(&[&alice, &bob]);
    let (first, second) = (handles[0].send_message(b"first").unwrap(), handles[0].send_message(b"second").unwrap());
    assert_opens(&handles[1], &second, b"second");
    let again = open().group(&handles[1].group_id()).unwrap();
    assert_refused(&again, &replay(&handles[0], 1), || again.receive_message(&second));
    assert_opens(&again, &first, b"first");
}

/// ADV-01: when the cache of duplicates has long forgotten it, the used key is still gone.
#[test]
fn adv_01_replay_is_detected_after_20_000_others() {
    let (alice, bob) = pair();
    let envelope = alice.send_message(b"once").unwrap();
    assert!(matches!(bob.handle_incoming(&envelope), Ok(Incoming::Delivered(_))));
    assert!(matches!(bob.handle_incoming(&envelope), Ok(Incoming::Duplicate)));
    for _ in 0..20_000 {
        let other = alice.send_message(b"other").unwrap();
        assert!(matches!(bob.handle_incoming(&other), Ok(Incoming::Delivered(_))));
    }
    assert_refused(&bob, &replay(&alice, 0), || bob.handle_incoming(&envelope));
    assert_refused(&bob, &replay(&alice, 0), || bob.receive_message(&envelope));
}

/// ADV-02: for both framings.
#[test]
fn adv_02_proposal_of_another_epoch_is_refused() {
    for framing in [HandshakeFraming::Private, HandshakeFraming::Public] {
        let (alice, bob) = pair_with(&config(|c| c.handshake_framing = framing));
        let proposal = alice.propose_update().unwrap();
        let late = rewrite(&proposal, |message| match message {
            MlsMessage::PublicMessage(public) => public.content.epoch = 999,
            MlsMessage::PrivateMessage(private) => private.epoch = 999,
            other => unreachable!("{other:?}"),
        });
        assert_refused(&bob, &wrong_epoch(1, 999), || bob.receive_proposal(&late));
        assert_refused(&bob, &wrong_epoch(1, 999), || bob.handle_incoming(&late));
        bob.receive_proposal(&proposal).unwrap();
        assert_eq!(bob.pending_proposals().unwrap().len(), 1);
    }
}

/// ADV-03: ten random bits, five hundred times.
#[test]
fn adv_03_corrupted_payload_is_refused() {
    let (alice, bob) = pair();
    let envelope = alice.send_message(b"intact").unwrap();
    let before = state(&bob);
    let mut numbers = Numbers(3);
    for _ in 0..500 {
        let payload = numbers.flip(envelope.payload(), 10);
        let refused = crate::support::wrap(envelope.message_type(), payload)
            .and_then(|corrupted| bob.receive_message(&corrupted))
            .unwrap_err();
        let expected = matches!(
            refused,
            MlsError::Malformed(_)
                | MlsError::WrongMessageType { .. }
                | MlsError::EnvelopeMismatch(_)
                | MlsError::GroupMismatch
                | MlsError::EpochMismatch { .. }
        ) || refused == OPEN_FAILED;
        assert!(expected, "{refused:?}");
    }
    assert_eq!(state(&bob), before);
    assert_opens(&bob, &envelope, b"intact");
}

/// ADV-04: every bit of ciphertext and tag.
#[test]
fn adv_04_each_flipped_bit_is_found() {
    let (alice, bob) = pair_with(&config(|c| c.padding = Padding::None));
    let envelope = alice.send_message(b"short").unwrap();
    let before = state(&bob);
    let ciphertext = private(&envelope).ciphertext;
    for bit in 0..ciphertext.as_slice().len() * 8 {
        let flipped = rewrite_private(&envelope, |m| m.ciphertext = flip(ciphertext.as_slice(), bit).into());
        assert_eq!(bob.receive_message(&flipped), Err(OPEN_FAILED), "bit {bit}");
    }
    assert_eq!(state(&bob), before);
    assert_opens(&bob, &envelope, b"short");
}

/// ADV-03, ADV-04, CON-08: what is not exactly our message is not taken for it.
#[test]
fn adv_04_own_message_is_known_by_every_bit() {
    let (alice, _bob) = pair_with(&config(|c| c.padding = Padding::None));
    let envelope = alice.send_message(b"short").unwrap();
    let before = state(&alice);
    let ciphertext = private(&envelope).ciphertext;
    for bit in 0..ciphertext.as_slice().len() * 8 {
        let flipped = rewrite_private(&envelope, |m| m.ciphertext = flip(ciphertext.as_slice(), bit).into());
        // The first bytes protect the sender data (RFC 9420, Section 6.3.2); without them it is not even known as ours.
        let expected = if bit < 32 * 8 { OPEN_FAILED } else { MlsError::OwnMessage };
        assert_eq!(alice.receive_message(&flipped), Err(expected), "bit {bit}");
    }
    assert_eq!(state(&alice), before);
    assert_echo_once(&alice, &envelope, b"short");
}

/// ADV-05: each bit of the encrypted sender data, and that of another message.
#[test]
fn adv_05_changed_sender_data_is_refused() {
    let (alice, bob) = pair();
    let (first, second) = (alice.send_message(b"first").unwrap(), alice.send_message(b"second").unwrap());
    let before = state(&bob);
    let sender_data = private(&first).encrypted_sender_data;
    for bit in 0..sender_data.as_slice().len() * 8 {
        let flipped = rewrite_private(&first, |m| m.encrypted_sender_data = flip(sender_data.as_slice(), bit).into());
        assert_eq!(bob.receive_message(&flipped), Err(OPEN_FAILED), "bit {bit}");
    }
    let swapped = rewrite_private(&first, |m| m.encrypted_sender_data = private(&second).encrypted_sender_data);
    assert_eq!(bob.receive_message(&swapped), Err(OPEN_FAILED));
    assert_eq!(state(&bob), before);
    assert_opens(&bob, &first, b"first");
    assert_opens(&bob, &second, b"second");
}

/// ADV-06
#[test]
fn adv_06_messages_open_in_any_order_once() {
    let (alice, bob) = pair();
    let envelopes = [b"1", b"2", b"3"].map(|text| alice.send_message(text).unwrap());
    for (generation, text) in [(2, b"3"), (0, b"1"), (1, b"2")] {
        assert_opens(&bob, &envelopes[generation], text);
    }
    for (envelope, generation) in envelopes.iter().zip(0..) {
        assert_refused(&bob, &replay(&alice, generation), || bob.receive_message(envelope));
    }
}

/// ADV-06, CON-08
#[test]
fn adv_06_own_messages_come_back_in_any_order_once() {
    let (alice, _bob) = pair();
    let envelopes = [b"1", b"2", b"3"].map(|text| alice.send_message(text).unwrap());
    for (generation, text) in [(2, b"3"), (0, b"1"), (1, b"2")] {
        assert_echo_once(&alice, &envelopes[generation], text);
    }
}

/// ADV-06: ten may be missing before one that arrives, and four of them may arrive late.
#[test]
fn adv_06_window_has_an_edge() {
    let (alice, bob) = pair_with(&config(|c| (c.max_forward_distance, c.out_of_order_window) = (10, 4)));
    let envelopes: Vec<_> = (0..12).map(|n: u8| alice.send_message(&[n]).unwrap()).collect();
    let too_far = MlsError::TooFarAhead { sender: alice.own_index(), generation: 11 };
    assert_refused(&bob, &too_far, || bob.receive_message(&envelopes[11]));
    assert_opens(&bob, &envelopes[10], &[10]);
    for generation in 0..6_u8 {
        let gone = replay(&alice, u32::from(generation));
        assert_refused(&bob, &gone, || bob.receive_message(&envelopes[usize::from(generation)]));
    }
    for generation in [6_u8, 9, 7, 8] {
        let envelope = &envelopes[usize::from(generation)];
        assert_opens(&bob, envelope, &[generation]);
        assert_refused(&bob, &replay(&alice, u32::from(generation)), || bob.receive_message(envelope));
    }
    // Refused before, in reach now.
    assert_opens(&bob, &envelopes[11], &[11]);
}

/// ADV-07
#[test]
fn adv_07_commit_without_proposals_is_refused() {
    let (alice, bob) = pair();
    assert_refused(&alice, &MlsError::NoProposalsPending, || alice.commit());
    assert_refused(&alice, &MlsError::NoProposalsPending, || alice.stage_commit());
    let outcome = bob.receive_commit(&alice.rotate().unwrap()).unwrap();
    assert_eq!((outcome.epoch, outcome.updated), (2, vec![alice.own_index()]));
    assert_agree(&[&alice, &bob]);
}

/// ADV-13
#[test]
fn adv_13_empty_message_is_read() {
    let (alice, bob) = pair();
    let envelope = alice.send_message(b"").unwrap();
    assert_opens(&bob, &envelope, b"");
    assert_refused(&bob, &replay(&alice, 0), || bob.receive_message(&envelope));
    assert_echo_once(&alice, &envelope, b"");
}

/// ADV-14: read while the epoch is among the last N, and not after N + 1 commits.
#[test]
fn adv_14_late_messages_are_read_within_the_window() {
    for window in [1_u8, 3] {
        let (alice, bob) = pair_with(&config(|c| c.max_past_epochs = usize::from(window)));
        let late: Vec<_> = (0..=window).map(|n| alice.send_message(&[n]).unwrap()).collect();
        for n in 0..window {
            bob.receive_commit(&alice.rotate().unwrap()).unwrap();
            assert_opens(&bob, &late[usize::from(n)], &[n]);
            assert_refused(&bob, &replay(&alice, u32::from(n)), || bob.receive_message(&late[usize::from(n)]));
        }
        bob.receive_commit(&alice.rotate().unwrap()).unwrap();
        let gone = wrong_epoch(u64::from(window) + 2, 1);
        assert_refused(&bob, &gone, || bob.receive_message(&late[usize::from(window)]));
        assert_opens(&bob, &alice.send_message(b"new").unwrap(), b"new");
    }
}

/// ADV-14: in strict mode, one commit is enough.
#[test]
fn adv_14_late_messages_are_refused_in_strict_mode() {
    let (alice, bob) = pair_with(&config(|c| c.strict_epoch_check = true));
    let late = alice.send_message(b"late").unwrap();
    bob.receive_commit(&alice.rotate().unwrap()).unwrap();
    assert_refused(&bob, &wrong_epoch(2, 1), || bob.receive_message(&late));
    assert_refused(&bob, &wrong_epoch(2, 1), || bob.handle_incoming(&late));
    assert_opens(&bob, &alice.send_message(b"new").unwrap(), b"new");
}

/// ADV-14, CON-08: what no other member reads any more has not been delivered, so its sender is told the same.
#[test]
fn adv_14_own_late_messages_are_refused_in_strict_mode() {
    let (alice, bob) = pair_with(&config(|c| c.strict_epoch_check = true));
    let (seen, late) = (alice.send_message(b"seen").unwrap(), alice.send_message(b"late").unwrap());
    assert_echo_once(&alice, &seen, b"seen");
    alice.receive_commit(&bob.rotate().unwrap()).unwrap();
    assert_refused(&alice, &wrong_epoch(2, 1), || alice.receive_message(&late));
    assert_refused(&alice, &wrong_epoch(2, 1), || alice.handle_incoming(&late));
    assert_refused(&alice, &replay(&alice, 0), || alice.receive_message(&seen));
    // In the default mode it comes back, whenever that is.
    let (alice, bob) = pair();
    let late = alice.send_message(b"late").unwrap();
    alice.receive_commit(&bob.rotate().unwrap()).unwrap();
    assert_echo_once(&alice, &late, b"late");
}

/// ADV-16: ten threads with handles of their own send, ten others open.
#[test]
fn adv_16_ten_threads_send() {
    let (alice, bob) = pair();
    let (send, receive) = (Barrier::new(10), Barrier::new(10));
    let texts: Vec<_> = (0..10).map(|n| format!("message {n}")).collect();
    let envelopes: Vec<_> = thread::scope(|scope| {
        let send = |text: &String| {
            let (handle, barrier, text) = (alice.clone_handle(), &send, text.clone());
            scope.spawn(move || {
                barrier.wait();
                handle.send_message(text.as_bytes()).unwrap()
            })
        };
        let threads: Vec<_> = texts.iter().map(send).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let messages: Vec<_> = thread::scope(|scope| {
        let receive = |envelope| {
            let (handle, barrier) = (bob.clone_handle(), &receive);
            scope.spawn(move || {
                barrier.wait();
                handle.receive_message(envelope).unwrap()
            })
        };
        let threads: Vec<_> = envelopes.iter().map(receive).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(messages.iter().map(|message| message.generation).collect::<BTreeSet<_>>(), (0..10).collect());
    for (message, text) in messages.iter().zip(&texts) {
        assert_eq!(message.plaintext, text.as_bytes());
    }
}
