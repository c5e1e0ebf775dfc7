//! Leaf nodes (RFC 9420, Section 7.2).

use mls_crypto::{CipherSuite, Hash, HpkePublicKey, Opaque, SignaturePublicKey};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLByteSlice};

use super::{Credential, CredentialType, ExtensionType, Extensions, ProposalType, ProtocolVersion};
use crate::{codec::encode, error::DecodeError, math::LeafIndex};

/// `Capabilities`: what a client supports beyond the defaults. Unknown values are kept (DEC-24).
#[derive(Clone, Debug, Default, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Capabilities {
    /// Protocol versions.
    pub versions: Vec<ProtocolVersion>,
    /// Cipher suites.
    pub cipher_suites: Vec<CipherSuite>,
    /// Extension types beyond 1 to 5.
    pub extensions: Vec<ExtensionType>,
    /// Proposal types beyond 1 to 7.
    pub proposals: Vec<ProposalType>,
    /// Credential types; there is no default.
    pub credentials: Vec<CredentialType>,
}

/// `Lifetime`, in seconds since 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Lifetime {
    /// First second of validity.
    pub not_before: u64,
    /// Last second of validity.
    pub not_after: u64,
}

impl Lifetime {
    /// Whether `now` lies inside.
    pub const fn contains(&self, now: u64) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

/// `leaf_node_source` with the field it selects. DEC-10, LN-24: a closed set; the structure follows the source.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[expect(clippy::exhaustive_enums, reason = "the RFC closes the set")]
#[repr(u8)]
pub enum LeafNodeSource {
    /// In a KeyPackage.
    #[tls_codec(discriminant = 1)]
    KeyPackage(Lifetime),
    /// In an Update.
    #[tls_codec(discriminant = 2)]
    Update,
    /// In the path of a Commit, with its `parent_hash` (Section 7.9).
    #[tls_codec(discriminant = 3)]
    Commit(Hash),
}

/// `LeafNode`.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct LeafNode {
    /// Key that path secrets are encrypted to.
    pub encryption_key: HpkePublicKey,
    /// Key that the member signs with.
    pub signature_key: SignaturePublicKey,
    /// Who the member says it is.
    pub credential: Credential,
    /// What the member supports.
    pub capabilities: Capabilities,
    /// Where the leaf comes from.
    pub source: LeafNodeSource,
    /// Extensions of the leaf.
    pub extensions: Extensions,
    /// Over [`LeafNode::tbs`].
    pub signature: Opaque,
}

/// `LeafNodeTBS` up to the fields that Update and Commit add.
#[derive(TlsSerialize, TlsSize)]
struct LeafNodeTbs<'a> {
    encryption_key: &'a HpkePublicKey,
    signature_key: &'a SignaturePublicKey,
    credential: &'a Credential,
    capabilities: &'a Capabilities,
    source: &'a LeafNodeSource,
    extensions: &'a Extensions,
}

/// The fields of `LeafNodeTBS` that bind an Update or Commit leaf to its place.
#[derive(TlsSerialize, TlsSize)]
struct Place<'a> {
    group_id: VLByteSlice<'a>,
    leaf_index: LeafIndex,
}

impl LeafNode {
    /// Label of the signature (Section 5.1.2).
    pub const SIGNATURE_LABEL: &'static str = "LeafNodeTBS";

    /// `LeafNodeTBS`. LN-03: leaves of Updates and Commits are bound to *our* group id and the *actual* index.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`].
    pub fn tbs(&self, group_id: &[u8], leaf_index: LeafIndex) -> Result<Vec<u8>, DecodeError> {
        let mut tbs = encode(&LeafNodeTbs {
            encryption_key: &self.encryption_key,
            signature_key: &self.signature_key,
            credential: &self.credential,
            capabilities: &self.capabilities,
            source: &self.source,
            extensions: &self.extensions,
        })?;
        match self.source {
            LeafNodeSource::KeyPackage(_) => {}
            LeafNodeSource::Update | LeafNodeSource::Commit(_) => {
                tbs.extend(encode(&Place { group_id: VLByteSlice(group_id), leaf_index })?);
            }
        }
        Ok(tbs)
    }
}
