//! DHKEM: a KEM from a Diffie-Hellman group (RFC 9180, Sections 4.1 and 7.1).
//!
//! In: keys as RFC 9180 serializes them. Out: shared secrets and KEM outputs.
//! Always: no shared secret is derived from an all-zero Diffie-Hellman result.

use mls_crypto::{CryptoError, HpkePrivateKey, HpkePublicKey, Kem, Random, Secret};
use subtle::ConstantTimeEq;

use crate::{
    DiffieHellman, HashFunction, KeyEncapsulation, KeyPair,
    hkdf::{Hkdf, LabeledHkdf},
};

/// DHKEM over `G` (RFC 9180, Section 4.1).
#[derive(Debug)]
pub struct DhKem<G> {
    group: G,
    labeled: LabeledHkdf,
}

/// How `DeriveKeyPair` gets from bytes to a key (RFC 9180, Section 7.1.3).
#[derive(Clone, Copy, Debug)]
enum Derivation {
    /// X25519, X448: any string of `Nsk` bytes is a key, once clamped: `first` keeps these bits of the first byte;
    /// in the last byte, bits above `top` are cleared and `top` is set.
    Clamped { first: u8, top: u8 },
    /// NIST curves: candidates with this mask over the first byte, until one is in `1..n`.
    Rejection { bitmask: u8 },
}

impl<G: DiffieHellman> DhKem<G> {
    /// `hash` is the one of the KEM's own KDF (RFC 9180, Section 7.1), whatever the KDF of the suite.
    pub fn new(group: G, hash: &'static dyn HashFunction) -> Self {
        let suite_id = [&b"KEM"[..], &group.kem().id().to_be_bytes()].concat();
        Self { group, labeled: LabeledHkdf::new(Hkdf(hash), suite_id) }
    }

    /// `Nsk` in bytes, and how keys are derived.
    fn key_shape(&self) -> (usize, Derivation) {
        match self.group.kem() {
            Kem::P256 => (32, Derivation::Rejection { bitmask: 0xff }),
            Kem::P384 => (48, Derivation::Rejection { bitmask: 0xff }),
            Kem::P521 => (66, Derivation::Rejection { bitmask: 0x01 }),
            Kem::X448 => (56, Derivation::Clamped { first: 0xfc, top: 0x80 }),
            _ => (32, Derivation::Clamped { first: 0xf8, top: 0x40 }),
        }
    }

    /// A key from `Nsk` random bytes: as they are where any bytes are a key, through `DeriveKeyPair` elsewhere.
    fn fresh(&self, random: &dyn Random) -> Result<(Secret, G::PrivateKey), CryptoError> {
        let (len, derivation) = self.key_shape();
        let mut bytes = Secret::zero(len);
        random.fill(bytes.as_mut_slice())?;
        match derivation {
            Derivation::Clamped { first, top } => self.clamped(bytes, first, top),
            Derivation::Rejection { .. } => self.derive(bytes.as_slice()),
        }
    }

    /// `DeriveKeyPair(ikm)` without the public half.
    fn derive(&self, ikm: &[u8]) -> Result<(Secret, G::PrivateKey), CryptoError> {
        let (len, derivation) = self.key_shape();
        let dkp_prk = self.labeled.extract(&[], b"dkp_prk", ikm);
        match derivation {
            Derivation::Clamped { first, top } => {
                self.clamped(self.labeled.expand(&dkp_prk, b"sk", &[], len)?, first, top)
            }
            Derivation::Rejection { bitmask } => self.first_candidate(&dkp_prk, len, bitmask),
        }
    }

    /// `SerializePrivateKey` clamps (RFC 9180, Section 7.1.2; RFC 7748, Section 5).
    fn clamped(&self, mut bytes: Secret, first: u8, top: u8) -> Result<(Secret, G::PrivateKey), CryptoError> {
        if let [head, .., tail] = bytes.as_mut_slice() {
            *head &= first;
            *tail = *tail & top.wrapping_sub(1) | top;
        }
        let private_key = self.group.private_key(bytes.as_slice())?;
        Ok((bytes, private_key))
    }

