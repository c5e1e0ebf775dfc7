//! HPKE contexts: seal, open and export (RFC 9180, Sections 5 and 6; RFC 9420, Sections 5.1.3 and 8.3).
//!
//! In: keys, `info`, optionally a PSK, and bytes. Out: KEM output and ciphertext, or the secret bytes.
//! Always: each context is used for one operation and dropped.
//!
//! The library derives the whole key schedule for each recipient, so `info` is hashed again for every one of them;
//! the native provider hashes it once.

use core::fmt;
use core::marker::PhantomData;

use hpke::aead::{AesGcm128, AesGcm256, ChaCha20Poly1305};
use hpke::kdf::{HkdfSha256, HkdfSha384, HkdfSha512};
use hpke::kem::{DhP256HkdfSha256, DhP384HkdfSha384, DhP521HkdfSha512, X25519HkdfSha256, XWing};
use hpke::{HpkeError, OpModeR, OpModeS, PskBundle, Serializable};
use mls_crypto::{
    Aead, CryptoError, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePsk, HpkePublicKey, Kdf, Kem, Random, SealJob,
    Secret, SuiteParameters,
};

use crate::kem::{self, MlsKem};
use crate::random::with_generator;

/// Shortest PSK that can hold the 32 bytes of entropy asked for (RFC 9180, Section 9.5).
const MIN_PSK_LEN: usize = 32;

/// What a receiver works with: its private key and the sender's KEM output.
#[derive(Clone, Copy)]
pub(crate) struct Receiver<'a> {
    pub(crate) private_key: &'a HpkePrivateKey,
    pub(crate) kem_output: &'a [u8],
}

/// What is exported: `info`, the exporter context and the length in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Export<'a> {
    pub(crate) info: &'a [u8],
    pub(crate) exporter_context: &'a [u8],
    pub(crate) len: usize,
}

/// HPKE with one choice of KEM, KDF and AEAD.
pub(crate) trait HpkeOps: Send + Sync + fmt::Debug {
    /// `Seal` or `SealPSK`.
    fn seal(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError>;

    /// `Open` or `OpenPSK`.
    fn open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        receiver: Receiver<'_>,
        ciphertext: &[u8],
    ) -> Result<Secret, CryptoError>;

    /// `SendExportBase`.
    fn export_sender(
        &self,
        public_key: &HpkePublicKey,
        export: Export<'_>,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError>;

    /// `ReceiveExportBase`.
    fn export_receiver(&self, receiver: Receiver<'_>, export: Export<'_>) -> Result<Secret, CryptoError>;
}

/// HPKE with these algorithms; `None` if one is not here.
pub(crate) const fn of_suite(parameters: &SuiteParameters) -> Option<&'static dyn HpkeOps> {
    match parameters.kem {
        Kem::X25519 => of_kdf::<X25519HkdfSha256>(parameters),
        Kem::P256 => of_kdf::<DhP256HkdfSha256>(parameters),
        Kem::P384 => of_kdf::<DhP384HkdfSha384>(parameters),
        Kem::P521 => of_kdf::<DhP521HkdfSha512>(parameters),
        Kem::XWing => of_kdf::<XWing>(parameters),
        _ => None,
    }
}

const fn of_kdf<K: MlsKem + 'static>(parameters: &SuiteParameters) -> Option<&'static dyn HpkeOps> {
    match parameters.kdf {
        Kdf::Sha256 => of_aead::<K, HkdfSha256>(parameters),
        Kdf::Sha384 => of_aead::<K, HkdfSha384>(parameters),
        Kdf::Sha512 => of_aead::<K, HkdfSha512>(parameters),
        _ => None,
    }
}

const fn of_aead<K: MlsKem + 'static, F: hpke::kdf::Kdf + 'static>(
    parameters: &SuiteParameters,
) -> Option<&'static dyn HpkeOps> {
    match parameters.aead {
        Aead::Aes128Gcm => Some(&Algorithms::<K, F, AesGcm128>(PhantomData)),
        Aead::Aes256Gcm => Some(&Algorithms::<K, F, AesGcm256>(PhantomData)),
        Aead::ChaCha20Poly1305 => Some(&Algorithms::<K, F, ChaCha20Poly1305>(PhantomData)),
        _ => None,
    }
}

/// Names types without holding any value of them.
type Names<T> = PhantomData<fn() -> T>;

struct Algorithms<K, F, A>(Names<(K, F, A)>);

impl<K, F, A> fmt::Debug for Algorithms<K, F, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Algorithms")
    }
}

