//! What was spent is gone (RFC 9420, Section 9.2).
//!
//! The forge plants an epoch whose every secret is known. After each kind of step, no record holds a secret that the
//! step used up, anywhere in its bytes, and the live group and the group opened again from its records refuse alike.
//! Each test also looks for a secret that must still be there, so that it would notice if it looked in vain.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "tests"
)]

mod model;
mod no_clone;

use std::sync::Arc;

use mls_crypto::{CipherSuite, Secret, SuiteCrypto};
use mls_engine::{
    codec::encode,
    error::ProcessError,
    group::{CommitOptions, KeyPackageSecrets, PathChoice, ProposalKind, RecordClass, RecordKey},
    math::{LeafIndex, NodeIndex},
    schedule::EpochSecrets,
};
use model::Sender;
use testkit::{
    forge::{Forged, FullTree},
    network::{Host, Member, NewMember, Records},
};

const SUITE: CipherSuite = CipherSuite::X25519_AES128;
const MEMBERS: u32 = 8;
const OURS: u32 = 3;
const THEIRS: u32 = 6;

/// An epoch with known secrets, and two of its members.
struct Planted {
    forged: Forged,
    secrets: EpochSecrets,
    ours: Member,
    theirs: Member,
}

fn suite() -> Arc<dyn SuiteCrypto> {
    Host::new(0).crypto.suite(SUITE).unwrap()
}

fn planted() -> Planted {
    let forged = FullTree::new(MEMBERS, SUITE).forge(&Host::new(1));
    let secrets = forged.epoch_secrets(suite().as_ref());
    let member = |leaf| forged.member(leaf, Host::new(100 + u64::from(leaf))).unwrap();
    let (ours, theirs) = (member(OURS), member(THEIRS));
    Planted { forged, secrets, ours, theirs }
}

impl Planted {
    fn sender(&self, leaf: u32) -> Sender {
        let root = self.secrets.encryption_secret.as_secret();
        Sender::new(suite().as_ref(), root, self.forged.tree.leaf_count(), LeafIndex::new(leaf), 40)
    }

    /// Secrets of the epoch that end with it, whoever holds them.
    fn of_epoch(&self) -> Vec<&Secret> {
        let secrets = &self.secrets;
        vec![
            secrets.init_secret.as_secret(),
            secrets.encryption_secret.as_secret(),
            secrets.exporter_secret.as_secret(),
            secrets.external_secret.as_secret(),
            secrets.confirmation_key.as_secret(),
            secrets.membership_key.as_secret(),
            secrets.epoch_authenticator.as_secret(),
            self.forged.joiner_secret.as_secret(),
        ]
    }

    fn leaf_key(&self, leaf: u32) -> &Secret {
        self.forged.members[leaf as usize].as_ref().unwrap().leaf_key.secret()
    }

    fn path_keys(&self, leaf: u32) -> Vec<(NodeIndex, &Secret)> {
        let path = self.forged.path_keys(LeafIndex::new(leaf).node().unwrap());
        path.into_iter().map(|(node, key)| (node, key.secret())).collect()
    }
}

/// The record that holds these bytes.
fn find(records: &Records, secret: &Secret) -> Option<RecordKey> {
    let holds = |value: &&Vec<u8>| value.windows(secret.len()).any(|window| window == secret.as_slice());
    records.rows.iter().find(|(_, value)| holds(value)).map(|(key, _)| key.clone())
}

#[track_caller]
fn assert_gone<'a>(member: &Member, secrets: impl IntoIterator<Item = &'a Secret>) {
    for (place, secret) in secrets.into_iter().enumerate() {
        assert_eq!(find(&member.records, secret), None, "secret {place} of the list, at {}", member.name);
    }
}

#[track_caller]
fn assert_kept(member: &Member, secret: &Secret, class: RecordClass) {
    assert_eq!(find(&member.records, secret).map(|key| key.class), Some(class), "at {}", member.name);
}

#[track_caller]
fn assert_replay(member: &mut Member, message: &[u8]) {
    for _ in 0..2 {
        assert!(matches!(member.peek(message), Err(ProcessError::ReplayDetected { .. })));
        member.reopen();
    }
}

#[test]
fn after_send() {
    let mut planted = planted();
    let sender = planted.sender(OURS);
    assert_kept(&planted.ours, &sender.nodes[0], RecordClass::SecretNode);
    for _ in 0..3 {
        planted.ours.send(b"hello").unwrap();
    }
    assert_gone(&planted.ours, &sender.nodes);
    // Up to the end of the reserved block nothing is stored.
    assert_gone(&planted.ours, sender.application[..32].iter().flat_map(|spent| [&spent.ratchet, &spent.key]));
    assert_kept(&planted.ours, &sender.application[32].ratchet, RecordClass::Ratchet);
    assert_kept(&planted.ours, &sender.handshake[0].ratchet, RecordClass::Ratchet);
    for sibling in &sender.siblings {
        assert_kept(&planted.ours, sibling, RecordClass::SecretNode);
    }
}

