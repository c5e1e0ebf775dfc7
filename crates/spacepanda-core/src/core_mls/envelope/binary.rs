//! The binary form of envelopes (CAP-51).
//!
//! In: bytes from anywhere. Out: an envelope that encodes to the same bytes.
//! Always: the length is checked before anything is read, and nothing may follow the envelope.

use mls_crypto::Opaque;
use mls_engine::{
    codec::{decode_exact, encode},
    error::DecodeError,
};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLByteSlice};

use super::{MAX_ENVELOPE_SIZE, MessageType, MlsEnvelope, VERSION};
use crate::core_mls::error::{MlsError, MlsResult};

#[derive(TlsSerialize, TlsSize)]
struct Writing<'a> {
    version: u16,
    message_type: Code,
    group_id: VLByteSlice<'a>,
    sender: Option<u32>,
    payload: VLByteSlice<'a>,
}

#[derive(TlsDeserializeBytes, TlsSize)]
struct Reading {
    message_type: Code,
    group_id: Opaque,
    sender: Option<u32>,
    payload: Opaque,
}

/// [`MessageType`] on the wire.
#[derive(Clone, Copy, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
enum Code {
    Welcome = 1,
    Proposal = 2,
    Commit = 3,
    Application = 4,
}

impl From<MessageType> for Code {
    fn from(message_type: MessageType) -> Self {
        match message_type {
            MessageType::Welcome => Self::Welcome,
            MessageType::Proposal => Self::Proposal,
            MessageType::Commit => Self::Commit,
            MessageType::Application => Self::Application,
        }
    }
}

impl From<Code> for MessageType {
    fn from(code: Code) -> Self {
        match code {
            Code::Welcome => Self::Welcome,
            Code::Proposal => Self::Proposal,
            Code::Commit => Self::Commit,
            Code::Application => Self::Application,
        }
    }
}

impl MlsEnvelope {
    /// The binary form; equal envelopes give equal bytes.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsEnvelope, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let envelope = alice.create_group(None)?.send_message(b"hello")?;
    /// assert_eq!(MlsEnvelope::from_bytes(&envelope.to_bytes()?)?, envelope);
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::Malformed`] if the payload has 2^30 bytes or more.
    pub fn to_bytes(&self) -> MlsResult<Vec<u8>> {
        Ok(encode(&Writing {
            version: VERSION,
            message_type: self.message_type.into(),
            group_id: VLByteSlice(&self.group_id),
            sender: self.sender,
            payload: VLByteSlice(&self.payload),
        })?)
    }

    /// Reads the binary form, of at most [`MAX_ENVELOPE_SIZE`] bytes.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{MlsEnvelope, MlsError};
    /// assert!(matches!(MlsEnvelope::from_bytes(b"\x00\x02"), Err(MlsError::UnsupportedVersion(2))));
    /// ```
    ///
    /// # Errors
    /// [`MlsError::TooLarge`], [`MlsError::UnsupportedVersion`], [`MlsError::Malformed`], [`MlsError::EmptyPayload`],
    /// [`MlsError::WrongMessageType`] or [`MlsError::EnvelopeMismatch`] if header and message do not agree.
    pub fn from_bytes(bytes: &[u8]) -> MlsResult<Self> {
        Self::from_bytes_within(bytes, MAX_ENVELOPE_SIZE)
    }

    /// Reads the binary form, of at most `limit` bytes.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{MlsEnvelope, MlsError};
    /// let refused = MlsEnvelope::from_bytes_within(&[0; 100], 99);
    /// assert_eq!(refused, Err(MlsError::TooLarge { len: 100, limit: 99 }));
    /// ```
    ///
    /// # Errors
    /// As [`MlsEnvelope::from_bytes`].
    pub fn from_bytes_within(bytes: &[u8], limit: usize) -> MlsResult<Self> {
        // ADV-12: before anything is allocated.
        if bytes.len() > limit {
            return Err(MlsError::TooLarge { len: bytes.len(), limit });
        }
        let Some((version, rest)) = bytes.split_first_chunk() else { return Err(DecodeError::Truncated.into()) };
        match u16::from_be_bytes(*version) {
            VERSION => {}
            other => return Err(MlsError::UnsupportedVersion(other)),
        }
        let read: Reading = decode_exact(rest)?;
        let envelope = Self {
            message_type: read.message_type.into(),
            group_id: read.group_id.into(),
            sender: read.sender,
            payload: read.payload.into(),
        };
        envelope.check()?;
        Ok(envelope)
    }
}
