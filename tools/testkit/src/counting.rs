//! Cryptography that counts what is asked of it.
//!
//! In: any provider. Out: the same provider, and a counter that says how often each kind of operation was called and
//! over how many bytes. Always: results are those of the provider inside.

use std::sync::{Arc, Mutex};

use mls_crypto::{
    CipherSuite, CryptoError, CryptoProvider, Hash, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Random,
    SealJob, Secret, SignaturePrivateKey, SignaturePublicKey, SignedItem, SuiteCrypto, SuiteParameters, Tag,
};

/// How often something was done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Hashes.
    pub hashes: usize,
    /// MACs.
    pub macs: usize,
    /// Extractions and expansions.
    pub kdf: usize,
    /// AEAD seals and opens.
    pub aead: usize,
    /// HPKE key pairs made, derived or looked up.
    pub hpke_keys: usize,
    /// HPKE seals, one per recipient.
    pub hpke_seals: usize,
    /// HPKE opens.
    pub hpke_opens: usize,
    /// Public keys looked at for being valid.
    pub validations: usize,
    /// Signatures made.
    pub signs: usize,
    /// Signatures verified, each of a batch.
    pub verifies: usize,
    /// Those of them that were in batches.
    pub batched: usize,
    /// Bytes hashed, authenticated, encrypted or signed.
    pub bytes: usize,
    /// Those of them that were hashed, also into an HPKE context.
    pub hashed: usize,
    /// Those of them that were encrypted or decrypted.
    pub encrypted: usize,
    /// Those of them that were signed.
    pub signed: usize,
    /// Those of them whose signature was verified.
    pub verified: usize,
}

impl Counts {
    /// Operations of all kinds.
    pub fn operations(&self) -> usize {
        let Self { hashes, macs, kdf, aead, hpke_keys, hpke_seals, hpke_opens, validations, signs, verifies, .. } =
            self;
        hashes + macs + kdf + aead + hpke_keys + hpke_seals + hpke_opens + validations + signs + verifies
    }
}

/// Where the counts of one provider are read.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<Mutex<Counts>>);

impl Counter {
    /// What was counted since the last call.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn add(&self, bytes: usize, count: impl FnOnce(&mut Counts)) {
        let mut counts = self.0.lock().unwrap();
        counts.bytes += bytes;
        count(&mut counts);
    }

    fn encrypted(&self, bytes: usize) {
        self.add(bytes, |counts| {
            counts.aead += 1;
            counts.encrypted += bytes;
        });
    }
}

/// A provider that counts.
#[derive(Debug)]
pub struct CountingCrypto {
    inner: Box<dyn CryptoProvider>,
    counter: Counter,
}

impl CountingCrypto {
    /// Counts what is asked of `inner` into `counter`.
    pub fn new(inner: Box<dyn CryptoProvider>, counter: &Counter) -> Self {
        Self { inner, counter: counter.clone() }
    }
}

impl CryptoProvider for CountingCrypto {
    fn cipher_suites(&self) -> Vec<CipherSuite> {
        self.inner.cipher_suites()
    }

    fn suite(&self, cipher_suite: CipherSuite) -> Result<Arc<dyn SuiteCrypto>, CryptoError> {
        Ok(Arc::new(CountingSuite { inner: self.inner.suite(cipher_suite)?, counter: self.counter.clone() }))
    }
}

#[derive(Debug)]
struct CountingSuite {
    inner: Arc<dyn SuiteCrypto>,
    counter: Counter,
}