#[test]
fn after_open_and_record() {
    let mut planted = planted();
    let sender = planted.sender(OURS);
    let messages: Vec<_> = (0..3).map(|_| planted.ours.send(b"hello").unwrap()).collect();
    planted.theirs.open(&messages[0]).unwrap();
    planted.theirs.open(&messages[2]).unwrap();
    assert_gone(&planted.theirs, &sender.nodes);
    assert_gone(&planted.theirs, sender.application[..3].iter().map(|spent| &spent.ratchet));
    assert_gone(&planted.theirs, [&sender.application[0].key, &sender.application[2].key]);
    assert_kept(&planted.theirs, &sender.application[1].key, RecordClass::Skipped);
    assert_kept(&planted.theirs, &sender.application[3].ratchet, RecordClass::Ratchet);
    planted.theirs.open(&messages[1]).unwrap();
    assert_gone(&planted.theirs, [&sender.application[1].key]);
    for message in &messages {
        assert_replay(&mut planted.theirs, message);
    }
}

#[test]
fn after_accept() {
    let mut planted = planted();
    let unread = planted.theirs.send(b"late").unwrap();
    let (_, rival, _) = planted.ours.commit(CommitOptions::default()).unwrap();
    planted.ours.commit_now(CommitOptions::default()).unwrap();
    assert_gone(&planted.ours, planted.of_epoch());
    assert_gone(&planted.ours, planted.path_keys(OURS).into_iter().map(|(_, key)| key));
    assert_gone(&planted.ours, [planted.leaf_key(OURS)]);
    assert_eq!(planted.ours.records.count(RecordClass::Pending), 0);
    assert!(planted.ours.group.pending_commits().is_empty());
    assert!(matches!(planted.ours.receive(&rival), Err(ProcessError::StaleEpoch { .. })));
    past_epoch_only_receives(&planted, &planted.ours, OURS);
    assert_eq!(planted.ours.open(&unread).unwrap().0, b"late");
    assert_replay(&mut planted.ours, &unread);
}

/// What is left of the planted epoch opens what others sent, and gives nothing of our own.
fn past_epoch_only_receives(planted: &Planted, member: &Member, own: u32) {
    let sender = planted.sender(own);
    assert_gone(member, &sender.nodes);
    assert_gone(member, sender.application.iter().chain(&sender.handshake).map(|generation| &generation.ratchet));
    assert_kept(member, planted.secrets.sender_data_secret.as_secret(), RecordClass::PastEpoch);
    assert_kept(member, planted.secrets.resumption_psk.as_secret(), RecordClass::ResumptionPsk);
    assert_kept(member, &sender.siblings[0], RecordClass::SecretNode);
}

#[test]
fn after_adopt() {
    let mut planted = planted();
    let kept_by_caller = planted.theirs.group.public().clone();
    let (commit, _) = planted.ours.commit_now(CommitOptions::default()).unwrap();
    planted.theirs.receive(&commit).unwrap();
    assert_gone(&planted.theirs, planted.of_epoch());
    let ours: Vec<_> = planted.path_keys(OURS).into_iter().map(|(node, _)| node).collect();
    let (replaced, same): (Vec<_>, Vec<_>) =
        planted.path_keys(THEIRS).into_iter().partition(|(node, _)| ours.contains(node));
    assert!(!replaced.is_empty() && !same.is_empty());
    assert_gone(&planted.theirs, replaced.into_iter().map(|(_, key)| key));
    for (_, key) in same {
        assert_kept(&planted.theirs, key, RecordClass::PathKey);
    }
    past_epoch_only_receives(&planted, &planted.theirs, THEIRS);
    // The old value is public through and through.
    let public = [kept_by_caller.encoded_context().to_vec(), kept_by_caller.tree().encode().unwrap()].concat();
    let public = Records { rows: [(RecordKey { class: RecordClass::Node, epoch: 0, id: Vec::new() }, public)].into() };
    assert!(planted.of_epoch().into_iter().all(|secret| find(&public, secret).is_none()));
}

#[test]
fn after_more_epochs_than_are_kept() {
    let mut planted = planted();
    let limits = planted.ours.host.limits.clone();
    for _ in 0..=limits.max_past_epochs.max(limits.max_resumption_psks) {
        let (commit, _) = planted.ours.commit_now(CommitOptions::default()).unwrap();
        planted.theirs.receive(&commit).unwrap();
    }
    for (member, own) in [(&planted.ours, OURS), (&planted.theirs, THEIRS)] {
        assert_gone(member, &planted.sender(own).siblings);
        let late = [&planted.secrets.sender_data_secret.as_secret(), &planted.secrets.resumption_psk.as_secret()];
        assert_gone(member, late.map(|secret| *secret));
        assert!(member.group.resumption_psk(planted.forged.context.epoch).is_none());
    }
}

