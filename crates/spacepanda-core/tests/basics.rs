//! The verbs of the seed, from both sides.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use spacepanda_core::core_mls::{
    Client, Clock, CryptoError, Incoming, MlsConfig, MlsError, MlsHandle, ProposalSummary, TrustOnFirstUse,
    store::MemoryStore,
};

fn client(identity: &str) -> Client {
    client_with(identity, MlsConfig::interop())
}

fn client_with(identity: &str, config: MlsConfig) -> Client {
    Client::builder(identity.as_bytes(), Arc::new(TrustOnFirstUse::new())).config(config).open().unwrap()
}

/// Adds everybody to the first one's group, in one commit.
fn group_of(clients: &[&Client]) -> Vec<MlsHandle> {
    let (first, others) = clients.split_first().unwrap();
    let group = first.create_group(Some("tea")).unwrap();
    let adds: Vec<_> =
        others.iter().map(|client| (client.generate_key_package().unwrap(), client.identity().to_vec())).collect();
    group.propose_add_batch(&adds).unwrap();
    let (_, welcomes) = group.commit().unwrap();
    assert_eq!(welcomes.len(), others.len());
    let joined = others.iter().zip(&welcomes).map(|(client, welcome)| client.join_group(welcome).unwrap());
    std::iter::once(group.clone()).chain(joined).collect()
}

fn assert_agree(handles: &[&MlsHandle]) {
    let view = |handle: &MlsHandle| {
        let members: Vec<_> = handle.members().into_iter().map(|m| (m.leaf_index, m.identity)).collect();
        (handle.epoch(), handle.epoch_authenticator().unwrap(), handle.group_name(), members)
    };
    for handle in &handles[1..] {
        assert_eq!(view(handle), view(handles[0]));
    }
}

/// CAP-01, CAP-02, CAP-10, CAP-14, CAP-20, CAP-21
#[test]
fn welcomes_are_in_the_order_of_their_adds() {
    let clients: Vec<_> = ["alice", "bob", "carol", "dave"].map(client).into();
    let handles = group_of(&clients.iter().collect::<Vec<_>>());
    assert_agree(&handles.iter().collect::<Vec<_>>());
    let hello = handles[2].send_message(b"hello").unwrap();
    for reader in [0, 1, 3] {
        let message = handles[reader].receive_message(&hello).unwrap();
        assert_eq!((message.plaintext.as_slice(), message.sender.as_slice()), (&b"hello"[..], &b"carol"[..]));
        assert_eq!((message.sender_index, message.epoch, message.own_echo), (handles[2].own_index(), 1, false));
    }
}

/// CAP-16, CAP-25: proposals of two members in one commit.
#[test]
fn commits_what_others_proposed() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(client);
    let handles = group_of(&[&alice, &bob]);
    let add = handles[1].propose_add(&carol.generate_key_package().unwrap(), b"carol").unwrap();
    let update = handles[1].propose_update().unwrap();
    assert_eq!(handles[0].receive_proposal(&add).unwrap().index, 0);
    let received = handles[0].receive_proposal(&update).unwrap();
    assert_eq!((received.index, received.proposer), (1, Some(handles[1].own_index())));
    assert_eq!(received.summary, ProposalSummary::Update);
    let (commit, welcomes) = handles[0].commit().unwrap();
    let outcome = handles[1].receive_commit(&commit).unwrap();
    assert_eq!(outcome.added[0].identity, b"carol");
    assert!(outcome.updated.contains(&handles[1].own_index()));
    let third = carol.join_group(&welcomes[0]).unwrap();
    assert_agree(&[&handles[0], &handles[1], &third]);
}

