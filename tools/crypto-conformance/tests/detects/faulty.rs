//! The portable provider with one fault.

use std::sync::Arc;

use mls_crypto::{
    CipherSuite, CryptoError, CryptoProvider, Hash, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Random,
    SealJob, Secret, SignaturePrivateKey, SignaturePublicKey, SignatureScheme, SignedItem, SuiteCrypto,
    SuiteParameters, Tag,
};
use mls_crypto_rust::RustCrypto;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    None,
    HashOfFirstPart,
    ExpandWithoutLimit,
    AeadIgnoresAad,
    AeadCutsNonce,
    HpkeIgnoresAad,
    SealManyReversed,
    ExportIgnoresContext,
    AnyHpkeKeyIsValid,
    ZeroSecretAsOpenFailed,
    DerivesFromPaddedInput,
    AnySignatureKeyIsValid,
    SignatureTailIgnored,
    SmallOrderRefused,
    BatchAcceptsAll,
    BatchNamesLast,
    StrictBatch,
    NewKeysUnchecked,
    RandomFailureIgnored,
}

#[derive(Debug)]
pub(crate) struct Faulty {
    inner: RustCrypto,
    fault: Fault,
}

impl Faulty {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { inner: RustCrypto::default(), fault }
    }
}

impl CryptoProvider for Faulty {
    fn cipher_suites(&self) -> Vec<CipherSuite> {
        self.inner.cipher_suites()
    }

    fn suite(&self, cipher_suite: CipherSuite) -> Result<Arc<dyn SuiteCrypto>, CryptoError> {
        Ok(Arc::new(FaultySuite { inner: self.inner.suite(cipher_suite)?, fault: self.fault }))
    }
}

#[derive(Debug)]
struct FaultySuite {
    inner: Arc<dyn SuiteCrypto>,
    fault: Fault,
}

impl FaultySuite {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// `bytes`, or nothing with this fault.
    fn unless<'a>(&self, fault: Fault, bytes: &'a [u8]) -> &'a [u8] {
        if self.has(fault) { &[] } else { bytes }
    }

    fn is_small_order(&self, public_key: &SignaturePublicKey) -> bool {
        self.inner.parameters().signature == SignatureScheme::Ed25519
            && self.inner.validate_signature_public_key(public_key).is_err()
    }
}

/// Uses zeros where the source fails.
struct Careless<'a>(&'a dyn Random);

impl Random for Careless<'_> {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        if self.0.fill(out).is_err() {
            out.fill(1);
        }
        Ok(())
    }
}

impl SuiteCrypto for FaultySuite {
    fn cipher_suite(&self) -> CipherSuite {
        self.inner.cipher_suite()
    }

    fn parameters(&self) -> SuiteParameters {
        self.inner.parameters()
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        self.inner.hash(if self.has(Fault::HashOfFirstPart) { parts.get(..1).unwrap_or_default() } else { parts })
    }

    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Tag {
        self.inner.mac(key, parts)
    }

    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Secret {
        self.inner.kdf_extract(salt, ikm)
    }

