//! What we sent ourselves, to be opened once when it comes back (CON-08).
//!
//! A sender cannot open its own message: its key is gone (RFC 9420, Section 9.2). So the plaintext is remembered here.
//!
//! In: each message as it is sent. Out: its plaintext, once.
//! Always: bounded by count and bytes, oldest out first; plaintext is wiped when it leaves.

use std::collections::{HashMap, VecDeque};

use mls_crypto::{Hash, Secret};

/// One message of ours.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) plaintext: Secret,
    pub(crate) authenticated_data: Vec<u8>,
    pub(crate) epoch: u64,
}

/// What is known about a message that came back.
#[derive(Debug)]
pub(crate) enum Echo {
    /// What it was, for the first and last time.
    First { sent: Sent, generation: u32 },
    /// It came back before.
    Again { generation: u32 },
}

/// Messages of ours, by the hash of their bytes.
#[derive(Debug)]
pub(crate) struct Echoes {
    max_messages: usize,
    max_bytes: usize,
    bytes: usize,
    /// Generation, and the message until it was handed out.
    known: HashMap<Hash, (u32, Option<Sent>)>,
    order: VecDeque<Hash>,
}

impl Echoes {
    /// Remembers up to this many messages and bytes; none if `max_messages` is 0.
    pub(crate) fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self { max_messages, max_bytes, bytes: 0, known: HashMap::new(), order: VecDeque::new() }
    }

    /// Whether there is room for it at all.
    pub(crate) fn takes(&self, sent: &Sent) -> bool {
        self.max_messages > 0 && sent.len() <= self.max_bytes
    }

    /// Remembers a message, or that it came back; returns what fell out of the bounds.
    pub(crate) fn put(&mut self, id: Hash, generation: u32, sent: Option<Sent>) -> Vec<Hash> {
        let mut gone = Vec::new();
        if self.max_messages == 0 || sent.as_ref().is_some_and(|sent| !self.takes(sent)) {
            return gone;
        }
        self.bytes = self.bytes.saturating_add(sent.as_ref().map_or(0, Sent::len));
        self.known.insert(id, (generation, sent));
        self.order.push_back(id);
        while self.order.len() > self.max_messages || self.bytes > self.max_bytes {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some((_, Some(sent))) = self.known.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(sent.len());
            }
            gone.push(oldest);
        }
        gone
    }

    /// Forgets messages of epochs before this one that have not come back, and says which.
    pub(crate) fn forget_before(&mut self, epoch: u64) -> Vec<Hash> {
        let mut gone = Vec::new();
        let Self { max_messages: _, max_bytes: _, bytes, known, order } = self;
        known.retain(|id, (_, sent)| match sent {
            Some(sent) if sent.epoch < epoch => {
                *bytes = bytes.saturating_sub(sent.len());
                gone.push(*id);
                false
            }
            _ => true,
        });
        order.retain(|id| known.contains_key(id));
        gone
    }

    /// A message that has not come back.
    pub(crate) fn get(&self, id: &Hash) -> Option<&Sent> {
        self.known.get(id).and_then(|(_, sent)| sent.as_ref())
    }

    /// What [`Echoes::take`] would answer: the generation, and the epoch if it has not come back before.
    pub(crate) fn peek(&self, id: &Hash) -> Option<(u32, Option<u64>)> {
        self.known.get(id).map(|(generation, sent)| (*generation, sent.as_ref().map(|sent| sent.epoch)))
    }

    /// What is known about the message with these bytes.
    pub(crate) fn take(&mut self, id: &Hash) -> Option<Echo> {
        let (generation, sent) = self.known.get_mut(id)?;
        let generation = *generation;
        Some(match sent.take() {
            Some(sent) => {
                self.bytes = self.bytes.saturating_sub(sent.len());
                Echo::First { sent, generation }
            }
            None => Echo::Again { generation },
        })
    }
}

impl Sent {
    fn len(&self) -> usize {
        self.plaintext.len().saturating_add(self.authenticated_data.len())
    }
}

#[cfg(test)]
mod tests;
