//! What is to be sent: envelopes of ours that nobody has marked as sent yet.
//!
//! In: envelopes, with the step that made them. Out: which fell out of the bounds.
//! Always: bounded by count and bytes, the oldest out first; commits have room of their own, so that no flood of messages
//! takes it. The bytes themselves stay in the store.

use std::collections::VecDeque;

use mls_crypto::Hash;
use mls_engine::group::CommitId;

use super::{
    config::MlsConfig,
    envelope::{MessageType, MlsEnvelope},
    error::MlsResult,
};

/// An envelope of ours that is not marked as sent.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct OutboxEntry {
    /// Its name, for [`crate::core_mls::MlsHandle::mark_sent`]; of a commit, its [`CommitId`].
    pub id: CommitId,
    /// The epoch it was made in.
    pub epoch: u64,
    /// Exactly what is to be sent.
    pub envelope: MlsEnvelope,
    /// Where it stands.
    pub state: OutboxState,
    /// Of an accepted commit: one Welcome for each member it added.
    pub welcomes: Vec<MlsEnvelope>,
}

/// Where something that is to be sent stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum OutboxState {
    /// A message or proposal: send it, then mark it.
    Unsent,
    /// A commit that waits: submit it, then apply or clear it.
    Pending,
    /// A commit whose epoch we are in, or were: all members need it, and those it added their Welcomes; then mark it.
    Accepted,
    /// A commit that another one came before, or a message or proposal of an epoch that is over for it: mark it, and do
    /// again what is still wanted.
    Superseded,
}

/// Something to be sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) id: Hash,
    pub(crate) epoch: u64,
    pub(crate) envelope: MlsEnvelope,
}

/// What is to be sent, without the bytes.
#[derive(Debug)]
pub(crate) struct Outbox {
    messages: Lane,
    commits: Lane,
    next: u64,
}

/// Envelopes that share room.
#[derive(Debug)]
struct Lane {
    max: usize,
    max_bytes: usize,
    bytes: usize,
    order: VecDeque<(Hash, usize)>,
}

impl Outbox {
    pub(crate) fn new(config: &MlsConfig) -> Self {
        let commits = if config.outbox_messages == 0 { 0 } else { MAX_COMMITS };
        Self {
            messages: Lane::new(config.outbox_messages, config.outbox_bytes),
            commits: Lane::new(commits, usize::MAX),
            next: 0,
        }
    }

    /// The number of the next envelope.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn contains(&self, id: &Hash) -> bool {
        [&self.messages, &self.commits].iter().any(|lane| lane.order.iter().any(|(known, _)| known == id))
    }

    /// Whether there is room for it at all.
    pub(crate) fn takes(&self, outgoing: &Outgoing) -> MlsResult<bool> {
        let lane = if outgoing.envelope.message_type() == MessageType::Commit { &self.commits } else { &self.messages };
        Ok(lane.max > 0 && outgoing.envelope.to_bytes()?.len() <= lane.max_bytes)
    }

    /// Takes it up; returns what fell out.
    pub(crate) fn insert(&mut self, id: Hash, len: usize, kind: MessageType) -> Vec<Hash> {
        self.next = self.next.saturating_add(1);
        let lane = if kind == MessageType::Commit { &mut self.commits } else { &mut self.messages };
        lane.bytes = lane.bytes.saturating_add(len);
        lane.order.push_back((id, len));
        let mut gone = Vec::new();
        while lane.order.len() > lane.max || lane.bytes > lane.max_bytes {
            let Some((oldest, len)) = lane.order.pop_front() else { break };
            lane.bytes = lane.bytes.saturating_sub(len);
            gone.push(oldest);
        }
        gone
    }

    pub(crate) fn remove(&mut self, id: &Hash) {
        for lane in [&mut self.messages, &mut self.commits] {
            let (gone, kept): (Vec<_>, VecDeque<_>) = {
                let (gone, kept): (Vec<_>, Vec<_>) = lane.order.drain(..).partition(|(known, _)| known == id);
                (gone, kept.into())
            };
            lane.order = kept;
            lane.bytes = gone.iter().fold(lane.bytes, |bytes, (_, len)| bytes.saturating_sub(*len));
        }
    }
}

impl Lane {
    const fn new(max: usize, max_bytes: usize) -> Self {
        Self { max, max_bytes, bytes: 0, order: VecDeque::new() }
    }
}

/// Commits that are kept; more than may wait in one epoch.
const MAX_COMMITS: usize = 32;
