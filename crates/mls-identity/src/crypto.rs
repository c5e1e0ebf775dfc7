//! Hashing and signing, over the provider that the host hands in.
//!
//! Always: what is signed begins with a label that no label of MLS can be, since those begin with `MLS 1.0 ` (RFC 9420,
//! Section 5.1.2), and no label of another part of this project; Ed25519 and SHA-256, whatever the suite of the group.

use std::sync::Arc;

use mls_crypto::{
    CipherSuite, CryptoError, CryptoProvider, Hash, KeySigner, Random, SignaturePrivateKey, SignaturePublicKey,
    SignedItem, SuiteCrypto,
};
use tls_codec::{Serialize, VLByteSlice};

use crate::IdentityError;

const PREFIX: &str = "SpacePanda identity 1 ";
/// Its hash is SHA-256 and its signatures are Ed25519.
const SUITE: CipherSuite = CipherSuite::X25519_CHACHA20;

/// The operations of master keys.
#[derive(Clone, Debug)]
pub struct IdentityCrypto(Arc<dyn SuiteCrypto>);

impl IdentityCrypto {
    /// Over this provider, which must offer suite 0x0003.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSuite`].
    pub fn new(provider: &dyn CryptoProvider) -> Result<Self, CryptoError> {
        Ok(Self(provider.suite(SUITE)?))
    }

    /// A new master key. Keep its private half apart from the devices: on paper, in a token, sealed in a backup.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    pub fn generate_master_key(
        &self,
        random: &dyn Random,
    ) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError> {
        self.0.signature_generate(random)
    }

    /// A master key of this process as what signs certificates; one that is elsewhere is a [`mls_crypto::Signer`] itself.
    ///
    /// # Errors
    /// [`CryptoError::InvalidPrivateKey`].
    pub fn master_signer(&self, private: SignaturePrivateKey) -> Result<KeySigner, CryptoError> {
        KeySigner::new(Arc::clone(&self.0), private)
    }

    pub(crate) fn hash(&self, parts: &[&[u8]]) -> Hash {
        self.0.hash(parts)
    }

    pub(crate) fn verify(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), IdentityError> {
        let public_key = &SignaturePublicKey::new(key.to_vec());
        self.0.verify(SignedItem { public_key, message, signature }).map_err(|_| IdentityError::BadSignature)
    }
}

/// A label and a value, unambiguously.
pub(crate) fn labelled(label: &str, value: &impl Serialize) -> Result<Vec<u8>, IdentityError> {
    let mut bytes = Vec::new();
    let label = [PREFIX, label].concat();
    let value = value.tls_serialize_detached().map_err(|_| IdentityError::Invalid)?;
    for part in [label.as_bytes(), &value] {
        VLByteSlice(part).tls_serialize(&mut bytes).map_err(|_| IdentityError::Invalid)?;
    }
    Ok(bytes)
}
