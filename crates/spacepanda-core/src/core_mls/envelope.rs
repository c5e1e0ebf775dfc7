//! Envelopes: what a transport carries (CAP-50 to CAP-54).
//!
//! In: an MLSMessage, or bytes or JSON from anywhere. Out: the message with what a router needs to know about it.
//! Always: header and message agree about kind, group and sender; an envelope that says otherwise cannot be made or read.
//!
//! ```text
//! u16 version = 1 | u8 message_type | opaque group_id<V> | optional<u32> sender | opaque payload<V>
//! ```

use core::fmt;

use super::error::{MlsError, MlsResult};

mod binary;
mod inner;
mod json;

use inner::Inner;

/// Version of the envelope's own format.
const VERSION: u16 = 1;

/// Bytes an envelope may have unless the caller says otherwise: a Welcome to a group of 1,000 fits several times.
pub const MAX_ENVELOPE_SIZE: usize = 16 << 20;

/// What is in an envelope.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the envelope's format closes the set")]
pub enum MessageType {
    /// An invitation (RFC 9420, Section 12.4.3.1).
    Welcome,
    /// A proposed change (Section 12.1).
    Proposal,
    /// A change of epoch (Section 12.4).
    Commit,
    /// What members say to each other (Section 15).
    Application,
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Welcome => "welcome",
            Self::Proposal => "proposal",
            Self::Commit => "commit",
            Self::Application => "application",
        })
    }
}

/// An MLSMessage and what a router needs to know about it.
#[derive(Clone, Eq, PartialEq)]
pub struct MlsEnvelope {
    message_type: MessageType,
    group_id: Vec<u8>,
    sender: Option<u32>,
    payload: Vec<u8>,
}

impl MlsEnvelope {
    /// An envelope around a Welcome. A Welcome does not tell its group; `group_id` is a hint that joining confirms.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{MlsEnvelope, MlsError};
    /// assert_eq!(MlsEnvelope::wrap_welcome(b"group", Vec::new()), Err(MlsError::EmptyPayload));
    /// ```
    ///
    /// # Errors
    /// [`MlsError::EmptyPayload`], [`MlsError::Malformed`], [`MlsError::WrongMessageType`].
    pub fn wrap_welcome(group_id: &[u8], payload: Vec<u8>) -> MlsResult<Self> {
        let envelope = Self { message_type: MessageType::Welcome, group_id: group_id.to_vec(), sender: None, payload };
        envelope.check()?;
        Ok(envelope)
    }

    /// An envelope around a proposal, public or private.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{MlsEnvelope, MlsError};
    /// assert_eq!(MlsEnvelope::wrap_proposal(Vec::new()), Err(MlsError::EmptyPayload));
    /// ```
    ///
    /// # Errors
    /// [`MlsError::EmptyPayload`], [`MlsError::Malformed`], [`MlsError::WrongMessageType`].
    pub fn wrap_proposal(payload: Vec<u8>) -> MlsResult<Self> {
        Self::wrap(MessageType::Proposal, payload)
    }

    /// An envelope around a commit, public or private.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{MlsEnvelope, MlsError};
    /// assert_eq!(MlsEnvelope::wrap_commit(Vec::new()), Err(MlsError::EmptyPayload));
    /// ```
    ///
    /// # Errors
    /// [`MlsError::EmptyPayload`], [`MlsError::Malformed`], [`MlsError::WrongMessageType`].
    pub fn wrap_commit(payload: Vec<u8>) -> MlsResult<Self> {
        Self::wrap(MessageType::Commit, payload)
    }

    /// An envelope around an application message.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{MlsEnvelope, MlsError};
    /// assert_eq!(MlsEnvelope::wrap_application(Vec::new()), Err(MlsError::EmptyPayload));
    /// ```
    ///
    /// # Errors
    /// [`MlsError::EmptyPayload`], [`MlsError::Malformed`], [`MlsError::WrongMessageType`].
    pub fn wrap_application(payload: Vec<u8>) -> MlsResult<Self> {
        Self::wrap(MessageType::Application, payload)
    }

    /// What of the message inside is authenticated but readable; nobody has authenticated it here.
    pub(crate) fn readable_data(&self) -> MlsResult<Option<Vec<u8>>> {
        inner::authenticated_data(&self.payload)
    }

