//! What an MLSMessage shows to everybody (RFC 9420, Sections 6.2 and 6.3).
//!
//! In: bytes. Out: kind, group, epoch and, where it is readable, sender.
//! Always: reads the head only; whether the rest is a message is for the engine to say.

use mls_crypto::Opaque;
use mls_engine::{
    error::DecodeError,
    message::{ContentType, ProtocolVersion, Sender, WireFormat},
};
use tls_codec::{DeserializeBytes, TlsDeserializeBytes, TlsSize};

use super::MessageType;
use crate::core_mls::error::{MlsError, MlsResult};

/// The head of an MLSMessage.
pub(super) struct Inner {
    pub(super) message_type: MessageType,
    /// `None` for a Welcome, which does not tell.
    pub(super) group_id: Option<Vec<u8>>,
    pub(super) epoch: Option<u64>,
    pub(super) sender: Option<u32>,
}

#[derive(TlsDeserializeBytes, TlsSize)]
struct PublicHead {
    group_id: Opaque,
    epoch: u64,
    sender: Sender,
    _authenticated_data: Opaque,
    content_type: ContentType,
}

#[derive(TlsDeserializeBytes, TlsSize)]
struct PrivateHead {
    group_id: Opaque,
    epoch: u64,
    content_type: ContentType,
}

/// What of an encrypted message is authenticated but readable. Nobody has authenticated it here.
pub(super) fn authenticated_data(payload: &[u8]) -> MlsResult<Option<Vec<u8>>> {
    let (_, rest) = head::<ProtocolVersion>(payload)?;
    let (wire_format, rest) = head::<WireFormat>(rest)?;
    if wire_format != WireFormat::PRIVATE_MESSAGE {
        return Ok(None);
    }
    let (_, rest) = head::<PrivateHead>(rest)?;
    Ok(Some(head::<Opaque>(rest)?.0.into()))
}

impl Inner {
    pub(super) fn read(payload: &[u8]) -> MlsResult<Self> {
        // ADV-10
        if payload.is_empty() {
            return Err(MlsError::EmptyPayload);
        }
        let (version, rest) = head::<ProtocolVersion>(payload)?;
        if version != ProtocolVersion::MLS10 {
            return Err(DecodeError::UnsupportedVersion.into());
        }
        let (wire_format, rest) = head::<WireFormat>(rest)?;
        match wire_format {
            WireFormat::PUBLIC_MESSAGE => Ok(Self::of_public(head(rest)?.0)),
            WireFormat::PRIVATE_MESSAGE => Ok(Self::of_private(head(rest)?.0)),
            WireFormat::WELCOME => {
                Ok(Self { message_type: MessageType::Welcome, group_id: None, epoch: None, sender: None })
            }
            _ => Err(DecodeError::UnsupportedWireFormat.into()),
        }
    }

    fn of_public(head: PublicHead) -> Self {
        let sender = match head.sender {
            Sender::Member(leaf) => Some(leaf.get()),
            Sender::External(_) | Sender::NewMemberProposal | Sender::NewMemberCommit => None,
        };
        let (group_id, epoch) = (Some(head.group_id.into()), Some(head.epoch));
        Self { message_type: head.content_type.into(), group_id, epoch, sender }
    }

    fn of_private(head: PrivateHead) -> Self {
        let (group_id, epoch) = (Some(head.group_id.into()), Some(head.epoch));
        Self { message_type: head.content_type.into(), group_id, epoch, sender: None }
    }
}

impl From<ContentType> for MessageType {
    fn from(content_type: ContentType) -> Self {
        match content_type {
            ContentType::Application => Self::Application,
            ContentType::Proposal => Self::Proposal,
            ContentType::Commit => Self::Commit,
        }
    }
}

/// Decodes the beginning of `bytes`.
fn head<T: DeserializeBytes>(bytes: &[u8]) -> MlsResult<(T, &[u8])> {
    T::tls_deserialize_bytes(bytes).map_err(|error| DecodeError::from(error).into())
}
