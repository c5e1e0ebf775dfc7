//! One cipher suite: its algorithms behind the provider trait (RFC 9420, Section 5.1).
//!
//! In: a suite id and its parameters. Out: the operations, each forwarded to the module of its section.
//! Always: all algorithms are looked up when the suite is made.

use mls_crypto::{
    CipherSuite, CryptoError, Hash, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Random, SealJob,
    Secret, SignaturePrivateKey, SignaturePublicKey, SignedItem, SuiteCrypto, SuiteParameters, Tag,
};

use crate::aead;
use crate::digest::{self, DigestOps};
use crate::hpke::{self, Export, HpkeOps, Receiver};
use crate::kem::{self, KemOps};
use crate::signature::{self, SignatureOps};

/// The operations of one suite.
#[derive(Debug)]
pub(crate) struct RustSuite {
    cipher_suite: CipherSuite,
    parameters: SuiteParameters,
    hash: &'static dyn DigestOps,
    kdf: &'static dyn DigestOps,
    kem: &'static dyn KemOps,
    hpke: &'static dyn HpkeOps,
    signature: &'static dyn SignatureOps,
}

impl RustSuite {
    /// The suite, if all its algorithms are here and hash and KDF agree on `Nh`.
    pub(crate) fn new(cipher_suite: CipherSuite, parameters: SuiteParameters) -> Option<Self> {
        let kdf = digest::hash_of(parameters.kdf)?;
        if kdf.output_len() != parameters.hash.output_len() || !aead::supports(parameters.aead) {
            return None;
        }
        Some(Self {
            cipher_suite,
            parameters,
            hash: digest::of_hash(parameters.hash)?,
            kdf: digest::of_hash(kdf)?,
            kem: kem::of_kem(parameters.kem)?,
            hpke: hpke::of_suite(&parameters)?,
            signature: signature::of_scheme(parameters.signature)?,
        })
    }
}

impl SuiteCrypto for RustSuite {
    fn cipher_suite(&self) -> CipherSuite {
        self.cipher_suite
    }

    fn parameters(&self) -> SuiteParameters {
        self.parameters
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        self.hash.hash(parts)
    }

    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Tag {
        self.hash.mac(key, parts)
    }

    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Secret {
        self.kdf.extract(salt, ikm)
    }

    fn kdf_expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
        self.kdf.expand(prk, info, len)
    }

    fn aead_seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        aead::seal(self.parameters.aead, aead::Inputs { key, nonce, aad }, buffer)
    }

    fn aead_open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        aead::open(self.parameters.aead, aead::Inputs { key, nonce, aad }, buffer)
    }

    fn hpke_generate(&self, random: &dyn Random) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        self.kem.generate(random)
    }

    fn hpke_derive_key_pair(&self, ikm: &[u8]) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        Ok(self.kem.derive_key_pair(ikm))
    }

    fn hpke_public_key(&self, private_key: &HpkePrivateKey) -> Result<HpkePublicKey, CryptoError> {
        self.kem.public_key(private_key)
    }

    fn validate_hpke_public_key(&self, public_key: &HpkePublicKey) -> Result<(), CryptoError> {
        self.kem.validate(public_key)
    }

    fn hpke_seal(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.hpke.seal(context, aad, job, random)
    }

    fn hpke_seal_many(
        &self,
        info: &[u8],
        jobs: &[SealJob<'_>],
        random: &dyn Random,
    ) -> Result<Vec<HpkeCiphertext>, CryptoError> {
        let context = HpkeContext::base(info);
        jobs.iter().map(|job| self.hpke.seal(&context, &[], *job, random)).collect()
    }

    fn hpke_open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        ciphertext: &HpkeCiphertext,
    ) -> Result<Secret, CryptoError> {
        let receiver = Receiver { private_key: key_pair.0, kem_output: ciphertext.kem_output.as_slice() };
        self.hpke.open(context, aad, receiver, ciphertext.ciphertext.as_slice())
    }

    fn hpke_export_sender(
        &self,
        public_key: &HpkePublicKey,
        inputs: (&[u8], &[u8]),
        len: usize,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError> {
        let (info, exporter_context) = inputs;
        self.hpke.export_sender(public_key, Export { info, exporter_context, len }, random)
    }

    fn hpke_export_receiver(
        &self,
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
        inputs: (&[u8], &[u8]),
        len: usize,
    ) -> Result<Secret, CryptoError> {
        let (info, exporter_context) = inputs;
        let receiver = Receiver { private_key: key_pair.0, kem_output };
        self.hpke.export_receiver(receiver, Export { info, exporter_context, len })
    }

    fn signature_generate(
        &self,
        random: &dyn Random,
    ) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError> {
        let private_key = SignaturePrivateKey::new(self.signature.generate(random)?);
        let public_key = self.signature_public_key(&private_key)?;
        Ok((private_key, public_key))
    }

    fn signature_public_key(&self, private_key: &SignaturePrivateKey) -> Result<SignaturePublicKey, CryptoError> {
        self.signature.public_key(private_key.secret().as_slice()).map(SignaturePublicKey::new)
    }

    fn validate_signature_public_key(&self, public_key: &SignaturePublicKey) -> Result<(), CryptoError> {
        self.signature.validate(public_key.as_slice())
    }

    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.signature.sign(private_key.secret().as_slice(), message)
    }

    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError> {
        self.signature.verify(item)
    }

    fn verify_batch(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        self.signature.verify_batch(items)
    }

    fn verify_batch_of_new_keys(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        self.signature.verify_batch_of_new_keys(items)
    }
}
