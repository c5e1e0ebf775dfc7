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

    /// Remembers a message.
    pub(crate) fn insert(&mut self, id: Hash, generation: u32, sent: Sent) {
        if self.max_messages == 0 || sent.len() > self.max_bytes {
            return;
        }
        self.bytes = self.bytes.saturating_add(sent.len());
        self.known.insert(id, (generation, Some(sent)));
        self.order.push_back(id);
        while self.order.len() > self.max_messages || self.bytes > self.max_bytes {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some((_, Some(sent))) = self.known.remove(&oldest) {
                self.bytes = self.bytes.saturating_sub(sent.len());
            }
        }
    }

    /// Forgets messages of epochs before this one that have not come back.
    pub(crate) fn forget_before(&mut self, epoch: u64) {
        let Self { max_messages: _, max_bytes: _, bytes, known, order } = self;
        known.retain(|_, (_, sent)| match sent {
            Some(sent) if sent.epoch < epoch => {
                *bytes = bytes.saturating_sub(sent.len());
                false
            }
            _ => true,
        });
        order.retain(|id| known.contains_key(id));
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
