//! The outermost object on the wire (RFC 9420, Section 6).

use std::io;

use tls_codec::{DeserializeBytes, Error, Serialize, Size};

use super::{GroupInfo, KeyPackage, PrivateMessage, ProtocolVersion, PublicMessage, Welcome, WireFormat};
use crate::codec::{Fault, fault};

/// `MLSMessage`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each variant is the struct of its name")]
#[non_exhaustive]
pub enum MlsMessage {
    PublicMessage(Box<PublicMessage>),
    PrivateMessage(Box<PrivateMessage>),
    Welcome(Box<Welcome>),
    GroupInfo(Box<GroupInfo>),
    KeyPackage(Box<KeyPackage>),
}

impl MlsMessage {
    /// `wire_format`.
    pub const fn wire_format(&self) -> WireFormat {
        match self {
            Self::PublicMessage(_) => WireFormat::PUBLIC_MESSAGE,
            Self::PrivateMessage(_) => WireFormat::PRIVATE_MESSAGE,
            Self::Welcome(_) => WireFormat::WELCOME,
            Self::GroupInfo(_) => WireFormat::GROUP_INFO,
            Self::KeyPackage(_) => WireFormat::KEY_PACKAGE,
        }
    }
}

impl Size for MlsMessage {
    fn tls_serialized_len(&self) -> usize {
        let body = match self {
            Self::PublicMessage(body) => body.tls_serialized_len(),
            Self::PrivateMessage(body) => body.tls_serialized_len(),
            Self::Welcome(body) => body.tls_serialized_len(),
            Self::GroupInfo(body) => body.tls_serialized_len(),
            Self::KeyPackage(body) => body.tls_serialized_len(),
        };
        body.saturating_add(4)
    }
}

impl Serialize for MlsMessage {
    fn tls_serialize<W: io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        let head = (ProtocolVersion::MLS10.0, self.wire_format().0).tls_serialize(writer)?;
        let body = match self {
            Self::PublicMessage(body) => body.tls_serialize(writer)?,
            Self::PrivateMessage(body) => body.tls_serialize(writer)?,
            Self::Welcome(body) => body.tls_serialize(writer)?,
            Self::GroupInfo(body) => body.tls_serialize(writer)?,
            Self::KeyPackage(body) => body.tls_serialize(writer)?,
        };
        Ok(head.saturating_add(body))
    }
}

impl DeserializeBytes for MlsMessage {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (version, bytes) = ProtocolVersion::tls_deserialize_bytes(bytes)?;
        // DEC-11
        if version != ProtocolVersion::MLS10 {
            return Err(fault(Fault::UnsupportedVersion));
        }
        let (wire_format, bytes) = WireFormat::tls_deserialize_bytes(bytes)?;
        match wire_format {
            WireFormat::PUBLIC_MESSAGE => read(bytes, Self::PublicMessage),
            WireFormat::PRIVATE_MESSAGE => read(bytes, Self::PrivateMessage),
            WireFormat::WELCOME => read(bytes, Self::Welcome),
            WireFormat::GROUP_INFO => {
                let (info, rest) = GroupInfo::tls_deserialize_bytes(bytes)?;
                nested(info.group_context.version)?;
                Ok((Self::GroupInfo(Box::new(info)), rest))
            }
            WireFormat::KEY_PACKAGE => {
                let (package, rest) = KeyPackage::tls_deserialize_bytes(bytes)?;
                nested(package.version)?;
                Ok((Self::KeyPackage(Box::new(package)), rest))
            }
            // DEC-12
            _ => Err(fault(Fault::UnsupportedWireFormat)),
        }
    }
}

/// DEC-11, DEC-13: a nested version is the envelope's.
fn nested(version: ProtocolVersion) -> Result<(), Error> {
    if version == ProtocolVersion::MLS10 { Ok(()) } else { Err(fault(Fault::NestedVersion)) }
}

fn read<T: DeserializeBytes>(bytes: &[u8], wrap: impl Fn(Box<T>) -> MlsMessage) -> Result<(MlsMessage, &[u8]), Error> {
    let (body, rest) = T::tls_deserialize_bytes(bytes)?;
    Ok((wrap(Box::new(body)), rest))
}
