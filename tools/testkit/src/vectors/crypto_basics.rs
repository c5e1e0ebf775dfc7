//! `crypto-basics.json`: labelled operations (RFC 9420, Sections 5.1.2, 5.1.3, 5.2, 8 and 9).

use mls_crypto::{
    CipherSuite, CryptoProvider, HpkeCiphertext, HpkePublicKey, SealJob, Secret, SignaturePublicKey, SuiteCrypto, label,
};
use serde::Deserialize;

use super::{
    Hex,
    keys::{hpke_key, signature_key},
    outcome::{At, Outcome, same},
};
use crate::network::SeededRandom;

/// All operations of one suite.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    ref_hash: RefHash,
    expand_with_label: ExpandWithLabel,
    derive_secret: DeriveSecret,
    derive_tree_secret: DeriveTreeSecret,
    sign_with_label: SignWithLabel,
    encrypt_with_label: EncryptWithLabel,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefHash {
    label: String,
    value: Hex,
    out: Hex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpandWithLabel {
    secret: Hex,
    label: String,
    context: Hex,
    length: usize,
    out: Hex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeriveSecret {
    secret: Hex,
    label: String,
    out: Hex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeriveTreeSecret {
    secret: Hex,
    label: String,
    generation: u32,
    length: usize,
    out: Hex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignWithLabel {
    #[serde(rename = "priv")]
    private: Hex,
    #[serde(rename = "pub")]
    public: Hex,
    content: Hex,
    label: String,
    signature: Hex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EncryptWithLabel {
    #[serde(rename = "priv")]
    private: Hex,
    #[serde(rename = "pub")]
    public: Hex,
    label: String,
    context: Hex,
    plaintext: Hex,
    kem_output: Hex,
    ciphertext: Hex,
}

/// Every operation; signing and encryption both from the file and made anew.
///
/// # Errors
/// The first difference.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    ref_hash(&case.ref_hash, &*suite).at("ref_hash")?;
    expand_with_label(&case.expand_with_label, &*suite).at("expand_with_label")?;
    derive_secret(&case.derive_secret, &*suite).at("derive_secret")?;
    derive_tree_secret(&case.derive_tree_secret, &*suite).at("derive_tree_secret")?;
    sign_with_label(&case.sign_with_label, &*suite).at("sign_with_label")?;
    encrypt_with_label(&case.encrypt_with_label, &*suite).at("encrypt_with_label")
}

fn ref_hash(case: &RefHash, suite: &dyn SuiteCrypto) -> Outcome {
    same("out", label::ref_hash(suite, &case.label, &case.value)?, &case.out)
}

fn expand_with_label(case: &ExpandWithLabel, suite: &dyn SuiteCrypto) -> Outcome {
    let secret = Secret::copy_from(&case.secret);
    let out = label::expand_with_label(suite, &secret, &case.label, &case.context, case.length)?;
    same("out", out.as_slice(), &case.out)
}

fn derive_secret(case: &DeriveSecret, suite: &dyn SuiteCrypto) -> Outcome {
    let out = label::derive_secret(suite, &Secret::copy_from(&case.secret), &case.label)?;
    same("out", out.as_slice(), &case.out)
}

fn derive_tree_secret(case: &DeriveTreeSecret, suite: &dyn SuiteCrypto) -> Outcome {
    let secret = Secret::copy_from(&case.secret);
    let out = label::derive_tree_secret(suite, &secret, &case.label, case.generation, case.length)?;
    same("out", out.as_slice(), &case.out)
}

fn sign_with_label(case: &SignWithLabel, suite: &dyn SuiteCrypto) -> Outcome {
    let private = signature_key(suite, &case.private);
    let public = SignaturePublicKey::new(case.public.to_vec());
    same("pub of priv", suite.signature_public_key(&private)?.as_slice(), &case.public)?;
    suite.validate_signature_public_key(&public).at("pub")?;
    label::verify_with_label(suite, &public, &case.label, &case.content, &case.signature).at("signature")?;
    let ours = label::sign_with_label(suite, &private, &case.label, &case.content)?;
    label::verify_with_label(suite, &public, &case.label, &case.content, &ours).at("our signature")
}

fn encrypt_with_label(case: &EncryptWithLabel, suite: &dyn SuiteCrypto) -> Outcome {
    let private = hpke_key(suite, &case.private);
    let public = HpkePublicKey::new(case.public.to_vec());
    same("pub of priv", suite.hpke_public_key(&private)?.as_slice(), &case.public)?;
    suite.validate_hpke_public_key(&public).at("pub")?;
    let open = |ciphertext: &HpkeCiphertext| {
        label::decrypt_with_label(suite, (&private, &public), &case.label, &case.context, ciphertext)
    };
    let theirs =
        HpkeCiphertext { kem_output: case.kem_output.to_vec().into(), ciphertext: case.ciphertext.to_vec().into() };
    same("plaintext", open(&theirs).at("ciphertext")?.as_slice(), &case.plaintext)?;
    let job = SealJob { public_key: &public, plaintext: &case.plaintext };
    let ours = label::encrypt_with_label(suite, job, &case.label, &case.context, &SeededRandom::new(0))?;
    same("our plaintext", open(&ours).at("our ciphertext")?.as_slice(), &case.plaintext)
}
