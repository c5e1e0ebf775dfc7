//! Open numbers of the IANA registries (RFC 9420, Sections 17.1 to 17.5): unknown values survive a round trip.

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// IANA "MLS Protocol Versions" (Section 6).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ProtocolVersion(pub u16);

impl ProtocolVersion {
    /// `mls10`.
    pub const MLS10: Self = Self(1);
}

/// IANA "MLS Wire Formats" (Section 17.2).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct WireFormat(pub u16);

impl WireFormat {
    /// Section 6.2.
    pub const PUBLIC_MESSAGE: Self = Self(1);
    /// Section 6.3.
    pub const PRIVATE_MESSAGE: Self = Self(2);
    /// Section 12.4.3.1.
    pub const WELCOME: Self = Self(3);
    /// Section 12.4.3.
    pub const GROUP_INFO: Self = Self(4);
    /// Section 10.
    pub const KEY_PACKAGE: Self = Self(5);
}

/// IANA "MLS Extension Types" (Section 17.3).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ExtensionType(pub u16);

impl ExtensionType {
    /// Section 5.3.3.
    pub const APPLICATION_ID: Self = Self(1);
    /// Section 12.4.3.3.
    pub const RATCHET_TREE: Self = Self(2);
    /// Section 11.1.
    pub const REQUIRED_CAPABILITIES: Self = Self(3);
    /// Section 12.4.3.2.
    pub const EXTERNAL_PUB: Self = Self(4);
    /// Section 12.1.8.1.
    pub const EXTERNAL_SENDERS: Self = Self(5);

    /// `last_resort_key_package` in its first form (draft-ietf-mls-extensions): a key package that may be used again.
    pub const LAST_RESORT: Self = Self(0x000A);

    /// Whether every client supports the type without listing it (Section 7.2).
    pub const fn is_default(self) -> bool {
        matches!(self.0, 1..=5)
    }
}

/// IANA "MLS Proposal Types" (Section 17.4).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct ProposalType(pub u16);

impl ProposalType {
    /// Section 12.1.1.
    pub const ADD: Self = Self(1);
    /// Section 12.1.2.
    pub const UPDATE: Self = Self(2);
    /// Section 12.1.3.
    pub const REMOVE: Self = Self(3);
    /// Section 12.1.4.
    pub const PSK: Self = Self(4);
    /// Section 12.1.5.
    pub const REINIT: Self = Self(5);
    /// Section 12.1.6.
    pub const EXTERNAL_INIT: Self = Self(6);
    /// Section 12.1.7.
    pub const GROUP_CONTEXT_EXTENSIONS: Self = Self(7);

    /// Whether every client supports the type without listing it (Section 7.2).
    pub const fn is_default(self) -> bool {
        matches!(self.0, 1..=7)
    }
}

/// IANA "MLS Credential Types" (Section 17.5).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct CredentialType(pub u16);

impl CredentialType {
    /// Section 5.3.
    pub const BASIC: Self = Self(1);
    /// Section 5.3.
    pub const X509: Self = Self(2);
}
