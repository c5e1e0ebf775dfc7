//! Extensions (RFC 9420, Section 13.4) and the bodies of those that Sections 11 and 12 define.

use mls_crypto::{HpkePublicKey, Opaque, SignaturePublicKey};
use tls_codec::{DeserializeBytes, Error, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{Credential, CredentialType, ExtensionType, ProposalType};
use crate::{
    codec::{Fault, decode_exact, encode, fault},
    error::DecodeError,
    limits::MAX_EXTENSIONS,
};

/// `Extension`: DEC-24: a type and bytes that are kept as received.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Extension {
    /// Which extension.
    pub extension_type: ExtensionType,
    /// Its body.
    pub extension_data: Opaque,
}

/// A list of extensions. DEC-17: no type appears twice; this decoder serves every list.
#[derive(Clone, Debug, Default, Eq, PartialEq, TlsSerialize, TlsSize)]
pub struct Extensions(Vec<Extension>);

impl Extensions {
    /// No extensions.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The list in order.
    pub fn iter(&self) -> impl Iterator<Item = &Extension> {
        self.0.iter()
    }

    /// The types in order.
    pub fn types(&self) -> impl Iterator<Item = ExtensionType> + '_ {
        self.0.iter().map(|extension| extension.extension_type)
    }

    /// The body of one type.
    pub fn get(&self, extension_type: ExtensionType) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|extension| extension.extension_type == extension_type)
            .map(|extension| extension.extension_data.as_slice())
    }

    /// Sets the body of one type, in place if it is there, else at the end.
    pub fn set(&mut self, extension_type: ExtensionType, data: Vec<u8>) {
        let extension_data = Opaque::new(data);
        match self.0.iter_mut().find(|extension| extension.extension_type == extension_type) {
            Some(extension) => extension.extension_data = extension_data,
            None => self.0.push(Extension { extension_type, extension_data }),
        }
    }

    /// Takes one type out of the list.
    pub fn remove(&mut self, extension_type: ExtensionType) {
        self.0.retain(|extension| extension.extension_type != extension_type);
    }

    /// Decodes the body of one type; `None` if it is not in the list.
    ///
    /// # Errors
    /// [`DecodeError`] if the body is not exactly one value (DEC-08).
    pub fn body<T: DeserializeBytes>(&self, extension_type: ExtensionType) -> Result<Option<T>, DecodeError> {
        self.get(extension_type).map(decode_exact).transpose()
    }

    /// Encodes a body and sets it.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`].
    pub fn set_body<T: Serialize>(&mut self, extension_type: ExtensionType, body: &T) -> Result<(), DecodeError> {
        self.set(extension_type, encode(body)?);
        Ok(())
    }

    /// `required_capabilities`, if present (Section 11.1).
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn required_capabilities(&self) -> Result<Option<RequiredCapabilities>, DecodeError> {
        self.body(ExtensionType::REQUIRED_CAPABILITIES)
    }

    /// `external_senders`, empty if absent (Section 12.1.8.1).
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn external_senders(&self) -> Result<Vec<ExternalSender>, DecodeError> {
        Ok(self.body(ExtensionType::EXTERNAL_SENDERS)?.unwrap_or_default())
    }
}

impl DeserializeBytes for Extensions {
    fn tls_deserialize_bytes(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let (list, rest) = Vec::<Extension>::tls_deserialize_bytes(bytes)?;
        if list.len() > MAX_EXTENSIONS {
            return Err(fault(Fault::TooManyItems));
        }
        let mut types: Vec<_> = list.iter().map(|extension| extension.extension_type).collect();
        types.sort_unstable();
        types.dedup();
        if types.len() == list.len() { Ok((Self(list), rest)) } else { Err(fault(Fault::DuplicateExtension)) }
    }
}

/// `RequiredCapabilities` (Section 11.1).
#[derive(Clone, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct RequiredCapabilities {
    /// Extensions every member must support.
    pub extension_types: Vec<ExtensionType>,
    /// Proposals every member must support.
    pub proposal_types: Vec<ProposalType>,
    /// Credentials every member must support.
    pub credential_types: Vec<CredentialType>,
}

/// `ExternalSender` (Section 12.1.8.1).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ExternalSender {
    /// Key its proposals are signed with.
    pub signature_key: SignaturePublicKey,
    /// Who it says it is.
    pub credential: Credential,
}

/// `ExternalPub` (Section 12.4.3.2).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ExternalPub {
    /// Key that external commits encapsulate to (Section 8.3).
    pub external_pub: HpkePublicKey,
}
