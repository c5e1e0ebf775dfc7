//! The native provider against the portable one, whose HPKE is the `hpke` crate's: the oracle of our composition.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

use std::sync::Arc;

use mls_crypto::{
    CipherSuite, CryptoError, CryptoProvider, HpkeContext, HpkePsk, HpkePublicKey, Random, SealJob, Secret,
    SignaturePrivateKey, SignedItem, SuiteCrypto,
};
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

/// CRY-10
#[test]
fn refuses_too_much_kdf_output() {
    for (_, native, portable) in suites() {
        let (prk, most) = (random_bytes(native.hash_len()), 255 * native.hash_len());
        let expand = |suite: &Suite, len| suite.kdf_expand(&prk, b"info", len);
        assert!(expand(&native, most).unwrap().ct_eq(&expand(&portable, most).unwrap()));
        assert_eq!(expand(&native, most + 1).err(), Some(CryptoError::OutputTooLong(most + 1)));
        let short = native.kdf_expand(&prk[1..], b"info", 1).err();
        assert_eq!(short, portable.kdf_expand(&prk[1..], b"info", 1).err());
        assert_eq!(short, Some(CryptoError::InvalidLength));
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
fn one_seals_to_many_and_the_other_opens() {
    for (sender, receiver) in pairs() {
        let keys: Vec<_> = (0..5).map(|_| receiver.hpke_generate(&OsRandom).unwrap()).collect();
        let plaintexts: Vec<_> = (0..5).map(|n| random_bytes(n * 20)).collect();
        let jobs = keys.iter().zip(&plaintexts).map(|((_, public_key), plaintext)| SealJob { public_key, plaintext });
        let sealed = sender.hpke_seal_many(b"info", &jobs.collect::<Vec<_>>(), &OsRandom).unwrap();
        assert_eq!(sealed.len(), 5);
        for (((private_key, public_key), plaintext), sealed) in keys.iter().zip(&plaintexts).zip(&sealed) {
            let opened = receiver.hpke_open(&HpkeContext::base(b"info"), b"", (private_key, public_key), sealed);
            assert_eq!(opened.unwrap().as_slice(), plaintext);
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

#[test]
fn psk_mode_needs_psk_and_id() {
    for (_, native, _) in suites() {
        let (_, public_key) = native.hpke_generate(&OsRandom).unwrap();
        for psk in [HpkePsk { psk: &[1; 31], psk_id: b"id" }, HpkePsk { psk: &[1; 32], psk_id: b"" }] {
            let context = HpkeContext { info: b"", psk: Some(psk) };
            let job = SealJob { public_key: &public_key, plaintext: b"" };
            assert_eq!(native.hpke_seal(&context, b"", job, &OsRandom).err(), Some(CryptoError::InvalidLength));
        }
    }
}

/// CRY-02
#[test]
fn refuses_the_public_keys_the_other_refuses() {
    for (id, native, portable) in suites() {
        let (_, good) = native.hpke_generate(&OsRandom).unwrap();
        let good = good.as_slice();
        let mut bad = vec![vec![], good[1..].to_vec(), [good, &[0]].concat(), vec![0; good.len()]];
        if good[0] == 4 && good.len() < 200 {
            let half = good.len() / 2;
            bad.push([&[2 | good[good.len() - 1] & 1], &good[1..=half]].concat());
            bad.push([&[6 | good[good.len() - 1] & 1], &good[1..]].concat());
            let mut off_curve = good.to_vec();
            off_curve[half] ^= 1;
            bad.push(off_curve);
            bad.push(vec![0]);
        }
        for bytes in bad {
            let key = HpkePublicKey::new(bytes);
            let refused = Err(CryptoError::InvalidPublicKey);
            assert_eq!(native.validate_hpke_public_key(&key), refused, "{id:?} {key:?}");
            assert_eq!(portable.validate_hpke_public_key(&key), refused, "{id:?} {key:?}");
            let job = SealJob { public_key: &key, plaintext: b"" };
            let sealed = native.hpke_seal(&HpkeContext::base(b""), b"", job, &OsRandom).err();
            assert_eq!(sealed, portable.hpke_seal(&HpkeContext::base(b""), b"", job, &OsRandom).err(), "{id:?}");
        }
    }
}

/// CRY-08
#[test]
fn refuses_low_order_points_everywhere() {
    let native = AwsLc::default().suite(CipherSuite::X25519_AES128).unwrap();
    let (private_key, public_key) = native.hpke_generate(&OsRandom).unwrap();
    for first in [0, 1] {
        let mut point = vec![0; 32];
        point[0] = first;
        let low = HpkePublicKey::new(point.clone());
        let job = SealJob { public_key: &low, plaintext: b"" };
        let zero = Some(CryptoError::ZeroSharedSecret);
        assert_eq!(native.hpke_seal(&HpkeContext::base(b""), b"", job, &OsRandom).err(), zero);
        let key_pair = (&private_key, &public_key);
        assert_eq!(native.hpke_export_receiver(key_pair, &point, (b"", b""), 32).err(), zero);
    }
}

#[test]
fn private_keys_out_of_range_are_refused() {
    for (id, native, portable) in suites() {
        let (good, _) = native.signature_generate(&OsRandom).unwrap();
        let len = good.secret().len();
        let mut bad = vec![vec![], vec![1; len - 1], vec![1; len + 1]];
        if ![CipherSuite::X25519_AES128, CipherSuite::X25519_CHACHA20].contains(&id) && len != 32 || id.0 == 2 {
            bad.extend([vec![0; len], vec![0xff; len]]);
        }
        for bytes in bad {
            let key = SignaturePrivateKey::new(Secret::new(bytes));
            for suite in [&native, &portable] {
                assert_eq!(suite.signature_public_key(&key).err(), Some(CryptoError::InvalidPrivateKey), "{id:?}");
                assert_eq!(suite.sign(&key, b"m").err(), Some(CryptoError::InvalidPrivateKey), "{id:?}");
            }
        }
    }
}

#[test]
fn one_signs_and_the_other_verifies() {
    for (signer, verifier) in pairs() {
        for len in [0, 1, 300] {
            let (private_key, public_key) = signer.signature_generate(&OsRandom).unwrap();
            assert_eq!(verifier.signature_public_key(&private_key).unwrap(), public_key);
            assert_eq!(verifier.validate_signature_public_key(&public_key), Ok(()));
            let message = random_bytes(len);
            let signature = signer.sign(&private_key, &message).unwrap();
            let item = SignedItem { public_key: &public_key, message: &message, signature: &signature };
            assert_eq!(verifier.verify(item), Ok(()));
            let other = SignedItem { message: b"another", ..item };
            assert_eq!(verifier.verify(other), Err(CryptoError::InvalidSignature));
            assert_eq!(verifier.verify_batch(&[item, item, other, item]), Err((2, CryptoError::InvalidSignature)));
        }
    }
}

/// CRY-05: bytes that are not the one encoding are refused, by both.
#[test]
fn malformed_signatures_are_refused() {
    for (id, native, portable) in suites() {
        let (private_key, public_key) = native.signature_generate(&OsRandom).unwrap();
        let good = native.sign(&private_key, b"m").unwrap();
        let mut bad: Vec<Vec<u8>> = (0..good.len()).map(|len| good[..len].to_vec()).collect();
        bad.push([&good[..], &[0]].concat());
        if good[0] == 0x30 && good.len() > 66 {
            let mut long_form = vec![0x30, 0x81, good[1]];
            long_form.extend(&good[2..]);
            bad.push(long_form);
        }
        for signature in bad {
            let item = SignedItem { public_key: &public_key, message: b"m", signature: &signature };
            assert_eq!(native.verify(item), Err(CryptoError::InvalidSignature), "{id:?}");
            assert_eq!(portable.verify(item), Err(CryptoError::InvalidSignature), "{id:?}");
        }
    }
}

/// Low `s`: the half above `n / 2` starts with the bit or digit that the half below never has.
#[test]
fn emitted_s_is_low() {
    for id in [CipherSuite::P256_AES128, CipherSuite::P384_AES256] {
        let suite = AwsLc::default().suite(id).unwrap();
        let (private_key, _) = suite.signature_generate(&OsRandom).unwrap();
        let width = private_key.secret().len();
        for _ in 0..50 {
            let signature = suite.sign(&private_key, b"m").unwrap();
            let s_at = 4 + usize::from(signature[3]);
            // A high `s` has its first bit set and so a zero byte in front.
            assert!(usize::from(signature[s_at + 1]) <= width);
        }
    }
}

struct Broken;

impl Random for Broken {
    fn fill(&self, _: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::Random)
    }
}

/// PM-08
#[test]
fn broken_randomness_is_an_error() {
    for (_, native, _) in suites() {
        let (_, public_key) = native.hpke_generate(&OsRandom).unwrap();
        let job = SealJob { public_key: &public_key, plaintext: b"" };
        assert_eq!(native.hpke_generate(&Broken).err(), Some(CryptoError::Random));
        assert_eq!(native.signature_generate(&Broken).err(), Some(CryptoError::Random));
        assert_eq!(native.hpke_seal(&HpkeContext::base(b""), b"", job, &Broken).err(), Some(CryptoError::Random));
        assert_eq!(native.hpke_seal_many(b"", &[job], &Broken).err(), Some(CryptoError::Random));
    }
}
