//! A cipher suite from its primitives (RFC 9420, Section 5.1).
//!
//! In: [`Primitives`] and the suite's parameters. Out: [`SuiteCrypto`].
//! Always: every method is one call into HPKE (`context`), HKDF (`hkdf`) or a primitive.

use mls_crypto::{
    CipherSuite, CryptoError, Hash, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Random, SealJob,
    Secret, SignaturePrivateKey, SignaturePublicKey, SignedItem, SuiteCrypto, SuiteParameters, Tag,
};

use crate::{AeadCipher, HashFunction, Primitives, SignatureFunctions, context::Hpke, hkdf::Hkdf};

/// One cipher suite over a provider's primitives.
#[derive(Debug)]
pub struct ComposedSuite {
    cipher_suite: CipherSuite,
    parameters: SuiteParameters,
    hash: &'static dyn HashFunction,
    kdf: Hkdf,
    aead: &'static dyn AeadCipher,
    hpke: Hpke,
    signature: &'static dyn SignatureFunctions,
}

impl ComposedSuite {
    /// The suite known as `cipher_suite`; `primitives` must be those that `parameters` names.
    pub fn new(cipher_suite: CipherSuite, parameters: SuiteParameters, primitives: Primitives) -> Self {
        let Primitives { hash, kdf, aead, kem, signature } = primitives;
        let kdf = Hkdf(kdf);
        let hpke = Hpke::new(parameters, kem, kdf, aead);
        Self { cipher_suite, parameters, hash, kdf, aead, hpke, signature }
    }
}

impl SuiteCrypto for ComposedSuite {
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
        let mut mac = [0; MAX_HASH_LEN];
        let mac = mac.get_mut(..self.hash.output_len()).unwrap_or_default();
        self.hash.hmac(key, parts, mac);
        tag(mac)
    }

    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Secret {
        self.kdf.extract(salt, &[ikm])
    }

    fn kdf_expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
        self.kdf.expand(prk, info, len)
    }

    fn aead_seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.aead.seal(key, nonce, aad, buffer)
    }

    fn aead_open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.aead.open(key, nonce, aad, buffer)
    }

    fn hpke_generate(&self, random: &dyn Random) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        self.hpke.kem().generate(random)
    }

    fn hpke_derive_key_pair(&self, ikm: &[u8]) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        self.hpke.kem().derive_key_pair(ikm)
    }

    fn hpke_public_key(&self, private_key: &HpkePrivateKey) -> Result<HpkePublicKey, CryptoError> {
        self.hpke.kem().public_key(private_key.secret().as_slice()).map(HpkePublicKey::new)
    }

    fn validate_hpke_public_key(&self, public_key: &HpkePublicKey) -> Result<(), CryptoError> {
        self.hpke.kem().validate(public_key.as_slice())
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
        self.hpke.seal_many(info, jobs, random)
    }

    fn hpke_open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        ciphertext: &HpkeCiphertext,
    ) -> Result<Secret, CryptoError> {
        self.hpke.open(context, aad, key_pair, ciphertext)
    }

    fn hpke_export_sender(
        &self,
        public_key: &HpkePublicKey,
        inputs: (&[u8], &[u8]),
        len: usize,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError> {
        self.hpke.export_sender(public_key, inputs, len, random)
    }

    fn hpke_export_receiver(
        &self,
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
        inputs: (&[u8], &[u8]),
        len: usize,
    ) -> Result<Secret, CryptoError> {
        self.hpke.export_receiver(key_pair, kem_output, inputs, len)
    }

    fn signature_generate(
        &self,
        random: &dyn Random,
    ) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError> {
        self.signature.generate(random)
    }

    fn signature_public_key(&self, private_key: &SignaturePrivateKey) -> Result<SignaturePublicKey, CryptoError> {
        self.signature.public_key(private_key.secret().as_slice())
    }

    fn validate_signature_public_key(&self, public_key: &SignaturePublicKey) -> Result<(), CryptoError> {
        self.signature.validate(public_key.as_slice())
    }

    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.signature.sign(private_key, message)
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

#[expect(clippy::expect_used, reason = "no suite's hash is longer than 64 bytes, and the slice is cut from as many")]
fn tag(mac: &[u8]) -> Tag {
    Tag::from_slice(mac).expect("at most 64 bytes")
}

/// Longest `Nh` of any suite, in bytes.
const MAX_HASH_LEN: usize = 64;
