//! Framed messages (RFC 9420, Section 6).

use std::io;

use mls_crypto::{Opaque, Tag};
use tls_codec::{DeserializeBytes, Error, Serialize, Size, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{Commit, Proposal, WireFormat};
use crate::math::LeafIndex;

/// `ContentType`. DEC-10: a closed set.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(clippy::exhaustive_enums, reason = "the RFC closes the set")]
#[repr(u8)]
pub enum ContentType {
    /// Application data.
    Application = 1,
    /// A proposal.
    Proposal = 2,
    /// A commit.
    Commit = 3,
}

/// `Sender`. DEC-10: a closed set.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(clippy::exhaustive_enums, reason = "the RFC closes the set")]
#[repr(u8)]
pub enum Sender {
    /// The member at this leaf.
    #[tls_codec(discriminant = 1)]
    Member(LeafIndex),
    /// The entry of `external_senders` with this index.
    #[tls_codec(discriminant = 2)]
    External(u32),
    /// A client that asks to be added.
    #[tls_codec(discriminant = 3)]
    NewMemberProposal,
    /// A client that joins by external commit.
    #[tls_codec(discriminant = 4)]
    NewMemberCommit,
}

/// The content that `content_type` selects.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(clippy::exhaustive_enums, reason = "the RFC closes the set")]
#[expect(clippy::large_enum_variant, reason = "one message at a time")]
#[repr(u8)]
pub enum Content {
    /// Application data.
    #[tls_codec(discriminant = 1)]
    Application(Opaque),
    /// A proposal.
    #[tls_codec(discriminant = 2)]
    Proposal(Proposal),
    /// A commit.
    #[tls_codec(discriminant = 3)]
    Commit(Commit),
}

impl Content {
    /// `content_type`.
    pub const fn content_type(&self) -> ContentType {
        match self {
            Self::Application(_) => ContentType::Application,
            Self::Proposal(_) => ContentType::Proposal,
            Self::Commit(_) => ContentType::Commit,
        }
    }
}

/// `FramedContent`.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct FramedContent {
    /// Which group.
    pub group_id: Opaque,
    /// Which epoch.
    pub epoch: u64,
    /// Who.
    pub sender: Sender,
    /// Bytes of the application, authenticated but not encrypted.
    pub authenticated_data: Opaque,
    /// What.
    pub content: Content,
}

/// `FramedContentAuthData` (Section 6.1). DEC-15: the tag is there exactly with a commit.
#[derive(Clone, Debug)]
pub struct FramedContentAuthData {
    /// Over `FramedContentTBS`.
    pub signature: Opaque,
    /// Over the confirmed transcript hash.
    pub confirmation_tag: Option<Tag>,
}

impl FramedContentAuthData {
    /// Decodes the form that `content_type` selects, and returns what follows.
    pub(crate) fn decode(content_type: ContentType, bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (signature, bytes) = Opaque::tls_deserialize_bytes(bytes)?;
        match content_type {
            ContentType::Commit => {
                let (tag, rest) = Tag::tls_deserialize_bytes(bytes)?;
                Ok((Self { signature, confirmation_tag: Some(tag) }, rest))
            }
            ContentType::Application | ContentType::Proposal => Ok((Self { signature, confirmation_tag: None }, bytes)),
        }
    }
}

impl Size for FramedContentAuthData {
    fn tls_serialized_len(&self) -> usize {
        let tag = self.confirmation_tag.as_ref().map_or(0, Size::tls_serialized_len);
        self.signature.tls_serialized_len().saturating_add(tag)
    }
}

impl Serialize for FramedContentAuthData {
    fn tls_serialize<W: io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        let signature = self.signature.tls_serialize(writer)?;
        let tag = self.confirmation_tag.as_ref().map_or(Ok(0), |tag| tag.tls_serialize(writer))?;
        Ok(signature.saturating_add(tag))
    }
}

/// `AuthenticatedContent`: what is signed, and the signature.
#[derive(Clone, Debug, TlsSerialize, TlsSize)]
pub struct AuthenticatedContent {
    /// How it travels.
    pub wire_format: WireFormat,
    /// What is said.
    pub content: FramedContent,
    /// Why to believe it.
    pub auth: FramedContentAuthData,
}

impl DeserializeBytes for AuthenticatedContent {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (wire_format, bytes) = WireFormat::tls_deserialize_bytes(bytes)?;
        let (content, bytes) = FramedContent::tls_deserialize_bytes(bytes)?;
        let (auth, rest) = FramedContentAuthData::decode(content.content.content_type(), bytes)?;
        Ok((Self { wire_format, content, auth }, rest))
    }
}

/// `PublicMessage` (Section 6.2). DEC-14: the tag is there exactly for members.
#[derive(Clone, Debug)]
pub struct PublicMessage {
    /// What is said.
    pub content: FramedContent,
    /// Why to believe it.
    pub auth: FramedContentAuthData,
    /// That a member said it.
    pub membership_tag: Option<Tag>,
}

impl Size for PublicMessage {
    fn tls_serialized_len(&self) -> usize {
        let tag = self.membership_tag.as_ref().map_or(0, Size::tls_serialized_len);
        self.content.tls_serialized_len().saturating_add(self.auth.tls_serialized_len()).saturating_add(tag)
    }
}

impl Serialize for PublicMessage {
    fn tls_serialize<W: io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        let content = self.content.tls_serialize(writer)?;
        let auth = self.auth.tls_serialize(writer)?;
        let tag = self.membership_tag.as_ref().map_or(Ok(0), |tag| tag.tls_serialize(writer))?;
        Ok(content.saturating_add(auth).saturating_add(tag))
    }
}

impl DeserializeBytes for PublicMessage {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (content, bytes) = FramedContent::tls_deserialize_bytes(bytes)?;
        let (auth, bytes) = FramedContentAuthData::decode(content.content.content_type(), bytes)?;
        match content.sender {
            Sender::Member(_) => {
                let (tag, rest) = Tag::tls_deserialize_bytes(bytes)?;
                Ok((Self { content, auth, membership_tag: Some(tag) }, rest))
            }
            Sender::External(_) | Sender::NewMemberProposal | Sender::NewMemberCommit => {
                Ok((Self { content, auth, membership_tag: None }, bytes))
            }
        }
    }
}

/// `PrivateMessage` (Section 6.3).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct PrivateMessage {
    /// Which group.
    pub group_id: Opaque,
    /// Which epoch.
    pub epoch: u64,
    /// Which ratchet, and what is inside.
    pub content_type: ContentType,
    /// Bytes of the application, authenticated but not encrypted.
    pub authenticated_data: Opaque,
    /// Section 6.3.2.
    pub encrypted_sender_data: Opaque,
    /// Section 6.3.1.
    pub ciphertext: Opaque,
}
