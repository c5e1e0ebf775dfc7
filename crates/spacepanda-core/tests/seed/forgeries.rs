//! What the first version's documents promise about attackers without a test of their own: forged signatures, members
//! who were removed, Welcomes, replayed commits and exchanged key packages.

use std::sync::Arc;

use mls_engine::{
    codec::{decode_exact, encode},
    error::ProcessError,
    message::{
        Add, Content, FramedContent, FramedContentAuthData, KeyPackage, MlsMessage, Proposal, PublicMessage, Sender,
    },
};
use spacepanda_core::core_mls::{
    Client, HandshakeFraming, MlsConfig, MlsEnvelope, MlsError, MlsHandle, PinnedIdentities, policy::reason,
};

use crate::support::{
    BAD_SIGNATURE, OPEN_FAILED, assert_agree, assert_opens, assert_refused, client, client_with, config, flip,
    group_of, pair, pair_with, rewrite, rewrite_private, wrong_epoch,
};

/// Changes the signature of a message that is not encrypted.
fn forge_signature(envelope: &MlsEnvelope) -> MlsEnvelope {
    rewrite(envelope, |message| match message {
        MlsMessage::PublicMessage(public) => public.auth.signature = flip(public.auth.signature.as_slice(), 0).into(),
        other => unreachable!("{other:?}"),
    })
}

/// A member's signature is under the membership tag, which is checked first (PUB-01).
#[test]
fn forged_handshakes_of_members_are_refused() {
    let (alice, bob) = pair_with(&config(|c| c.handshake_framing = HandshakeFraming::Public));
    let proposal = alice.propose_update().unwrap();
    let refused = MlsError::Rejected(ProcessError::BadMembershipTag);
    assert_refused(&bob, &refused, || bob.receive_proposal(&forge_signature(&proposal)));
    bob.receive_proposal(&proposal).unwrap();
    let (commit, _) = alice.commit().unwrap();
    assert_refused(&bob, &refused, || bob.receive_commit(&forge_signature(&commit)));
    bob.receive_commit(&commit).unwrap();
    assert_agree(&[&alice, &bob]);
}

/// Who joins by external commit has no membership tag: the signature alone stands against a forgery.
#[test]
fn forged_commit_signature_is_refused() {
    let open = config(|c| c.external_joins = true);
    let (alice, carol) = (client_with("alice", &open), client_with("carol", &open));
    let group = alice.create_group(None).unwrap();
    let join = carol.join_external(&group.group_info().unwrap(), None).unwrap();
    assert_refused(&group, &BAD_SIGNATURE, || group.receive_commit(&forge_signature(join.commit())));
    group.receive_commit(join.commit()).unwrap();
    assert_agree(&[&group, &join.accepted().unwrap()]);
}

/// Nor can an outsider propose in the name of the key package's owner.
#[test]
fn forged_proposal_signature_is_refused() {
    let (alice, _bob) = pair();
    let key_package = decode_key_package(&client("carol").generate_key_package().unwrap());
    let content = FramedContent {
        group_id: alice.group_id().into(),
        epoch: alice.epoch(),
        sender: Sender::NewMemberProposal,
        authenticated_data: Vec::new().into(),
        content: Content::Proposal(Proposal::Add(Box::new(Add { key_package }))),
    };
    let auth = FramedContentAuthData { signature: vec![7; 64].into(), confirmation_tag: None };
    let message = MlsMessage::PublicMessage(Box::new(PublicMessage { content, auth, membership_tag: None }));
    let forged = MlsEnvelope::wrap_proposal(encode(&message).unwrap()).unwrap();
    assert_refused(&alice, &BAD_SIGNATURE, || alice.receive_proposal(&forged));
}

/// Alice, Bob, and Carol, whom Alice and Bob have removed and who pretends not to have heard of it.
fn carol_in_denial(config: &MlsConfig) -> [MlsHandle; 3] {
    let clients = ["alice", "bob", "carol"].map(|name| client_with(name, config));
    let [alice, bob, carol]: [_; 3] = group_of(&clients.each_ref()).try_into().unwrap();
    bob.receive_proposal(&alice.propose_remove(carol.own_index()).unwrap()).unwrap();
    bob.receive_commit(&alice.commit().unwrap().0).unwrap();
    [alice, bob, carol]
}

/// What she says now belongs to an epoch that is over, or to none.
#[test]
fn removed_member_cannot_keep_sending() {
    for framing in [HandshakeFraming::Private, HandshakeFraming::Public] {
        let config = config(|c| (c.handshake_framing, c.strict_epoch_check) = (framing, true));
        let [alice, bob, carol] = carol_in_denial(&config);
        let message = carol.send_message(b"still here").unwrap();
        let update = carol.propose_update().unwrap();
        let (commit, _) = carol.commit().unwrap();
        for member in [&alice, &bob] {
            assert_refused(member, &wrong_epoch(2, 1), || member.receive_message(&message));
            assert_refused(member, &wrong_epoch(2, 1), || member.receive_proposal(&update));
            assert_refused(member, &wrong_epoch(2, 1), || member.receive_commit(&commit));
            let relabelled = rewrite_private(&message, |message| message.epoch = 2);
            assert_refused(member, &OPEN_FAILED, || member.receive_message(&relabelled));
        }
        assert_agree(&[&alice, &bob]);
    }
}

