//! Saying something (RFC 9420, Section 15).
//!
//! Always: the key is used up durably before the ciphertext leaves; no two messages share one (CAP-20, CAP-71).

use std::time::Instant;

use mls_crypto::Secret;
use mls_engine::group::MessageOptions;

use super::MlsHandle;
use crate::core_mls::{
    echo::Sent, envelope::MlsEnvelope, error::MlsResult, outbox::Outgoing, passing::Beside, store::Key,
};

impl MlsHandle {
    /// Encrypts a message for all other members of this epoch. May be empty.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let envelope = alice.create_group(None)?.send_message(b"hello")?;
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::core_mls::MlsError::CommitRequired`] while proposals wait (PM-19): commit them first. The client never
    /// does that by itself, because the commit has to be delivered before the message.
    /// [`crate::core_mls::MlsError::ReadOnly`] while [`MlsHandle::is_read_only`].
    /// [`crate::core_mls::MlsError::TooLarge`], [`crate::core_mls::MlsError::NotAMember`],
    /// [`crate::core_mls::MlsError::Store`].
    pub fn send_message(&self, plaintext: &[u8]) -> MlsResult<MlsEnvelope> {
        self.send_message_with(plaintext, b"")
    }

    /// [`MlsHandle::send_message`] with bytes that are authenticated but readable for everybody.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(Some("tea"))?;
    /// # group.propose_add(&bob.generate_key_package()?, b"bob")?;
    /// # let joined = bob.join_group(&group.commit()?.1[0])?;
    /// let envelope = group.send_message_with(b"hello", b"urgent")?;
    /// assert_eq!(joined.receive_message(&envelope)?.authenticated_data, b"urgent");
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MlsHandle::send_message`].
    pub fn send_message_with(&self, plaintext: &[u8], authenticated_data: &[u8]) -> MlsResult<MlsEnvelope> {
        self.send_for(plaintext, authenticated_data, None)
    }

    /// [`MlsHandle::send_message_with`]; this record is done with, in the same batch.
    pub(super) fn send_for(
        &self,
        plaintext: &[u8],
        authenticated_data: &[u8],
        done: Option<&Key>,
    ) -> MlsResult<MlsEnvelope> {
        let begun = Instant::now();
        let sent = self.change(|group, env| {
            let options = MessageOptions {
                padding: self.cell.terms().parameters.padding,
                authenticated_data: authenticated_data.to_vec(),
                ..MessageOptions::default()
            };
            let sealed = group.sender()?.send(env, plaintext, &options)?;
            let (id, epoch) = (self.cell.message_id(&sealed.message), group.epoch());
            let envelope = MlsEnvelope::wrap_application(sealed.message)?;
            let outgoing = Outgoing { id, epoch, envelope: envelope.clone() };
            let (plaintext, authenticated_data) = (Secret::copy_from(plaintext), authenticated_data.to_vec());
            let echo = (id, sealed.generation, Sent { plaintext, authenticated_data, epoch });
            let mut beside = Beside::sent(echo, outgoing, self.inner().config.own_echo);
            beside.more.extend(done.map(|key| (key.clone(), None)));
            Ok((envelope, sealed.step, beside))
        });
        let (envelope, _) = self.inner().watch.outcome(&self.cell.id, sent)?;
        self.inner().watch.sealed(&self.cell.id, begun);
        Ok(envelope)
    }
}
