#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use super::*;

/// `value` as a number of `len` bytes.
fn number(value: u128, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len - 16];
    bytes.extend(value.to_be_bytes());
    bytes
}

#[test]
fn subtraction_carries_the_borrow() {
    assert_eq!(subtract(&[1, 0, 0], &[0, 0, 1]), [0, 0xff, 0xff]);
    assert_eq!(subtract(&[2, 0, 0], &[1, 0xff, 0xff]), [0, 0, 1]);
    assert_eq!(subtract(&[5, 5], &[5, 5]), [0, 0]);
    // A digit that is zero after its own subtraction, with a borrow still to come.
    assert_eq!(subtract(&[1, 7, 0], &[0, 7, 1]), [0, 0xff, 0xff]);
}

#[test]
fn subtraction_agrees_with_wide_integers() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u128;
    for _ in 0..1000 {
        state = state.wrapping_mul(0xda94_2042_e4dd_58b5_0000_0001).wrapping_add(0x1234_5678_9abc_def1);
        let other = state.rotate_left(61) ^ (state >> 7);
        let (a, b) = (state.max(other), state.min(other));
        assert_eq!(subtract(&a.to_be_bytes(), &b.to_be_bytes()), (a - b).to_be_bytes());
    }
}

#[test]
fn low_s_stays_and_high_s_is_negated() {
    for order in [&P256_ORDER[..], &P384_ORDER, &P521_ORDER] {
        let low = number(12345, order.len());
        let high = subtract(order, &low);
        assert_eq!(normalize(&low, order), low);
        assert_eq!(normalize(&high, order), low);
    }
}

/// Around `n / 2`: `(n - 1) / 2` stays, `(n + 1) / 2` becomes it.
#[test]
fn the_border_is_half_the_order() {
    for order in [&P256_ORDER[..], &P384_ORDER, &P521_ORDER] {
        let mut half = Vec::new();
        let mut carry = 0;
        for digit in order {
            half.push(carry << 7 | digit >> 1);
            carry = digit & 1;
        }
        let above = subtract(order, &half);
        assert_eq!(normalize(&half, order), half);
        assert_eq!(normalize(&above, order), half);
    }
}
