//! Encoded points of edwards448 (RFC 8032, Section 5.2.3).
//!
//! In: public keys as received. Out: whether they are canonical, on the curve, of small order.
//! Always: works on public data; nothing here takes constant time.

use mls_crypto::CryptoError;
use openssl::{
    bn::{BigNum, BigNumContext},
    error::ErrorStack,
};

/// `p = 2^448 - 2^224 - 1`, little-endian.
pub(crate) const PRIME: [u8; 56] = {
    let mut prime = [0xff; 56];
    if let Some((_, upper)) = prime.split_first_chunk_mut::<28>()
        && let Some(middle) = upper.first_mut()
    {
        *middle = 0xfe;
    }
    prime
};

/// Whether the bytes are 56 of `y` below the prime and one that holds nothing but the sign of `x`, and the sign is not
/// set where `x` is zero.
pub(super) fn is_canonical(public_key: &[u8]) -> bool {
    let Some((y, [sign])) = parts(public_key) else { return false };
    let x_is_zero = is_small(y, 1) || is_minus_one(y);
    is_reduced(y) && (sign == 0x00 || (sign == 0x80 && !x_is_zero))
}

/// Whether canonical bytes encode one of the four points whose order divides the cofactor: `y` is 0, 1 or -1.
pub(super) fn is_small_order(public_key: &[u8]) -> bool {
    parts(public_key).is_some_and(|(y, _)| is_small(y, 0) || is_small(y, 1) || is_minus_one(y))
}

/// Whether the bytes are canonical and there is a point with this `y`.
///
/// # Errors
/// [`CryptoError::Library`].
pub(super) fn is_on_curve(public_key: &[u8]) -> Result<bool, CryptoError> {
    match parts(public_key) {
        Some((y, _)) if is_canonical(public_key) => has_x(y).map_err(|_| CryptoError::Library),
        _ => Ok(false),
    }
}

/// `x^2 = u / v` with `u = y^2 - 1` and `v = d y^2 - 1`, which is never zero. It has a root exactly if `u v` is a square,
/// which Euler's criterion tells: `(u v)^((p-1)/2)` is 1, or 0 for `u = 0`.
fn has_x(y: &[u8; 56]) -> Result<bool, ErrorStack> {
    let mut context = BigNumContext::new()?;
    let (prime, one) = (number(&PRIME)?, BigNum::from_u32(1)?);
    let mut d = BigNum::from_u32(MINUS_D)?;
    d.set_negative(true);
    let [mut square, mut u, mut d_square, mut v, mut product] = numbers()?;
    let y = number(y)?;
    square.mod_sqr(&y, &prime, &mut context)?;
    u.mod_sub(&square, &one, &prime, &mut context)?;
    d_square.mod_mul(&d, &square, &prime, &mut context)?;
    v.mod_sub(&d_square, &one, &prime, &mut context)?;
    product.mod_mul(&u, &v, &prime, &mut context)?;
    let [mut exponent, mut symbol] = numbers()?;
    // p is odd, so (p - 1) / 2 is p shifted by one.
    exponent.rshift1(&prime)?;
    symbol.mod_exp(&product, &exponent, &prime, &mut context)?;
    Ok(symbol <= one)
}

fn numbers<const N: usize>() -> Result<[BigNum; N], ErrorStack> {
    let numbers = (0..N).map(|_| BigNum::new()).collect::<Result<Vec<_>, _>>()?;
    numbers.try_into().map_err(|_| ErrorStack::get())
}

/// From little-endian.
fn number(bytes: &[u8; 56]) -> Result<BigNum, ErrorStack> {
    let mut big_endian = *bytes;
    big_endian.reverse();
    BigNum::from_slice(&big_endian)
}

/// `y` and the last byte.
fn parts(public_key: &[u8]) -> Option<(&[u8; 56], [u8; 1])> {
    let (y, last) = public_key.split_first_chunk::<56>()?;
    Some((y, last.try_into().ok()?))
}

/// Whether `y < p`.
fn is_reduced(y: &[u8; 56]) -> bool {
    y.iter().rev().lt(PRIME.iter().rev())
}

/// Whether `y` is this number.
fn is_small(y: &[u8; 56], value: u8) -> bool {
    matches!(y, [first, rest @ ..] if *first == value && rest.iter().all(|byte| *byte == 0))
}

/// Whether `y = p - 1`.
fn is_minus_one(y: &[u8; 56]) -> bool {
    matches!((y, &PRIME), ([0xfe, rest @ ..], [_, of_prime @ ..]) if rest == of_prime)
}

/// The curve constant `d` is -39081.
const MINUS_D: u32 = 39_081;
