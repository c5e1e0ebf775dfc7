//! The known answers of RFC 9180, Appendix A, as far as the trait's operations reach.

use mls_crypto::{
    CipherSuite, CryptoProvider, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePsk, HpkePublicKey, Kem, Secret,
    SuiteCrypto,
};

mod vectors;

/// One setup; all bytes are hexadecimal.
struct Vector {
    section: &'static str,
    cipher_suite: CipherSuite,
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

/// Checks key derivation, opening, and export in base mode against the vectors of the registered suites. Suites under
/// other ids are left out.
///
/// # Panics
/// If an answer differs, or if the provider has none of the suites.
pub fn rfc9180(provider: &dyn CryptoProvider) {
    let mut checked = 0;
    for vector in &vectors::VECTORS {
        if let Ok(suite) = provider.suite(vector.cipher_suite) {
            check(suite.as_ref(), vector);
            checked += 1;
        }
    }
    assert!(checked > 0, "no suite of RFC 9180, Appendix A");
}

fn check(suite: &dyn SuiteCrypto, vector: &Vector) {
    let section = vector.section;
    let (private_key, public_key) = suite.hpke_derive_key_pair(&bytes(vector.ikm)).unwrap();
    assert_eq!(public_key.as_slice(), bytes(vector.public_key), "{section}: public key");
    assert_eq!(private_key.secret().as_slice(), serialized_private_key(suite, vector), "{section}: private key");
    let given = HpkePrivateKey::new(Secret::new(bytes(vector.private_key)));
    assert_eq!(suite.hpke_public_key(&given), Ok(public_key.clone()), "{section}: public half");
    opens(suite, vector, (&private_key, &public_key));
    if vector.psk.is_none() {
        exports(suite, vector, (&private_key, &public_key));
    }
}

/// The private key as `SerializePrivateKey` gives it. The appendix prints X25519 keys before they are clamped, which
/// Section 7.1.2 asks for.
fn serialized_private_key(suite: &dyn SuiteCrypto, vector: &Vector) -> Vec<u8> {
    let mut key = bytes(vector.private_key);
    if suite.parameters().kem == Kem::X25519 {
        key[0] &= 0xf8;
        key[31] = (key[31] & 0x7f) | 0x40;
    }
    key
}

fn opens(suite: &dyn SuiteCrypto, vector: &Vector, key_pair: (&HpkePrivateKey, &HpkePublicKey)) {
    let (info, psk) = (bytes(vector.info), vector.psk.map(|(psk, psk_id)| (bytes(psk), bytes(psk_id))));
    let psk = psk.as_ref().map(|(psk, psk_id)| HpkePsk { psk, psk_id });
    let sealed =
        HpkeCiphertext { kem_output: bytes(vector.kem_output).into(), ciphertext: bytes(vector.ciphertext).into() };
    let context = HpkeContext { info: &info, psk };
    let opened = suite.hpke_open(&context, &bytes(vector.aad), key_pair, &sealed).unwrap();
    assert_eq!(opened.as_slice(), bytes(vector.plaintext), "{}: plaintext", vector.section);
}

fn exports(suite: &dyn SuiteCrypto, vector: &Vector, key_pair: (&HpkePrivateKey, &HpkePublicKey)) {
    let (info, kem_output) = (bytes(vector.info), bytes(vector.kem_output));
    for (exporter_context, value) in vector.exports {
        let exporter_context = bytes(exporter_context);
        let inputs = (&info[..], &exporter_context[..]);
        let exported = suite.hpke_export_receiver(key_pair, &kem_output, inputs, 32).unwrap();
        assert_eq!(exported.as_slice(), bytes(value), "{}: export", vector.section);
    }
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    hex::decode(hexadecimal).unwrap()
}
