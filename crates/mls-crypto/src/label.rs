//! Labelled operations (RFC 9420, Sections 5.1.2, 5.1.3, 5.2 and 8).
//!
//! CRY-06, CRY-14: every signature, encryption, expansion and reference goes through a label that starts with
//! `MLS 1.0 `; no function here takes an unlabelled form.

use tls_codec::{Serialize, Size, TlsSerialize, TlsSize, VLByteSlice};

use crate::{
    CryptoError, Hash, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Random, SealJob, Secret,
    SignaturePrivateKey, SignaturePublicKey, SignedItem, SuiteCrypto,
};

/// What every label starts with.
const PREFIX: &[u8] = b"MLS 1.0 ";

/// The common shape of `RefHashInput`, `SignContent` and `EncryptContext`: a label and a value.
#[derive(TlsSerialize, TlsSize)]
struct Labelled<'a> {
    label: VLByteSlice<'a>,
    value: VLByteSlice<'a>,
}

/// `KDFLabel` (Section 8).
#[derive(TlsSerialize, TlsSize)]
struct KdfLabel<'a> {
    length: u16,
    label: VLByteSlice<'a>,
    context: VLByteSlice<'a>,
}

/// Serializes a label and a value. Values over 2^30 - 1 bytes cannot be encoded (DEC-04).
fn labelled(label: &[u8], value: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let labelled = Labelled { label: VLByteSlice(label), value: VLByteSlice(value) };
    labelled.tls_serialize_detached().map_err(|_| CryptoError::OutputTooLong(value.len()))
}

fn prefixed(label: &str) -> Vec<u8> {
    [PREFIX, label.as_bytes()].concat()
}

/// `RefHash(label, value)` (Section 5.2). The label is used as it is, since the RFC's labels for references name the
/// whole string.
///
/// # Errors
/// [`CryptoError::OutputTooLong`] for a value of 2^30 bytes or more.
pub fn ref_hash(suite: &dyn SuiteCrypto, label: &str, value: &[u8]) -> Result<Hash, CryptoError> {
    Ok(suite.hash(&[&labelled(label.as_bytes(), value)?]))
}

/// `SignContent` for `label` and `content` (Section 5.1.2): the bytes that are signed.
///
/// # Errors
/// [`CryptoError::OutputTooLong`] for content of 2^30 bytes or more.
pub fn sign_content(label: &str, content: &[u8]) -> Result<Vec<u8>, CryptoError> {
    labelled(&prefixed(label), content)
}

/// `SignWithLabel(key, label, content)` (Section 5.1.2).
///
/// # Errors
/// [`CryptoError::InvalidPrivateKey`], [`CryptoError::OutputTooLong`].
pub fn sign_with_label(
    suite: &dyn SuiteCrypto,
    key: &SignaturePrivateKey,
    label: &str,
    content: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    suite.sign(key, &sign_content(label, content)?)
}

/// `VerifyWithLabel(key, label, content, signature)` (Section 5.1.2).
///
/// # Errors
/// [`CryptoError::InvalidSignature`], [`CryptoError::InvalidPublicKey`], [`CryptoError::OutputTooLong`].
pub fn verify_with_label(
    suite: &dyn SuiteCrypto,
    public_key: &SignaturePublicKey,
    label: &str,
    content: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError> {
    let message = sign_content(label, content)?;
    suite.verify(SignedItem { public_key, message: &message, signature })
}

/// `EncryptWithLabel(key, label, context, plaintext)` (Section 5.1.3). CRY-07: the context goes into HPKE's `info`,
/// the associated data is empty.
///
/// # Errors
/// As [`SuiteCrypto::hpke_seal`], and [`CryptoError::OutputTooLong`].
pub fn encrypt_with_label(
    suite: &dyn SuiteCrypto,
    job: SealJob<'_>,
    label: &str,
    context: &[u8],
    random: &dyn Random,
) -> Result<HpkeCiphertext, CryptoError> {
    let info = labelled(&prefixed(label), context)?;
    suite.hpke_seal(&HpkeContext::base(&info), &[], job, random)
}

/// [`encrypt_with_label`] to many recipients under one label and context, in their order.
///
/// # Errors
/// As [`SuiteCrypto::hpke_seal_many`], and [`CryptoError::OutputTooLong`].
pub fn encrypt_with_label_many(
    suite: &dyn SuiteCrypto,
    jobs: &[SealJob<'_>],
    label: &str,
    context: &[u8],
    random: &dyn Random,
) -> Result<Vec<HpkeCiphertext>, CryptoError> {
    suite.hpke_seal_many(&labelled(&prefixed(label), context)?, jobs, random)
}

/// `DecryptWithLabel(key, label, context, kem_output, ciphertext)` (Section 5.1.3).
///
/// # Errors
/// As [`SuiteCrypto::hpke_open`], and [`CryptoError::OutputTooLong`].
pub fn decrypt_with_label(
    suite: &dyn SuiteCrypto,
    key_pair: (&HpkePrivateKey, &HpkePublicKey),
    label: &str,
    context: &[u8],
    ciphertext: &HpkeCiphertext,
) -> Result<Secret, CryptoError> {
    let info = labelled(&prefixed(label), context)?;
    suite.hpke_open(&HpkeContext::base(&info), &[], key_pair, ciphertext)
}

/// `ExpandWithLabel(secret, label, context, length)` (Section 8).
///
/// # Errors
/// [`CryptoError::OutputTooLong`] if the length does not fit 16 bits or exceeds the KDF (CRY-10).
pub fn expand_with_label(
    suite: &dyn SuiteCrypto,
    secret: &Secret,
    label: &str,
    context: &[u8],
    len: usize,
) -> Result<Secret, CryptoError> {
    let too_long = || CryptoError::OutputTooLong(len);
    let label = prefixed(label);
    let info = KdfLabel {
        length: u16::try_from(len).map_err(|_| too_long())?,
        label: VLByteSlice(&label),
        context: VLByteSlice(context),
    };
    let mut bytes = Vec::with_capacity(info.tls_serialized_len());
    info.tls_serialize(&mut bytes).map_err(|_| too_long())?;
    suite.kdf_expand(secret.as_slice(), &bytes, len)
}

/// `DeriveSecret(secret, label)` (Section 8): `Nh` bytes.
///
/// # Errors
/// As [`expand_with_label`].
pub fn derive_secret(suite: &dyn SuiteCrypto, secret: &Secret, label: &str) -> Result<Secret, CryptoError> {
    expand_with_label(suite, secret, label, &[], suite.hash_len())
}

/// `DeriveTreeSecret(secret, label, generation, length)` (Section 9).
///
/// # Errors
/// As [`expand_with_label`].
pub fn derive_tree_secret(
    suite: &dyn SuiteCrypto,
    secret: &Secret,
    label: &str,
    generation: u32,
    len: usize,
) -> Result<Secret, CryptoError> {
    expand_with_label(suite, secret, label, &generation.to_be_bytes(), len)
}