    fn kdf_expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
        let limit = if self.has(Fault::ExpandWithoutLimit) { 255_usize.saturating_mul(self.hash_len()) } else { len };
        self.inner.kdf_expand(prk, info, len.min(limit))
    }

    fn aead_seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        let len = if self.has(Fault::AeadCutsNonce) { nonce.len().min(12) } else { nonce.len() };
        self.inner.aead_seal(key, nonce.get(..len).unwrap(), self.unless(Fault::AeadIgnoresAad, aad), buffer)
    }

    fn aead_open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        let len = if self.has(Fault::AeadCutsNonce) { nonce.len().min(12) } else { nonce.len() };
        self.inner.aead_open(key, nonce.get(..len).unwrap(), self.unless(Fault::AeadIgnoresAad, aad), buffer)
    }

    fn hpke_generate(&self, random: &dyn Random) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        if self.has(Fault::RandomFailureIgnored) {
            return self.inner.hpke_generate(&Careless(random));
        }
        self.inner.hpke_generate(random)
    }

    fn hpke_derive_key_pair(&self, ikm: &[u8]) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        let padding: &[u8] = if self.has(Fault::DerivesFromPaddedInput) { &[0] } else { &[] };
        self.inner.hpke_derive_key_pair(&[ikm, padding].concat())
    }

    fn hpke_public_key(&self, private_key: &HpkePrivateKey) -> Result<HpkePublicKey, CryptoError> {
        self.inner.hpke_public_key(private_key)
    }

    fn validate_hpke_public_key(&self, public_key: &HpkePublicKey) -> Result<(), CryptoError> {
        if self.has(Fault::AnyHpkeKeyIsValid) { Ok(()) } else { self.inner.validate_hpke_public_key(public_key) }
    }

    fn hpke_seal(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.inner.hpke_seal(context, self.unless(Fault::HpkeIgnoresAad, aad), job, random)
    }

    fn hpke_seal_many(
        &self,
        info: &[u8],
        jobs: &[SealJob<'_>],
        random: &dyn Random,
    ) -> Result<Vec<HpkeCiphertext>, CryptoError> {
        let mut sealed = self.inner.hpke_seal_many(info, jobs, random)?;
        if self.has(Fault::SealManyReversed) {
            sealed.reverse();
        }
        Ok(sealed)
    }

    fn hpke_open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        ciphertext: &HpkeCiphertext,
    ) -> Result<Secret, CryptoError> {
        let opened = self.inner.hpke_open(context, self.unless(Fault::HpkeIgnoresAad, aad), key_pair, ciphertext);
        match opened {
            Err(CryptoError::ZeroSharedSecret) if self.has(Fault::ZeroSecretAsOpenFailed) => {
                Err(CryptoError::OpenFailed)
            }
            other => other,
        }
    }

    fn hpke_export_sender(
        &self,
        public_key: &HpkePublicKey,
        inputs: (&[u8], &[u8]),
        len: usize,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError> {
        let inputs = (inputs.0, self.unless(Fault::ExportIgnoresContext, inputs.1));
        self.inner.hpke_export_sender(public_key, inputs, len, random)
    }

    fn hpke_export_receiver(
        &self,
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
        inputs: (&[u8], &[u8]),
        len: usize,
    ) -> Result<Secret, CryptoError> {
        let inputs = (inputs.0, self.unless(Fault::ExportIgnoresContext, inputs.1));
        self.inner.hpke_export_receiver(key_pair, kem_output, inputs, len)
    }

    fn signature_generate(
        &self,
        random: &dyn Random,
    ) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError> {
        self.inner.signature_generate(random)
    }

    fn signature_public_key(&self, private_key: &SignaturePrivateKey) -> Result<SignaturePublicKey, CryptoError> {
        self.inner.signature_public_key(private_key)
    }

    fn validate_signature_public_key(&self, public_key: &SignaturePublicKey) -> Result<(), CryptoError> {
        if self.has(Fault::AnySignatureKeyIsValid) {
            return Ok(());
        }
        self.inner.validate_signature_public_key(public_key)
    }

    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.sign(private_key, message)
    }

    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError> {
        if self.has(Fault::SmallOrderRefused) && self.is_small_order(item.public_key) {
            return Err(CryptoError::InvalidPublicKey);
        }
        let signature = match item.signature.get(..64) {
            Some(head) if self.has(Fault::SignatureTailIgnored) => head,
            _ => item.signature,
        };
        self.inner.verify(SignedItem { signature, ..item })
    }

    fn verify_batch(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        let small_order = |item: &SignedItem<'_>| self.is_small_order(item.public_key);
        match (self.fault, self.inner.verify_batch(items)) {
            (Fault::BatchAcceptsAll, _) => Ok(()),
            (Fault::BatchNamesLast, Err((_, error))) => Err((items.len().saturating_sub(1), error)),
            (Fault::StrictBatch, Ok(())) if items.iter().any(small_order) => Err((0, CryptoError::InvalidSignature)),
            (_, verdict) => verdict,
        }
    }

    fn verify_batch_of_new_keys(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        if self.has(Fault::NewKeysUnchecked) {
            return self.inner.verify_batch(items);
        }
        self.inner.verify_batch_of_new_keys(items)
    }
}
