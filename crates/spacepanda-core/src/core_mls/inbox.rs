//! Messages of epochs we have not reached yet (CAP-24).
//!
//! In: envelopes that are early. Out: those of an epoch, in the order they came, once the group is there.
//! Always: bounded by count, bytes and how far ahead; nothing of it was authenticated, so nothing of it is believed.

use std::collections::VecDeque;

use super::{
    config::MlsConfig,
    envelope::{MessageType, MlsEnvelope},
    error::{MlsError, MlsResult},
};

/// Early envelopes of one group.
#[derive(Debug)]
pub(crate) struct Inbox {
    max_messages: usize,
    max_bytes: usize,
    horizon: u64,
    bytes: usize,
    waiting: VecDeque<(u64, MlsEnvelope)>,
    /// How many were ever taken up, to keep their order in the store.
    next: u64,
}

impl Inbox {
    pub(crate) fn new(config: &MlsConfig) -> Self {
        Self {
            max_messages: config.inbox_messages,
            max_bytes: config.inbox_bytes,
            horizon: config.future_epochs,
            bytes: 0,
            waiting: VecDeque::new(),
            next: 0,
        }
    }

    /// The number of the next envelope.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// The latest epoch that an envelope waits for.
    pub(crate) fn latest(&self) -> Option<u64> {
        self.waiting.iter().map(|(epoch, _)| *epoch).max()
    }

    /// Whether there is room for an envelope; `false` if it waits already.
    pub(crate) fn check(&self, epoch: u64, current: u64, envelope: &MlsEnvelope) -> MlsResult<bool> {
        if epoch.saturating_sub(current) > self.horizon {
            return Err(MlsError::EpochMismatch { expected: current, actual: epoch });
        }
        if self.waiting.iter().any(|(_, known)| known == envelope) {
            return Ok(false);
        }
        let bytes = self.bytes.saturating_add(envelope.payload().len());
        let full = self.waiting.len() >= self.max_messages || bytes > self.max_bytes;
        if full { Err(MlsError::InboxFull) } else { Ok(true) }
    }

    /// Keeps an envelope of `epoch` while the group is at `current`.
    pub(crate) fn push(&mut self, epoch: u64, current: u64, envelope: &MlsEnvelope) -> MlsResult<()> {
        if !self.check(epoch, current, envelope)? {
            return Ok(());
        }
        self.bytes = self.bytes.saturating_add(envelope.payload().len());
        self.next = self.next.saturating_add(1);
        self.waiting.push_back((epoch, envelope.clone()));
        Ok(())
    }

    /// Takes back one that came out and is still wanted, whatever else came meanwhile. It is first of its kind again.
    pub(crate) fn put_back(&mut self, epoch: u64, envelope: MlsEnvelope) {
        if self.waiting.iter().all(|(_, known)| *known != envelope) {
            self.bytes = self.bytes.saturating_add(envelope.payload().len());
            self.waiting.push_front((epoch, envelope));
        }
    }

    /// The next envelope for `epoch`, proposals before the commits that name them, commits last; otherwise in the order
    /// they came. Envelopes of earlier epochs come out as well, to be answered for.
    pub(crate) fn pop(&mut self, epoch: u64) -> Option<(u64, MlsEnvelope)> {
        let due = self.waiting.iter().enumerate().filter(|(_, (of, _))| *of <= epoch);
        let (position, _) = due.min_by_key(|(position, (of, envelope))| (*of, rank(envelope), *position))?;
        let (of, envelope) = self.waiting.remove(position)?;
        self.bytes = self.bytes.saturating_sub(envelope.payload().len());
        Some((of, envelope))
    }
}

const fn rank(envelope: &MlsEnvelope) -> u8 {
    match envelope.message_type() {
        MessageType::Proposal => 1,
        MessageType::Application | MessageType::Welcome => 2,
        MessageType::Commit => 3,
    }
}

#[cfg(test)]
mod tests;