/// CAP-18: the removed one is told, and cannot read on.
#[test]
fn removes_a_member() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(client);
    let handles = group_of(&[&alice, &bob, &carol]);
    let proposals = handles[0].propose_remove_identity(b"carol").unwrap();
    for handle in &handles[1..] {
        handle.receive_proposal(&proposals[0]).unwrap();
    }
    let (commit, _) = handles[0].commit().unwrap();
    let outcome = handles[1].receive_commit(&commit).unwrap();
    assert_eq!(outcome.removed[0].identity, b"carol");
    assert!(matches!(handles[2].handle_incoming(&commit).unwrap(), Incoming::Removed { committer: 0 }));
    let secret = handles[0].send_message(b"without carol").unwrap();
    assert_eq!(handles[1].receive_message(&secret).unwrap().plaintext, b"without carol");
    assert_eq!(handles[2].receive_message(&secret), Err(MlsError::NotAMember));
    assert_eq!(handles[2].send_message(b"still here?"), Err(MlsError::NotAMember));
    // She may be invited again.
    handles[0].propose_add(&carol.generate_key_package().unwrap(), b"carol").unwrap();
    let (_, welcomes) = handles[0].commit().unwrap();
    let again = carol.join_group(&welcomes[0]).unwrap();
    assert_agree(&[&handles[0], &again, &handles[2]]);
}

/// CAP-06: leaving is somebody else's commit.
#[test]
fn leaves_by_the_commit_of_another() {
    let [alice, bob] = ["alice", "bob"].map(client);
    let handles = group_of(&[&alice, &bob]);
    let leave = handles[1].propose_remove(handles[1].own_index()).unwrap();
    assert_eq!(handles[1].commit(), Err(MlsError::NoProposalsPending));
    handles[0].receive_proposal(&leave).unwrap();
    let (commit, _) = handles[0].commit().unwrap();
    assert_eq!(handles[1].receive_commit(&commit).unwrap_err(), MlsError::NotAMember);
    assert_eq!((handles[0].member_count(), handles[1].epoch_authenticator()), (1, Err(MlsError::NotAMember)));
}

/// CAP-14, CAP-26: a staged commit moves nobody, loses against another, and can be repeated.
#[test]
fn of_two_commits_one_wins() {
    let [alice, bob] = ["alice", "bob"].map(client);
    let handles = group_of(&[&alice, &bob]);
    let (first, second) = (handles[0].stage_rotation().unwrap(), handles[1].stage_rotation().unwrap());
    assert_eq!((handles[0].epoch(), handles[1].epoch()), (1, 1));
    // The delivery service chose Alice's.
    assert!(matches!(handles[0].handle_incoming(&first.commit).unwrap(), Incoming::EpochAdvanced(_)));
    handles[1].receive_commit(&first.commit).unwrap();
    assert_eq!(handles[1].apply_pending_commit(&second.id).unwrap_err(), MlsError::NoSuchPendingCommit);
    assert!(matches!(handles[0].handle_incoming(&first.commit).unwrap(), Incoming::Duplicate));
    assert_agree(&[&handles[0], &handles[1]]);
    handles[0].receive_commit(&handles[1].rotate().unwrap()).unwrap();
    assert_agree(&[&handles[0], &handles[1]]);
}

/// CAP-04: all converge on the name.
#[test]
fn renames_the_group_for_all() {
    let [alice, bob] = ["alice", "bob"].map(client);
    let handles = group_of(&[&alice, &bob]);
    handles[1].receive_proposal(&handles[0].set_group_name("coffee").unwrap()).unwrap();
    assert_eq!(handles[0].send_message(b"wait"), Err(MlsError::CommitRequired));
    let (commit, _) = handles[1].commit().unwrap();
    handles[0].receive_commit(&commit).unwrap();
    assert_eq!(handles[0].group_name().as_deref(), Some("coffee"));
    assert_agree(&[&handles[0], &handles[1]]);
}

/// CAP-13, CON-06: our own Update becomes the path of our commit.
#[test]
fn commits_its_own_update_as_a_path() {
    let [alice, bob] = ["alice", "bob"].map(client);
    let handles = group_of(&[&alice, &bob]);
    let update = handles[0].propose_update().unwrap();
    handles[1].receive_proposal(&update).unwrap();
    assert_eq!(handles[0].rotate(), Err(MlsError::CommitRequired));
    let (commit, _) = handles[0].commit().unwrap();
    assert_eq!(handles[1].receive_commit(&commit).unwrap().updated, [handles[0].own_index()]);
    assert_agree(&[&handles[0], &handles[1]]);
}

