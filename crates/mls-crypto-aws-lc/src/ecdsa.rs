//! ECDSA on P-256, P-384 and P-521 (RFC 9420, Section 5.1.2).
//!
//! In: big-endian scalars, uncompressed points, DER signatures. Out: DER signatures with low `s`.
//! Always: DER is parsed strictly, so one signature has one encoding.

use aws_lc_rs::{
    agreement,
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, VerificationAlgorithm},
};
use mls_crypto::{CryptoError, Random, Secret, SignaturePrivateKey, SignaturePublicKey, SignatureScheme, SignedItem};
use mls_crypto_compose::{DiffieHellman, SignatureFunctions};

use crate::group::{self, Group};

mod der;
mod low_s;

/// ECDSA on one curve with one hash.
#[derive(Debug)]
pub(crate) struct Ecdsa {
    /// The curve, for everything but signing.
    group: Group,
    scheme: SignatureScheme,
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
    /// Order of the base point, big-endian; as long as a scalar.
    order: &'static [u8],
    /// Over the first byte of random scalars.
    bitmask: u8,
}

pub(crate) static P256_SHA256: Ecdsa = Ecdsa {
    group: group::P256,
    scheme: SignatureScheme::EcdsaP256Sha256,
    signing: &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
    verification: &signature::ECDSA_P256_SHA256_ASN1,
    order: &low_s::P256_ORDER,
    bitmask: 0xff,
};

pub(crate) static P384_SHA384: Ecdsa = Ecdsa {
    group: group::P384,
    scheme: SignatureScheme::EcdsaP384Sha384,
    signing: &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
    verification: &signature::ECDSA_P384_SHA384_ASN1,
    order: &low_s::P384_ORDER,
    bitmask: 0xff,
};

pub(crate) static P521_SHA512: Ecdsa = Ecdsa {
    group: group::P521,
    scheme: SignatureScheme::EcdsaP521Sha512,
    signing: &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
    verification: &signature::ECDSA_P521_SHA512_ASN1,
    order: &low_s::P521_ORDER,
    bitmask: 0x01,
};

impl Ecdsa {
    fn public_key_of(&self, private_key: &agreement::PrivateKey) -> Result<SignaturePublicKey, CryptoError> {
        self.group.public_key(private_key).map(SignaturePublicKey::new)
    }

    fn key_pair(&self, private_key: &[u8]) -> Result<EcdsaKeyPair, CryptoError> {
        let public_key = self.public_key(private_key)?;
        EcdsaKeyPair::from_private_key_and_public_key(self.signing, private_key, public_key.as_slice())
            .map_err(|_| CryptoError::InvalidPrivateKey)
    }
}

impl SignatureFunctions for Ecdsa {
    fn generate(&self, random: &dyn Random) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError> {
        let mut scalar = Secret::zero(self.order.len());
        for _ in 0..MAX_DRAWS {
            random.fill(scalar.as_mut_slice())?;
            if let Some(first) = scalar.as_mut_slice().first_mut() {
                *first &= self.bitmask;
            }
            if let Ok(private_key) = self.group.private_key(scalar.as_slice()) {
                let public_key = self.public_key_of(&private_key)?;
                return Ok((SignaturePrivateKey::new(scalar), public_key));
            }
        }
        Err(CryptoError::Random)
    }

    fn public_key(&self, private_key: &[u8]) -> Result<SignaturePublicKey, CryptoError> {
        self.public_key_of(&self.group.private_key(private_key)?)
    }

    fn validate(&self, public_key: &[u8]) -> Result<(), CryptoError> {
        // CRY-03 (RFC 9420, Section 5.1.1): uncompressed, on the curve.
        self.group.validate(public_key)
    }

    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let parse = |bytes: &[u8]| self.key_pair(bytes);
        let signature = private_key.with_parsed(self.scheme, parse, |key_pair: &EcdsaKeyPair| {
            key_pair.sign(&SystemRandom::new(), message).map_err(|_| CryptoError::Library)
        })?;
        let (r, s) = signature.as_ref().split_at_checked(self.order.len()).ok_or(CryptoError::Library)?;
        der::encode(r, &low_s::normalize(s, self.order))
    }

    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError> {
        let public_key = item.public_key.as_slice();
        self.group.check_form(public_key)?;
        // CRY-05 (RFC 9420, Section 5.1.2): aws-lc takes strict DER only.
        if self.verification.verify_sig(public_key, item.message, item.signature).is_ok() {
            return Ok(());
        }
        self.validate(public_key)?;
        Err(CryptoError::InvalidSignature)
    }
}

/// A working source gives a scalar out of range less than once in 2^32 draws; so many in a row mean a broken one.
const MAX_DRAWS: usize = 64;
