//! The few operations of a delivery service, over the provider that the host hands in (RFC 9420, Section 5.1).
//!
//! In: labels and bytes. Out: digests, tags and verdicts on signatures.
//! Always: what is signed or authenticated begins with a label that no MLS label can be, since those all begin with
//! `MLS 1.0 `; so no signature made here means anything to a group, and none of a group means anything here.

use std::sync::Arc;

use mls_crypto::{
    CipherSuite, CryptoError, CryptoProvider, SignaturePrivateKey, SignaturePublicKey, SignedItem, SuiteCrypto, Tag,
};
use mls_engine::codec::encode;
use tls_codec::{Serialize, TlsSerialize, TlsSize, VLByteSlice};

use crate::{Digest, Rejection};

/// What begins each label of this service.
const PREFIX: &str = "SpacePanda delivery 1 ";

/// The suite whose hash, MAC and Ed25519 serve the service itself: the mandatory one (RFC 9420, Section 17.1).
pub(crate) const OWN_SUITE: CipherSuite = CipherSuite::X25519_AES128;

/// A label and a value, unambiguously.
#[derive(TlsSerialize, TlsSize)]
struct Labelled<'a> {
    label: VLByteSlice<'a>,
    value: VLByteSlice<'a>,
}

/// A provider, and the service's own suite of it.
#[derive(Clone, Debug)]
pub struct ServiceCrypto {
    provider: Arc<dyn CryptoProvider>,
    own: Arc<dyn SuiteCrypto>,
}

impl ServiceCrypto {
    /// Over this provider, which must offer suite 0x0001.
    ///
    /// # Errors
    /// [`CryptoError::UnsupportedSuite`].
    pub fn new(provider: Arc<dyn CryptoProvider>) -> Result<Self, CryptoError> {
        let own = provider.suite(OWN_SUITE)?;
        if own.hash_len() != 32 {
            return Err(CryptoError::UnsupportedSuite(OWN_SUITE));
        }
        Ok(Self { provider, own })
    }

    /// The provider.
    pub fn provider(&self) -> &dyn CryptoProvider {
        self.provider.as_ref()
    }

    /// The service's own suite.
    pub fn own(&self) -> &dyn SuiteCrypto {
        self.own.as_ref()
    }

    /// SHA-256.
    pub fn digest(&self, bytes: &[u8]) -> Digest {
        digest_of(self.own.hash(&[bytes]).as_slice())
    }

    /// SHA-256 of a labelled value.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] for a value that cannot be encoded.
    pub fn labelled_digest(&self, label: &str, value: &impl Serialize) -> Result<Digest, Rejection> {
        Ok(self.digest(&labelled(label, value)?))
    }

    /// A tag over a labelled value.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] for a value that cannot be encoded.
    pub(crate) fn mac(&self, key: &[u8], label: &str, value: &impl Serialize) -> Result<Tag, Rejection> {
        Ok(self.own.mac(key, &[&labelled(label, value)?]))
    }

    /// Signs a labelled value under the scheme of a suite.
    ///
    /// # Errors
    /// As [`SuiteCrypto::sign`], and [`CryptoError::UnsupportedSuite`].
    pub(crate) fn sign(
        &self,
        cipher_suite: CipherSuite,
        key: &SignaturePrivateKey,
        label: &str,
        value: &impl Serialize,
    ) -> Result<Vec<u8>, CryptoError> {
        let message = labelled(label, value).map_err(|_| CryptoError::OutputTooLong(usize::MAX))?;
        self.provider.suite(cipher_suite)?.sign(key, &message)
    }

    /// Whether the signature over a labelled value is the key's.
    ///
    /// # Errors
    /// [`Rejection::BadSignature`], for a suite that is not offered too.
    pub(crate) fn verify(
        &self,
        cipher_suite: CipherSuite,
        public_key: &SignaturePublicKey,
        (label, value): (&str, &impl Serialize),
        signature: &[u8],
    ) -> Result<(), Rejection> {
        let message = labelled(label, value)?;
        let suite = self.provider.suite(cipher_suite).map_err(|_| Rejection::BadSignature)?;
        suite.verify(SignedItem { public_key, message: &message, signature }).map_err(|_| Rejection::BadSignature)
    }
}

fn labelled(label: &str, value: &impl Serialize) -> Result<Vec<u8>, Rejection> {
    let label = [PREFIX, label].concat();
    let value = encode(value).map_err(|_| Rejection::Malformed)?;
    let labelled = Labelled { label: VLByteSlice(label.as_bytes()), value: VLByteSlice(&value) };
    encode(&labelled).map_err(|_| Rejection::Malformed)
}

/// The hash of the service's own suite has 32 bytes: it was looked at when the suite was taken.
fn digest_of(hash: &[u8]) -> Digest {
    Digest::from_slice(hash).unwrap_or(Digest::new([0; 32]))
}