/// CAP-24
#[test]
fn reads_late_messages_unless_strict() {
    let mut strict = MlsConfig::interop();
    strict.strict_epoch_check = true;
    let [alice, bob, carol] = [client("alice"), client("bob"), client_with("carol", strict)];
    let handles = group_of(&[&alice, &bob, &carol]);
    let late = handles[0].send_message(b"late").unwrap();
    let commit = handles[0].rotate().unwrap();
    handles[1].receive_commit(&commit).unwrap();
    handles[2].receive_commit(&commit).unwrap();
    assert_eq!(handles[1].receive_message(&late).unwrap().plaintext, b"late");
    assert_eq!(handles[2].receive_message(&late), Err(MlsError::EpochMismatch { expected: 2, actual: 1 }));
}

/// CAP-24, CON-08: early messages wait, known ones are duplicates, our own come back once.
#[test]
fn one_door_for_everything() {
    let [alice, bob] = ["alice", "bob"].map(client);
    let handles = group_of(&[&alice, &bob]);
    let first = handles[0].rotate().unwrap();
    let second = handles[0].rotate().unwrap();
    let hello = handles[0].send_message(b"hello").unwrap();
    assert!(matches!(handles[1].handle_incoming(&hello).unwrap(), Incoming::Buffered { epoch: 3, current: 1 }));
    assert!(matches!(handles[1].handle_incoming(&second).unwrap(), Incoming::Buffered { epoch: 2, current: 1 }));
    assert_eq!(handles[1].receive_message(&hello), Err(MlsError::EpochMismatch { expected: 1, actual: 3 }));
    let Incoming::EpochAdvanced(outcome) = handles[1].handle_incoming(&first).unwrap() else { panic!("no advance") };
    let [Ok(Incoming::EpochAdvanced(_)), Ok(Incoming::Delivered(message))] = &outcome.released[..] else {
        panic!("{:?}", outcome.released)
    };
    assert_eq!(message.plaintext, b"hello");
    assert!(matches!(handles[1].handle_incoming(&hello).unwrap(), Incoming::Duplicate));
    let Incoming::OwnEcho(echo) = handles[0].handle_incoming(&hello).unwrap() else { panic!("no echo") };
    assert_eq!((echo.plaintext.as_slice(), echo.own_echo), (&b"hello"[..], true));
    assert!(matches!(handles[0].handle_incoming(&hello).unwrap(), Incoming::Duplicate));
    assert_eq!(handles[0].receive_message(&hello), Err(MlsError::ReplayDetected { sender: 0, generation: 0 }));
    assert!(matches!(handles[0].handle_incoming(&second).unwrap(), Incoming::Duplicate));
}

/// CON-08: the off-switch.
#[test]
fn own_echo_can_be_off() {
    let mut config = MlsConfig::interop();
    config.own_echo = false;
    let group = client_with("alice", config).create_group(None).unwrap();
    let hello = group.send_message(b"hello").unwrap();
    assert_eq!(group.receive_message(&hello), Err(MlsError::OwnMessage));
    assert!(matches!(group.handle_incoming(&hello).unwrap(), Incoming::Duplicate));
}

/// CAP-02: a Welcome works once, for one.
#[test]
fn welcome_is_for_one_client_once() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(client);
    let group = alice.create_group(None).unwrap();
    group.propose_add(&bob.generate_key_package().unwrap(), b"bob").unwrap();
    let (_, welcomes) = group.commit().unwrap();
    carol.generate_key_package().unwrap();
    assert_eq!(carol.join_group(&welcomes[0]).unwrap_err(), MlsError::NotForUs);
    assert_eq!(bob.key_package_count(), Ok(1));
    bob.join_group(&welcomes[0]).unwrap();
    assert_eq!(bob.key_package_count(), Ok(0));
    assert_eq!(bob.join_group(&welcomes[0]).unwrap_err(), MlsError::GroupExists);
    bob.delete_group(&group.group_id()).unwrap();
    assert_eq!(bob.join_group(&welcomes[0]).unwrap_err(), MlsError::KeyPackageUsed);
}

