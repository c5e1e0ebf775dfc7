//! Hashing and signing (RFC 9420, Section 5.1), over the provider that the host hands in.
//!
//! Always: what is signed begins with a label that no MLS label can be, since those all begin with `MLS 1.0 `; so no
//! signature made here means anything to a group, and none of a group means anything here. Ed25519 and SHA-256.

use std::sync::Arc;

use mls_crypto::{
    CipherSuite, CryptoError, CryptoProvider, Secret, SignaturePrivateKey, SignaturePublicKey, SignedItem, SuiteCrypto,
};
use tls_codec::{Serialize, VLByteSlice};

use crate::DiscoveryError;

const PREFIX: &str = "SpacePanda discovery 1 ";
/// Its AEAD has keys of 32 bytes; its hash is SHA-256 and its signatures are Ed25519, as those of suite 0x0001.
const SUITE: CipherSuite = CipherSuite::X25519_CHACHA20;

/// Bytes of a content hash.
pub(crate) const HASH_LEN: usize = 32;

/// The operations of a directory.
#[derive(Clone, Debug)]
pub struct DirectoryCrypto(Arc<dyn SuiteCrypto>);

impl DirectoryCrypto {
    /// Over this provider, which must offer suite 0x0003.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSuite`].
    pub fn new(provider: &dyn CryptoProvider) -> Result<Self, CryptoError> {
        let suite = provider.suite(SUITE)?;
        if suite.hash_len() == HASH_LEN { Ok(Self(suite)) } else { Err(CryptoError::UnsupportedSuite(SUITE)) }
    }

    pub(crate) fn suite(&self) -> &dyn SuiteCrypto {
        self.0.as_ref()
    }

    pub(crate) fn hash(&self, bytes: &[u8]) -> Result<[u8; HASH_LEN], DiscoveryError> {
        self.0.hash(&[bytes]).as_slice().try_into().map_err(|_| DiscoveryError::Malformed)
    }

    /// Signs a message under Ed25519, as [`crate::GroupPublicInfo::from_metadata_with`] asks for it.
    ///
    /// # Errors
    /// As the provider signs.
    pub fn sign(&self, key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.0.sign(key, message)
    }

    pub(crate) fn verify(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), DiscoveryError> {
        let public_key = &SignaturePublicKey::new(key.to_vec());
        self.0.verify(SignedItem { public_key, message, signature }).map_err(|_| DiscoveryError::BadSignature)
    }

    /// A key for one purpose.
    pub(crate) fn derive(&self, key: &Secret, label: &str) -> Result<Secret, DiscoveryError> {
        Ok(self.0.kdf_expand(key.as_slice(), [PREFIX, label].concat().as_bytes(), self.0.aead_key_len())?)
    }
}

/// A label and a value, unambiguously.
pub(crate) fn labelled(label: &str, value: &impl Serialize) -> Result<Vec<u8>, DiscoveryError> {
    let mut bytes = Vec::new();
    let label = [PREFIX, label].concat();
    let value = value.tls_serialize_detached().map_err(|_| DiscoveryError::Malformed)?;
    for part in [label.as_bytes(), &value] {
        VLByteSlice(part).tls_serialize(&mut bytes).map_err(|_| DiscoveryError::Malformed)?;
    }
    Ok(bytes)
}
