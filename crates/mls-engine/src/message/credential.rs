//! Credentials (RFC 9420, Section 5.3).

use mls_crypto::Opaque;
use std::io;

use tls_codec::{DeserializeBytes, Error, Serialize, Size, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::CredentialType;
use crate::{
    codec::{Fault, fault},
    limits::{MAX_CERTIFICATE_CHAIN, MAX_CERTIFICATES},
};

/// `Certificate`: one DER-encoded X.509 certificate.
#[derive(Clone, Debug, Eq, Hash, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Certificate {
    /// DER bytes.
    pub cert_data: Opaque,
}

/// `Credential`: who a member says it is; only a [`crate::policy::Policy`] can believe it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Credential {
    /// `basic`: bytes that the application understands. DEC-27: compared as bytes, never as text.
    Basic(Opaque),
    /// `x509`: a chain, end-entity certificate first.
    X509(Vec<Certificate>),
    /// DEC-23: a type the application registered. Its body is one `opaque<V>`; other bodies cannot be delimited.
    Custom(CredentialType, Opaque),
}

impl Credential {
    /// A basic credential with this identity.
    pub fn basic(identity: &[u8]) -> Self {
        Self::Basic(Opaque::from(identity))
    }

    /// `credential_type`.
    pub const fn credential_type(&self) -> CredentialType {
        match self {
            Self::Basic(_) => CredentialType::BASIC,
            Self::X509(_) => CredentialType::X509,
            Self::Custom(credential_type, _) => *credential_type,
        }
    }

    /// The identity of a basic credential.
    pub fn identity(&self) -> Option<&[u8]> {
        match self {
            Self::Basic(identity) => Some(identity.as_slice()),
            Self::X509(_) | Self::Custom(..) => None,
        }
    }
}

impl Size for Credential {
    fn tls_serialized_len(&self) -> usize {
        let body = match self {
            Self::Basic(body) | Self::Custom(_, body) => body.tls_serialized_len(),
            Self::X509(chain) => chain.tls_serialized_len(),
        };
        body.saturating_add(self.credential_type().tls_serialized_len())
    }
}

impl Serialize for Credential {
    fn tls_serialize<W: io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        let head = self.credential_type().tls_serialize(writer)?;
        let body = match self {
            Self::Basic(body) | Self::Custom(_, body) => body.tls_serialize(writer)?,
            Self::X509(chain) => chain.tls_serialize(writer)?,
        };
        Ok(head.saturating_add(body))
    }
}

impl Size for &Credential {
    fn tls_serialized_len(&self) -> usize {
        (**self).tls_serialized_len()
    }
}

impl Serialize for &Credential {
    fn tls_serialize<W: io::Write>(&self, writer: &mut W) -> Result<usize, Error> {
        (**self).tls_serialize(writer)
    }
}

impl DeserializeBytes for Credential {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (credential_type, bytes) = CredentialType::tls_deserialize_bytes(bytes)?;
        match credential_type {
            CredentialType::BASIC => {
                let (identity, rest) = Opaque::tls_deserialize_bytes(bytes)?;
                Ok((Self::Basic(identity), rest))
            }
            CredentialType::X509 => {
                let (chain, rest) = Vec::<Certificate>::tls_deserialize_bytes(bytes)?;
                // X-DOS-09: chains are short.
                let len = bytes.len().saturating_sub(rest.len());
                if chain.len() > MAX_CERTIFICATES || len > MAX_CERTIFICATE_CHAIN {
                    return Err(fault(Fault::TooManyItems));
                }
                Ok((Self::X509(chain), rest))
            }
            other => {
                let (body, rest) = Opaque::tls_deserialize_bytes(bytes)?;
                Ok((Self::Custom(other, body), rest))
            }
        }
    }
}
