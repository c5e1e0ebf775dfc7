//! Envelopes as JSON, bytes in base64 (CAP-51, RFC 4648).
//!
//! In: text from anywhere. Out: an envelope.
//! Always: the length is checked before anything is read; fields that are not known are refused.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::{MAX_ENVELOPE_SIZE, MessageType, MlsEnvelope, VERSION};
use crate::core_mls::error::{MlsError, MlsResult};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Form {
    version: u16,
    message_type: Name,
    group_id: String,
    sender: Option<u32>,
    payload: String,
}

/// [`MessageType`] in JSON.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    Welcome,
    Proposal,
    Commit,
    Application,
}

impl From<MessageType> for Name {
    fn from(message_type: MessageType) -> Self {
        match message_type {
            MessageType::Welcome => Self::Welcome,
            MessageType::Proposal => Self::Proposal,
            MessageType::Commit => Self::Commit,
            MessageType::Application => Self::Application,
        }
    }
}

impl From<Name> for MessageType {
    fn from(name: Name) -> Self {
        match name {
            Name::Welcome => Self::Welcome,
            Name::Proposal => Self::Proposal,
            Name::Commit => Self::Commit,
            Name::Application => Self::Application,
        }
    }
}

impl MlsEnvelope {
    /// The envelope as JSON, on one line.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use spacepanda_core::core_mls::{Client, MlsEnvelope, MlsError, TrustOnFirstUse};
    /// # let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    /// let envelope = alice.create_group(None)?.send_message(b"hello")?;
    /// assert!(envelope.to_json()?.starts_with(r#"{"version":1,"message_type":"application","#));
    /// # Ok::<(), MlsError>(())
    /// ```
    ///
    /// # Errors
    /// [`MlsError::MalformedJson`] cannot happen with an envelope made here.
    pub fn to_json(&self) -> MlsResult<String> {
        let form = Form {
            version: VERSION,
            message_type: self.message_type.into(),
            group_id: STANDARD.encode(&self.group_id),
            sender: self.sender,
            payload: STANDARD.encode(&self.payload),
        };
        serde_json::to_string(&form).map_err(|_| MlsError::MalformedJson)
    }

    /// Reads JSON, of at most [`MAX_ENVELOPE_SIZE`] bytes.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{MlsEnvelope, MlsError};
    /// assert_eq!(MlsEnvelope::from_json("{"), Err(MlsError::MalformedJson));
    /// ```
    ///
    /// # Errors
    /// [`MlsError::TooLarge`], [`MlsError::MalformedJson`], [`MlsError::UnsupportedVersion`], [`MlsError::EmptyPayload`],
    /// [`MlsError::WrongMessageType`] or [`MlsError::EnvelopeMismatch`] if header and message do not agree.
    pub fn from_json(json: &str) -> MlsResult<Self> {
        Self::from_json_within(json, MAX_ENVELOPE_SIZE)
    }

    /// Reads JSON, of at most `limit` bytes.
    ///
    /// ```
    /// # use spacepanda_core::core_mls::{MlsEnvelope, MlsError};
    /// assert_eq!(MlsEnvelope::from_json_within("{}", 1), Err(MlsError::TooLarge { len: 2, limit: 1 }));
    /// ```
    ///
    /// # Errors
    /// As [`MlsEnvelope::from_json`].
    pub fn from_json_within(json: &str, limit: usize) -> MlsResult<Self> {
        if json.len() > limit {
            return Err(MlsError::TooLarge { len: json.len(), limit });
        }
        let form: Form = serde_json::from_str(json).map_err(|_| MlsError::MalformedJson)?;
        if form.version != VERSION {
            return Err(MlsError::UnsupportedVersion(form.version));
        }
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| MlsError::MalformedJson);
        let envelope = Self {
            message_type: form.message_type.into(),
            group_id: decode(&form.group_id)?,
            sender: form.sender,
            payload: decode(&form.payload)?,
        };
        envelope.check()?;
        Ok(envelope)
    }
}
