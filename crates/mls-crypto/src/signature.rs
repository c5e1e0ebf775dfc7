//! Signature keys and what is verified in batches (RFC 9420, Section 5.1.2).

use core::fmt;

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{Opaque, Secret};

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
#[derive(Debug)]
pub struct SignaturePrivateKey(Secret);

impl SignaturePrivateKey {
    /// A key with these bytes.
    pub fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// The bytes.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// A second owner of the same key; see [`Secret::duplicate`].
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
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