/// CAP-11: of several proposals none leaves if one is bad.
#[test]
fn batches_are_all_or_nothing() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(client);
    let group = alice.create_group(None).unwrap();
    let (b, c) = (bob.generate_key_package().unwrap(), carol.generate_key_package().unwrap());
    let wrong_identity = [(b.clone(), b"bob".to_vec()), (c.clone(), b"dave".to_vec())];
    assert_eq!(group.propose_add_batch(&wrong_identity), Err(MlsError::IdentityMismatch));
    let mut forged = c;
    *forged.last_mut().unwrap() ^= 1;
    let bad_signature = [(b.clone(), b"bob".to_vec()), (forged, b"carol".to_vec())];
    assert!(group.propose_add_batch(&bad_signature).is_err());
    let twice = [(b, b"bob".to_vec()), (bob.generate_key_package().unwrap(), b"bob".to_vec())];
    assert!(matches!(group.propose_add_batch(&twice), Err(MlsError::Rejected(_))));
    assert!(group.pending_proposals().unwrap().is_empty());
}

/// CAP-07: by external commit to join, and again to come back after losing state.
#[test]
fn joins_and_resyncs_by_external_commit() {
    let mut config = MlsConfig::interop();
    config.external_joins = true;
    let [alice, bob] = ["alice", "bob"].map(|name| client_with(name, config.clone()));
    let group = alice.create_group(Some("tea")).unwrap();
    let join = bob.join_external(&group.group_info().unwrap(), None).unwrap();
    let outcome = group.receive_commit(join.commit()).unwrap();
    assert_eq!(outcome.added[0].identity, b"bob");
    let joined = join.accepted().unwrap();
    assert_agree(&[&group, &joined]);
    // Bob falls behind and comes back; handles he has go on.
    group.rotate().unwrap();
    let back = bob.join_external(&group.group_info().unwrap(), None).unwrap();
    group.receive_commit(back.commit()).unwrap();
    back.accepted().unwrap();
    assert_eq!(group.member_count(), 2);
    assert_agree(&[&group, &joined]);
    let hello = joined.send_message(b"back").unwrap();
    assert_eq!(group.receive_message(&hello).unwrap().plaintext, b"back");
}

/// CAP-07: off unless the configuration says otherwise, on both sides.
#[test]
fn external_joins_are_off_by_default() {
    let mut open = MlsConfig::interop();
    open.external_joins = true;
    let (alice, bob, carol) = (client("alice"), client_with("bob", open.clone()), client_with("carol", open));
    let handles = group_of(&[&alice, &bob]);
    assert_eq!(
        alice.join_external(&handles[1].group_info().unwrap(), None).unwrap_err(),
        MlsError::ExternalJoinsDisabled
    );
    let join = carol.join_external(&handles[1].group_info().unwrap(), None).unwrap();
    assert!(matches!(handles[0].receive_commit(join.commit()), Err(MlsError::Unauthorized { .. })));
    assert_eq!(handles[0].epoch(), 1);
}

/// CAP-60 in memory: a new client over the same store continues, in the middle of everything.
#[test]
fn continues_from_the_store() {
    let store = Arc::new(MemoryStore::new());
    let policy = Arc::new(TrustOnFirstUse::new());
    let open = || {
        let builder = Client::builder(b"alice", policy.clone()).config(MlsConfig::interop());
        builder.store(store.clone()).open().unwrap()
    };
    let (alice, bob, carol) = (open(), client("bob"), client("carol"));
    let handles = group_of(&[&alice, &bob]);
    let late = handles[1].send_message(b"late").unwrap();
    let read = handles[1].send_message(b"read before").unwrap();
    handles[0].receive_message(&read).unwrap();
    let proposal = handles[1].propose_add(&carol.generate_key_package().unwrap(), b"carol").unwrap();
    handles[0].receive_proposal(&proposal).unwrap();
    let pending = handles[0].stage_commit().unwrap();
    let id = handles[0].group_id();
    drop((alice, handles[0].clone()));

    let alice = open();
    let group = alice.group(&id).unwrap();
    assert_eq!(group.pending_proposals().unwrap().len(), 1);
    assert_eq!(group.pending_commits().unwrap(), [pending.id]);
    // ADV-01: used keys stay used.
    assert!(matches!(group.receive_message(&read), Err(MlsError::ReplayDetected { .. })));
    let outcome = group.apply_pending_commit(&pending.id).unwrap();
    handles[1].receive_commit(&pending.commit).unwrap();
    let third = carol.join_group(&outcome.welcomes().unwrap()[0]).unwrap();
    assert_agree(&[&group, &handles[1], &third]);

    let again = open().group(&id).unwrap();
    assert_agree(&[&again, &handles[1]]);
    assert_eq!(again.receive_message(&late).unwrap().plaintext, b"late");
    let hello = again.send_message(b"hello").unwrap();
    assert_eq!(third.receive_message(&hello).unwrap().plaintext, b"hello");
    handles[1].receive_commit(&again.rotate().unwrap()).unwrap();
    assert_agree(&[&again, &handles[1]]);
}