/// Neither what is said nor the commits that follow.
#[test]
fn removed_member_cannot_keep_reading() {
    let [alice, bob, carol] = carol_in_denial(&MlsConfig::interop());
    let message = alice.send_message(b"without carol").unwrap();
    let commit = alice.rotate().unwrap();
    assert_refused(&carol, &wrong_epoch(1, 2), || carol.receive_message(&message));
    assert_refused(&carol, &wrong_epoch(1, 2), || carol.receive_commit(&commit));
    let message_now = rewrite_private(&message, |message| message.epoch = 1);
    assert_refused(&carol, &OPEN_FAILED, || carol.receive_message(&message_now));
    let commit_now = rewrite_private(&commit, |message| message.epoch = 1);
    assert_refused(&carol, &OPEN_FAILED, || carol.receive_commit(&commit_now));
    bob.receive_commit(&commit).unwrap();
    assert_opens(&bob, &message, b"without carol");
}

/// One flipped bit in each byte of a Welcome.
#[test]
fn tampered_welcome_is_refused() {
    let (alice, bob) = (client("alice"), client("bob"));
    let group = alice.create_group(None).unwrap();
    group.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = group.commit().unwrap();
    let payload = welcomes[0].payload();
    for byte in 0..payload.len() {
        let tampered = flip(payload, byte * 8 + byte % 8);
        let result =
            MlsEnvelope::wrap_welcome(&group.group_id(), tampered).and_then(|welcome| bob.join_group(&welcome));
        assert!(result.is_err(), "byte {byte}");
    }
    assert_eq!((bob.groups(), bob.key_package_count()), (Ok(Vec::new()), Ok(1)));
    assert_agree(&[&group, &bob.join_group(&welcomes[0]).unwrap()]);
}

/// A Welcome cannot be used twice, nor by others, not even after the group was deleted.
#[test]
fn reused_welcome_is_refused() {
    let (alice, bob, carol) = (client("alice"), client("bob"), client("carol"));
    let group = alice.create_group(None).unwrap();
    group.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = group.commit().unwrap();
    carol.generate_key_package().unwrap();
    assert_eq!(carol.join_group(&welcomes[0]).unwrap_err(), MlsError::NotForUs);
    let joined = bob.join_group(&welcomes[0]).unwrap();
    group.send_message(b"one").and_then(|envelope| joined.receive_message(&envelope)).unwrap();
    assert_refused(&joined, &MlsError::GroupExists, || bob.join_group(&welcomes[0]));
    bob.delete_group(&group.group_id()).unwrap();
    assert_eq!(bob.join_group(&welcomes[0]).unwrap_err(), MlsError::KeyPackageUsed);
    assert_eq!((carol.groups(), bob.groups()), (Ok(Vec::new()), Ok(Vec::new())));
}

/// By the member that followed it, by the one that made it, and by one whose epoch has moved on since.
#[test]
fn replayed_commit_is_refused() {
    for framing in [HandshakeFraming::Private, HandshakeFraming::Public] {
        let (alice, bob) = pair_with(&config(|c| c.handshake_framing = framing));
        let old = alice.rotate().unwrap();
        bob.receive_commit(&old).unwrap();
        assert_refused(&bob, &wrong_epoch(2, 1), || bob.receive_commit(&old));
        assert_refused(&alice, &wrong_epoch(2, 1), || alice.receive_commit(&old));
        alice.receive_commit(&bob.rotate().unwrap()).unwrap();
        assert_refused(&bob, &wrong_epoch(3, 1), || bob.receive_commit(&old));
        assert_agree(&[&alice, &bob]);
    }
}

/// Somebody between Bob and Alice exchanges Bob's key package, or a part of it.
#[test]
fn exchanged_key_package_is_refused() {
    let pins = Arc::new(PinnedIdentities::new());
    let open = |identity: &[u8]| {
        let builder = Client::builder(identity, pins.clone()).config(MlsConfig::interop());
        builder.open().unwrap()
    };
    let (alice, bob, mallory, so_called_bob) = (open(b"alice"), open(b"bob"), open(b"mallory"), open(b"bob"));
    pins.pin(b"bob", bob.signature_key());
    let group = alice.create_group(None).unwrap();
    let (own, other) = (so_called_bob.generate_key_package().unwrap(), mallory.generate_key_package().unwrap());
    let unknown_key = MlsError::Unauthorized { reason: reason::UNKNOWN_KEY };
    assert_refused(&group, &unknown_key, || group.propose_add(&own, b"bob"));
    assert_refused(&group, &MlsError::IdentityMismatch, || group.propose_add(&other, b"bob"));

    let key_package = bob.generate_key_package().unwrap();
    let theirs = decode_key_package(&other);
    let mut exchanged = [decode_key_package(&key_package), decode_key_package(&key_package)];
    exchanged[0].init_key = theirs.init_key;
    exchanged[1].leaf_node.encryption_key = theirs.leaf_node.encryption_key;
    for package in exchanged {
        let package = encode(&MlsMessage::KeyPackage(Box::new(package))).unwrap();
        assert_refused(&group, &BAD_SIGNATURE, || group.propose_add(&package, b"bob"));
    }
    group.propose_add(&key_package, b"bob").unwrap();
}

fn decode_key_package(bytes: &[u8]) -> KeyPackage {
    match decode_exact(bytes).unwrap() {
        MlsMessage::KeyPackage(package) => *package,
        other => unreachable!("{other:?}"),
    }
}