    fn wrap(expected: MessageType, payload: Vec<u8>) -> MlsResult<Self> {
        let inner = Inner::read(&payload)?;
        check_type(expected, inner.message_type)?;
        let group_id = inner.group_id.ok_or(MlsError::EnvelopeMismatch("group"))?;
        Ok(Self { message_type: expected, group_id, sender: inner.sender, payload })
    }

    /// The Welcome inside, an encoded MLSMessage.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let envelope = alice.create_group(None)?.send_message(b"hello")?;
    /// assert!(matches!(envelope.unwrap_welcome(), Err(MlsError::WrongMessageType { .. })));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::WrongMessageType`].
    pub fn unwrap_welcome(&self) -> MlsResult<&[u8]> {
        self.unwrap_as(MessageType::Welcome)
    }

    /// The proposal inside, an encoded MLSMessage.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let envelope = alice.create_group(None)?.propose_update()?;
    /// assert!(!envelope.unwrap_proposal()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::WrongMessageType`].
    pub fn unwrap_proposal(&self) -> MlsResult<&[u8]> {
        self.unwrap_as(MessageType::Proposal)
    }

    /// The commit inside, an encoded MLSMessage.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let envelope = alice.create_group(None)?.rotate()?;
    /// assert!(!envelope.unwrap_commit()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::WrongMessageType`].
    pub fn unwrap_commit(&self) -> MlsResult<&[u8]> {
        self.unwrap_as(MessageType::Commit)
    }

    /// The application message inside, an encoded MLSMessage.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let envelope = alice.create_group(None)?.send_message(b"hello")?;
    /// assert!(!envelope.unwrap_application()?.is_empty());
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::WrongMessageType`].
    pub fn unwrap_application(&self) -> MlsResult<&[u8]> {
        self.unwrap_as(MessageType::Application)
    }

    fn unwrap_as(&self, expected: MessageType) -> MlsResult<&[u8]> {
        check_type(expected, self.message_type)?;
        Ok(&self.payload)
    }

    /// What is inside.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MessageType, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let envelope = alice.create_group(None)?.send_message(b"hello")?;
    /// assert_eq!(envelope.message_type(), MessageType::Application);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub const fn message_type(&self) -> MessageType {
        self.message_type
    }

    /// The group it is for, 32 bytes for groups created here.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// # let group = alice.create_group(None)?;
    /// assert_eq!(group.send_message(b"hello")?.group_id(), group.group_id());
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn group_id(&self) -> &[u8] {
        &self.group_id
    }

    /// CON-10: the leaf of the sender, only if the message itself shows it to everybody. Not authenticated.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// assert_eq!(alice.create_group(None)?.send_message(b"hello")?.sender(), None);
    /// # Ok::<(), MlsError>(())
    /// ```
    pub const fn sender(&self) -> Option<u32> {
        self.sender
    }

    /// The MLSMessage inside (RFC 9420, Section 6).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let envelope = alice.create_group(None)?.send_message(b"hello")?;
    /// assert_eq!(envelope.payload().get(..2), Some(&[0, 1][..])); // mls10
    /// # Ok::<(), MlsError>(())
    /// ```
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Epoch the message says it is of, read from the message itself; `None` for a Welcome. What a delivery service orders
    /// commits by (RFC 9420, Section 14). Authenticated only once the message was processed.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let group = alice.create_group(None)?;
    /// group.rotate()?;
    /// assert_eq!(group.send_message(b"hello")?.epoch()?, Some(1));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Malformed`] cannot happen: every envelope was read when it was made.
    pub fn epoch(&self) -> MlsResult<Option<u64>> {
        Ok(Inner::read(&self.payload)?.epoch)
    }

    /// Whether header and message agree.
    fn check(&self) -> MlsResult<()> {
        let inner = Inner::read(&self.payload)?;
        check_type(self.message_type, inner.message_type)?;
        if inner.group_id.is_some_and(|group_id| group_id != self.group_id) {
            return Err(MlsError::EnvelopeMismatch("group"));
        }
        if inner.sender != self.sender {
            return Err(MlsError::EnvelopeMismatch("sender"));
        }
        Ok(())
    }
}

fn check_type(expected: MessageType, actual: MessageType) -> MlsResult<()> {
    if expected == actual { Ok(()) } else { Err(MlsError::WrongMessageType { expected, actual }) }
}

impl fmt::Debug for MlsEnvelope {
    /// Tells kind and length only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message_type, group_id: _, sender, payload } = self;
        f.debug_struct("MlsEnvelope")
            .field("message_type", message_type)
            .field("sender", sender)
            .field("payload_len", &payload.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
