//! What the tests of this module share: a suite that counts, and an image of what a store holds.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use mls_crypto::{
    CipherSuite, CryptoError, CryptoProvider, Hash, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Random,
    SealJob, Secret, SignaturePrivateKey, SignaturePublicKey, SignedItem, SuiteCrypto, SuiteParameters, Tag,
};
use mls_crypto_rust::RustCrypto;

use super::{EncryptionSecret, SecretTree, SecretTreeChange};
use crate::math::LeafCount;

/// The mandatory suite, counting how often a key is derived.
#[derive(Debug)]
pub(super) struct Counting {
    inner: Arc<dyn SuiteCrypto>,
    expansions: AtomicUsize,
}

impl Counting {
    pub(super) fn new() -> Self {
        let inner = RustCrypto::default().suite(CipherSuite::X25519_AES128).unwrap();
        Self { inner, expansions: AtomicUsize::new(0) }
    }

    /// Expansions during `work`.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> (T, usize) {
        let before = self.expansions.load(Ordering::Relaxed);
        let value = work();
        (value, self.expansions.load(Ordering::Relaxed).saturating_sub(before))
    }
}

/// A random source that gives one byte for ever.
pub(super) struct Constant(pub(super) u8);

impl Random for Constant {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill(self.0);
        Ok(())
    }
}

/// A random source that fails.
pub(super) struct Broken;

impl Random for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::Random)
    }
}

pub(super) fn secret(byte: u8) -> Secret {
    Secret::copy_from(&[byte; 32])
}

pub(super) fn tree_of(leaves: u32) -> SecretTree {
    SecretTree::new(EncryptionSecret::from_secret(secret(1)), LeafCount::covering(leaves).unwrap())
}

/// What a store holds: records by name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Image(BTreeMap<String, (u32, u64, Vec<u8>)>);

impl Image {
    pub(super) fn of(tree: &SecretTree) -> Self {
        let mut image = Self::default();
        image.store(tree.dump());
        image
    }

    pub(super) fn store(&mut self, changes: Vec<SecretTreeChange>) {
        for change in changes {
            match change {
                SecretTreeChange::PutNode { node, secret } => {
                    self.0.insert(format!("node {node:?}"), (0, 0, secret.as_slice().to_vec()));
                }
                SecretTreeChange::DeleteNode { node } => assert!(self.0.remove(&format!("node {node:?}")).is_some()),
                SecretTreeChange::PutRatchet { leaf, kind, generation, secret } => {
                    self.0.insert(format!("ratchet {leaf} {kind:?}"), (generation, 0, secret.as_slice().to_vec()));
                }
                SecretTreeChange::DeleteRatchet { leaf, kind } => {
                    assert!(self.0.remove(&format!("ratchet {leaf} {kind:?}")).is_some());
                }
                SecretTreeChange::PutSkipped { id, created, message_key } => {
                    let bytes = [message_key.key.as_slice(), message_key.nonce.as_slice()].concat();
                    self.0.insert(format!("skipped {id:?}"), (0, created, bytes));
                }
                SecretTreeChange::DeleteSkipped { id } => assert!(self.0.remove(&format!("skipped {id:?}")).is_some()),
            }
        }
    }

    /// How many records have a name that begins like this.
    pub(super) fn count(&self, prefix: &str) -> usize {
        self.0.keys().filter(|name| name.starts_with(prefix)).count()
    }

    /// Whether any record holds these bytes.
    pub(super) fn holds(&self, secret: &[u8]) -> bool {
        self.0.values().any(|(.., bytes)| bytes == secret)
    }
}

/// Passes everything on to the suite inside.
impl SuiteCrypto for Counting {
    fn cipher_suite(&self) -> CipherSuite {
        self.inner.cipher_suite()
    }
    fn parameters(&self) -> SuiteParameters {
        self.inner.parameters()
    }
    fn hash(&self, parts: &[&[u8]]) -> Hash {
        self.inner.hash(parts)
    }
    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Tag {
        self.inner.mac(key, parts)
    }
    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Secret {
        self.inner.kdf_extract(salt, ikm)
    }
    fn kdf_expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
        self.expansions.fetch_add(1, Ordering::Relaxed);
        self.inner.kdf_expand(prk, info, len)
    }
    fn aead_seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.inner.aead_seal(key, nonce, aad, buffer)
    }
    fn aead_open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.inner.aead_open(key, nonce, aad, buffer)
    }
    fn hpke_generate(&self, random: &dyn Random) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        self.inner.hpke_generate(random)
    }
    fn hpke_derive_key_pair(&self, ikm: &[u8]) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        self.inner.hpke_derive_key_pair(ikm)
    }
    fn hpke_public_key(&self, private_key: &HpkePrivateKey) -> Result<HpkePublicKey, CryptoError> {
        self.inner.hpke_public_key(private_key)
    }
    fn validate_hpke_public_key(&self, public_key: &HpkePublicKey) -> Result<(), CryptoError> {
        self.inner.validate_hpke_public_key(public_key)
    }
    fn hpke_seal(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.inner.hpke_seal(context, aad, job, random)
    }
    fn hpke_seal_many(
        &self,
        info: &[u8],
        jobs: &[SealJob<'_>],
        random: &dyn Random,
    ) -> Result<Vec<HpkeCiphertext>, CryptoError> {
        self.inner.hpke_seal_many(info, jobs, random)
    }
    fn hpke_open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        ciphertext: &HpkeCiphertext,
    ) -> Result<Secret, CryptoError> {
        self.inner.hpke_open(context, aad, key_pair, ciphertext)
    }
    fn hpke_export_sender(
        &self,
        public_key: &HpkePublicKey,
        inputs: (&[u8], &[u8]),
        len: usize,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError> {
        self.inner.hpke_export_sender(public_key, inputs, len, random)
    }
    fn hpke_export_receiver(
        &self,
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
        inputs: (&[u8], &[u8]),
        len: usize,
    ) -> Result<Secret, CryptoError> {
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
        self.inner.validate_signature_public_key(public_key)
    }
    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.sign(private_key, message)
    }
    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError> {
        self.inner.verify(item)
    }
}
