//! Reading a message ahead of time, for a notification.
//!
//! In: an envelope. Out: what it says.
//! Always: nothing moves, in memory or in the store; the message is received later as if nobody had looked. What is read
//! grows with the height of the tree and not with its members: the group is not opened.

use mls_engine::group::{Opened, Reader};

use super::Client;
use crate::core_mls::{
    envelope::MlsEnvelope,
    error::{MlsError, MlsResult},
    types::identity,
};

/// An application message that was looked at and is still to be received.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PeekedMessage {
    /// What was said.
    pub plaintext: Vec<u8>,
    /// What was authenticated with it.
    pub authenticated_data: Vec<u8>,
    /// Identity of the sender.
    pub sender: Vec<u8>,
    /// Epoch of the message.
    pub epoch: u64,
}

impl Client {
    /// Opens an application message without using up its key, from the group as it is in the store. May be called in a
    /// process of its own while another one works on the same store.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let envelope = group.send_message(b"hello")?;
    /// assert_eq!(bob.peek(&envelope)?.plaintext, b"hello");
    /// assert_eq!(joined.receive_message(&envelope)?.plaintext, b"hello");
    /// assert!(matches!(bob.peek(&envelope), Err(MlsError::ReplayDetected { .. })));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`crate::core_mls::MlsHandle::receive_message`]; [`crate::core_mls::MlsError::UnknownGroup`];
    /// [`crate::core_mls::MlsError::OwnMessage`] for every message of our own.
    pub fn peek(&self, envelope: &MlsEnvelope) -> MlsResult<PeekedMessage> {
        let payload = envelope.unwrap_application()?;
        let opened = self.inner.read_stored(envelope.group_id(), |env, records| {
            Reader::open(env, records)?.read(env, payload)?.ok_or(MlsError::EnvelopeMismatch("kind"))
        });
        let (opened, _) = opened?;
        let Opened { plaintext, authenticated_data, sender: _, sender_leaf, epoch, generation: _, spent: _ } = opened;
        Ok(PeekedMessage { plaintext, authenticated_data, sender: identity(&sender_leaf), epoch })
    }
}
