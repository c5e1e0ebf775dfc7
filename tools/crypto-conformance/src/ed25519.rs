//! One accept set for Ed25519 (RFC 8032, Section 5.1.7; X-AUTH-05).
//!
//! In: providers. Out: nothing, or a panic with the smallest mix of signatures on which one of them errs.
//! Always: the expectation is computed here, from the equation, not by any provider.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use mls_crypto::{CryptoError, CryptoProvider, SignaturePublicKey, SignatureScheme, SignedItem, SuiteCrypto};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use sha2::{Digest, Sha512};

/// Random mixes per provider.
const CASES: u32 = 128;

/// Every provider, singly and in batches, accepts exactly the signatures whose `A` and `R` are canonical encodings of
/// points, whose `S` is reduced, and which satisfy the cofactored equation.
///
/// # Panics
/// If a provider errs, or has no suite with Ed25519.
pub fn ed25519_accept_set(providers: &[&dyn CryptoProvider]) {
    for provider in providers {
        let suite = crate::suite_with(*provider, |suite| suite.signature == SignatureScheme::Ed25519)
            .unwrap_or_else(|| panic!("{provider:?} has no Ed25519"));
        fixed_cases(suite.as_ref());
        let mixes = proptest::collection::vec(signed(), 1..9);
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let result = TestRunner::new(config).run(&mixes, |mix| {
            check(suite.as_ref(), &mix);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{provider:?}: {error}"));
    }
}

/// Public keys that may not enter a leaf: small order in every encoding, not canonical, and not on the curve.
pub(crate) fn invalid_public_keys() -> Vec<Vec<u8>> {
    let off_curve = (2..=255_u8).map(encoding_of_y).find(|bytes| CompressedEdwardsY(*bytes).decompress().is_none());
    small_order_encodings().into_iter().chain(non_canonical_encodings()).chain(off_curve).map(Vec::from).collect()
}

/// One claim: bytes only, so that nothing about its making can leak into the expectation.
#[derive(Clone, Debug)]
struct Signed {
    public_key: [u8; 32],
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    /// What every provider has to say, by definition of the accept set.
    fn expected(&self) -> Result<(), CryptoError> {
        let a = decode(&self.public_key).ok_or(CryptoError::InvalidPublicKey)?;
        let (r, s) = self.signature.split_at(32);
        let r_bytes = r.try_into().unwrap();
        let r = decode(&r_bytes).ok_or(CryptoError::InvalidSignature)?;
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s.try_into().unwrap()));
        let s = s.ok_or(CryptoError::InvalidSignature)?;
        let k = challenge(&r_bytes, &self.public_key, &self.message);
        let error = ED25519_BASEPOINT_POINT * s - r - a * k;
        if error.mul_by_cofactor().is_identity() { Ok(()) } else { Err(CryptoError::InvalidSignature) }
    }
}

/// Singly, as a batch, and as batches of each prefix's length.
fn check(suite: &dyn SuiteCrypto, mix: &[Signed]) {
    let keys: Vec<SignaturePublicKey> =
        mix.iter().map(|signed| SignaturePublicKey::new(signed.public_key.to_vec())).collect();
    let items: Vec<SignedItem<'_>> = mix
        .iter()
        .zip(&keys)
        .map(|(signed, public_key)| SignedItem { public_key, message: &signed.message, signature: &signed.signature })
        .collect();
    let expected: Vec<Result<(), CryptoError>> = mix.iter().map(Signed::expected).collect();
    for (item, expected) in items.iter().zip(&expected) {
        assert_eq!(suite.verify(*item), *expected, "single: {item:?}");
    }
    let bad = |(position, verdict): (usize, &Result<(), CryptoError>)| verdict.err().map(|error| (position, error));
    let first_bad = expected.iter().enumerate().find_map(bad);
    assert_eq!(suite.verify_batch(&items).err(), first_bad, "batch: {mix:?}");
    // Good items alone: that a batch accepts is otherwise rarely seen.
    let good: Vec<SignedItem<'_>> =
        items.iter().zip(&expected).filter(|(_, verdict)| verdict.is_ok()).map(|(item, _)| *item).collect();
    assert_eq!(suite.verify_batch(&good), Ok(()), "batch of good items: {mix:?}");
    new_keys(suite, &items, first_bad);
    let entering: Vec<SignedItem<'_>> =
        good.into_iter().filter(|item| suite.validate_signature_public_key(item.public_key).is_ok()).collect();
    assert_eq!(suite.verify_batch_of_new_keys(&entering), Ok(()), "batch of good new keys: {mix:?}");
}

