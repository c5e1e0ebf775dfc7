//! HPKE keys: derivation, validation and low-order points (RFC 9180, Section 7.1; RFC 9420, Section 5.1.1).

use mls_crypto::{
    CryptoError, HpkeCiphertext, HpkeContext, HpkePrivateKey, HpkePublicKey, Kem, Random, SealJob, Secret, SuiteCrypto,
};

use crate::ecdsa::Curve;

pub(crate) fn check(suite: &dyn SuiteCrypto, random: &dyn Random) {
    derivation(suite);
    lengths(suite, random);
    match suite.parameters().kem {
        Kem::P256 => points(suite, random, Curve::P256),
        Kem::P384 => points(suite, random, Curve::P384),
        Kem::P521 => points(suite, random, Curve::P521),
        Kem::X25519 | Kem::XWing => low_order(suite, random),
        _ => {}
    }
    if suite.parameters().kem == Kem::XWing {
        lattice_coefficients(suite, random);
    }
}

/// The low-order u-coordinates of Curve25519, top bit clear (RFC 7748, Section 6.1).
pub(crate) const LOW_ORDER_X25519: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

fn derivation(suite: &dyn SuiteCrypto) {
    let id = suite.cipher_suite();
    let (private_key, public_key) = suite.hpke_derive_key_pair(&[1; 32]).unwrap();
    let (again, _) = suite.hpke_derive_key_pair(&[1; 32]).unwrap();
    let (other, _) = suite.hpke_derive_key_pair(&[2; 32]).unwrap();
    assert!(private_key.secret().ct_eq(again.secret()), "{id:?}: not deterministic");
    assert!(!private_key.secret().ct_eq(other.secret()), "{id:?}: ignores its input");
    assert_eq!(suite.hpke_public_key(&private_key).as_ref(), Ok(&public_key), "{id:?}");
    assert_eq!(suite.validate_hpke_public_key(&public_key), Ok(()), "{id:?}");
}

/// CRY-02
fn lengths(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let id = suite.cipher_suite();
    let (private_key, public_key) = suite.hpke_generate(random).unwrap();
    assert_eq!(suite.hpke_public_key(&private_key).as_ref(), Ok(&public_key), "{id:?}");
    let sealed = sealed_to(suite, &public_key, random).unwrap();
    let (public, secret) = (public_key.as_slice(), private_key.secret().as_slice());
    for len in (0..=public.len() + 1).filter(|len| *len != public.len()) {
        refuses_public_key(suite, random, &with_len(public, len));
    }
    for len in (0..=secret.len() + 1).filter(|len| *len != secret.len()) {
        refuses_private_key(suite, &public_key, &sealed, &with_len(secret, len));
    }
}

/// CRY-02: off the curve, the point at infinity, compressed and hybrid encodings, coordinates out of range.
fn points(suite: &dyn SuiteCrypto, random: &dyn Random, curve: Curve) {
    let (_, public_key) = suite.hpke_generate(random).unwrap();
    for bytes in curve.invalid_points(public_key.as_slice()) {
        refuses_public_key(suite, random, &bytes);
    }
    let sealed = sealed_to(suite, &public_key, random).unwrap();
    for scalar in curve.invalid_scalars() {
        refuses_private_key(suite, &public_key, &sealed, &scalar);
    }
}