#[test]
fn after_our_own_update_is_committed() {
    let mut planted = planted();
    let (update, _) = planted.theirs.propose(ProposalKind::Update(Box::default())).unwrap();
    assert_kept(&planted.theirs, planted.leaf_key(THEIRS), RecordClass::PathKey);
    planted.ours.receive(&update).unwrap();
    let (commit, _) = planted.ours.commit_now(CommitOptions::default()).unwrap();
    planted.theirs.receive(&commit).unwrap();
    assert_gone(&planted.theirs, [planted.leaf_key(THEIRS)]);
    assert_gone(&planted.theirs, planted.path_keys(THEIRS).into_iter().map(|(_, key)| key));
}

#[test]
fn after_being_removed() {
    let mut planted = planted();
    let early: Vec<_> = (0..2).map(|_| planted.ours.send(b"hello").unwrap()).collect();
    planted.theirs.open(&early[1]).unwrap();
    // The planted epoch becomes a past one, with a resumption PSK and a skipped key.
    let (commit, _) = planted.ours.commit_now(CommitOptions::default()).unwrap();
    planted.theirs.receive(&commit).unwrap();
    assert_kept(&planted.theirs, planted.secrets.resumption_psk.as_secret(), RecordClass::ResumptionPsk);
    assert_kept(&planted.theirs, &planted.sender(OURS).application[0].key, RecordClass::Skipped);
    let signature_key = planted.forged.members[THEIRS as usize].as_ref().unwrap().signature_key.secret();
    assert_kept(&planted.theirs, signature_key, RecordClass::Header);
    let remove = vec![ProposalKind::Remove(LeafIndex::new(THEIRS))];
    let (commit, _) = planted.ours.commit_by_value(remove).unwrap();
    planted.theirs.receive(&commit).unwrap();
    let member = &planted.theirs;
    assert_gone(member, planted.of_epoch());
    assert_gone(member, planted.path_keys(THEIRS).into_iter().map(|(_, key)| key));
    let sender_data_secret = planted.secrets.sender_data_secret.as_secret();
    let resumption_psk = planted.secrets.resumption_psk.as_secret();
    assert_gone(member, [planted.leaf_key(THEIRS), signature_key, sender_data_secret, resumption_psk]);
    for leaf in [OURS, THEIRS] {
        let sender = planted.sender(leaf);
        assert_gone(member, sender.nodes.iter().chain(&sender.siblings));
        assert_gone(member, sender.application.iter().flat_map(|generation| [&generation.ratchet, &generation.key]));
    }
    let secret_classes = member.records.rows.keys().filter(|key| key.class != RecordClass::Node);
    assert_eq!(secret_classes.map(|key| key.class).collect::<Vec<_>>(), [RecordClass::Header]);
    refuses(&mut planted.theirs, &early[0], planted.forged.context.epoch);
    planted.theirs.reopen();
    refuses(&mut planted.theirs, &early[0], planted.forged.context.epoch);
}

/// A member that was removed gives nothing back.
fn refuses(member: &mut Member, unread: &[u8], epoch: u64) {
    assert!(member.open(unread).is_err());
    assert!(member.send(b"hello").is_err());
    assert!(member.group.export_secret("label", b"", 32).is_err());
    assert!(member.group.resumption_psk(epoch).is_none_or(|psk| psk.is_empty()));
    assert!(member.group.epoch_authenticator().as_slice().is_empty());
    assert!(member.group.past_epochs().is_empty());
}

#[test]
fn after_joining() {
    let joiner = NewMember::new("joiner", 5, SUITE);
    let keys = joiner.key_package();
    let forged = FullTree::new(MEMBERS, SUITE).with_joiner(keys.key_package()).forge(&Host::new(1));
    let member = joiner.join(&forged.welcome(&Host::new(2)), &keys, None).unwrap();
    let [init_key, leaf_key] = private_keys(&keys);
    assert_gone(&member, [&init_key, forged.joiner_secret.as_secret()]);
    assert_kept(&member, &leaf_key, RecordClass::PathKey);
}

/// Init and leaf key of a stored key package: two vectors of 32 bytes, each behind a length of one byte.
fn private_keys(keys: &KeyPackageSecrets) -> [Secret; 2] {
    let stored = keys.encode().unwrap();
    let rest = &stored.as_slice()[encode(keys.key_package()).unwrap().len()..];
    [Secret::copy_from(&rest[1..33]), Secret::copy_from(&rest[34..66])]
}

#[test]
fn without_past_epochs_nothing_stays() {
    let mut planted = planted();
    planted.ours.host.limits.max_past_epochs = 0;
    planted.ours.host.limits.max_resumption_psks = 0;
    let late = planted.theirs.send(b"late").unwrap();
    planted.ours.commit_now(CommitOptions { path: PathChoice::Always, ..CommitOptions::default() }).unwrap();
    assert_gone(&planted.ours, planted.of_epoch());
    assert_gone(&planted.ours, &planted.sender(OURS).siblings);
    assert_gone(&planted.ours, [planted.secrets.resumption_psk.as_secret()]);
    assert!(matches!(planted.ours.peek(&late), Err(ProcessError::StaleEpoch { .. })));
}
