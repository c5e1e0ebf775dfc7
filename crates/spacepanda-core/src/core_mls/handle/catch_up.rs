//! Catching up: what has waited, in one call (RFC 9420, Sections 6.3 and 15).
//!
//! In: envelopes in the order they came. Out: what each was, in that order.
//! Always: messages that follow each other are opened together and recorded in one batch of the store: all of them are
//! durable, or none is used up. A bad one is answered for by itself and keeps no other from being read.

use std::time::Instant;

use mls_engine::group::{Opened, SpentMessage};

use super::MlsHandle;
use crate::core_mls::{
    beacon,
    envelope::{MessageType, MlsEnvelope},
    error::MlsResult,
    passing::Beside,
    types::{Incoming, ReceivedMessage, identity},
};

/// What was opened together: a message, or nothing for one that has to be looked at by itself.
type Together = Vec<Option<ReceivedMessage>>;

impl MlsHandle {
    /// Handles many envelopes of this group, one after the other as [`MlsHandle::handle_incoming`] does; the answer to each
    /// stands in its place. Messages that follow each other are opened together, their signatures verified in batches on all
    /// processors, and made durable at once: reading a thousand takes one batch of the store and not a thousand. What does
    /// not open is handled again alone, so that its error is its own.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, Incoming, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let waited = [group.send_message(b"one")?, group.send_message(b"two")?, group.rotate()?];
    /// let received = joined.receive_all(&waited);
    /// assert!(matches!(&received[0], Ok(Incoming::Delivered(message)) if message.plaintext == b"one"));
    /// assert!(matches!(&received[1], Ok(Incoming::Delivered(message)) if message.plaintext == b"two"));
    /// assert!(matches!(&received[2], Ok(Incoming::EpochAdvanced(_))));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// For each envelope as [`MlsHandle::handle_incoming`]. If the store fails, nothing of the messages that were opened
    /// together is used up; the call can be repeated with all envelopes, and those that were handled are duplicates then.
    pub fn receive_all(&self, envelopes: &[MlsEnvelope]) -> Vec<MlsResult<Incoming>> {
        let mut received = Vec::with_capacity(envelopes.len());
        let mut rest = envelopes;
        while let Some((first, after_first)) = rest.split_first() {
            let len = rest.iter().take_while(|envelope| self.opens_together(envelope)).count();
            match rest.split_at_checked(len) {
                Some((together, after)) if len > 1 => {
                    received.extend(self.receive_together(together));
                    rest = after;
                }
                _ => {
                    received.push(self.handle_incoming(first));
                    rest = after_first;
                }
            }
        }
        received
    }

    /// Whether an envelope may be a message of somebody else that this epoch or one before it opens. Whatever may be
    /// something else is handled alone.
    fn opens_together(&self, envelope: &MlsEnvelope) -> bool {
        let is_due = || matches!(envelope.epoch(), Ok(Some(epoch)) if epoch <= self.epoch());
        // A beacon is heard, not read; what does not decode is answered for alone.
        let is_message = || {
            let data = envelope.readable_data();
            data.is_ok_and(|data| data.is_none_or(|data| !beacon::is_beacon(&data)))
        };
        let is_new = || {
            let id = self.cell.message_id(envelope.payload());
            let recall = self.cell.recall();
            recall.echoes.peek(&id).is_none() && !recall.duplicates.contains(&id)
        };
        envelope.message_type() == MessageType::Application
            && self.check_group(envelope).is_ok()
            && is_due()
            && is_message()
            && is_new()
    }

    fn receive_together(&self, envelopes: &[MlsEnvelope]) -> Vec<MlsResult<Incoming>> {
        let begun = Instant::now();
        // If the batch as a whole fails, each envelope is answered for by itself.
        let opened = self.open_together(envelopes).unwrap_or_default();
        opened.iter().flatten().for_each(|_| self.inner().watch.opened(&self.cell.id, begun));
        let mut opened = opened.into_iter();
        let answer = |envelope| match opened.next().flatten() {
            Some(message) => Ok(Incoming::Delivered(message)),
            None => self.handle_incoming(envelope),
        };
        envelopes.iter().map(answer).collect()
    }

    /// Opens what opens, and makes it durable in one batch.
    fn open_together(&self, envelopes: &[MlsEnvelope]) -> MlsResult<Together> {
        let payloads: Vec<_> = envelopes.iter().map(MlsEnvelope::payload).collect();
        let (messages, _) = self.change(|group, env| {
            let (mut messages, mut spent, mut handled) = (Together::new(), Vec::new(), Vec::new());
            for (payload, opened) in payloads.iter().zip(group.open_all(env, &payloads)) {
                let opened = opened.ok().flatten().map(taken_apart);
                messages.push(opened.map(|(message, key)| {
                    spent.push(key);
                    handled.push(self.cell.message_id(payload));
                    message
                }));
            }
            let step = group.record_all(env, spent)?;
            Ok((messages, step, Beside { handled_together: handled, ..Beside::default() }))
        })?;
        Ok(messages)
    }
}

fn taken_apart(opened: Opened) -> (ReceivedMessage, SpentMessage) {
    let Opened { plaintext, authenticated_data, sender, sender_leaf, epoch, generation, spent } = opened;
    let (sender_index, sender, own_echo) = (sender.get(), identity(&sender_leaf), false);
    (ReceivedMessage { plaintext, authenticated_data, sender, sender_index, epoch, generation, own_echo }, spent)
}
