//! Signature keys and what is verified in batches (RFC 9420, Section 5.1.2).

use core::{any::Any, fmt};

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{CryptoError, Opaque, Secret, SignatureScheme, parsed::Parsed};

/// `SignaturePublicKey` (RFC 9420, Section 5.1.1): RFC 8032 bytes for EdDSA,
/// an uncompressed point for ECDSA.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SignaturePublicKey(Opaque);

impl SignaturePublicKey {
    /// A key with these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Opaque::new(bytes))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for SignaturePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignaturePublicKey({:?})", self.0)
    }
}

/// A signature private key: the 32-byte (Ed25519) or 57-byte (Ed448) seed of RFC 8032,
/// or the big-endian scalar of ECDSA.
///
/// Beside the bytes, it keeps what a provider made of them for signing, so that a key is parsed once however often it
/// signs.
#[derive(Debug)]
pub struct SignaturePrivateKey {
    bytes: Secret,
    parsed: Parsed<SignatureScheme>,
}

impl SignaturePrivateKey {
    /// A key with these bytes.
    pub fn new(secret: Secret) -> Self {
        Self { bytes: secret, parsed: Parsed::default() }
    }

    /// The bytes.
    pub fn secret(&self) -> &Secret {
        &self.bytes
    }

    /// A second owner of the same key; see [`Secret::duplicate`]. What a provider parsed is wiped with the last owner.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { bytes: self.bytes.duplicate(), parsed: self.parsed.clone() }
    }

    /// For providers: does `work` with the key as the library wants it for `scheme`.
    ///
    /// `parse` makes that form from the bytes. It is called once and its result kept, unless a provider with another
    /// form, or the same with another scheme, was first: then the result serves this call alone. `K` has to wipe itself
    /// when dropped.
    ///
    /// # Errors
    /// Those of `parse`, after which nothing is kept, and of `work`.
    pub fn with_parsed<K: Any + Send + Sync, T>(
        &self,
        scheme: SignatureScheme,
        parse: impl FnOnce(&[u8]) -> Result<K, CryptoError>,
        work: impl FnOnce(&K) -> Result<T, CryptoError>,
    ) -> Result<T, CryptoError> {
        self.parsed.with(scheme, || parse(self.bytes.as_slice()), work)
    }
}

/// One signature of a batch: the message is the serialized `SignContent` of
/// [`crate::label::sign_content`].
#[derive(Clone, Copy, Debug)]
pub struct SignedItem<'a> {
    /// By whom.
    pub public_key: &'a SignaturePublicKey,
    /// Over what.
    pub message: &'a [u8],
    /// The claim.
    pub signature: &'a [u8],
}

#[cfg(test)]
mod tests;