fn total(parts: &[&[u8]]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

impl SuiteCrypto for CountingSuite {
    fn cipher_suite(&self) -> CipherSuite {
        self.inner.cipher_suite()
    }

    fn parameters(&self) -> SuiteParameters {
        self.inner.parameters()
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        let bytes = total(parts);
        self.counter.add(bytes, |counts| {
            counts.hashes += 1;
            counts.hashed += bytes;
        });
        self.inner.hash(parts)
    }

    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Tag {
        self.counter.add(total(parts), |counts| counts.macs += 1);
        self.inner.mac(key, parts)
    }

    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Secret {
        self.counter.add(ikm.len(), |counts| counts.kdf += 1);
        self.inner.kdf_extract(salt, ikm)
    }

    fn kdf_expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
        self.counter.add(info.len(), |counts| counts.kdf += 1);
        self.inner.kdf_expand(prk, info, len)
    }

    fn aead_seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.counter.encrypted(aad.len() + buffer.len());
        self.inner.aead_seal(key, nonce, aad, buffer)
    }

    fn aead_open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.counter.encrypted(aad.len() + buffer.len());
        self.inner.aead_open(key, nonce, aad, buffer)
    }

    fn hpke_generate(&self, random: &dyn Random) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        self.counter.add(0, |counts| counts.hpke_keys += 1);
        self.inner.hpke_generate(random)
    }

    fn hpke_derive_key_pair(&self, ikm: &[u8]) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        self.counter.add(ikm.len(), |counts| counts.hpke_keys += 1);
        self.inner.hpke_derive_key_pair(ikm)
    }

    fn hpke_public_key(&self, private_key: &HpkePrivateKey) -> Result<HpkePublicKey, CryptoError> {
        self.counter.add(0, |counts| counts.hpke_keys += 1);
        self.inner.hpke_public_key(private_key)
    }

    fn validate_hpke_public_key(&self, public_key: &HpkePublicKey) -> Result<(), CryptoError> {
        self.counter.add(0, |counts| counts.validations += 1);
        self.inner.validate_hpke_public_key(public_key)
    }

    fn hpke_seal(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.counter.add(context.info.len() + job.plaintext.len(), |counts| {
            counts.hpke_seals += 1;
            counts.hashed += context.info.len();
            counts.encrypted += job.plaintext.len();
        });
        self.inner.hpke_seal(context, aad, job, random)
    }

    fn hpke_seal_many(
        &self,
        info: &[u8],
        jobs: &[SealJob<'_>],
        random: &dyn Random,
    ) -> Result<Vec<HpkeCiphertext>, CryptoError> {
        let plaintexts: usize = jobs.iter().map(|job| job.plaintext.len()).sum();
        self.counter.add(info.len() + plaintexts, |counts| {
            counts.hpke_seals += jobs.len();
            counts.hashed += info.len();
            counts.encrypted += plaintexts;
        });
        self.inner.hpke_seal_many(info, jobs, random)
    }

    fn hpke_open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        ciphertext: &HpkeCiphertext,
    ) -> Result<Secret, CryptoError> {
        self.counter.add(context.info.len(), |counts| {
            counts.hpke_opens += 1;
            counts.hashed += context.info.len();
        });
        self.inner.hpke_open(context, aad, key_pair, ciphertext)
    }

    fn hpke_export_sender(
        &self,
        public_key: &HpkePublicKey,
        inputs: (&[u8], &[u8]),
        len: usize,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError> {
        self.counter.add(0, |counts| counts.hpke_seals += 1);
        self.inner.hpke_export_sender(public_key, inputs, len, random)
    }

    fn hpke_export_receiver(
        &self,
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
        inputs: (&[u8], &[u8]),
        len: usize,
    ) -> Result<Secret, CryptoError> {
        self.counter.add(0, |counts| counts.hpke_opens += 1);
        self.inner.hpke_export_receiver(key_pair, kem_output, inputs, len)
    }

    fn signature_generate(
        &self,
        random: &dyn Random,
    ) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError> {
        self.counter.add(0, |counts| counts.signs += 1);
        self.inner.signature_generate(random)
    }

    fn signature_public_key(&self, private_key: &SignaturePrivateKey) -> Result<SignaturePublicKey, CryptoError> {
        self.counter.add(0, |counts| counts.signs += 1);
        self.inner.signature_public_key(private_key)
    }

    fn validate_signature_public_key(&self, public_key: &SignaturePublicKey) -> Result<(), CryptoError> {
        self.counter.add(0, |counts| counts.validations += 1);
        self.inner.validate_signature_public_key(public_key)
    }

    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.counter.add(message.len(), |counts| {
            counts.signs += 1;
            counts.signed += message.len();
        });
        self.inner.sign(private_key, message)
    }

    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError> {
        self.counter.add(item.message.len(), |counts| {
            counts.verifies += 1;
            counts.verified += item.message.len();
        });
        self.inner.verify(item)
    }

    fn verify_batch(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        let bytes: usize = items.iter().map(|item| item.message.len()).sum();
        self.counter.add(bytes, |counts| {
            counts.verifies += items.len();
            counts.batched += items.len();
            counts.verified += bytes;
        });
        self.inner.verify_batch(items)
    }

    fn verify_batch_of_new_keys(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        let bytes: usize = items.iter().map(|item| item.message.len()).sum();
        // A key package and its leaf have one key.
        let keys = items.chunk_by(|one, next| one.public_key == next.public_key).count();
        self.counter.add(bytes, |counts| {
            counts.validations += keys;
            counts.verifies += items.len();
            counts.batched += items.len();
            counts.verified += bytes;
        });
        self.inner.verify_batch_of_new_keys(items)
    }
}
