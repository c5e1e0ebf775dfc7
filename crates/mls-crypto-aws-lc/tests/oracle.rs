//! The native provider against the portable one on random inputs of many lengths. The portable provider's HPKE is the
//! `hpke` crate's, so it is the oracle of our composition.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

use std::sync::Arc;

use mls_crypto::{CipherSuite, CryptoError, CryptoProvider, HpkeContext, HpkePsk, Random, SealJob, SuiteCrypto};
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_crypto_rust::RustCrypto;

type Suite = Arc<dyn SuiteCrypto>;

/// Each suite of the native provider, as both providers do it.
fn suites() -> Vec<(CipherSuite, Suite, Suite)> {
    let (native, portable) = (AwsLc::default(), RustCrypto::default());
    let both = |id| (id, native.suite(id).unwrap(), portable.suite(id).unwrap());
    native.cipher_suites().into_iter().map(both).collect()
}

/// Each ordered pair of providers, for what one does and the other undoes.
fn pairs() -> Vec<(Suite, Suite)> {
    let both_ways = |(_, native, portable): (CipherSuite, Suite, Suite)| {
        [(Arc::clone(&native), Arc::clone(&portable)), (portable, native)]
    };
    suites().into_iter().flat_map(both_ways).collect()
}

fn random_bytes(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    OsRandom.fill(&mut bytes).unwrap();
    bytes
}

#[test]
fn offers_the_same_suites() {
    assert_eq!(AwsLc::default().cipher_suites(), RustCrypto::default().cipher_suites());
    assert_eq!(AwsLc::default().cipher_suites().len(), 7);
    let missing = AwsLc::default().suite(CipherSuite::X448_AES256).err();
    assert_eq!(missing, Some(CryptoError::UnsupportedSuite(CipherSuite::X448_AES256)));
}

#[test]
fn hash_mac_and_kdf_agree() {
    for (_, native, portable) in suites() {
        for len in [0, 1, 55, 64, 127, 128, 129, 1000] {
            let (key, data) = (random_bytes(len), random_bytes(1000 - len));
            let parts = [&key[..], &data, b"end"];
            assert_eq!(native.hash(&parts), portable.hash(&parts));
            assert!(native.mac(&key, &parts).ct_eq(&portable.mac(&key, &parts)));
            let prk = native.kdf_extract(&key, &data);
            assert!(prk.ct_eq(&portable.kdf_extract(&key, &data)));
            let expand = |suite: &Suite, len| suite.kdf_expand(prk.as_slice(), &data, len).unwrap();
            for output_len in [0, 1, 16, 32, 33, 64, 65, 1000] {
                assert!(expand(&native, output_len).ct_eq(&expand(&portable, output_len)));
            }
        }
    }
}

#[test]
fn aead_agrees_and_refuses_tampering() {
    for (_, native, portable) in suites() {
        let (key, nonce) = (random_bytes(native.aead_key_len()), random_bytes(native.aead_nonce_len()));
        for len in [0, 1, 15, 16, 17, 1000] {
            let plaintext = random_bytes(len);
            let (mut a, mut b) = (plaintext.clone(), plaintext.clone());
            native.aead_seal(&key, &nonce, b"aad", &mut a).unwrap();
            portable.aead_seal(&key, &nonce, b"aad", &mut b).unwrap();
            assert_eq!(a, b);
            assert_eq!(a.len(), len + 16);
            let mut opened = a.clone();
            native.aead_open(&key, &nonce, b"aad", &mut opened).unwrap();
            assert_eq!(opened, plaintext);
            for position in 0..a.len() {
                let mut bad = a.clone();
                bad[position] ^= 1;
                assert_eq!(native.aead_open(&key, &nonce, b"aad", &mut bad), Err(CryptoError::OpenFailed));
            }
            assert_eq!(native.aead_open(&key, &nonce, b"add", &mut a), Err(CryptoError::OpenFailed));
        }
        let mut buffer = vec![0; 15];
        assert_eq!(native.aead_open(&key, &nonce, b"", &mut buffer), Err(CryptoError::OpenFailed));
        assert_eq!(native.aead_seal(&key[1..], &nonce, b"", &mut buffer), Err(CryptoError::InvalidLength));
        assert_eq!(native.aead_open(&key, &nonce[1..], b"", &mut buffer), Err(CryptoError::InvalidLength));
    }
}

#[test]
fn derived_keys_agree() {
    for (id, native, portable) in suites() {
        for len in [0, 1, 32, 64, 100] {
            let ikm = random_bytes(len);
            let (a, a_public) = native.hpke_derive_key_pair(&ikm).unwrap();
            let (b, b_public) = portable.hpke_derive_key_pair(&ikm).unwrap();
            assert!(a.secret().ct_eq(b.secret()), "{id:?} {len}");
            assert_eq!(a_public, b_public);
            assert_eq!(native.hpke_public_key(&b).unwrap(), a_public);
            assert_eq!(native.validate_hpke_public_key(&a_public), Ok(()));
        }
    }
}

#[test]
fn one_seals_and_the_other_opens() {
    for (sender, receiver) in pairs() {
        let (private_key, public_key) = receiver.hpke_generate(&OsRandom).unwrap();
        let (psk, plaintext) = (random_bytes(32), random_bytes(77));
        let with_psk = HpkeContext { info: b"info", psk: Some(HpkePsk { psk: &psk, psk_id: b"id" }) };
        for context in [HpkeContext::base(b""), HpkeContext::base(b"info"), with_psk] {
            let job = SealJob { public_key: &public_key, plaintext: &plaintext };
            let sealed = sender.hpke_seal(&context, b"aad", job, &OsRandom).unwrap();
            let open = |context, aad| receiver.hpke_open(context, aad, (&private_key, &public_key), &sealed);
            assert_eq!(open(&context, b"aad").unwrap().as_slice(), plaintext);
            assert_eq!(open(&context, b"AAD").err(), Some(CryptoError::OpenFailed));
            assert_eq!(open(&HpkeContext::base(b"other"), b"aad").err(), Some(CryptoError::OpenFailed));
        }
    }
}

#[test]
fn both_sides_export_the_same() {
    for (sender, receiver) in pairs() {
        let (private_key, public_key) = receiver.hpke_generate(&OsRandom).unwrap();
        for len in [1, 32, 64, 1000] {
            let (kem_output, secret) = sender.hpke_export_sender(&public_key, (b"i", b"c"), len, &OsRandom).unwrap();
            let receive =
                |inputs| receiver.hpke_export_receiver((&private_key, &public_key), &kem_output, inputs, len).unwrap();
            assert!(secret.ct_eq(&receive((b"i", b"c"))));
            assert!(len < 32 || !secret.ct_eq(&receive((b"c", b"i"))));
        }
        let too_long = sender.hpke_export_sender(&public_key, (b"", b""), 70_000, &OsRandom).err();
        assert_eq!(too_long, Some(CryptoError::OutputTooLong(70_000)));
    }
}
