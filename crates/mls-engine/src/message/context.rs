//! What all members of an epoch agree on (RFC 9420, Section 8.1).

use mls_crypto::{CipherSuite, Hash, Opaque};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{Extensions, ProtocolVersion};

/// `GroupContext`.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct GroupContext {
    /// Always `mls10` (DEC-11).
    pub version: ProtocolVersion,
    /// The group's cipher suite.
    pub cipher_suite: CipherSuite,
    /// Chosen by the creator; never changes.
    pub group_id: Opaque,
    /// Counts commits, from 0.
    pub epoch: u64,
    /// Hash of the ratchet tree's root (Section 7.8).
    pub tree_hash: Hash,
    /// Hash over all commits so far (Section 8.2).
    pub confirmed_transcript_hash: Hash,
    /// Extensions every member supports (Section 13.4).
    pub extensions: Extensions,
}
