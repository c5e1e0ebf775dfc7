//! Setting up HPKE contexts and using each once (RFC 9180, Sections 5.2, 5.3, 6.1 and 6.2).
//!
//! In: the recipient's key, `info`, and a plaintext, a ciphertext or a length. Out: the other one.
//! Always: a context seals or opens one message, so no sequence number exists and no nonce repeats.

use mls_crypto::{
    CryptoError, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Random, SealJob, Secret, SuiteParameters,
};
use zeroize::Zeroize;

use crate::{
    AeadCipher, KeyEncapsulation,
    hkdf::Hkdf,
    key_schedule::{KeySchedule, PreparedSchedule},
};

/// HPKE with one KEM, KDF and AEAD.
#[derive(Debug)]
pub(crate) struct Hpke {
    kem: Box<dyn KeyEncapsulation>,
    aead: &'static dyn AeadCipher,
    schedule: KeySchedule,
}

impl Hpke {
    pub(crate) fn new(
        parameters: SuiteParameters,
        kem: Box<dyn KeyEncapsulation>,
        kdf: Hkdf,
        aead: &'static dyn AeadCipher,
    ) -> Self {
        Self { kem, aead, schedule: KeySchedule::new(parameters, kdf) }
    }

    pub(crate) fn kem(&self) -> &dyn KeyEncapsulation {
        self.kem.as_ref()
    }

    /// Single-shot seal.
    pub(crate) fn seal(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.seal_prepared(&self.schedule.prepare(context)?, aad, job, random)
    }

    /// Base mode, one `info`, many recipients.
    pub(crate) fn seal_many(
        &self,
        info: &[u8],
        jobs: &[SealJob<'_>],
        random: &dyn Random,
    ) -> Result<Vec<HpkeCiphertext>, CryptoError> {
        let prepared = self.schedule.prepare(&HpkeContext::base(info))?;
        jobs.iter().map(|job| self.seal_prepared(&prepared, &[], *job, random)).collect()
    }

    fn seal_prepared(
        &self,
        prepared: &PreparedSchedule<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError> {
        let (shared_secret, kem_output) = self.kem.encapsulate(job.public_key.as_slice(), random)?;
        let (key, nonce) = prepared.enter(&shared_secret).into_key_and_nonce()?;
        let mut buffer = Vec::with_capacity(job.plaintext.len().saturating_add(TAG_LEN));
        buffer.extend_from_slice(job.plaintext);
        self.aead.seal(key.as_slice(), nonce.as_slice(), aad, &mut buffer)?;
        Ok(HpkeCiphertext { kem_output: kem_output.into(), ciphertext: buffer.into() })
    }

    /// Single-shot open.
    pub(crate) fn open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        ciphertext: &HpkeCiphertext,
    ) -> Result<Secret, CryptoError> {
        let prepared = self.schedule.prepare(context)?;
        let shared_secret = self.decapsulate(key_pair, ciphertext.kem_output.as_slice())?;
        let (key, nonce) = prepared.enter(&shared_secret).into_key_and_nonce()?;
        let mut buffer = ciphertext.ciphertext.as_slice().to_vec();
        match self.aead.open(key.as_slice(), nonce.as_slice(), aad, &mut buffer) {
            Ok(()) => Ok(Secret::new(buffer)),
            Err(error) => {
                buffer.zeroize();
                Err(error)
            }
        }
    }

    /// `SetupBaseS` and `Export`; `inputs` are `info` and the exporter context.
    pub(crate) fn export_sender(
        &self,
        public_key: &HpkePublicKey,
        (info, exporter_context): (&[u8], &[u8]),
        len: usize,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError> {
        let (shared_secret, kem_output) = self.kem.encapsulate(public_key.as_slice(), random)?;
        Ok((kem_output, self.export(&shared_secret, info, exporter_context, len)?))
    }

    /// `SetupBaseR` and `Export`; `inputs` are `info` and the exporter context.
    pub(crate) fn export_receiver(
        &self,
        key_pair: (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
        (info, exporter_context): (&[u8], &[u8]),
        len: usize,
    ) -> Result<Secret, CryptoError> {
        let shared_secret = self.decapsulate(key_pair, kem_output)?;
        self.export(&shared_secret, info, exporter_context, len)
    }

    fn export(
        &self,
        shared_secret: &Secret,
        info: &[u8],
        exporter_context: &[u8],
        len: usize,
    ) -> Result<Secret, CryptoError> {
        let prepared = self.schedule.prepare(&HpkeContext::base(info))?;
        let exporter_secret = prepared.enter(shared_secret).into_exporter_secret()?;
        self.schedule.export(&exporter_secret, exporter_context, len)
    }

    fn decapsulate(
        &self,
        (private_key, public_key): (&HpkePrivateKey, &HpkePublicKey),
        kem_output: &[u8],
    ) -> Result<Secret, CryptoError> {
        self.kem.decapsulate(private_key, public_key.as_slice(), kem_output)
    }
}

/// `Nt` of every AEAD of RFC 9180, in bytes.
const TAG_LEN: usize = 16;
