//! One member with what the model knows of it.

use std::collections::{BTreeMap, BTreeSet};

use mls_crypto::SignaturePrivateKey;
use mls_engine::{error::ProcessError, group::Status, math::LeafIndex};
use testkit::network::Member;

/// What a receiver should have left of one sender's ratchet in one epoch.
#[derive(Debug, Default)]
pub(crate) struct Ratchet {
    next: u32,
    skipped: BTreeMap<u32, u64>,
}

/// A message that was sent.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) bytes: Vec<u8>,
    pub(crate) plaintext: Vec<u8>,
    pub(crate) epoch: u64,
    pub(crate) sender: usize,
    pub(crate) leaf: LeafIndex,
    pub(crate) generation: u32,
}

/// What the model expects of a delivery.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Expected {
    Opens,
    NotAMember,
    Own,
    Replay,
    Stale,
    Future,
}

pub(crate) struct Player {
    pub(crate) id: usize,
    pub(crate) member: Member,
    /// A key that the client keeps when it comes back.
    pub(crate) key: SignaturePrivateKey,
    /// Handshakes of the log it has seen.
    pub(crate) cursor: usize,
    pub(crate) joined: u64,
    /// Past epochs it can read, with the time they ended.
    pub(crate) past: BTreeMap<u64, u64>,
    pub(crate) ratchets: BTreeMap<(u64, LeafIndex), Ratchet>,
    pub(crate) opened: BTreeSet<usize>,
    /// Of the commit of ours that was accepted last.
    pub(crate) welcome: Option<Vec<u8>>,
    /// Hash of the records that were checked last.
    pub(crate) checked: Option<u64>,
}

impl Player {
    pub(crate) fn new(id: usize, member: Member, key: SignaturePrivateKey, cursor: usize) -> Self {
        let joined = member.group.epoch();
        let past = member.group.past_epochs().into_iter().map(|epoch| (epoch, member.host.now)).collect();
        let (ratchets, opened) = (BTreeMap::new(), BTreeSet::new());
        Self { id, member, key, cursor, joined, past, ratchets, opened, welcome: None, checked: None }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.member.group.epoch()
    }

    pub(crate) fn is_removed(&self) -> bool {
        *self.member.group.status() == Status::Removed
    }

    pub(crate) fn is_active(&self) -> bool {
        *self.member.group.status() == Status::Active
    }

    /// The epoch `ended` is over: EPO-03.
    pub(crate) fn epoch_ended(&mut self, ended: u64) {
        let (limits, now) = (&self.member.host.limits, self.member.host.now);
        if self.is_removed() {
            self.past.clear();
            return;
        }
        self.past.retain(|_, end| now - *end <= limits.max_past_epoch_age);
        while self.past.len() + 1 > limits.max_past_epochs.max(1) {
            self.past.pop_first();
        }
        if limits.max_past_epochs > 0 {
            self.past.insert(ended, now);
        } else {
            self.past.clear();
        }
    }

    /// Time has passed and the member was told so: EPO-03, DEL-06.
    pub(crate) fn expired(&mut self) {
        let (limits, now) = (&self.member.host.limits, self.member.host.now);
        self.past.retain(|_, end| now - *end <= limits.max_past_epoch_age);
        for ratchet in self.ratchets.values_mut() {
            ratchet.skipped.retain(|_, created| now - *created <= limits.max_skipped_key_age);
        }
    }

    pub(crate) fn expects(&self, sent: &Sent, message: usize) -> Expected {
        let epoch = self.epoch();
        if self.is_removed() {
            return Expected::NotAMember;
        }
        if sent.epoch > epoch {
            return Expected::Future;
        }
        if sent.epoch < epoch && !self.past.contains_key(&sent.epoch) {
            return Expected::Stale;
        }
        if sent.sender == self.id {
            return if sent.epoch == epoch { Expected::Own } else { Expected::Replay };
        }
        let ratchet = self.ratchets.get(&(sent.epoch, sent.leaf));
        let fresh = ratchet
            .is_none_or(|ratchet| sent.generation >= ratchet.next || ratchet.skipped.contains_key(&sent.generation));
        assert!(!(fresh && self.opened.contains(&message)), "the model lost count");
        if fresh { Expected::Opens } else { Expected::Replay }
    }

    /// Delivers a message, and holds the member to the model.
    pub(crate) fn deliver(&mut self, sent: &Sent, message: usize) {
        let expected = self.expects(sent, message);
        let result = self.member.open(&sent.bytes);
        match (&expected, result) {
            (Expected::Opens, Ok((plaintext, sender))) => {
                assert_eq!((plaintext, sender), (sent.plaintext.clone(), sent.leaf));
                self.opened.insert(message);
                self.count(sent);
            }
            (Expected::NotAMember, Err(ProcessError::NotAMember))
            | (Expected::Own, Err(ProcessError::OwnMessage))
            | (Expected::Replay, Err(ProcessError::ReplayDetected { .. }))
            | (Expected::Stale, Err(ProcessError::StaleEpoch { .. }))
            | (Expected::Future, Err(ProcessError::FutureEpoch { .. })) => {}
            (_, result) => panic!(
                "player {} in epoch {}: expected {expected:?}, got {result:?}; message {message} of player {} in epoch {}, generation {}",
                self.id,
                self.epoch(),
                sent.sender,
                sent.epoch,
                sent.generation
            ),
        }
    }

    fn count(&mut self, sent: &Sent) {
        let now = self.member.host.now;
        let ratchet = self.ratchets.entry((sent.epoch, sent.leaf)).or_default();
        if sent.generation < ratchet.next {
            ratchet.skipped.remove(&sent.generation);
            return;
        }
        ratchet.skipped.extend((ratchet.next..sent.generation).map(|generation| (generation, now)));
        ratchet.next = sent.generation + 1;
    }
}
