//! Two providers, one answer (RFC 9420, Section 5.1).

use mls_crypto::{
    CryptoProvider, HpkeContext, HpkePsk, HpkePublicKey, Random, SealJob, SignaturePublicKey, SignedItem, SuiteCrypto,
};

/// For every suite both providers offer with the same algorithms: equal digests, AEAD ciphertexts and derived keys;
/// what one seals, exports or signs, the other opens, exports or verifies.
///
/// # Panics
/// If the providers differ, or have no suite in common.
pub fn agree(a: &dyn CryptoProvider, b: &dyn CryptoProvider, random: &dyn Random) {
    let mut common = 0;
    for suite in crate::suites(a) {
        let Ok(other) = b.suite(suite.cipher_suite()) else { continue };
        assert_eq!(suite.parameters(), other.parameters(), "{:?}", suite.cipher_suite());
        common += 1;
        symmetric(suite.as_ref(), other.as_ref());
        keys(suite.as_ref(), other.as_ref());
        for (sender, receiver) in [(&suite, &other), (&other, &suite)] {
            hpke(sender.as_ref(), receiver.as_ref(), random);
            signatures(sender.as_ref(), receiver.as_ref(), random);
        }
    }
    assert!(common > 0, "{a:?} and {b:?} have no suite in common");
}

fn symmetric(a: &dyn SuiteCrypto, b: &dyn SuiteCrypto) {
    let id = a.cipher_suite();
    let prk = a.kdf_extract(b"salt", b"ikm");
    assert_eq!(a.hash(&[b"x", b"y"]), b.hash(&[b"x", b"y"]), "{id:?}");
    assert!(a.mac(b"key", &[b"x", b"y"]).ct_eq(&b.mac(b"key", &[b"x", b"y"])), "{id:?}");
    assert!(prk.ct_eq(&b.kdf_extract(b"salt", b"ikm")), "{id:?}");
    let expanded = a.kdf_expand(prk.as_slice(), b"info", 300).unwrap();
    assert!(expanded.ct_eq(&b.kdf_expand(prk.as_slice(), b"info", 300).unwrap()), "{id:?}");

    let (key, nonce) = (vec![1; a.aead_key_len()], vec![2; a.aead_nonce_len()]);
    let (mut sealed_by_a, mut sealed_by_b) = (b"plaintext".to_vec(), b"plaintext".to_vec());
    a.aead_seal(&key, &nonce, b"aad", &mut sealed_by_a).unwrap();
    b.aead_seal(&key, &nonce, b"aad", &mut sealed_by_b).unwrap();
    assert_eq!(sealed_by_a, sealed_by_b, "{id:?}");
}

fn keys(a: &dyn SuiteCrypto, b: &dyn SuiteCrypto) {
    let id = a.cipher_suite();
    for ikm in [&[1; 32][..], &[2; 48], &[3; 64], &[4; 66], b"short"] {
        let (private_of_a, public_of_a) = a.hpke_derive_key_pair(ikm).unwrap();
        let (private_of_b, public_of_b) = b.hpke_derive_key_pair(ikm).unwrap();
        assert!(private_of_a.secret().ct_eq(private_of_b.secret()), "{id:?}");
        assert_eq!(public_of_a, public_of_b, "{id:?}");
        assert_eq!(a.hpke_public_key(&private_of_b), b.hpke_public_key(&private_of_a), "{id:?}");
    }
    let (_, valid) = a.hpke_derive_key_pair(&[1; 32]).unwrap();
    for position in 0..valid.as_slice().len() {
        let mut changed = valid.as_slice().to_vec();
        changed[position] ^= 0x80;
        let changed = HpkePublicKey::new(changed);
        let verdicts = (a.validate_hpke_public_key(&changed), b.validate_hpke_public_key(&changed));
        assert_eq!(verdicts.0, verdicts.1, "{id:?}: {changed:?}");
    }
}

fn hpke(sender: &dyn SuiteCrypto, receiver: &dyn SuiteCrypto, random: &dyn Random) {
    let id = sender.cipher_suite();
    let (private_key, public_key) = receiver.hpke_generate(random).unwrap();
    let key_pair = (&private_key, &public_key);
    let job = SealJob { public_key: &public_key, plaintext: b"plaintext" };
    let psk = HpkeContext { info: b"info", psk: Some(HpkePsk { psk: &[5; 32], psk_id: b"psk id" }) };
    for context in [HpkeContext::base(b"info"), psk] {
        let sealed = sender.hpke_seal(&context, b"aad", job, random).unwrap();
        let opened = receiver.hpke_open(&context, b"aad", key_pair, &sealed).unwrap();
        assert_eq!(opened.as_slice(), b"plaintext", "{id:?}");
    }
    for sealed in sender.hpke_seal_many(b"info", &[job; 2], random).unwrap() {
        let opened = receiver.hpke_open(&HpkeContext::base(b"info"), b"", key_pair, &sealed).unwrap();
        assert_eq!(opened.as_slice(), b"plaintext", "{id:?}");
    }
    let inputs = (&b"info"[..], &b"context"[..]);
    let (kem_output, sent) = sender.hpke_export_sender(&public_key, inputs, 50, random).unwrap();
    let received = receiver.hpke_export_receiver(key_pair, &kem_output, inputs, 50).unwrap();
    assert!(sent.ct_eq(&received), "{id:?}");
}

fn signatures(signer: &dyn SuiteCrypto, verifier: &dyn SuiteCrypto, random: &dyn Random) {
    let id = signer.cipher_suite();
    let (private_key, public_key) = signer.signature_generate(random).unwrap();
    assert_eq!(verifier.signature_public_key(&private_key).as_ref(), Ok(&public_key), "{id:?}");
    assert_eq!(verifier.validate_signature_public_key(&public_key), Ok(()), "{id:?}");
    let signature = signer.sign(&private_key, b"message").unwrap();
    let item = SignedItem { public_key: &public_key, message: b"message", signature: &signature };
    assert_eq!(verifier.verify(item), Ok(()), "{id:?}");
    assert_eq!(verifier.verify_batch(&[item; 3]), Ok(()), "{id:?}");
    for position in 0..public_key.as_slice().len() {
        let mut changed = public_key.as_slice().to_vec();
        changed[position] ^= 1;
        let changed = SignaturePublicKey::new(changed);
        let (a, b) = (signer.validate_signature_public_key(&changed), verifier.validate_signature_public_key(&changed));
        assert_eq!(a, b, "{id:?}: {changed:?}");
    }
}
