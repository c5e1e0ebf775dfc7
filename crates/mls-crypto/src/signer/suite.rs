//! A cipher suite that signs elsewhere: everything but signing is the suite below.

use std::sync::Arc;

use crate::{
    CipherSuite, CryptoError, Hash, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Random, SealJob,
    Secret, SignaturePrivateKey, SignaturePublicKey, SignedItem, Signer, SuiteCrypto, SuiteParameters, Tag,
};

/// A suite, and who holds the keys that it has handles of.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) below: Arc<dyn SuiteCrypto>,
    pub(super) signers: Vec<Arc<dyn Signer>>,
}

impl Suite {
    fn signer(&self, public_key: &SignaturePublicKey) -> Result<&dyn Signer, CryptoError> {
        let found = self.signers.iter().find(|signer| signer.public_key() == public_key);
        found.map(AsRef::as_ref).ok_or(CryptoError::Signer)
    }
}

impl SuiteCrypto for Suite {
    fn signature_public_key(&self, private_key: &SignaturePrivateKey) -> Result<SignaturePublicKey, CryptoError> {
        match private_key.handle_of() {
            Some(public_key) => Ok(self.signer(&public_key)?.public_key().clone()),
            None => self.below.signature_public_key(private_key),
        }
    }

    fn sign(&self, private_key: &SignaturePrivateKey, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let Some(public_key) = private_key.handle_of() else { return self.below.sign(private_key, message) };
        let signature = self.signer(&public_key)?.sign(message)?;
        self.below.verify(SignedItem { public_key: &public_key, message, signature: &signature })?;
        Ok(signature)
    }

    fn cipher_suite(&self) -> CipherSuite {
        self.below.cipher_suite()
    }

    fn parameters(&self) -> SuiteParameters {
        self.below.parameters()
    }

    fn hash(&self, parts: &[&[u8]]) -> Hash {
        self.below.hash(parts)
    }

    fn mac(&self, key: &[u8], parts: &[&[u8]]) -> Tag {
        self.below.mac(key, parts)
    }

    fn kdf_extract(&self, salt: &[u8], ikm: &[u8]) -> Secret {
        self.below.kdf_extract(salt, ikm)
    }

    fn kdf_expand(&self, prk: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
        self.below.kdf_expand(prk, info, len)
    }

    fn aead_seal(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.below.aead_seal(key, nonce, aad, buffer)
    }

    fn aead_open(&self, key: &[u8], nonce: &[u8], aad: &[u8], buffer: &mut Vec<u8>) -> Result<(), CryptoError> {
        self.below.aead_open(key, nonce, aad, buffer)
    }

    fn hpke_generate(&self, random: &dyn Random) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        self.below.hpke_generate(random)
    }

    fn hpke_derive_key_pair(&self, ikm: &[u8]) -> Result<(HpkePrivateKey, HpkePublicKey), CryptoError> {
        self.below.hpke_derive_key_pair(ikm)
    }

    fn hpke_public_key(&self, private_key: &HpkePrivateKey) -> Result<HpkePublicKey, CryptoError> {
        self.below.hpke_public_key(private_key)
    }

    fn validate_hpke_public_key(&self, public_key: &HpkePublicKey) -> Result<(), CryptoError> {
        self.below.validate_hpke_public_key(public_key)
    }

    fn hpke_seal(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.below.hpke_seal(context, aad, job, random)
    }

    fn hpke_seal_many(
        &self,
        info: &[u8],
        jobs: &[SealJob<'_>],
        random: &dyn Random,
    ) -> Result<Vec<HpkeCiphertext>, CryptoError> {
        self.below.hpke_seal_many(info, jobs, random)
    }

    fn hpke_open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        ciphertext: &HpkeCiphertext,
    ) -> Result<Secret, CryptoError> {
        self.below.hpke_open(context, aad, key_pair, ciphertext)
    }

    fn hpke_export_sender(
        &self,
        public_key: &HpkePublicKey,
        inputs: (&[u8], &[u8]),
        len: usize,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError> {
        self.below.hpke_export_sender(public_key, inputs, len, random)
    }

    fn hpke_export_receiver(
        &self,
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
        inputs: (&[u8], &[u8]),
        len: usize,
    ) -> Result<Secret, CryptoError> {
        self.below.hpke_export_receiver(key_pair, kem_output, inputs, len)
    }

    fn signature_generate(
        &self,
        random: &dyn Random,
    ) -> Result<(SignaturePrivateKey, SignaturePublicKey), CryptoError> {
        self.below.signature_generate(random)
    }

    fn validate_signature_public_key(&self, public_key: &SignaturePublicKey) -> Result<(), CryptoError> {
        self.below.validate_signature_public_key(public_key)
    }

    fn verify(&self, item: SignedItem<'_>) -> Result<(), CryptoError> {
        self.below.verify(item)
    }

    fn verify_batch(&self, items: &[SignedItem<'_>]) -> Result<(), (usize, CryptoError)> {
        self.below.verify_batch(items)
    }
}
