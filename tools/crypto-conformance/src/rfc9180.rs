//! The known answers of RFC 9180, Appendix A, and of draft-ietf-hpke-pq, as far as the trait's operations reach.
//!
//! In: a provider. Out: nothing, or a panic that names the section. Always: suites are found by their algorithms, so an
//! application's own suite ids are checked too.

use mls_crypto::{
    Aead, CryptoProvider, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePsk, HpkePublicKey, Kdf, Kem, Secret,
    SuiteCrypto,
};

use crate::suite_with;

mod vectors;

/// One setup; all bytes are hexadecimal.
struct Vector {
    section: &'static str,
    algorithms: (Kem, Kdf, Aead),
    info: &'static str,
    /// `ikmR`
    ikm: &'static str,
    /// `pkRm`
    public_key: &'static str,
    /// `skRm`
    private_key: &'static str,
    /// PSK and PSK id of PSK mode.
    psk: Option<(&'static str, &'static str)>,
    /// `enc`
    kem_output: &'static str,
    plaintext: &'static str,
    aad: &'static str,
    /// Of sequence number 0.
    ciphertext: &'static str,
    /// Exporter contexts and exported values.
    exports: [(&'static str, &'static str); 3],
}

impl Vector {
    /// The receiver's keys, as printed.
    fn key_pair(&self) -> (HpkePrivateKey, HpkePublicKey) {
        let private_key = HpkePrivateKey::new(Secret::new(bytes(self.private_key)));
        (private_key, HpkePublicKey::new(bytes(self.public_key)))
    }
}

/// Checks key derivation, opening, and export in base mode. A vector is used as far as the provider has a suite with its
/// KEM (derivation), or with its KEM, KDF and AEAD (all else).
///
/// # Panics
/// If an answer differs, or if no vector could be used whole.
pub fn rfc9180(provider: &dyn CryptoProvider) {
    let mut opened = 0;
    for vector in &vectors::VECTORS {
        let (kem, kdf, aead) = vector.algorithms;
        if let Some(suite) = suite_with(provider, |suite| suite.kem == kem) {
            derives(suite.as_ref(), vector);
        }
        if let Some(suite) = suite_with(provider, |suite| (suite.kem, suite.kdf, suite.aead) == (kem, kdf, aead)) {
            opens(suite.as_ref(), vector);
            exports(suite.as_ref(), vector);
            opened += 1;
        }
    }
    assert!(opened > 0, "no suite with the algorithms of a vector");
}

fn derives(suite: &dyn SuiteCrypto, vector: &Vector) {
    let section = vector.section;
    let (private_key, public_key) = suite.hpke_derive_key_pair(&bytes(vector.ikm)).unwrap();
    assert_eq!(public_key.as_slice(), bytes(vector.public_key), "{section}: public key");
    assert_eq!(private_key.secret().as_slice(), serialized_private_key(vector), "{section}: private key");
    assert_eq!(suite.hpke_public_key(&vector.key_pair().0), Ok(public_key), "{section}: public half");
}

/// The private key as `SerializePrivateKey` gives it. The appendix prints X25519 keys before they are clamped, which
/// Section 7.1.2 asks for.
fn serialized_private_key(vector: &Vector) -> Vec<u8> {
    let mut key = bytes(vector.private_key);
    if vector.algorithms.0 == Kem::X25519 {
        key[0] &= 0xf8;
        key[31] = (key[31] & 0x7f) | 0x40;
    }
    key
}

fn opens(suite: &dyn SuiteCrypto, vector: &Vector) {
    let (private_key, public_key) = vector.key_pair();
    let (info, psk) = (bytes(vector.info), vector.psk.map(|(psk, psk_id)| (bytes(psk), bytes(psk_id))));
    let psk = psk.as_ref().map(|(psk, psk_id)| HpkePsk { psk, psk_id });
    let sealed =
        HpkeCiphertext { kem_output: bytes(vector.kem_output).into(), ciphertext: bytes(vector.ciphertext).into() };
    let context = HpkeContext { info: &info, psk };
    let opened = suite.hpke_open(&context, &bytes(vector.aad), (&private_key, &public_key), &sealed).unwrap();
    assert_eq!(opened.as_slice(), bytes(vector.plaintext), "{}: plaintext", vector.section);
}

/// The trait exports in base mode only.
fn exports(suite: &dyn SuiteCrypto, vector: &Vector) {
    if vector.psk.is_some() {
        return;
    }
    let (private_key, public_key) = vector.key_pair();
    let (info, kem_output) = (bytes(vector.info), bytes(vector.kem_output));
    for (exporter_context, value) in vector.exports {
        let exporter_context = bytes(exporter_context);
        let inputs = (&info[..], &exporter_context[..]);
        let exported = suite.hpke_export_receiver((&private_key, &public_key), &kem_output, inputs, 32).unwrap();
        assert_eq!(exported.as_slice(), bytes(value), "{}: export", vector.section);
    }
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal).unwrap()
}
