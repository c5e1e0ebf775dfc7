//! HPKE keys, ciphertexts and call parameters (RFC 9420, Section 5.1.3; RFC 9180).

use core::{any::Any, fmt};

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{CryptoError, Kem, Opaque, Secret, parsed::Parsed};

/// An HPKE public key, serialized as RFC 9180 says for the suite's KEM.
///
/// Decoding does not validate: [`crate::SuiteCrypto::validate_hpke_public_key`] does (CRY-02).
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct HpkePublicKey(Opaque);

impl HpkePublicKey {
    /// A key with these serialized bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Opaque::new(bytes))
    }

    /// The serialized bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for HpkePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HpkePublicKey({:?})", self.0)
    }
}

/// An HPKE private key, serialized as RFC 9180 says for the suite's KEM.
///
/// Beside the bytes, it keeps what a provider made of them for opening, so that a key is parsed once.
#[derive(Debug)]
pub struct HpkePrivateKey {
    bytes: Secret,
    parsed: Parsed<Kem>,
}

impl HpkePrivateKey {
    /// A key with these serialized bytes.
    pub fn new(secret: Secret) -> Self {
        Self { bytes: secret, parsed: Parsed::default() }
    }

    /// The serialized bytes.
    pub fn secret(&self) -> &Secret {
        &self.bytes
    }

    /// A second owner of the same key; see [`Secret::duplicate`]. What a provider parsed is wiped with the last owner.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { bytes: self.bytes.duplicate(), parsed: self.parsed.clone() }
    }

    /// As [`crate::SignaturePrivateKey::with_parsed`], for a KEM.
    ///
    /// # Errors
    /// Those of `parse`, after which nothing is kept, and of `work`.
    pub fn with_parsed<K: Any + Send + Sync, T>(
        &self,
        kem: Kem,
        parse: impl FnOnce(&[u8]) -> Result<K, CryptoError>,
        work: impl FnOnce(&K) -> Result<T, CryptoError>,
    ) -> Result<T, CryptoError> {
        self.parsed.with(kem, || parse(self.bytes.as_slice()), work)
    }
}

/// `HPKECiphertext` (RFC 9420, Section 7.6).
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct HpkeCiphertext {
    /// Encapsulated key.
    pub kem_output: Opaque,
    /// AEAD ciphertext with its tag.
    pub ciphertext: Opaque,
}

/// Key schedule inputs of one HPKE context besides the keys (RFC 9180, Section 5.1).
#[derive(Clone, Copy, Debug)]
pub struct HpkeContext<'a> {
    /// Bound into the key schedule.
    pub info: &'a [u8],
    /// `None` for base mode, otherwise PSK mode.
    pub psk: Option<HpkePsk<'a>>,
}

impl<'a> HpkeContext<'a> {
    /// Base mode with this `info`.
    pub const fn base(info: &'a [u8]) -> Self {
        Self { info, psk: None }
    }
}

/// Pre-shared key of HPKE PSK mode (RFC 9180, Section 5.1.2).
#[derive(Clone, Copy)]
pub struct HpkePsk<'a> {
    /// At least 32 bytes of entropy.
    pub psk: &'a [u8],
    /// Its public name.
    pub psk_id: &'a [u8],
}

impl fmt::Debug for HpkePsk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { psk: _, psk_id } = self;
        f.debug_struct("HpkePsk").field("psk_id", psk_id).finish_non_exhaustive()
    }
}

/// One recipient of [`crate::SuiteCrypto::hpke_seal_many`].
#[derive(Clone, Copy)]
pub struct SealJob<'a> {
    /// To whom.
    pub public_key: &'a HpkePublicKey,
    /// What; secret.
    pub plaintext: &'a [u8],
}

impl fmt::Debug for SealJob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { public_key, plaintext: _ } = self;
        f.debug_struct("SealJob").field("public_key", public_key).finish_non_exhaustive()
    }
}