#[test]
fn a_store_belongs_to_one_identity() {
    let store = Arc::new(MemoryStore::new());
    let open = |name: &[u8]| Client::builder(name, Arc::new(TrustOnFirstUse::new())).store(store.clone()).open();
    let key = open(b"alice").unwrap().signature_key().to_vec();
    assert_eq!(open(b"alice").unwrap().signature_key(), key);
    assert_eq!(open(b"bob").unwrap_err(), MlsError::IdentityMismatch);
}

/// A clock that is moved by hand.
#[derive(Debug)]
struct Hands(AtomicU64);

impl Clock for Hands {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// CAP-29, DEP-61, EPO-03: what depends on the time, by a clock of our own.
#[test]
fn time_is_what_the_clock_says() {
    let clock = Arc::new(Hands(AtomicU64::new(1_000_000)));
    let builder = Client::builder(b"alice", Arc::new(TrustOnFirstUse::new())).config(MlsConfig::interop());
    let alice = builder.clock(clock.clone()).open().unwrap();
    let group = alice.create_group(None).unwrap();
    let wait = |seconds| clock.0.fetch_add(seconds, Ordering::SeqCst);
    wait(86_399);
    assert!(!group.rotation_due());
    wait(1);
    assert!(group.rotation_due());
    group.rotate().unwrap();
    assert!(!group.rotation_due());
    let metadata = group.metadata();
    assert_eq!((metadata.created_at, metadata.updated_at), (1_000_000, 1_086_400));
    // The past epoch is kept for fourteen days.
    wait(14 * 86_400);
    assert_eq!(group.expire(), Ok(false));
    wait(1);
    assert_eq!(group.expire(), Ok(true));
    assert_eq!(group.expire(), Ok(false));
    // A key package of ours is good for 28 days, and kept for 7 more.
    alice.generate_key_package().unwrap();
    wait(35 * 86_400);
    assert_eq!(alice.delete_expired_key_packages(), Ok(0));
    wait(1);
    assert_eq!((alice.delete_expired_key_packages(), alice.key_package_count()), (Ok(1), Ok(0)));
}

/// GRS-01: GREASE extensions are there by default, and left out where other implementations have to cope.
#[test]
fn grease_extensions_follow_the_configuration() {
    let extensions = |config| {
        let package = client_with("alice", config).generate_key_package().unwrap();
        let message = mls_engine::codec::decode_exact(&package).unwrap();
        let mls_engine::message::MlsMessage::KeyPackage(package) = message else { panic!("no key package") };
        (package.extensions.iter().count(), package.leaf_node.extensions.iter().count())
    };
    assert_eq!(extensions(MlsConfig::default()), (1, 1));
    assert_eq!(extensions(MlsConfig::interop()), (0, 0));
}

/// LN-01, X-AUTH-11: a key package that its owner did not sign teaches the policy nothing about her keys.
#[test]
fn forged_key_package_is_not_trusted_on_first_use() {
    use mls_engine::{
        codec::{decode_exact, encode},
        message::MlsMessage,
    };
    let (alice, carol, mallory) = (client("alice"), client("carol"), client("mallory"));
    let group = alice.create_group(None).unwrap();
    let genuine = carol.generate_key_package().unwrap();
    let MlsMessage::KeyPackage(mut package) = decode_exact(&genuine).unwrap() else { panic!("no key package") };
    package.leaf_node.signature_key = mls_crypto::SignaturePublicKey::new(mallory.signature_key().to_vec());
    let forged = encode(&MlsMessage::KeyPackage(package)).unwrap();
    assert!(matches!(group.propose_add(&forged, b"carol"), Err(MlsError::CryptoError(CryptoError::InvalidSignature))));
    group.propose_add(&genuine, b"carol").unwrap();
}