/// CRY-08
fn low_order(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let id = suite.cipher_suite();
    let (private_key, public_key) = suite.hpke_generate(random).unwrap();
    let sealed = sealed_to(suite, &public_key, random).unwrap();
    let zero = Some(CryptoError::ZeroSharedSecret);
    for point in low_order_encodings() {
        let bad_key = HpkePublicKey::new(ending_with(public_key.as_slice(), &point));
        let validated = suite.validate_hpke_public_key(&bad_key);
        assert_eq!(validated, Err(CryptoError::InvalidPublicKey), "{id:?}: {point:02x?}");
        assert_eq!(sealed_to(suite, &bad_key, random).err(), zero, "{id:?}: {point:02x?}");
        let exported = suite.hpke_export_sender(&bad_key, (b"", b""), 32, random);
        assert_eq!(exported.err(), zero, "{id:?}: {point:02x?}");

        let kem_output = ending_with(sealed.kem_output.as_slice(), &point);
        let key_pair = (&private_key, &public_key);
        let exported = suite.hpke_export_receiver(key_pair, &kem_output, (b"", b""), 32);
        assert_eq!(exported.err(), zero, "{id:?}: {point:02x?}");
        let bad = HpkeCiphertext { kem_output: kem_output.into(), ciphertext: sealed.ciphertext.clone() };
        let opened = suite.hpke_open(&HpkeContext::base(b""), b"", key_pair, &bad);
        assert_eq!(opened.err(), zero, "{id:?}: {point:02x?}");
    }
}

/// CRY-02: an ML-KEM key whose first coefficient is not reduced modulo 3329 (FIPS 203, Section 7.2).
fn lattice_coefficients(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let (_, public_key) = suite.hpke_generate(random).unwrap();
    let mut bytes = public_key.as_slice().to_vec();
    bytes[..3].fill(0xff);
    refuses_public_key(suite, random, &bytes);
}

/// All encodings of low-order points, with the ignored top bit clear and set.
pub(crate) fn low_order_encodings() -> Vec<Vec<u8>> {
    let clear: Vec<Vec<u8>> = LOW_ORDER_X25519.iter().map(|point| hex::decode(point).unwrap()).collect();
    let set = clear.iter().map(|point| {
        let mut point = point.clone();
        point[31] |= 0x80;
        point
    });
    clear.iter().cloned().chain(set).collect()
}

fn refuses_public_key(suite: &dyn SuiteCrypto, random: &dyn Random, bytes: &[u8]) {
    let id = suite.cipher_suite();
    let key = HpkePublicKey::new(bytes.to_vec());
    let invalid = CryptoError::InvalidPublicKey;
    assert_eq!(suite.validate_hpke_public_key(&key), Err(invalid), "{id:?}: {bytes:02x?}");
    assert_eq!(sealed_to(suite, &key, random).err(), Some(invalid), "{id:?}: {bytes:02x?}");
    let exported = suite.hpke_export_sender(&key, (b"", b""), 32, random);
    assert_eq!(exported.err(), Some(invalid), "{id:?}: {bytes:02x?}");
}

fn refuses_private_key(suite: &dyn SuiteCrypto, public_key: &HpkePublicKey, sealed: &HpkeCiphertext, bytes: &[u8]) {
    let id = suite.cipher_suite();
    let key = HpkePrivateKey::new(Secret::copy_from(bytes));
    let invalid = Some(CryptoError::InvalidPrivateKey);
    assert_eq!(suite.hpke_public_key(&key).err(), invalid, "{id:?}: length {}", bytes.len());
    let opened = suite.hpke_open(&HpkeContext::base(b""), b"", (&key, public_key), sealed);
    assert_eq!(opened.err(), invalid, "{id:?}: length {}", bytes.len());
    let exported = suite.hpke_export_receiver((&key, public_key), sealed.kem_output.as_slice(), (b"", b""), 32);
    assert_eq!(exported.err(), invalid, "{id:?}: length {}", bytes.len());
}

fn sealed_to(
    suite: &dyn SuiteCrypto,
    public_key: &HpkePublicKey,
    random: &dyn Random,
) -> Result<HpkeCiphertext, CryptoError> {
    suite.hpke_seal(&HpkeContext::base(b""), b"", SealJob { public_key, plaintext: b"x" }, random)
}

/// The bytes cut off or padded with ones.
pub(crate) fn with_len(bytes: &[u8], len: usize) -> Vec<u8> {
    bytes.iter().copied().chain([1]).take(len).collect()
}

/// The bytes with their end replaced.
fn ending_with(bytes: &[u8], end: &[u8]) -> Vec<u8> {
    [&bytes[..bytes.len() - end.len()], end].concat()
}
