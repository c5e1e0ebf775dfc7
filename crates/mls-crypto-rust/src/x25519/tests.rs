use curve25519_dalek::montgomery::MontgomeryPoint;

use super::*;

fn shared_secret_is_zero(u: [u8; 32]) -> bool {
    let scalars = [[0x41; 32], [0xff; 32], [0x00; 32]];
    scalars.iter().all(|scalar| MontgomeryPoint(u).mul_clamped(*scalar).to_bytes() == [0; 32])
}

/// CRY-08
#[test]
fn every_listed_encoding_gives_zero() {
    for mut u in LOW_ORDER {
        assert!(shared_secret_is_zero(u) && is_low_order(&u));
        u[31] |= 0x80;
        assert!(shared_secret_is_zero(u) && is_low_order(&u));
    }
}

/// CRY-08: the other encodings near zero, one and the prime, and the base point, are of high order.
#[test]
fn neighbours_do_not_give_zero() {
    let neighbours = [(2, 0, 0), (9, 0, 0), (0xeb, 0xff, 0x7f), (0xef, 0xff, 0x7f), (0xff, 0xff, 0x7f)];
    for (first, middle, last) in neighbours {
        let u = field_element(first, middle, last);
        assert!(!shared_secret_is_zero(u) && !is_low_order(&u));
    }
}

#[test]
fn other_lengths_are_not_low_order() {
    assert!(!is_low_order(&[0; 31]));
    assert!(!is_low_order(&[0; 33]));
}
