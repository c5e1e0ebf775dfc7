//! Key packages (RFC 9420, Section 10).

use mls_crypto::{CipherSuite, CryptoError, Hash, HpkePublicKey, Opaque, SuiteCrypto, label};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use super::{Extensions, LeafNode, ProtocolVersion};
use crate::{codec::encode, error::DecodeError};

/// `KeyPackage`.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct KeyPackage {
    /// Always `mls10`.
    pub version: ProtocolVersion,
    /// Suite the client wants to use with it.
    pub cipher_suite: CipherSuite,
    /// Key that a Welcome's group secrets are encrypted to.
    pub init_key: HpkePublicKey,
    /// The leaf the client will have.
    pub leaf_node: LeafNode,
    /// Extensions; unknown ones are ignored (KP-08).
    pub extensions: Extensions,
    /// Over [`KeyPackage::tbs`].
    pub signature: Opaque,
}

/// `KeyPackageTBS`.
#[derive(TlsSerialize, TlsSize)]
struct KeyPackageTbs<'a> {
    version: ProtocolVersion,
    cipher_suite: CipherSuite,
    init_key: &'a HpkePublicKey,
    leaf_node: &'a LeafNode,
    extensions: &'a Extensions,
}

impl KeyPackage {
    /// Label of the signature (Section 5.1.2).
    pub const SIGNATURE_LABEL: &'static str = "KeyPackageTBS";
    const REF_LABEL: &'static str = "MLS 1.0 KeyPackage Reference";

    /// `KeyPackageTBS`.
    ///
    /// # Errors
    /// [`DecodeError::TooLong`].
    pub fn tbs(&self) -> Result<Vec<u8>, DecodeError> {
        encode(&KeyPackageTbs {
            version: self.version,
            cipher_suite: self.cipher_suite,
            init_key: &self.init_key,
            leaf_node: &self.leaf_node,
            extensions: &self.extensions,
        })
    }

    /// `KeyPackageRef` (Section 5.2). CRY-09: `suite` must be the package's own.
    ///
    /// # Errors
    /// [`CryptoError::OutputTooLong`].
    pub fn reference(&self, suite: &dyn SuiteCrypto) -> Result<Hash, CryptoError> {
        let bytes = encode(self).map_err(|_| CryptoError::OutputTooLong(usize::MAX))?;
        label::ref_hash(suite, Self::REF_LABEL, &bytes)
    }
}