/// Keys that may not enter a leaf are named first, then signatures.
fn new_keys(suite: &dyn SuiteCrypto, items: &[SignedItem<'_>], first_bad: Option<(usize, CryptoError)>) {
    let validate = |(position, item): (usize, &SignedItem<'_>)| {
        suite.validate_signature_public_key(item.public_key).err().map(|error| (position, error))
    };
    let first_key = items.iter().enumerate().find_map(validate);
    assert_eq!(suite.verify_batch_of_new_keys(items).err(), first_key.or(first_bad), "new keys: {items:?}");
}

/// All pairs of odd encodings as `A` and `R` with `S = 0`; a valid signature with `S` and with `S` plus the order; and two
/// errors that cancel in a sum without random coefficients.
fn fixed_cases(suite: &dyn SuiteCrypto) {
    let odd: Vec<[u8; 32]> = small_order_encodings().into_iter().chain(non_canonical_encodings()).collect();
    let mut accepted = 0;
    for a in &odd {
        for r in &odd {
            let signed = Signed { public_key: *a, message: vec![1], signature: [*r, [0; 32]].concat() };
            accepted += usize::from(signed.expected().is_ok());
            check(suite, &[signed]);
        }
    }
    assert_eq!(accepted, 64, "eight points of small order, each with one canonical encoding");
    let good = Recipe { secret: 5, nonce: 7, ..Recipe::default() }.cook();
    let mut unreduced = good.clone();
    unreduced.signature[32..].copy_from_slice(&plus_order(&good.signature[32..]));
    assert_eq!((good.expected(), unreduced.expected()), (Ok(()), Err(CryptoError::InvalidSignature)));
    check(suite, &[good, unreduced]);
    let one_off = |error, message| Recipe { secret: 5, nonce: 7, error, message, ..Recipe::default() }.cook();
    check(suite, &[one_off(1, 1), one_off(-1, 2)]);
    check(suite, &[one_off(1, 1), one_off(-1, 1)]);
}

/// How a claim is made: honest in the prime-order group, then bent.
#[derive(Clone, Copy, Debug, Default)]
struct Recipe {
    secret: u64,
    nonce: u64,
    /// Index of the torsion point added to `A`.
    torsion_of_a: usize,
    /// Index of the torsion point added to `R`.
    torsion_of_r: usize,
    /// Added to `S`; not zero makes the equation fail.
    error: i8,
    message: u8,
}

impl Recipe {
    fn cook(self) -> Signed {
        let (a, r) = (Scalar::from(self.secret), Scalar::from(self.nonce));
        let public_key = (ED25519_BASEPOINT_POINT * a + EIGHT_TORSION[self.torsion_of_a]).compress().to_bytes();
        let commitment = (ED25519_BASEPOINT_POINT * r + EIGHT_TORSION[self.torsion_of_r]).compress().to_bytes();
        let message = vec![self.message; usize::from(self.message)];
        let k = challenge(&commitment, &public_key, &message);
        let error = Scalar::from(self.error.unsigned_abs());
        let s = r + k * a + if self.error < 0 { -error } else { error };
        Signed { public_key, message, signature: [commitment, s.to_bytes()].concat() }
    }
}

/// Claims of all kinds; few secrets, so that batches often repeat a key.
fn signed() -> impl Strategy<Value = Signed> {
    let torsion = || prop_oneof![Just(0), 0..8_usize];
    let error = prop_oneof![5 => Just(0), 1 => any::<i8>()];
    let recipe = (0..6_u64, any::<u64>(), torsion(), torsion(), error, 0..4_u8).prop_map(
        |(secret, nonce, torsion_of_a, torsion_of_r, error, message)| {
            Recipe { secret, nonce, torsion_of_a, torsion_of_r, error, message }.cook()
        },
    );
    let odd = proptest::sample::select([small_order_encodings(), non_canonical_encodings()].concat());
    prop_oneof![
        12 => recipe.clone(),
        1 => (recipe.clone(), odd.clone()).prop_map(|(signed, public_key)| Signed { public_key, ..signed }),
        1 => (recipe.clone(), odd).prop_map(|(mut signed, r)| {
            signed.signature[..32].copy_from_slice(&r);
            signed
        }),
        1 => recipe.prop_map(|mut signed| {
            let s = plus_order(&signed.signature[32..]);
            signed.signature[32..].copy_from_slice(&s);
            signed
        }),
    ]
}

/// Decodes as RFC 8032, Section 5.1.3 says: only the encoding the point itself has.
fn decode(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    CompressedEdwardsY(*bytes).decompress().filter(|point| point.compress().to_bytes() == *bytes)
}

fn challenge(r: &[u8; 32], public_key: &[u8; 32], message: &[u8]) -> Scalar {
    let digest = Sha512::new_with_prefix(r).chain_update(public_key).chain_update(message);
    Scalar::from_bytes_mod_order_wide(&digest.finalize().into())
}

/// The canonical encodings of the eight points of small order.
fn small_order_encodings() -> Vec<[u8; 32]> {
    EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect()
}

/// Every encoding that decodes to a point but is not the point's own: `y` at or above the prime, or a sign on `x = 0`.
fn non_canonical_encodings() -> Vec<[u8; 32]> {
    let above_prime = (0xed..=0xff_u8).map(|first| {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (first, 0x7f);
        bytes
    });
    let minus_one = {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (0xec, 0x7f);
        bytes
    };
    let candidates: Vec<[u8; 32]> = above_prime.chain([encoding_of_y(1), minus_one]).collect();
    let signed = candidates.iter().map(|bytes| {
        let mut bytes = *bytes;
        bytes[31] |= 0x80;
        bytes
    });
    let decodes = |bytes: &[u8; 32]| CompressedEdwardsY(*bytes).decompress().is_some();
    candidates.iter().copied().chain(signed).filter(|bytes| decodes(bytes) && decode(bytes).is_none()).collect()
}

fn encoding_of_y(y: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = y;
    bytes
}

/// `s` plus the order of the group, little-endian; fits, as both are below `2^253`.
fn plus_order(s: &[u8]) -> [u8; 32] {
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut sum = [0; 32];
    let mut carry = 0;
    for position in 0..32 {
        let digit = u16::from(s[position]) + u16::from(order[position]) + carry;
        sum[position] = (digit & 0xff) as u8;
        carry = digit >> 8;
    }
    sum
}
