//! Proposals (RFC 9420, Section 12.1).

use std::io;

use mls_crypto::{CipherSuite, Hash, Opaque};
use tls_codec::{DeserializeBytes, Error, Serialize, Size, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{Extensions, KeyPackage, LeafNode, PreSharedKeyId, ProposalType, ProtocolVersion};
use crate::math::LeafIndex;

/// `Add` (Section 12.1.1).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Add {
    /// The client to add.
    pub key_package: KeyPackage,
}

/// `Update` (Section 12.1.2).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Update {
    /// The sender's next leaf.
    pub leaf_node: LeafNode,
}

/// `Remove` (Section 12.1.3).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Remove {
    /// The member to remove.
    pub removed: LeafIndex,
}

/// `PreSharedKey` (Section 12.1.4).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct PreSharedKey {
    /// The key to mix in.
    pub psk: PreSharedKeyId,
}

/// `ReInit` (Section 12.1.5).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ReInit {
    /// Id of the group to come.
    pub group_id: Opaque,
    /// Version of the group to come.
    pub version: ProtocolVersion,
    /// Suite of the group to come.
    pub cipher_suite: CipherSuite,
    /// Context extensions of the group to come.
    pub extensions: Extensions,
}

/// `ExternalInit` (Section 12.1.6).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ExternalInit {
    /// Encapsulation to the group's external public key (Section 8.3).
    pub kem_output: Opaque,
}

/// `GroupContextExtensions` (Section 12.1.7).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct GroupContextExtensions {
    /// PROP-18: the whole next list.
    pub extensions: Extensions,
}

/// A proposal of a type the application registered. Its body is one `opaque<V>`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CustomProposal {
    /// Its type, beyond 1 to 7.
    pub proposal_type: ProposalType,
    /// Its body.
    pub body: Opaque,
}

/// `Proposal`.
///
/// DEC-22: the body of an unknown type cannot be delimited; types beyond 1 to 7 are read as one `opaque<V>` and refused
/// later unless the application registered them.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "each variant is the struct of its name")]
#[non_exhaustive]
pub enum Proposal {
    Add(Box<Add>),
    Update(Box<Update>),
    Remove(Remove),
    PreSharedKey(PreSharedKey),
    ReInit(ReInit),
    ExternalInit(ExternalInit),
    GroupContextExtensions(GroupContextExtensions),
    Custom(CustomProposal),
}

impl Proposal {
    /// `proposal_type`.
    pub const fn proposal_type(&self) -> ProposalType {
        match self {
            Self::Add(_) => ProposalType::ADD,
            Self::Update(_) => ProposalType::UPDATE,
            Self::Remove(_) => ProposalType::REMOVE,
            Self::PreSharedKey(_) => ProposalType::PSK,
            Self::ReInit(_) => ProposalType::REINIT,
            Self::ExternalInit(_) => ProposalType::EXTERNAL_INIT,
            Self::GroupContextExtensions(_) => ProposalType::GROUP_CONTEXT_EXTENSIONS,
            Self::Custom(custom) => custom.proposal_type,
        }
    }
}

impl Size for Proposal {
    fn tls_serialized_len(&self) -> usize {
        let body = match self {
            Self::Add(body) => body.tls_serialized_len(),
            Self::Update(body) => body.tls_serialized_len(),
            Self::Remove(body) => body.tls_serialized_len(),
            Self::PreSharedKey(body) => body.tls_serialized_len(),
            Self::ReInit(body) => body.tls_serialized_len(),
            Self::ExternalInit(body) => body.tls_serialized_len(),
            Self::GroupContextExtensions(body) => body.tls_serialized_len(),
            Self::Custom(custom) => custom.body.tls_serialized_len(),
        };
        body.saturating_add(self.proposal_type().tls_serialized_len())
    }
}

impl Serialize for Proposal {
    fn tls_serialize<W: io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        let head = self.proposal_type().tls_serialize(writer)?;
        let body = match self {
            Self::Add(body) => body.tls_serialize(writer)?,
            Self::Update(body) => body.tls_serialize(writer)?,
            Self::Remove(body) => body.tls_serialize(writer)?,
            Self::PreSharedKey(body) => body.tls_serialize(writer)?,
            Self::ReInit(body) => body.tls_serialize(writer)?,
            Self::ExternalInit(body) => body.tls_serialize(writer)?,
            Self::GroupContextExtensions(body) => body.tls_serialize(writer)?,
            Self::Custom(custom) => custom.body.tls_serialize(writer)?,
        };
        Ok(head.saturating_add(body))
    }
}

/// Reads one body and wraps it.
fn read<T: DeserializeBytes>(bytes: &[u8], wrap: impl Fn(T) -> Proposal) -> Result<(Proposal, &[u8]), Error> {
    let (body, rest) = T::tls_deserialize_bytes(bytes)?;
    Ok((wrap(body), rest))
}

impl DeserializeBytes for Proposal {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (proposal_type, bytes) = ProposalType::tls_deserialize_bytes(bytes)?;
        match proposal_type {
            // DEC-10: 0 is reserved.
            ProposalType(0) => Err(Error::UnknownValue(0)),
            ProposalType::ADD => read(bytes, |body| Self::Add(Box::new(body))),
            ProposalType::UPDATE => read(bytes, |body| Self::Update(Box::new(body))),
            ProposalType::REMOVE => read(bytes, Self::Remove),
            ProposalType::PSK => read(bytes, Self::PreSharedKey),
            ProposalType::REINIT => read(bytes, Self::ReInit),
            ProposalType::EXTERNAL_INIT => read(bytes, Self::ExternalInit),
            ProposalType::GROUP_CONTEXT_EXTENSIONS => read(bytes, Self::GroupContextExtensions),
            other => read(bytes, |body| Self::Custom(CustomProposal { proposal_type: other, body })),
        }
    }
}

/// `ProposalRef` (Section 5.2): names an `AuthenticatedContent` that holds a proposal.
pub type ProposalRef = Hash;