    /// The first candidate in `1..n`.
    fn first_candidate(
        &self,
        dkp_prk: &Secret,
        len: usize,
        bitmask: u8,
    ) -> Result<(Secret, G::PrivateKey), CryptoError> {
        for counter in 0..=u8::MAX {
            let mut bytes = self.labeled.expand(dkp_prk, b"candidate", &[counter], len)?;
            if let Some(first) = bytes.as_mut_slice().first_mut() {
                *first &= bitmask;
            }
            if let Ok(private_key) = self.group.private_key(bytes.as_slice()) {
                return Ok((bytes, private_key));
            }
        }
        Err(CryptoError::Library)
    }

    fn key_pair(&self, (bytes, private_key): (Secret, G::PrivateKey)) -> Result<KeyPair, CryptoError> {
        let public_key = self.group.public_key(&private_key)?;
        let bytes = HpkePrivateKey::new(bytes);
        // It is parsed already.
        bytes.with_parsed(self.group.kem(), |_| Ok(private_key), |_: &G::PrivateKey| Ok(()))?;
        Ok((bytes, HpkePublicKey::new(public_key)))
    }

    /// `DH(sk, pk)`, refused if all zero.
    fn agree(&self, private_key: &G::PrivateKey, public_key: &[u8]) -> Result<Secret, CryptoError> {
        let dh = self.group.agree(private_key, public_key)?;
        // CRY-08 (RFC 9180, Section 7.1.4): checked here whatever the library promises, in constant time.
        let zero = vec![0; dh.len()];
        if bool::from(dh.as_slice().ct_eq(&zero)) {
            return Err(CryptoError::ZeroSharedSecret);
        }
        Ok(dh)
    }

    /// `ExtractAndExpand(dh, kem_context)`, the context being the KEM output and the recipient's public key.
    fn shared_secret(&self, dh: &Secret, kem_output: &[u8], public_key: &[u8]) -> Result<Secret, CryptoError> {
        let eae_prk = self.labeled.extract(&[], b"eae_prk", dh.as_slice());
        let kem_context = [kem_output, public_key].concat();
        self.labeled.expand(&eae_prk, b"shared_secret", &kem_context, self.labeled.output_len())
    }
}

impl<G: DiffieHellman> KeyEncapsulation for DhKem<G> {
    fn generate(&self, random: &dyn Random) -> Result<KeyPair, CryptoError> {
        self.key_pair(self.fresh(random)?)
    }

    fn derive_key_pair(&self, ikm: &[u8]) -> Result<KeyPair, CryptoError> {
        self.key_pair(self.derive(ikm)?)
    }

    fn public_key(&self, private_key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.group.public_key(&self.group.private_key(private_key)?)
    }

    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError> {
        self.group.validate(public_key)
    }

    fn encapsulate(&self, public_key: &[u8], random: &dyn Random) -> Result<(Secret, Vec<u8>), CryptoError> {
        let (_, ephemeral) = self.fresh(random)?;
        let dh = self.agree(&ephemeral, public_key)?;
        let kem_output = self.group.public_key(&ephemeral)?;
        let shared_secret = self.shared_secret(&dh, &kem_output, public_key)?;
        Ok((shared_secret, kem_output))
    }

    fn decapsulate(
        &self,
        private_key: &HpkePrivateKey,
        public_key: &[u8],
        kem_output: &[u8],
    ) -> Result<Secret, CryptoError> {
        // Parsing derives the public key again.
        let parse = |bytes: &[u8]| self.group.private_key(bytes);
        let dh = private_key.with_parsed(self.group.kem(), parse, |private_key: &G::PrivateKey| {
            self.agree(private_key, kem_output).map_err(|error| match error {
                CryptoError::InvalidPublicKey => CryptoError::InvalidKemOutput,
                other => other,
            })
        })?;
        self.shared_secret(&dh, kem_output, public_key)
    }
}

#[cfg(test)]
mod tests;
