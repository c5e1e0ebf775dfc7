//! Our cryptography with the key pairs that OpenMLS derives in X-Wing suites.
//!
//! OpenMLS 0.9.2 derives the seed of a key pair as SHAKE256 of the path secret's node secret; the KEM's own
//! DeriveKeyPair (draft-ietf-hpke-pq) labels it. A tree whose path keys were derived in one way is refused by a member
//! that derives in the other, so groups that OpenMLS is measured in are made this way. Nothing of it is measured.

use std::sync::Arc;

use mls_crypto::{
    CipherSuite, CryptoError, CryptoProvider, Hash, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Random,
    SealJob, Secret, SignaturePrivateKey, SignaturePublicKey, SignedItem, SuiteCrypto, SuiteParameters, Tag,
};
use mls_crypto_aws_lc::AwsLc;
use mls_crypto_rust::xwing;

/// Ours, but for key pairs that are derived.
#[derive(Debug, Default)]
pub struct Unlabelled(AwsLc);

impl CryptoProvider for Unlabelled {
    fn cipher_suites(&self) -> Vec<CipherSuite> {
        self.0.cipher_suites()
    }

    fn suite(&self, cipher_suite: CipherSuite) -> Result<Arc<dyn SuiteCrypto>, CryptoError> {
        Ok(Arc::new(Suite(self.0.suite(cipher_suite)?)))
    }
}

#[derive(Debug)]
struct Suite(Arc<dyn SuiteCrypto>);

impl SuiteCrypto for Suite {
    fn hpke_derive_key_pair(&self, ikm: &[u8]) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        let seed = libcrux_sha3::shake256::<{ xwing::SEED_LEN }>(ikm);
        let private_key = HpkePrivateKey::new(Secret::copy_from(&seed));
        let public_key = self.0.hpke_public_key(&private_key)?;
        Ok((private_key, public_key))
    }

    // All else is as it is.

    fn cipher_suite(&self) -> CipherSuite {
        self.0.cipher_suite()
    }

    fn parameters(&self) -> SuiteParameters {
        self.0.parameters()
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        self.0.hash(parts)
    }

    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Tag {
        self.0.mac(key, parts)
    }

    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Secret {
        self.0.kdf_extract(salt, ikm)
    }

    fn kdf_expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
        self.0.kdf_expand(prk, info, len)
    }

    fn aead_seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.0.aead_seal(key, nonce, aad, buffer)
    }

    fn aead_open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.0.aead_open(key, nonce, aad, buffer)
    }

    fn hpke_generate(&self, random: &dyn Random) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        self.0.hpke_generate(random)
    }

    fn hpke_public_key(&self, private_key: &HpkePrivateKey) -> Result<HpkePublicKey, CryptoError> {
        self.0.hpke_public_key(private_key)
    }

    fn validate_hpke_public_key(&self, public_key: &HpkePublicKey) -> Result<(), CryptoError> {
        self.0.validate_hpke_public_key(public_key)
    }

    fn hpke_seal(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.0.hpke_seal(context, aad, job, random)
    }

    fn hpke_seal_many(
        &self,
        info: &[u8],
        jobs: &[SealJob<'_>],
        random: &dyn Random,
    ) -> Result<Vec<HpkeCiphertext>, CryptoError> {
        self.0.hpke_seal_many(info, jobs, random)
    }

    fn hpke_open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        ciphertext: &HpkeCiphertext,
    ) -> Result<Secret, CryptoError> {
        self.0.hpke_open(context, aad, key_pair, ciphertext)
    }

    fn hpke_export_sender(
        &self,
        public_key: &HpkePublicKey,
        inputs: (&[u8], &[u8]),
        len: usize,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError> {
        self.0.hpke_export_sender(public_key, inputs, len, random)
    }

    fn hpke_export_receiver(
        &self,
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
        inputs: (&[u8], &[u8]),
        len: usize,
    ) -> Result<Secret, CryptoError> {
        self.0.hpke_export_receiver(key_pair, kem_output, inputs, len)
    }

    fn signature_generate(
        &self,
        random: &dyn Random,
    ) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError> {
        self.0.signature_generate(random)
    }

    fn signature_public_key(&self, private_key: &SignaturePrivateKey) -> Result<SignaturePublicKey, CryptoError> {
        self.0.signature_public_key(private_key)
    }

    fn validate_signature_public_key(&self, public_key: &SignaturePublicKey) -> Result<(), CryptoError> {
        self.0.validate_signature_public_key(public_key)
    }

    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.0.sign(private_key, message)
    }

    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError> {
        self.0.verify(item)
    }

    fn verify_batch(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        self.0.verify_batch(items)
    }

    fn verify_batch_of_new_keys(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        self.0.verify_batch_of_new_keys(items)
    }
}
