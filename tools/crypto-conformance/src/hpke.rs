//! HPKE seal, open and export (RFC 9180, Sections 5 and 6; RFC 9420, Sections 5.1.3 and 8.3).

use mls_crypto::{
    CryptoError, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePsk, HpkePublicKey, Kem, Random, SealJob, SuiteCrypto,
};

const AAD: &[u8] = b"associated data";
const BASE: HpkeContext<'static> = HpkeContext::base(b"info");
const PSK: HpkeContext<'static> =
    HpkeContext { info: b"info", psk: Some(HpkePsk { psk: &[5; 32], psk_id: b"psk id" }) };

type KeyPair = (HpkePrivateKey, HpkePublicKey);

/// One suite and a receiver in it.
struct Bench<'a> {
    suite: &'a dyn SuiteCrypto,
    random: &'a dyn Random,
    receiver: KeyPair,
}

pub(crate) fn check(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let receiver = suite.hpke_generate(random).unwrap();
    let bench = Bench { suite, random, receiver };
    bench.round_trip();
    bench.refuses_changes();
    bench.refuses_kem_outputs();
    bench.refuses_weak_psks();
    bench.seals_to_many();
    bench.exports();
}

impl Bench<'_> {
    fn seal(&self, context: &HpkeContext<'_>, plaintext: &[u8]) -> HpkeCiphertext {
        let job = SealJob { public_key: &self.receiver.1, plaintext };
        self.suite.hpke_seal(context, AAD, job, self.random).unwrap()
    }

    /// The plaintext, or why there is none.
    fn open(&self, context: &HpkeContext<'_>, aad: &[u8], sealed: &HpkeCiphertext) -> Result<Vec<u8>, CryptoError> {
        let key_pair = (&self.receiver.0, &self.receiver.1);
        self.suite.hpke_open(context, aad, key_pair, sealed).map(|plaintext| plaintext.as_slice().to_vec())
    }

    fn round_trip(&self) {
        let id = self.suite.cipher_suite();
        let long = HpkeContext::base(&[6; 70_000]);
        for context in [BASE, PSK, HpkeContext::base(b""), long] {
            for plaintext in [&b""[..], b"x", &[7; 5000]] {
                let sealed = self.seal(&context, plaintext);
                assert_eq!(sealed.ciphertext.as_slice().len(), plaintext.len() + 16, "{id:?}");
                assert_eq!(self.open(&context, AAD, &sealed), Ok(plaintext.to_vec()), "{id:?}");
            }
        }
        assert_ne!(self.seal(&BASE, b"x"), self.seal(&BASE, b"x"), "{id:?}: encapsulation is not fresh");
    }

    /// CRY-07: `info` and the associated data each have to be right in their own place.
    fn refuses_changes(&self) {
        let id = self.suite.cipher_suite();
        let failed = Err(CryptoError::OpenFailed);
        let sealed = self.seal(&BASE, b"plaintext");
        assert_eq!(self.open(&HpkeContext::base(b"other"), AAD, &sealed), failed, "{id:?}: info");
        assert_eq!(self.open(&HpkeContext::base(AAD), BASE.info, &sealed), failed, "{id:?}: swapped");
        assert_eq!(self.open(&BASE, b"other", &sealed), failed, "{id:?}: associated data");
        assert_eq!(self.open(&PSK, AAD, &sealed), failed, "{id:?}: mode");
        let psk = self.seal(&PSK, b"plaintext");
        for (psk_bytes, psk_id) in [([6; 32], &b"psk id"[..]), ([5; 32], b"other id")] {
            let context = HpkeContext { info: b"info", psk: Some(HpkePsk { psk: &psk_bytes, psk_id }) };
            assert_eq!(self.open(&context, AAD, &psk), failed, "{id:?}: PSK");
        }
        let bytes = sealed.ciphertext.as_slice();
        for position in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[position] ^= 1;
            for ciphertext in [changed, bytes[..position].to_vec()] {
                let sealed = HpkeCiphertext { kem_output: sealed.kem_output.clone(), ciphertext: ciphertext.into() };
                assert_eq!(self.open(&BASE, AAD, &sealed), failed, "{id:?}: byte {position}");
            }
        }
        let stranger = self.suite.hpke_generate(self.random).unwrap();
        let opened = self.suite.hpke_open(&BASE, AAD, (&stranger.0, &stranger.1), &sealed);
        assert_eq!(opened.err(), Some(CryptoError::OpenFailed), "{id:?}: key");
    }

    /// PROP-15
    fn refuses_kem_outputs(&self) {
        let id = self.suite.cipher_suite();
        let sealed = self.seal(&BASE, b"plaintext");
        let with = |kem_output: Vec<u8>| HpkeCiphertext {
            kem_output: kem_output.into(),
            ciphertext: sealed.ciphertext.clone(),
        };
        let good = sealed.kem_output.as_slice();
        for len in (0..=good.len() + 1).filter(|len| *len != good.len()) {
            let kem_output: Vec<u8> = good.iter().copied().chain([0]).take(len).collect();
            let result = self.open(&BASE, AAD, &with(kem_output.clone()));
            assert_eq!(result, Err(CryptoError::InvalidKemOutput), "{id:?}: length {len}");
            let key_pair = (&self.receiver.0, &self.receiver.1);
            let exported = self.suite.hpke_export_receiver(key_pair, &kem_output, (b"", b""), 32);
            assert_eq!(exported.err(), Some(CryptoError::InvalidKemOutput), "{id:?}: length {len}");
        }
        let mut changed = good.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        // A changed X25519 or ML-KEM output is another valid one; a changed point has left its curve.
        let expected = match self.suite.parameters().kem {
            Kem::P256 | Kem::P384 | Kem::P521 => CryptoError::InvalidKemOutput,
            _ => CryptoError::OpenFailed,
        };
        assert_eq!(self.open(&BASE, AAD, &with(changed)), Err(expected), "{id:?}");
    }

    /// RFC 9180, Section 5.1: PSK and its id come together; Section 9.5: the PSK holds 32 bytes of entropy.
    fn refuses_weak_psks(&self) {
        let id = self.suite.cipher_suite();
        for (psk, psk_id) in [(&[][..], &b"id"[..]), (&[5; 31], b"id"), (&[5; 32], b""), (&[], b"")] {
            let context = HpkeContext { info: b"", psk: Some(HpkePsk { psk, psk_id }) };
            let job = SealJob { public_key: &self.receiver.1, plaintext: b"" };
            let sealed = self.suite.hpke_seal(&context, b"", job, self.random);
            assert_eq!(sealed.err(), Some(CryptoError::InvalidLength), "{id:?}: seal");
            let opened = self.open(&context, AAD, &self.seal(&BASE, b""));
            assert_eq!(opened, Err(CryptoError::InvalidLength), "{id:?}: open");
        }
    }

    fn seals_to_many(&self) {
        let id = self.suite.cipher_suite();
        let receivers: Vec<KeyPair> = (0..5).map(|_| self.suite.hpke_generate(self.random).unwrap()).collect();
        let plaintexts: Vec<Vec<u8>> = (0..5).map(|position| vec![position; usize::from(position)]).collect();
        let jobs: Vec<SealJob<'_>> = receivers
            .iter()
            .zip(&plaintexts)
            .map(|((_, public_key), plaintext)| SealJob { public_key, plaintext })
            .collect();
        let sealed = self.suite.hpke_seal_many(b"info", &jobs, self.random).unwrap();
        assert_eq!(sealed.len(), jobs.len(), "{id:?}");
        for ((receiver, plaintext), sealed) in receivers.iter().zip(&plaintexts).zip(&sealed) {
            let opened = self.suite.hpke_open(&BASE, b"", (&receiver.0, &receiver.1), sealed).unwrap();
            assert_eq!(opened.as_slice(), plaintext, "{id:?}");
        }
        assert_eq!(self.suite.hpke_seal_many(b"info", &[], self.random), Ok(Vec::new()), "{id:?}");
        let bad = HpkePublicKey::new(vec![1; 3]);
        let jobs = [jobs[0], SealJob { public_key: &bad, plaintext: b"" }];
        let error = self.suite.hpke_seal_many(b"info", &jobs, self.random);
        assert_eq!(error, Err(CryptoError::InvalidPublicKey), "{id:?}");
    }

    fn exports(&self) {
        let id = self.suite.cipher_suite();
        let public_key = &self.receiver.1;
        let key_pair = (&self.receiver.0, public_key);
        let limit = 255 * self.suite.hash_len();
        for len in [0, 32, limit] {
            let inputs = (&b"info"[..], &b"exporter context"[..]);
            let (kem_output, sent) = self.suite.hpke_export_sender(public_key, inputs, len, self.random).unwrap();
            let received = self.suite.hpke_export_receiver(key_pair, &kem_output, inputs, len).unwrap();
            assert_eq!(sent.len(), len, "{id:?}");
            assert!(sent.ct_eq(&received), "{id:?}");
            for other in [(&b"other"[..], inputs.1), (inputs.0, &b"other"[..])] {
                let received = self.suite.hpke_export_receiver(key_pair, &kem_output, other, len).unwrap();
                assert!(len == 0 || !sent.ct_eq(&received), "{id:?}: {other:?}");
            }
        }
        let (kem_output, _) = self.suite.hpke_export_sender(public_key, (b"", b""), 1, self.random).unwrap();
        for len in [limit + 1, 65_536, usize::MAX] {
            // CRY-10
            let too_long = Some(CryptoError::OutputTooLong(len));
            let sent = self.suite.hpke_export_sender(public_key, (b"", b""), len, self.random);
            assert_eq!(sent.err(), too_long, "{id:?}: sender");
            let received = self.suite.hpke_export_receiver(key_pair, &kem_output, (b"", b""), len);
            assert_eq!(received.err(), too_long, "{id:?}: receiver");
        }
    }
}