impl<K: MlsKem, F: hpke::kdf::Kdf, A: hpke::aead::Aead> HpkeOps for Algorithms<K, F, A> {
    fn seal(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        job: SealJob<'_>,
        random: &dyn Random,
    ) -> Result<HpkeCiphertext, CryptoError> {
        let public_key = kem::public_key_for_use::<K>(job.public_key.as_slice())?;
        let mode = psk(context)?.map_or(OpModeS::Base, OpModeS::Psk);
        let (kem_output, ciphertext) = with_generator(random, |generator| {
            let (info, plaintext) = (context.info, job.plaintext);
            hpke::single_shot_seal_with_rng::<A, F, K>(&mode, &public_key, info, plaintext, aad, generator)
                .map_err(error)
        })?;
        Ok(HpkeCiphertext { kem_output: kem_output.to_bytes().to_vec().into(), ciphertext: ciphertext.into() })
    }

    fn open(
        &self,
        context: &HpkeContext<'_>,
        aad: &[u8],
        receiver: Receiver<'_>,
        ciphertext: &[u8],
    ) -> Result<Secret, CryptoError> {
        let private_key = kem::private_key::<K>(receiver.private_key)?;
        let kem_output = kem::kem_output_for_use::<K>(receiver.kem_output)?;
        let mode = psk(context)?.map_or(OpModeR::Base, OpModeR::Psk);
        hpke::single_shot_open::<A, F, K>(&mode, &private_key, &kem_output, context.info, ciphertext, aad)
            .map(Secret::new)
            .map_err(error)
    }

    fn export_sender(
        &self,
        public_key: &HpkePublicKey,
        export: Export<'_>,
        random: &dyn Random,
    ) -> Result<(Vec<u8>, Secret), CryptoError> {
        let public_key = kem::public_key_for_use::<K>(public_key.as_slice())?;
        let (kem_output, context) = with_generator(random, |generator| {
            hpke::setup_sender_with_rng::<A, F, K>(&OpModeS::Base, &public_key, export.info, generator).map_err(error)
        })?;
        let secret = exported(export.len, |out| context.export(export.exporter_context, out))?;
        Ok((kem_output.to_bytes().to_vec(), secret))
    }

    fn export_receiver(&self, receiver: Receiver<'_>, export: Export<'_>) -> Result<Secret, CryptoError> {
        let private_key = kem::private_key::<K>(receiver.private_key)?;
        let kem_output = kem::kem_output_for_use::<K>(receiver.kem_output)?;
        let context =
            hpke::setup_receiver::<A, F, K>(&OpModeR::Base, &private_key, &kem_output, export.info).map_err(error)?;
        exported(export.len, |out| context.export(export.exporter_context, out))
    }
}

/// The PSK of PSK mode, which has to have a name and enough bytes (RFC 9180, Sections 5.1 and 9.5).
fn psk<'a>(context: &HpkeContext<'a>) -> Result<Option<PskBundle<'a>>, CryptoError> {
    let Some(HpkePsk { psk, psk_id }) = context.psk else { return Ok(None) };
    if psk.len() < MIN_PSK_LEN || psk_id.is_empty() {
        return Err(CryptoError::InvalidLength);
    }
    PskBundle::new(psk, psk_id).map(Some).map_err(error)
}

/// Has `export` of a context fill `len` bytes.
fn exported(len: usize, export: impl FnOnce(&mut [u8]) -> Result<(), HpkeError>) -> Result<Secret, CryptoError> {
    // CRY-10 (Section 8): the length has 16 bits, checked before anything is allocated; the library allows 255 blocks.
    let len_16 = u16::try_from(len).map_err(|_| CryptoError::OutputTooLong(len))?;
    let mut secret = Secret::zero(len_16.into());
    match export(secret.as_mut_slice()) {
        Ok(()) => Ok(secret),
        Err(HpkeError::KdfOutputTooLong) => Err(CryptoError::OutputTooLong(len)),
        Err(other) => Err(error(other)),
    }
}

/// What the library's errors mean once keys, KEM output, PSK and lengths have been checked.
fn error(error: HpkeError) -> CryptoError {
    match error {
        HpkeError::OpenError => CryptoError::OpenFailed,
        // CRY-08 (RFC 9180, Section 7.1.4): the one way in which a checked Diffie-Hellman fails.
        HpkeError::EncapError | HpkeError::DecapError => CryptoError::ZeroSharedSecret,
        _ => CryptoError::Library,
    }
}
